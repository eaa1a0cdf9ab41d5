/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What is counted for each route and each endpoint. Entries are made by
 * userspace together with the route or endpoint and only counted up by the
 * kernel, atomically. Each carries the names that a person would look for.
 */
#pragma once

#include <weir/limits.h>
#include <weir/types.h>

/* Bucket i of a histogram counts durations of 2^i to 2^(i+1) - 1 microseconds,
 * the first one also shorter and the last one also longer ones. */
#define WEIR_HIST_BUCKETS 24u

/* route_stats: route id -> what its requests came to */
struct weir_route_stats {
	u64 requests;
	u64 responses[5]; /* by class: 1xx .. 5xx, the kernel's own included */
	u64 bytes_up;	  /* payload to endpoints, added when a request is followed */
	u64 bytes_down;	  /* by another one or by the end of the connection */
	u64 first_byte_us
		[WEIR_HIST_BUCKETS]; /* request sent on -> first byte of a response */
	u64 first_byte_sum_us;
	char ingress[WEIR_NAME_MAX];
	char host[WEIR_HOST_MAX];
	char path[WEIR_PATH_MAX];
};

/* endpoint_stats: endpoint id -> how connecting to it went */
struct weir_endpoint_stats {
	u64 connections;		   /* accepted */
	u64 failures;			   /* refused or silent */
	u64 connect_us[WEIR_HIST_BUCKETS]; /* SYN -> SYN-ACK */
	u64 connect_sum_us;
	char service[WEIR_NAME_MAX];
	char text[WEIR_ADDR_TEXT]; /* "10.0.0.1:8080" */
};

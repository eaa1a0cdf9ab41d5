/* SPDX-License-Identifier: BSD-2-Clause */
/* What `weir monitor` shows: as much of it as can be is left to the kernel. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <weir/event.h>

#include "cmd/options.h"
#include "dp/flows.h"

struct ctx;
struct dp;
struct exchange;

struct monitor_options {
	const char *host;
	const char *route;
	struct words status;
	const char *client;
	const char *sample;
	const char *count;
};

struct monitor_filter {
	struct weir_monitor kernel;
	const char *route; /* as given, or NULL */
	bool by_ids;	   /* several routes of one Ingress: `routes` */
	struct id_set routes;
	uint8_t status[75]; /* a bit for each code, 0..599 */
	bool by_status;
};

/* Returns 0, or an exit code after saying what is wrong. */
int monitor_filter_parse(const struct ctx *ctx, const struct monitor_options *opt,
			 struct monitor_filter *out);

/* The Ingress of --route becomes the ids of its routes. -ENOENT when it has none. */
int monitor_filter_routes(struct monitor_filter *f, const struct dp *dp,
			  struct err *err);

/* What the kernel could not tell. */
bool monitor_filter_wants(const struct monitor_filter *f, const struct exchange *x);

void monitor_filter_free(struct monitor_filter *f);

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * TCP health checks: a connection to every endpoint within each interval, spread
 * over it, opened and reset at once. An address and port that several Services
 * share is checked once. Nobody waits: the checks hang in the agent's event loop.
 * What a change costs depends on the change, not on the number of endpoints.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/loop.h"
#include "route/ir.h"

struct health_options {
	uint32_t interval_ms; /* 0: no checks; a check may take as long, too */
	uint32_t fall;	      /* failures in a row that make an endpoint unhealthy */
	uint32_t rise;	      /* successes in a row that make it healthy again */
};

#define HEALTH_DEFAULTS              \
	{                            \
		.fall = 3, .rise = 2 \
	}

/* Checks under way at once, at most. */
#define HEALTH_CHECKS 256

struct health_target {
	struct weir_addr addr;
	uint16_t port; /* host order */
	bool is_down;
	uint32_t in_a_row;		/* results that contradict is_down */
	struct vec_of(uint32_t) groups; /* of the ir, that it is ready in */
	size_t place;			/* in health.targets */
};

struct health {
	struct health_options opt;
	struct vec_of(struct health_target *) targets;
	void *tree;    /* of them by address and port, tsearch(3) */
	size_t next;   /* to be checked */
	double credit; /* checks that are due */
	uint64_t tick_ns;
	struct health_check {
		struct weir_addr addr;
		uint64_t since_ns;
		uint16_t port;
		int fd; /* -1: free */
	} check[HEALTH_CHECKS];
	struct watch done, tick;
	/* health_is_down() says something else now. */
	void (*changed)(void *arg, const struct health_target *t);
	void *arg;
};

/* Holds nothing: health_fini() is harmless. */
void health_init(struct health *h, const struct health_options *opt,
		 void (*changed)(void *arg, const struct health_target *t), void *arg);
void health_fini(struct health *h);

/* Into the loop. Nothing happens without an interval. */
int health_start(struct health *h, struct loop *loop, struct err *err);

/* The endpoints that are checked from now on; what is known of them is kept. A new
 * one is healthy until its checks say otherwise. */
int health_set(struct health *h, const struct ir *ir, struct err *err);

/* The same for one group, at that place of the ir: it had other endpoints before. */
int health_replace(struct health *h, uint32_t group, const struct ir_group *old,
		   const struct ir_group *now, struct err *err);

bool health_is_down(const struct health *h, const struct weir_addr *addr,
		    uint16_t port);

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the maps endpoints, groups, routes and replies hold, and the way from
 * what is wanted to that. Nothing is written twice, nothing that is in use is
 * taken away: first everything new is written, then (by the caller) the route
 * table is swapped, then book_retire() takes away what is no longer wanted.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weir/config.h>
#include <weir/reply.h>

#include "base/err.h"
#include "base/strmap.h"
#include "dp/registry.h"

struct dp;

struct endpoint_want {
	struct weir_addr addr;
	uint16_t port;	 /* host order */
	uint16_t weight; /* share next to the others of its group */
	bool ready;	 /* false: draining, gets no new connections */
	bool unhealthy;	 /* gets connections only when all of the group are */
};

struct group_want {
	const char *name; /* "namespace/service:port" */
	const struct endpoint_want *endpoints;
	size_t count;
	uint32_t flags; /* WEIR_GROUP_* */
	uint32_t id;	/* set by book_groups() */
};

struct book {
	struct registry endpoints; /* by "SERVICE ADDR:PORT" */
	struct registry groups;	   /* by name */
	struct registry routes;	   /* by ingress, host, path, type and occurrence */
	struct strmap unhealthy;   /* "ADDR:PORT", as book_read() found them */
};

/* For maps in which nothing is yet. */
void book_new(struct book *book);

/* Reads back what the maps hold, and the ids that connections remember. */
int book_read(struct book *book, const struct dp *dp, struct err *err);
void book_free(struct book *book);

/* Did health checks fail there, by what the maps said when they were read? */
bool book_says_unhealthy(const struct book *book, const struct weir_addr *addr,
			 uint16_t port);

/* A new round. Then ids, then contents. */
void book_begin(struct book *book);

/* Sets the id of every group. */
int book_groups(struct book *book, struct group_want *want, size_t count,
		struct err *err);

/* The place of a route in book->routes.item (good until book_retire()), which
 * has its id: the same one for the same rule. Rules that are alike are told
 * apart by the order in which they come. */
int book_route(struct book *book, const struct weir_route *route, size_t *place,
	       struct err *err);

/* Writes what differs. The ways to endpoints that the maps have are looked for with
 * `ways` only. *mss becomes what fits every endpoint's way. */
int book_write_groups(struct book *book, const struct dp *dp,
		      const struct group_want *want, size_t count, bool ways,
		      uint16_t *mss, struct err *err);
/* Endpoints of a group that `now` no longer has: marked as gone. */
int book_drop_endpoints(struct book *book, const struct dp *dp,
			const struct group_want *old, const struct group_want *now,
			struct err *err);

/* The i-th of the routes whose places these are. */
typedef void (*book_route_fn)(void *arg, size_t i, struct weir_route *out);
int book_write_routes(struct book *book, const struct dp *dp, const size_t *places,
		      size_t count, book_route_fn value, void *arg, struct err *err);

/* After the swap: groups and routes that are not wanted go; endpoints are
 * marked as gone. */
int book_retire(struct book *book, const struct dp *dp, struct err *err);

bool book_has_unwanted_endpoints(const struct book *book);

/* Endpoints that are gone and that no connection uses any more: is_used() is
 * asked for each. */
void book_forget_endpoints(struct book *book, const struct dp *dp,
			   bool (*is_used)(uint32_t id, void *arg), void *arg);

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What traffic means, without Kubernetes and without the kernel: an ordered
 * set of routes and the endpoint groups they lead to. Built by the readers of
 * Ingress rules, eaten by the table compiler and by the agent.
 *
 * All strings are owned by the ir (ir_free releases everything); those of routes
 * are in its pool.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <weir/config.h>

#include "base/err.h"
#include "base/place.h"
#include "base/pool.h"
#include "base/strmap.h"
#include "base/vec.h"

enum ir_host_kind {
	IR_HOST_EXACT,	  /* "example.com", lower case, no trailing dot */
	IR_HOST_WILDCARD, /* "*.example.com": one label, or more (IR_ORDER_KONG) */
	IR_HOST_TRAILING, /* "example.*": one label or more, IR_ORDER_KONG only */
	IR_HOST_ANY,
};

/* Which of the routes that match wins; docs/routing.md. */
enum ir_order {
	IR_ORDER_KUBERNETES, /* host first; the default backend is no rule */
	IR_ORDER_KONG, /* kinds of conditions first; nor are all hosts of a kind */
};

/* A header condition: any of the values, which compare without case, or of the
 * patterns, which may match anywhere in the value in lower case (ANDed with the
 * route's others). None: the header stands there, whatever its value. */
struct ir_header {
	const char *name; /* lower case */
	struct vec_of(const char *) values;
	struct vec_of(const char *) patterns;
};

struct ir_route {
	uint32_t id; /* given by whoever compiles; stable across rebuilds */
	enum ir_host_kind host_kind;
	const char *host;    /* as written, "" for any */
	const char *path;    /* as written, "" for a default backend */
	const char *match;   /* what is matched: literal, prefix, or regex source */
	const char *pattern; /* IR_ORDER_KONG: what matches instead of an Exact path,
				or of the path itself of a Prefix; or NULL: match */
	bool mixed_hosts;    /* a wildcard is among the hosts of its rule */
	enum weir_path_type type;
	struct vec_of(const char *) methods; /* empty: any */
	struct vec_of(struct ir_header) headers;
	int32_t priority; /* regex-priority */
	int64_t created;  /* creationTimestamp, seconds; INT64_MAX unknown */
	enum weir_action action;
	uint32_t flags;	     /* WEIR_ROUTE_* */
	uint32_t group;	     /* index into ir.groups, for WEIR_ACTION_GROUP/GATEWAY */
	int reply;	     /* index into ir.replies for WEIR_ACTION_REPLY, or -1 */
	const char *ingress; /* "namespace/name" */
	const char *backend; /* "namespace/service:port" */
	struct place at;
	const char *reason; /* why it cannot be honoured, or NULL */
};

struct ir_endpoint {
	struct weir_addr addr;
	uint16_t port;	 /* host order */
	uint16_t weight; /* share next to the others of its group; 0: never ready */
	bool ready;	 /* false: draining (terminating but serving) */
};

struct ir_group {
	uint32_t id;	/* given by whoever compiles; stable across rebuilds */
	char *name;	/* "namespace/service:port" */
	char *service;	/* "namespace/service", NULL for the gateway */
	char *port;	/* its name in EndpointSlices, NULL: no such port */
	uint32_t flags; /* WEIR_GROUP_* */
	struct vec_of(struct ir_endpoint) endpoints; /* no duplicates */
};

struct ir_reply {
	uint16_t status;
	char *content_type; /* NULL: none */
	char *body;	    /* NULL: none */
	char *location;	    /* redirects, NULL: none; or IR_LOCATION_HTTPS */
};

/* A template: the request's own host without its port, its target as received. */
#define IR_LOCATION_HTTPS "https://{host}{target}"

struct ir_warning {
	char *text;
	char *where; /* "file:line:column" or the object's name; may be "" */
};

/* Routes stand in order of precedence of equals: an earlier one wins a tie. */
struct ir {
	struct vec_of(struct ir_route) routes; /* default backend included, last */
	struct vec_of(struct ir_group) groups;
	struct strmap group_places; /* name -> index in groups, but the gateway's */
	struct vec_of(struct ir_reply) replies;
	struct vec_of(struct ir_warning) warnings;
	struct vec_of(struct ir_warning) notes; /* passed over, left out; for -v */
	struct pool pool;			/* texts of routes */
	uint32_t gateway; /* index of the gateway's group + 1, 0: there is none */
	enum ir_order order;
};

void ir_free(struct ir *ir);

/* The group of a Service's port by its name, or NULL. */
struct ir_group *ir_group(const struct ir *ir, const char *name);

/* Of all groups, ready or not. */
size_t ir_count_endpoints(const struct ir *ir);

/* A copy for a route; NULL when out of memory, or of NULL. */
const char *ir_text(struct ir *ir, const char *s);

/* Drop the routes behind the first `count`. */
void ir_truncate(struct ir *ir, size_t count);

/* 0 or -ENOMEM; `where` may be "". */
int ir_warn(struct ir *ir, const char *where, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
int ir_note(struct ir *ir, const char *where, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* SPDX-License-Identifier: BSD-2-Clause */
/* Routes taken apart into what the table matches, and the order of precedence
 * of that. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/pool.h"
#include "route/ir.h"

/* What decides between paths, best first; see docs/routing.md. */
enum path_class {
	CLASS_EXACT,
	CLASS_REGEX,
	CLASS_PREFIX,
};

/* A route, or one of the two halves of a Prefix of IR_ORDER_KONG, with all that
 * orders it, so that sorting compares numbers. */
struct entry {
	const struct ir_route *route;
	const char *text;    /* path, prefix or pattern */
	uint32_t host;	     /* number of its host record */
	uint32_t rank;	     /* of its criteria: the smaller, the more there are */
	uint32_t criteria;   /* number of these criteria */
	uint32_t class;	     /* enum path_class */
	uint32_t is_element; /* of a prefix: a "/" or the end follows */
	uint32_t kinds;	     /* IR_ORDER_KONG: of conditions, see entries_of */
	int32_t priority;    /* of a regex */
	uint32_t length;     /* of text */
	uint32_t order;	     /* place in the ir */
	uint32_t ref;	     /* its record in the blob */
};

#define ENTRIES_OF_ROUTE 2

/* The entries of a route: text, class, is_element, kinds, priority and length.
 * Texts are in the pool or the route's. Their number, 0: no memory. */
size_t entries_of(const struct ir_route *route, enum ir_order order, struct pool *pool,
		  struct entry out[ENTRIES_OF_ROUTE]);

/* Best first; of IR_ORDER_KUBERNETES within a host. For qsort. */
int entries_compare_kubernetes(const void *left, const void *right);
int entries_compare_kong(const void *left, const void *right);

/* < 0: `a` goes first. Entries of that order, of any hosts, and with no rank in
 * them; 0: age decides, or in Kong nothing. */
int entries_decide(enum ir_order order, const struct entry *a, const struct entry *b);

/* Which rule of precedence puts the route `first` before `second`, both places in
 * the ir, for a request for this path. */
const char *entries_why(const struct ir *ir, size_t first, size_t second,
			const char *path);

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From an ir to what the kernel serves, all or nothing:
 *
 *	1. ids for groups, routes and replies; the route table is compiled,
 *	   checked and filled into a map of its own
 *	2. what the new table leads to is written: endpoints, groups, replies
 *	3. one slot is switched: from here on packets see the new rules
 *	4. what only the old rules used is taken away
 *
 * Up to 2 a failure leaves the old rules as they were. When only endpoints have
 * changed, 3 is left out.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "dp/book.h"
#include "dp/dp.h"
#include "route/ir.h"

/* Which address endpoints see, where their Service does not say. */
enum client_address {
	CLIENT_ADDRESS_AS_IS, /* as the data path has it */
	CLIENT_ADDRESS_NODE,
	CLIENT_ADDRESS_KEEP,
};

struct applier {
	struct dp *dp; /* replaced by a larger one when a table needs it */
	/* Makes new maps and a program for a table of that size, in *dp; NULL when
	 * they are there. Called once, when the size is known: the kernel's look at
	 * the program takes longer than all the rest. */
	int (*load)(void *arg, size_t table, struct err *err);
	void *load_arg;
	struct book book;
	uint64_t reply_content
		[WEIR_MAX_REPLIES]; /* hash of what is in the map, 0: free */
	uint32_t generation;	    /* that the book belongs to */
	uint64_t table_hash;	    /* of what the table in use was made from */
	uint16_t mss;		    /* that fits every endpoint */
	/* Hooks and listeners, when the data path is pinned and before the new
	 * generation can be seen in the settings; or NULL. */
	int (*settle)(void *arg, struct err *err);
	void *settle_arg;
	/* Do the health checks of this process fail? Or NULL. */
	bool (*is_down)(const struct ir_endpoint *e, void *arg);
	void *is_down_arg;
	enum client_address client_address;
	bool follows_node; /* apply_paths() is called when ways change */
	bool has_ways;	   /* and the maps have the ways as they are now */
	bool is_ready;	   /* the book has been read */
};

struct applied {
	uint32_t generation;
	bool swapped; /* the route table was replaced */
	size_t table_bytes;
};

/* The caller holds the change lock, and the ir stays his (its ids are set). */
int apply_ir(struct applier *a, struct ir *ir, struct applied *out, struct err *err);

/* New endpoints for some groups of the ir that is applied already: `fresh` has the
 * groups, by their ids, and gives its endpoints to `ir`. Routes and the route table
 * are not looked at. */
int apply_endpoints(struct applier *a, struct ir *ir, struct ir *fresh,
		    struct applied *out, struct err *err);

/* Some groups of the ir that is applied already, by their places, once more: what
 * is_down() says of their endpoints has changed. */
int apply_groups(struct applier *a, struct ir *ir, const uint32_t *places, size_t count,
		 struct err *err);

/* All groups of the ir that is applied already, once more: the ways to their
 * endpoints may have changed. */
int apply_paths(struct applier *a, struct ir *ir, struct err *err);

/* What another process has applied, as far as the maps tell: the groups and their
 * endpoints, no routes. To be looked after like an ir of one's own. */
int apply_adopt(struct applier *a, struct ir *out, struct err *err);

/* Has nobody else applied anything since? apply_endpoints(), apply_groups() and
 * apply_paths() are for when this is so. */
bool applier_is_current(const struct applier *a);

/* Says in the settings why the last attempt was refused. */
void apply_refused(const struct dp *dp, const struct err *why);

void applier_free(struct applier *a);

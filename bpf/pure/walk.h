/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Which route does a request take? Walks the route table of <weir/table.h>.
 *
 * `table` is the value of the one entry of the table's map, and `mask` its
 * size in bytes minus one; the size is a power of two. In BPF `mask` must be
 * a constant that the verifier knows (`const volatile u32 table_mask` in
 * rodata), and `table` the pointer that bpf_map_lookup_elem gave, checked for
 * NULL. Natively a blob is padded to a power of two of at least
 * WEIR_TABLE_MIN and aligned to 8. The blob has passed table_check; the walk stays within
 * table[0..mask] whatever it holds.
 *
 * h comes from head_scan with HEAD_DONE, made HEAD_NORMAL by head_rewrite;
 * *m and *h belong into map memory.
 */
#pragma once

#include <weir/config.h>

#include "pure/head.h"

/* State of the walk, kept here for the verifier's sake like head_work. */
struct walk_work {
	u32 state, pos, stop; /* of an automaton and its input */
	u32 best, best_pos;   /* reference, and where what it matched ends */
	u32 host_at;	      /* what is looked up next: HOST_* in walk.c */
	u32 dot;	      /* where a wildcard's part of the host is looked for */
	u32 from, to;	      /* the name to look up */
	u32 set, sets;	      /* next set of that host, and how many are left */
	u32 tail;	      /* bytes of a tail that have matched */
	u32 before;	      /* where the byte in front of pos starts */
	u32 known;
	u32 pad;
	u32 regex, last; /* of the set at hand, see struct weir_table_set */
	u32 test, fits;	 /* test at hand; does its condition hold? */
	u32 name, name_len, value, value_len; /* what it wants */
	u32 line, line_end;   /* header line at hand, and the end of all */
	u32 found;	      /* its value, when its name fits */
	u32 phase, value_end; /* what is being looked for; where its value ends */
};

struct route_match {
	u32 route_id;
	u32 group_id;  /* WEIR_ACTION_GROUP, WEIR_ACTION_GATEWAY */
	u32 reply_id;  /* WEIR_ACTION_REPLY */
	u32 strip_len; /* for head_rewrite, 0: the target stays */
	u16 action;    /* enum weir_action */
	u16 flags;     /* WEIR_ROUTE_*: WEIR_ROUTE_FALLBACK for a default backend */
	u32 pad;
	struct walk_work work;
};

/* The hash of a host's name: for its words in order, the last one filled up with
 * zeros, and then for its length, starting with the table's seed. */
static inline u64 table_mix(u64 hash, u64 word)
{
	hash = (hash ^ word) * 0x9e3779b97f4a7c15ULL;
	return hash ^ hash >> 32;
}

#define TABLE_NONE 0	/* no rule and no default backend: 404 */
#define TABLE_FOUND 1	/* *m is filled */
#define TABLE_ABSENT -1 /* no table has been written yet */

/* The group of the full gateway, which takes what cannot be read as HTTP/1 or is
 * too long a head, or WEIR_NO_ID. */
PURE u32 table_gateway(const void *table, u32 mask);

PURE int table_find(const void *table, u32 mask, const struct weir_head *b,
		    const struct http_head *h, struct route_match *m);

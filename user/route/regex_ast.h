/* SPDX-License-Identifier: BSD-2-Clause */
/* The tree of a parsed pattern: between regex_parse.c and regex_nfa.c only. */
#pragma once

#include <stdbool.h>

#include <weir/types.h>

#include "base/pool.h"

struct byte_set {
	u64 w[4];
};

static inline bool byte_set_has(const struct byte_set *s, u32 byte)
{
	return s->w[byte >> 6] >> (byte & 63) & 1;
}

static inline void byte_set_add(struct byte_set *s, u32 byte)
{
	s->w[byte >> 6] |= 1ull << (byte & 63);
}

enum regex_op {
	REGEX_EMPTY,
	REGEX_SET,    /* one byte of `set` */
	REGEX_CAT,    /* the children one after another; they stand last first */
	REGEX_ALT,    /* one of the children, the first preferred */
	REGEX_REPEAT, /* the child, min to max times */
	REGEX_LOOK,   /* no byte, but what stands on both sides of it */
};

enum regex_look {
	LOOK_TEXT_START,
	LOOK_TEXT_END,
	LOOK_LINE_START,
	LOOK_LINE_END,
	LOOK_WORD,
	LOOK_NOT_WORD,
};

#define REGEX_FOREVER 0xffffffffu

struct regex_node {
	enum regex_op op;
	enum regex_look look;
	u32 min, max; /* max REGEX_FOREVER: no bound */
	bool lazy;
	bool nullable; /* may match without a byte */
	struct byte_set set;
	struct regex_node *child;
	struct regex_node *next; /* of the same parent */
};

struct regex {
	struct pool pool;
	struct regex_node *root;
};

/* SPDX-License-Identifier: BSD-2-Clause */
/* Conditions on methods and headers, as tests of the route table. */
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "base/strmap.h"
#include "base/vec.h"
#include "route/ir.h"
#include "route/regex.h"
#include "route/table_rows.h"

/* A pattern on a header may match anywhere in the value: as a format, what an
 * automaton is made of. */
#define CRITERIA_ANYWHERE "(?s:.)*?(?:%s)"

struct criteria_pattern {
	struct dfa dfa;
	uint32_t state; /* once it is written */
};

struct criteria {
	struct strmap ids;	   /* canonical text -> number */
	struct strmap pattern_ids; /* pattern -> place in patterns */
	struct vec_of(struct criteria_pattern) patterns;
	struct vec_of(uint32_t) starts; /* of each number's tests in `bytes` */
	struct vec_of(uint8_t) bytes;	/* tests and texts, offsets from its start */
};

/*
 * *id: the same number for the same conditions, 0 for none; *rank: smaller
 * for more kinds of conditions, then for more headers. 0 or -errno.
 */
int criteria_add(struct criteria *c, const struct ir_route *route, uint32_t *id,
		 uint32_t *rank, struct err *err);

/* Where the tests of `id` stand, 0 for none, once the section is at `off`. */
uint32_t criteria_offset(const struct criteria *c, uint32_t id, uint32_t off);

/* Write the patterns' automata; `routes` as regex_write wants it. 0, -ENOMEM or
 * -E2BIG. */
int criteria_write_patterns(struct criteria *c, struct rows *rows, uint32_t routes);

/* After that, the section's bytes for that place; `to` has room for c->bytes.len. */
void criteria_write(const struct criteria *c, uint32_t off, void *to);

void criteria_free(struct criteria *c);

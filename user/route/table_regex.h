/* SPDX-License-Identifier: BSD-2-Clause */
/* The regular expressions of a rule set as automata of the route table. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/vec.h"
#include "route/ir.h"
#include "route/regex.h"
#include "route/table_rows.h"

struct regex_route {
	const struct ir_route *route;
	const char *pattern;
	uint32_t rank; /* place of its record: smaller is better */
};

/* Automata that are walked one after another: many patterns may be too many
 * for one. */
struct regex_parts vec_of(struct dfa);

/* Add the automata for these routes, one or more. 0, or -errno: one of the
 * routes is named when its pattern is wrong or too large by itself. */
int regex_parts_add(struct regex_parts *parts, const struct regex_route *routes,
		    size_t count, struct err *err);
void regex_parts_free(struct regex_parts *parts);

/* Write one. Rank r refers to the record at routes + r * sizeof(struct
 * weir_table_route). *root is 0 when nothing can match. */
int regex_write(const struct dfa *d, struct rows *rows, uint32_t routes,
		uint32_t *root);

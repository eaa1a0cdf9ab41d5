/* SPDX-License-Identifier: BSD-2-Clause */
/* What the commands that show maps have in common. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>
#include <weir/outcome.h>
#include <weir/types.h>

#include "cmd/columns.h"
#include "cmd/watch.h"

struct ctx;

/* Rows of options for the order; the names are those of the command's columns. */
struct sort_options {
	int by; /* place in the choices */
	bool reverse;
};

#define OPTION_SORT(choices)                                                           \
	{                                                                              \
		's', "sort", choices, "numbers greatest first, texts by the alphabet", \
			OPTION_CHOICE, offsetof(struct sort_options, by)               \
	}
#define OPTION_REVERSE                                                    \
	{                                                                 \
		'r', "reverse", NULL, "the other way round", OPTION_FLAG, \
			offsetof(struct sort_options, reverse)            \
	}

/* What a command that shows a table takes: options_watch, its own with OPTION_SORT,
 * options_table, in this order. */
struct show_options {
	struct watch_options watch;
	struct sort_options sort;
	struct table_options table;
};

/* Reads them, refuses operands, and shows once or again and again: `show` gets the
 * struct show_options. Returns an exit code. */
int show_main(struct ctx *ctx, int argc, char **argv,
	      int (*show)(const struct ctx *ctx, void *arg));

/* The order of two numbers, the greater one first. */
int greater_first(uint64_t x, uint64_t y);

/* What the map holds for an id; zeros when it holds nothing. */
void read_or_zero(int map, uint32_t id, void *value, size_t size);

/* Requests that got 5xx in red, packets that were dropped in yellow. */
enum paint outcome_paint(enum weir_outcome outcome);

json_t *json_numbers(const u64 *n, size_t count);

/* A quantile of a histogram of microseconds, with its unit; NULL: nothing counted. */
const char *columns_quantile(struct columns *t, const u64 *histogram, double share);

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * weir top: what was counted, and what became of it between two looks. Three views, each
 * with columns of its own: numbers first, then two texts.
 */
#pragma once

#include <stdint.h>

#include <weir/stats.h>

#include "base/err.h"
#include "base/pool.h"
#include "base/vec.h"
#include "dp/counters.h"

struct dp;

enum top_by {
	TOP_OUTCOMES,
	TOP_ROUTES,
	TOP_ENDPOINTS,
	TOP_VIEWS,
};

#define TOP_NUMBERS 6
#define TOP_COLUMNS (TOP_NUMBERS + 2)

enum top_unit {
	TOP_RATE,  /* a second */
	TOP_COUNT, /* since the data path is there */
	TOP_US,	   /* microseconds; 0: none was measured */
	TOP_TEXT,
};

struct top_column {
	const char *title;
	const char *name; /* for --sort */
	enum top_unit unit;
	bool is_bad; /* more than nothing is shown in red */
};

/* Ends with a NULL title. */
extern const struct top_column top_columns[TOP_VIEWS][TOP_COLUMNS + 1];

unsigned int top_numbers(enum top_by by); /* how many columns are numbers */
int top_column_find(enum top_by by, const char *name); /* -1: none of that name */

/* ---- one look ---- */

struct top_counted {
	uint32_t id;
	uint64_t count;	 /* requests, or connections */
	uint64_t bad[2]; /* 4xx and 5xx, or failures in the second */
	u64 us[WEIR_HIST_BUCKETS];
};

struct top_counts vec_of(struct top_counted);

struct top_look {
	uint64_t ns;
	long flows;
	struct counters counters;
	struct top_counts of[TOP_VIEWS]; /* by id; none of the outcomes */
};

/* Reads what the view needs; every view with TOP_VIEWS. */
int top_look(const struct dp *dp, enum top_by by, struct top_look *out,
	     struct err *err);
void top_look_free(struct top_look *look);

/* ---- between two ---- */

struct top_row {
	uint32_t id;
	double number[TOP_NUMBERS];
	const char *text[2];
};

struct top_rows {
	struct vec_of(struct top_row) rows;
	struct pool pool;
};

/* Routes and endpoints where something happened; outcomes that ever occurred, or with
 * `all` every one. */
int top_compare(const struct dp *dp, enum top_by by, const struct top_look *before,
		const struct top_look *now, bool all, struct top_rows *out,
		struct err *err);

/* By a column: the greatest number first, texts by the alphabet; or the other way. */
void top_sort(struct top_rows *rows, enum top_by by, unsigned int column, bool reverse);

void top_rows_free(struct top_rows *rows);

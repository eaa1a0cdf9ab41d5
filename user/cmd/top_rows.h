/* SPDX-License-Identifier: BSD-2-Clause */
/* weir top, by route and by endpoint. */
#pragma once

#include <stdint.h>

#include <weir/stats.h>

#include "base/err.h"
#include "base/vec.h"

struct ctx;
struct dp;

enum top_by {
	TOP_OUTCOMES,
	TOP_ROUTES,
	TOP_ENDPOINTS,
};

struct top_row {
	uint32_t id;
	uint64_t count;	 /* requests, or connections */
	uint64_t bad[2]; /* 4xx and 5xx, or failures in the second */
	u64 us[WEIR_HIST_BUCKETS];
};

struct top_rows vec_of(struct top_row);

/* What is counted now, by id. */
int top_rows_read(const struct dp *dp, enum top_by by, struct top_rows *out,
		  struct err *err);

/* What was counted between the two, busiest first. Consumes nothing. Returns an
 * exit code. */
int top_rows_print(const struct ctx *ctx, const struct dp *dp, enum top_by by,
		   const struct top_rows *before, const struct top_rows *now,
		   double seconds);

/* SPDX-License-Identifier: BSD-2-Clause */
/* weir top: the counters as they move. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <jansson.h>

#include "base/number.h"
#include "cmd/cmd.h"
#include "cmd/columns.h"
#include "cmd/top_rows.h"
#include "dp/counters.h"
#include "dp/dp.h"
#include "dp/flows.h"
#include "dp/mapio.h"

struct top_options {
	const char *interval;
	const char *count;
	int by; /* enum top_by */
};

const struct option_row options_top[] = {
	{'d', "delay", "SECONDS", "between two looks (default 1)", OPTION_STRING,
	 offsetof(struct top_options, interval)},
	{'n', "count", "N", "end after so many looks", OPTION_STRING,
	 offsetof(struct top_options, count)},
	{0, "by", "outcomes|routes|endpoints", "what is shown (default outcomes)",
	 OPTION_CHOICE, offsetof(struct top_options, by)},
	{},
};

struct look {
	struct counters counters;
	uint64_t ns;
	long flows;
	struct top_rows rows; /* --by routes, endpoints */
};

static int look(const struct dp *dp, enum top_by by, struct look *out, struct err *err)
{
	int r = by == TOP_OUTCOMES ? 0 : top_rows_read(dp, by, &out->rows, err);

	out->ns = monotonic_ns();
	out->flows = map_count(dp->map[DP_MAP_flows]);
	return r ? r : counters_read(dp, &out->counters, err);
}

struct moved {
	int outcome;
	uint64_t count;
	double rate; /* per second */
};

static int busiest_first(const void *a, const void *b)
{
	const struct moved *x = a, *y = b;

	if (x->rate != y->rate)
		return x->rate < y->rate ? 1 : -1;
	return (x->count < y->count) - (x->count > y->count);
}

static void compare(const struct look *before, const struct look *now,
		    struct moved *out)
{
	double seconds = (now->ns - before->ns) / 1e9;
	int i;

	for (i = 0; i < WEIR_OUTCOME_COUNT; i++) {
		uint64_t delta = now->counters.value[i] - before->counters.value[i];

		out[i] = (struct moved){i, now->counters.value[i],
					seconds > 0 ? delta / seconds : 0};
	}
	qsort(out, WEIR_OUTCOME_COUNT, sizeof(*out), busiest_first);
}

static const struct column top_columns[] = {
	{"PER SECOND", COLUMN_RIGHT, false},
	{"COUNT", COLUMN_RIGHT, false},
	{"OUTCOME", COLUMN_LEFT, false},
	{"MEANING", COLUMN_FLEX, false},
	{},
};

static int print_table(const struct ctx *ctx, const struct moved *moved)
{
	struct columns t;
	int i;

	columns_init(&t, top_columns, false);
	for (i = 0; i < WEIR_OUTCOME_COUNT; i++)
		if (moved[i].count || ctx->output == OUTPUT_WIDE)
			columns_row(&t, columns_text(&t, "%.1f", moved[i].rate),
				    columns_text(&t, "%llu",
						 (unsigned long long)moved[i].count),
				    outcome_names[moved[i].outcome],
				    outcome_texts[moved[i].outcome]);
	return columns_print(&t, "nothing counted yet");
}

/* One object a line, outcomes that moved only. */
static int print_json(const struct look *now, const struct moved *moved)
{
	json_t *rates = json_object();
	json_t *doc = json_pack("{s:I, s:o}", "connections", (json_int_t)now->flows,
				"per_second", rates);
	int i, r;

	for (i = 0; i < WEIR_OUTCOME_COUNT; i++)
		if (moved[i].rate > 0)
			json_object_set_new(rates, outcome_names[moved[i].outcome],
					    json_real(moved[i].rate));
	r = json_dumpf(doc, stdout, JSON_COMPACT | JSON_REAL_PRECISION(6));
	json_decref(doc);
	putchar('\n');
	return r ? EXIT_FAILED : EXIT_DONE;
}

static int show(const struct ctx *ctx, const struct dp *dp, enum top_by by,
		const struct look *before, const struct look *now)
{
	struct moved moved[WEIR_OUTCOME_COUNT];

	if (ctx->output != OUTPUT_JSON) {
		if (isatty(STDOUT_FILENO))
			fputs("\033[H\033[J", stdout);
		printf("%ld connections\n\n", now->flows);
	}
	if (by != TOP_OUTCOMES)
		return top_rows_print(ctx, dp, by, &before->rows, &now->rows,
				      (now->ns - before->ns) / 1e9);
	compare(before, now, moved);
	return ctx->output == OUTPUT_JSON ? print_json(now, moved)
					  : print_table(ctx, moved);
}

static int watch(const struct ctx *ctx, const struct dp *dp, enum top_by by,
		 const struct timespec *delay, uint64_t count)
{
	struct look looks[2] = {};
	struct err err = {};
	uint64_t i;
	int r = 0;

	if (look(dp, by, &looks[0], &err))
		r = cmd_fail(&err);
	for (i = 0; !r && (!count || i < count); i++) {
		struct look *now = &looks[(i + 1) % 2];

		nanosleep(delay, NULL);
		r = look(dp, by, now, &err) ? cmd_fail(&err)
					    : show(ctx, dp, by, &looks[i % 2], now);
		if (!r && fflush(stdout))
			r = EXIT_FAILED;
	}
	vec_free(&looks[0].rows);
	vec_free(&looks[1].rows);
	return r;
}

int top_main(struct ctx *ctx, int argc, char **argv)
{
	struct top_options opt = {.interval = "1"};
	void *const to[] = {&opt};
	struct timespec delay;
	struct err err = {};
	uint64_t count = 0, ms;
	struct dp dp;
	int r = options_parse(ctx, to, &argc, argv);

	if (r)
		return r;
	if (argc > 1)
		return cmd_usage(ctx, "no operand is expected: %s", argv[1]);
	if (number_parse_ms(opt.interval, &ms) || ms < 10 || ms > 86400000)
		return cmd_usage(ctx, "--delay: not a number of seconds: %s",
				 opt.interval);
	if (opt.count && (number_parse(opt.count, UINT32_MAX, &count) || !count))
		return cmd_usage(ctx, "--count: not a number: %s", opt.count);
	delay = (struct timespec){ms / 1000, ms % 1000 * 1000000L};
	if (dp_open(&dp, ctx->pin, &err))
		return cmd_fail(&err);
	r = watch(ctx, &dp, opt.by, &delay, count);
	dp_close(&dp);
	return r;
}

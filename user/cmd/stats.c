/* SPDX-License-Identifier: BSD-2-Clause */
/* weir stats, weir metrics: the counters. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "agent/metrics.h"
#include "cmd/cmd.h"
#include "cmd/show.h"
#include "dp/counters.h"
#include "dp/dp.h"

enum sort { SORT_LIST, SORT_COUNT, SORT_OUTCOME };

const struct option_row options_stats[] = {
	OPTION_SORT("list|count|outcome"),
	OPTION_REVERSE,
	{},
};

struct row {
	int outcome;
	uint64_t count;
};

static int in_order(const void *a, const void *b, void *arg)
{
	const struct row *x = a, *y = b;
	const struct sort_options *opt = arg;
	int d = 0;

	if (opt->by == SORT_COUNT)
		d = greater_first(x->count, y->count);
	else if (opt->by == SORT_OUTCOME)
		d = strcmp(outcome_names[x->outcome], outcome_names[y->outcome]);
	if (!d)
		d = x->outcome - y->outcome;
	return opt->reverse ? -d : d;
}

static int print_json(const struct row *rows)
{
	json_t *doc = json_array();
	int i;

	for (i = 0; i < WEIR_OUTCOME_COUNT; i++)
		json_array_append_new(doc,
				      json_pack("{s:s, s:I, s:s}", "name",
						outcome_names[rows[i].outcome], "count",
						(json_int_t)rows[i].count, "text",
						outcome_texts[rows[i].outcome]));
	return cmd_json(doc);
}

static const struct column stat_columns[] = {
	{"COUNT", COLUMN_RIGHT, false},
	{"OUTCOME", COLUMN_LEFT, false},
	{"MEANING", COLUMN_FLEX, false},
	{},
};

static int print_table(const struct row *rows, bool wide, bool no_headers)
{
	struct columns t;
	int i;

	columns_init(&t, stat_columns, wide);
	t.no_headers = no_headers;
	for (i = 0; i < WEIR_OUTCOME_COUNT; i++) {
		int outcome = rows[i].outcome;

		if (!rows[i].count && !wide)
			continue;
		columns_row(&t, columns_number(&t, rows[i].count),
			    outcome_names[outcome], outcome_texts[outcome]);
		if (rows[i].count)
			columns_paint(&t, 0, outcome_paint(outcome));
	}
	return columns_print(&t, "nothing counted yet");
}

static int print_stats(const struct ctx *ctx, void *arg)
{
	const struct show_options *opt = arg;
	struct sort_options sort = opt->sort;
	struct row rows[WEIR_OUTCOME_COUNT];
	struct counters c = {};
	struct err err = {};
	struct dp dp;
	int i, r;

	if (dp_open(&dp, ctx->pin, &err))
		return cmd_fail(&err);
	r = counters_read(&dp, &c, &err);
	dp_close(&dp);
	if (r)
		return cmd_fail(&err);
	for (i = 0; i < WEIR_OUTCOME_COUNT; i++)
		rows[i] = (struct row){i, c.value[i]};
	qsort_r(rows, WEIR_OUTCOME_COUNT, sizeof(*rows), in_order, &sort);
	return ctx->output == OUTPUT_JSON
		       ? print_json(rows)
		       : print_table(rows, ctx->output == OUTPUT_WIDE,
				     opt->table.no_headers);
}

int stats_main(struct ctx *ctx, int argc, char **argv)
{
	return show_main(ctx, argc, argv, print_stats);
}

int metrics_main(struct ctx *ctx, int argc, char **argv)
{
	struct err err = {};
	struct dp dp;
	int r = options_parse(ctx, NULL, &argc, argv);

	if (r)
		return r;
	if (ctx->output == OUTPUT_JSON)
		return cmd_usage(ctx, "Prometheus' text is its only form; stats, "
				      "routes and endpoints have the same numbers in "
				      "JSON");
	if (argc > 1)
		return cmd_usage(ctx, "no operand is expected: %s", argv[1]);
	if (dp_open(&dp, ctx->pin, &err))
		return cmd_fail(&err);
	r = metrics_write(&dp, stdout, &err);
	dp_close(&dp);
	return r ? cmd_fail(&err) : EXIT_DONE;
}

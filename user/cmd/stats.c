/* SPDX-License-Identifier: BSD-2-Clause */
/* weir stats, weir metrics: the counters. */
#include <stdio.h>

#include <jansson.h>

#include "agent/metrics.h"
#include "cmd/cmd.h"
#include "cmd/columns.h"
#include "cmd/watch.h"
#include "dp/counters.h"
#include "dp/dp.h"

static int print_json(const struct counters *c)
{
	json_t *doc = json_array();
	int i;

	for (i = 0; i < WEIR_OUTCOME_COUNT; i++)
		json_array_append_new(doc, json_pack("{s:s, s:I, s:s}", "name",
						     outcome_names[i], "count",
						     (json_int_t)c->value[i], "text",
						     outcome_texts[i]));
	return cmd_json(doc);
}

static const struct column stat_columns[] = {
	{"COUNT", COLUMN_RIGHT, false},
	{"OUTCOME", COLUMN_LEFT, false},
	{"MEANING", COLUMN_FLEX, false},
	{},
};

static int print_table(const struct counters *c, bool wide)
{
	struct columns t;
	int i;

	columns_init(&t, stat_columns, wide);
	for (i = 0; i < WEIR_OUTCOME_COUNT; i++)
		if (c->value[i] || wide)
			columns_row(&t,
				    columns_text(&t, "%llu",
						 (unsigned long long)c->value[i]),
				    outcome_names[i], outcome_texts[i]);
	return columns_print(&t, "nothing counted yet");
}

static int print_stats(const struct ctx *ctx, void *arg)
{
	struct counters c = {};
	struct err err = {};
	struct dp dp;
	int r;

	if (dp_open(&dp, ctx->pin, &err))
		return cmd_fail(&err);
	r = counters_read(&dp, &c, &err);
	dp_close(&dp);
	if (r)
		return cmd_fail(&err);
	return ctx->output == OUTPUT_JSON ? print_json(&c)
					  : print_table(&c, ctx->output == OUTPUT_WIDE);
}

int stats_main(struct ctx *ctx, int argc, char **argv)
{
	struct watch_options watch = {};
	void *const to[] = {&watch};
	int r = options_parse(ctx, to, &argc, argv);

	if (r)
		return r;
	if (argc > 1)
		return cmd_usage(ctx, "no operand is expected: %s", argv[1]);
	return watch_run(ctx, &watch, print_stats, NULL);
}

int metrics_main(struct ctx *ctx, int argc, char **argv)
{
	struct err err = {};
	struct dp dp;
	int r = options_parse(ctx, NULL, &argc, argv);

	if (r)
		return r;
	if (argc > 1)
		return cmd_usage(ctx, "no operand is expected: %s", argv[1]);
	if (dp_open(&dp, ctx->pin, &err))
		return cmd_fail(&err);
	r = metrics_write(&dp, stdout, &err);
	dp_close(&dp);
	return r ? cmd_fail(&err) : EXIT_DONE;
}

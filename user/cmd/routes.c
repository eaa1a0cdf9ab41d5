/* SPDX-License-Identifier: BSD-2-Clause */
/* weir routes: the rules that are in the maps. */
#include <stdlib.h>
#include <string.h>

#include <weir/stats.h>

#include "cmd/cmd.h"
#include "cmd/show.h"
#include "dp/dp.h"
#include "dp/mapio.h"
#include "dp/quantile.h"

enum sort { SORT_RULE, SORT_INGRESS, SORT_BACKEND, SORT_REQUESTS, SORT_5XX, SORT_P99 };

const struct option_row options_routes[] = {
	OPTION_SORT("rule|ingress|backend|requests|5xx|p99"),
	OPTION_REVERSE,
	{},
};

struct row {
	uint32_t id;
	struct weir_route route;
	struct weir_route_stats n;
};

struct rows vec_of(struct row);

static int add_row(const void *key, const void *value, void *arg)
{
	struct row *r = vec_push((struct rows *)arg);

	if (!r)
		return -1;
	memcpy(&r->id, key, sizeof(r->id));
	memcpy(&r->route, value, sizeof(r->route));
	return 0;
}

/* By host, those without one last; within a host as a person reads a list. */
static int by_rule(const struct row *x, const struct row *y)
{
	int d = !*x->route.host - !*y->route.host;

	if (!d)
		d = strcmp(x->route.host, y->route.host);
	if (!d)
		d = (x->route.type == WEIR_PATH_DEFAULT) -
		    (y->route.type == WEIR_PATH_DEFAULT);
	return d ? d : strcmp(x->route.path, y->route.path);
}

static int by(enum sort sort, const struct row *x, const struct row *y)
{
	switch (sort) {
	case SORT_RULE:
		return by_rule(x, y);
	case SORT_INGRESS:
		return strcmp(x->route.ingress, y->route.ingress);
	case SORT_BACKEND:
		return strcmp(x->route.backend, y->route.backend);
	case SORT_REQUESTS:
		return greater_first(x->n.requests, y->n.requests);
	case SORT_5XX:
		return greater_first(x->n.responses[4], y->n.responses[4]);
	case SORT_P99:
		return greater_first(quantile_us(x->n.first_byte_us, .99),
				     quantile_us(y->n.first_byte_us, .99));
	}
	return 0;
}

static int in_order(const void *a, const void *b, void *arg)
{
	const struct row *x = a, *y = b;
	const struct sort_options *opt = arg;
	int d = by(opt->by, x, y);

	if (!d)
		d = by_rule(x, y);
	if (!d)
		d = (x->id > y->id) - (x->id < y->id);
	return opt->reverse ? -d : d;
}

static const char *type_name(uint16_t type)
{
	switch (type) {
	case WEIR_PATH_EXACT:
		return "Exact";
	case WEIR_PATH_PREFIX:
		return "Prefix";
	case WEIR_PATH_IMPLEMENTATION:
		return "ImplementationSpecific";
	case WEIR_PATH_REGEX:
		return "Regex";
	case WEIR_PATH_DEFAULT:
		return "default";
	default:
		return "?";
	}
}

static const char *action_name(uint16_t action)
{
	switch (action) {
	case WEIR_ACTION_GROUP:
		return "endpoints";
	case WEIR_ACTION_REPLY:
		return "reply";
	case WEIR_ACTION_GATEWAY:
		return "gateway";
	case WEIR_ACTION_UNHONOURED:
		return "unhonoured";
	default:
		return "?";
	}
}

static json_t *row_json(const struct row *row)
{
	const struct weir_route *r = &row->route;
	const struct weir_route_stats *n = &row->n;

	return json_pack(
		"{s:I, s:s, s:s, s:s, s:s, s:s, s:s, s:i, s:b, s:b, "
		"s:I, s:o, s:I, s:I, s:o}",
		"id", (json_int_t)row->id, "host", r->host, "path", r->path, "pathType",
		type_name(r->type), "ingress", r->ingress, "backend", r->backend,
		"action", action_name(r->action), "priority", r->priority, "strip_path",
		r->flags & WEIR_ROUTE_STRIP ? 1 : 0, "default_backend",
		r->flags & WEIR_ROUTE_FALLBACK ? 1 : 0, "requests",
		(json_int_t)n->requests, "responses", json_numbers(n->responses, 5),
		"bytes_up", (json_int_t)n->bytes_up, "bytes_down",
		(json_int_t)n->bytes_down, "first_byte_us",
		json_numbers(n->first_byte_us, WEIR_HIST_BUCKETS));
}

static int print_json(const struct rows *rows)
{
	json_t *doc = json_array();
	size_t i;

	for (i = 0; i < rows->len; i++)
		json_array_append_new(doc, row_json(&rows->item[i]));
	return cmd_json(doc);
}

static const struct column columns[] = {
	{"ID", COLUMN_RIGHT, true},	  {"HOST", COLUMN_FLEX, false},
	{"PATH", COLUMN_FLEX, false},	  {"TYPE", COLUMN_LEFT, false},
	{"BACKEND", COLUMN_FLEX, false},  {"INGRESS", COLUMN_FLEX, false},
	{"ACTION", COLUMN_LEFT, true},	  {"STRIP", COLUMN_LEFT, true},
	{"PRIORITY", COLUMN_RIGHT, true}, {"REQUESTS", COLUMN_RIGHT, false},
	{"5XX", COLUMN_RIGHT, false},	  {"P50", COLUMN_RIGHT, true},
	{"P99", COLUMN_RIGHT, true},	  {},
};

enum { COLUMN_BACKEND = 4, COLUMN_5XX = 10 };

static void print_row(struct columns *t, const struct row *row)
{
	const struct weir_route *r = &row->route;
	const struct weir_route_stats *n = &row->n;
	const char *backend = r->backend;

	/* Without the ACTION column a rule that goes elsewhere says so here. */
	if (r->action != WEIR_ACTION_GROUP && !t->wide)
		backend =
			columns_text(t, "(%s) %s", action_name(r->action), r->backend);
	columns_row(t, columns_text(t, "%u", row->id), *r->host ? r->host : "*",
		    r->path, type_name(r->type), backend, r->ingress,
		    action_name(r->action), r->flags & WEIR_ROUTE_STRIP ? "yes" : "no",
		    columns_text(t, "%d", r->priority), columns_number(t, n->requests),
		    columns_number(t, n->responses[4]),
		    columns_quantile(t, n->first_byte_us, .5),
		    columns_quantile(t, n->first_byte_us, .99));
	if (r->action == WEIR_ACTION_UNHONOURED)
		columns_paint(t, COLUMN_BACKEND, PAINT_YELLOW);
	if (n->responses[4])
		columns_paint(t, COLUMN_5XX, PAINT_RED);
}

static int print_table(const struct ctx *ctx, const struct table_options *opt,
		       const struct rows *rows)
{
	struct columns t;
	size_t i;

	columns_init(&t, columns, ctx->output == OUTPUT_WIDE);
	t.no_headers = opt->no_headers;
	for (i = 0; i < rows->len; i++)
		print_row(&t, &rows->item[i]);
	return columns_print(&t, "no routes");
}

static int show(const struct ctx *ctx, void *arg)
{
	const struct show_options *opt = arg;
	struct sort_options sort = opt->sort;
	struct rows rows = {};
	struct err err = {};
	struct dp dp;
	size_t i;
	int r;

	if (dp_open(&dp, ctx->pin, &err))
		return cmd_fail(&err);
	r = map_each(dp.map[DP_MAP_routes], add_row, &rows, &err);
	if (r == -1)
		err_set(&err, r, "out of memory");
	for (i = 0; !r && i < rows.len; i++)
		read_or_zero(dp.map[DP_MAP_route_stats], rows.item[i].id,
			     &rows.item[i].n, sizeof(rows.item[i].n));
	if (rows.len)
		qsort_r(rows.item, rows.len, sizeof(*rows.item), in_order, &sort);
	if (r)
		r = cmd_fail(&err);
	else
		r = ctx->output == OUTPUT_JSON ? print_json(&rows)
					       : print_table(ctx, &opt->table, &rows);
	vec_free(&rows);
	dp_close(&dp);
	return r;
}

int routes_main(struct ctx *ctx, int argc, char **argv)
{
	return show_main(ctx, argc, argv, show);
}

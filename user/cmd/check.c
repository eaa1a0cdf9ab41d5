/* SPDX-License-Identifier: BSD-2-Clause */
/* weir check: parse, resolve and compile; show what would be served. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "cmd/cmd.h"
#include "cmd/columns.h"
#include "cmd/compile.h"
#include "route/table.h"

static const char *type_text(enum weir_path_type type)
{
	switch (type) {
	case WEIR_PATH_EXACT:
		return "Exact";
	case WEIR_PATH_PREFIX:
		return "Prefix";
	case WEIR_PATH_REGEX:
		return "regex";
	case WEIR_PATH_DEFAULT:
		return "default";
	default:
		return "ImplementationSpecific";
	}
}

static const char *action_text(enum weir_action action)
{
	switch (action) {
	case WEIR_ACTION_REPLY:
		return "reply";
	case WEIR_ACTION_GATEWAY:
		return "gateway";
	case WEIR_ACTION_UNHONOURED:
		return "unhonoured";
	default:
		return "endpoints";
	}
}

static size_t ready_count(const struct ir *ir, const struct ir_route *r)
{
	const struct ir_group *g = &ir->groups.item[r->group];
	size_t i, n = 0;

	if (r->action != WEIR_ACTION_GROUP)
		return 0;
	for (i = 0; i < g->endpoints.len; i++)
		n += g->endpoints.item[i].ready;
	return n;
}

static json_t *route_json(const struct ir *ir, const struct ir_route *r)
{
	json_t *doc = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:b}", "host",
				r->host, "path", r->path, "pathType",
				type_text(r->type), "ingress", r->ingress, "backend",
				r->backend ?: "", "action", action_text(r->action),
				"endpoints", (json_int_t)ready_count(ir, r),
				"strip_path", !!(r->flags & WEIR_ROUTE_STRIP));

	if (doc && r->reason)
		json_object_set_new(doc, "reason", json_string(r->reason));
	return doc;
}

static int print_json(const struct store *store, const struct ir *ir, size_t table)
{
	json_t *routes = json_array(), *warnings = json_array();
	size_t i;

	for (i = 0; i < ir->routes.len; i++)
		json_array_append_new(routes, route_json(ir, &ir->routes.item[i]));
	for (i = 0; i < ir->warnings.len; i++)
		json_array_append_new(warnings,
				      json_pack("{s:s, s:s}", "text",
						ir->warnings.item[i].text, "where",
						ir->warnings.item[i].where ?: ""));
	return cmd_json(json_pack("{s:o, s:o, s:I}", "routes", routes, "warnings",
				  warnings, "table_bytes", (json_int_t)table));
}

static const struct column columns[] = {
	{"HOST", COLUMN_FLEX, false},
	{"PATH", COLUMN_FLEX, false},
	{"TYPE", COLUMN_LEFT, false},
	{"BACKEND", COLUMN_FLEX, false},
	{"ENDPOINTS", COLUMN_RIGHT, false},
	{"INGRESS", COLUMN_FLEX, false},
	{"STRIP", COLUMN_LEFT, true},
	{"WHERE", COLUMN_LEFT, true},
	{},
};

enum { COLUMN_BACKEND = 3, COLUMN_ENDPOINTS };

static void paint(struct columns *t, const struct ir *ir, const struct ir_route *r)
{
	if (r->action == WEIR_ACTION_UNHONOURED)
		columns_paint(t, COLUMN_BACKEND, PAINT_YELLOW);
	if (r->action == WEIR_ACTION_GROUP && !ready_count(ir, r))
		columns_paint(t, COLUMN_ENDPOINTS, PAINT_RED);
}

static int print_text(struct ctx *ctx, const struct table_options *opt,
		      const struct ir *ir, size_t table)
{
	struct columns t;
	size_t i;
	int code;

	columns_init(&t, columns, ctx->output == OUTPUT_WIDE);
	t.no_headers = opt->no_headers;
	for (i = 0; i < ir->routes.len; i++) {
		const struct ir_route *r = &ir->routes.item[i];
		bool is_served = r->action == WEIR_ACTION_GROUP;
		char where[PLACE_TEXT];

		columns_row(
			&t, *r->host ? r->host : "*", r->path, type_text(r->type),
			is_served ? r->backend
				  : columns_text(&t, "(%s) %s", action_text(r->action),
						 r->backend ?: ""),
			is_served ? columns_text(&t, "%zu", ready_count(ir, r)) : "-",
			r->ingress, r->flags & WEIR_ROUTE_STRIP ? "yes" : "no",
			t.wide ? columns_text(&t, "%s", place_text(r->at, where)) : "");
		paint(&t, ir, r);
	}
	code = columns_print(&t, "no routes");
	if (!ctx->quiet && !opt->no_headers)
		printf("\n%zu routes, %zu backends, a table of %zu KiB\n",
		       ir->routes.len, ir->groups.len, (table + 1023) / 1024);
	return code;
}

static int check(struct ctx *ctx, const struct compile_options *opt,
		 const struct table_options *table)
{
	struct source src = compile_source(opt);
	struct err err = {};
	struct store store;
	void *blob = NULL;
	size_t size = 0;
	struct ir ir;
	int code;

	src.route.compare_dialects = true;
	if (source_compile(&src, &store, &ir, &err))
		return cmd_fail(&err);
	if (table_compile(&ir, &blob, &size, &err) || table_check(blob, size, &err))
		code = cmd_fail(&err);
	else if (ctx->output == OUTPUT_JSON)
		code = print_json(&store, &ir, size);
	else
		code = print_text(ctx, table, &ir, size);
	free(blob);
	ir_free(&ir);
	store_free(&store);
	return code;
}

int check_main(struct ctx *ctx, int argc, char **argv)
{
	struct compile_options opt = COMPILE_DEFAULTS;
	struct table_options table = {};
	void *const to[] = {&opt, &table};
	int code = options_parse(ctx, to, &argc, argv);

	if (!code && argc > 1)
		code = cmd_usage(ctx, "%s: files are given with -f", argv[1]);
	if (!code && !opt.files.len)
		code = cmd_usage(ctx, "-f PATH is missing");
	if (!code)
		code = check(ctx, &opt, &table);
	compile_options_free(&opt);
	return code;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* weir routes, weir endpoints: what is in the maps, as tables. */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/addr.h"
#include "cmd/cmd.h"
#include "cmd/columns.h"
#include "dp/dp.h"
#include "dp/mapio.h"

/* ---- a map's entries in the order of their ids ---- */

struct numbered {
	uint32_t id;
	void *value;
};

struct numbered_list {
	struct vec_of(struct numbered) entries;
	size_t value_size;
};

static int add_entry(const void *key, const void *value, void *arg)
{
	struct numbered_list *list = arg;
	struct numbered *n = vec_push(&list->entries);

	if (!n)
		return -1;
	memcpy(&n->id, key, sizeof(n->id));
	n->value = malloc(list->value_size);
	if (!n->value)
		return -1;
	memcpy(n->value, value, list->value_size);
	return 0;
}

static int by_id(const void *a, const void *b)
{
	const struct numbered *x = a, *y = b;

	return (x->id > y->id) - (x->id < y->id);
}

static int read_list(int fd, size_t value_size, struct numbered_list *list,
		     struct err *err)
{
	int r;

	list->value_size = value_size;
	r = map_each(fd, add_entry, list, err);
	if (r == -1)
		return err_set(err, r, "out of memory");
	if (!r && list->entries.len)
		qsort(list->entries.item, list->entries.len,
		      sizeof(*list->entries.item), by_id);
	return r;
}

static void free_list(struct numbered_list *list)
{
	size_t i;

	for (i = 0; i < list->entries.len; i++)
		free(list->entries.item[i].value);
	vec_free(&list->entries);
}

/* ---- routes ---- */

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

static json_t *route_json(uint32_t id, const struct weir_route *r)
{
	return json_pack("{s:I, s:s, s:s, s:s, s:s, s:s, s:s, s:i, s:b, s:b}", "id",
			 (json_int_t)id, "host", r->host, "path", r->path, "pathType",
			 type_name(r->type), "ingress", r->ingress, "backend",
			 r->backend, "action", action_name(r->action), "priority",
			 r->priority, "strip_path", r->flags & WEIR_ROUTE_STRIP ? 1 : 0,
			 "default_backend", r->flags & WEIR_ROUTE_FALLBACK ? 1 : 0);
}

static const struct column route_columns[] = {
	{"ID", COLUMN_RIGHT, true},	  {"HOST", COLUMN_FLEX, false},
	{"PATH", COLUMN_FLEX, false},	  {"TYPE", COLUMN_LEFT, false},
	{"BACKEND", COLUMN_FLEX, false},  {"INGRESS", COLUMN_FLEX, false},
	{"ACTION", COLUMN_LEFT, true},	  {"STRIP", COLUMN_LEFT, true},
	{"PRIORITY", COLUMN_RIGHT, true}, {},
};

static void route_row(struct columns *t, uint32_t id, const struct weir_route *r)
{
	bool other = r->action != WEIR_ACTION_GROUP;
	const char *backend = r->backend;

	/* Without the ACTION column a rule that goes elsewhere says so here. */
	if (other && !t->wide)
		backend =
			columns_text(t, "(%s) %s", action_name(r->action), r->backend);
	columns_row(t, columns_text(t, "%u", id), *r->host ? r->host : "*", r->path,
		    type_name(r->type), backend, r->ingress, action_name(r->action),
		    r->flags & WEIR_ROUTE_STRIP ? "yes" : "no",
		    columns_text(t, "%d", r->priority));
}

/* ---- endpoints ---- */

static const char *state_name(uint16_t state)
{
	switch (state) {
	case WEIR_ENDPOINT_READY:
		return "ready";
	case WEIR_ENDPOINT_DRAINING:
		return "draining";
	case WEIR_ENDPOINT_GONE:
		return "gone";
	case WEIR_ENDPOINT_UNREACHABLE:
		return "unreachable";
	default:
		return "?";
	}
}

static json_t *endpoint_json(uint32_t id, const struct weir_endpoint *ep)
{
	char source[WEIR_ADDR_TEXT];

	return json_pack("{s:I, s:s, s:s, s:s, s:s, s:i, s:i}", "id", (json_int_t)id,
			 "address", ep->text, "service", ep->service, "state",
			 state_name(ep->state), "source",
			 addr_format(&ep->source, source), "mss", (int)ep->mss,
			 "weight", (int)ep->weight);
}

static const struct column endpoint_columns[] = {
	{"ID", COLUMN_RIGHT, true},
	{"ADDRESS", COLUMN_LEFT, false},
	{"SERVICE", COLUMN_FLEX, false},
	{"STATE", COLUMN_LEFT, false},
	{"SOURCE", COLUMN_LEFT, true},
	{"MSS", COLUMN_RIGHT, true},
	{},
};

static void endpoint_row(struct columns *t, uint32_t id, const struct weir_endpoint *ep)
{
	char source[WEIR_ADDR_TEXT];

	columns_row(t, columns_text(t, "%u", id), ep->text, ep->service,
		    state_name(ep->state), addr_format(&ep->source, source),
		    columns_text(t, "%u", ep->mss));
}

/* ---- either ---- */

static int show_routes(const struct ctx *ctx, const struct numbered_list *list)
{
	struct columns t;
	size_t i;

	columns_init(&t, route_columns, ctx->output == OUTPUT_WIDE);
	for (i = 0; i < list->entries.len; i++)
		route_row(&t, list->entries.item[i].id, list->entries.item[i].value);
	return columns_print(&t, "no routes");
}

static int show_endpoints(const struct ctx *ctx, const struct numbered_list *list)
{
	struct columns t;
	size_t i;

	columns_init(&t, endpoint_columns, ctx->output == OUTPUT_WIDE);
	for (i = 0; i < list->entries.len; i++)
		endpoint_row(&t, list->entries.item[i].id, list->entries.item[i].value);
	return columns_print(&t, "no endpoints");
}

static int show(struct ctx *ctx, int argc, char **argv, enum dp_map map)
{
	bool routes = map == DP_MAP_routes;
	struct numbered_list list = {};
	struct err err = {};
	struct dp dp;
	size_t i;
	int r = options_parse(ctx, NULL, &argc, argv);

	if (r)
		return r;
	if (argc > 1)
		return cmd_usage(ctx, "no operand is expected: %s", argv[1]);
	if (dp_open(&dp, ctx->pin, &err))
		return cmd_fail(&err);
	if (read_list(dp.map[map],
		      routes ? sizeof(struct weir_route) : sizeof(struct weir_endpoint),
		      &list, &err)) {
		r = cmd_fail(&err);
	} else if (ctx->output == OUTPUT_JSON) {
		json_t *doc = json_array();

		for (i = 0; i < list.entries.len; i++) {
			uint32_t id = list.entries.item[i].id;
			const void *value = list.entries.item[i].value;

			json_array_append_new(doc, routes ? route_json(id, value)
							  : endpoint_json(id, value));
		}
		r = cmd_json(doc);
	} else {
		r = routes ? show_routes(ctx, &list) : show_endpoints(ctx, &list);
	}
	free_list(&list);
	dp_close(&dp);
	return r;
}

int routes_main(struct ctx *ctx, int argc, char **argv)
{
	return show(ctx, argc, argv, DP_MAP_routes);
}

int endpoints_main(struct ctx *ctx, int argc, char **argv)
{
	return show(ctx, argc, argv, DP_MAP_endpoints);
}

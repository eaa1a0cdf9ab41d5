/* SPDX-License-Identifier: BSD-2-Clause */
/* weir routes, weir endpoints: what is in the maps, as tables. */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <jansson.h>

#include <weir/stats.h>

#include "base/addr.h"
#include "cmd/cmd.h"
#include "cmd/columns.h"
#include "cmd/watch.h"
#include "dp/dp.h"
#include "dp/flows.h"
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

static json_t *numbers(const u64 *n, size_t count)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < count; i++)
		json_array_append_new(list, json_integer(n[i]));
	return list;
}

static json_t *route_json(uint32_t id, const struct weir_route *r,
			  const struct weir_route_stats *n)
{
	return json_pack("{s:I, s:s, s:s, s:s, s:s, s:s, s:s, s:i, s:b, s:b, "
			 "s:I, s:o, s:I, s:I, s:o}",
			 "id", (json_int_t)id, "host", r->host, "path", r->path,
			 "pathType", type_name(r->type), "ingress", r->ingress,
			 "backend", r->backend, "action", action_name(r->action),
			 "priority", r->priority, "strip_path",
			 r->flags & WEIR_ROUTE_STRIP ? 1 : 0, "default_backend",
			 r->flags & WEIR_ROUTE_FALLBACK ? 1 : 0, "requests",
			 (json_int_t)n->requests, "responses", numbers(n->responses, 5),
			 "bytes_up", (json_int_t)n->bytes_up, "bytes_down",
			 (json_int_t)n->bytes_down, "first_byte_us",
			 numbers(n->first_byte_us, WEIR_HIST_BUCKETS));
}

static const struct column route_columns[] = {
	{"ID", COLUMN_RIGHT, true},	  {"HOST", COLUMN_FLEX, false},
	{"PATH", COLUMN_FLEX, false},	  {"TYPE", COLUMN_LEFT, false},
	{"BACKEND", COLUMN_FLEX, false},  {"INGRESS", COLUMN_FLEX, false},
	{"ACTION", COLUMN_LEFT, true},	  {"STRIP", COLUMN_LEFT, true},
	{"PRIORITY", COLUMN_RIGHT, true}, {"REQUESTS", COLUMN_RIGHT, true},
	{"5XX", COLUMN_RIGHT, true},	  {},
};

static void route_row(struct columns *t, uint32_t id, const struct weir_route *r,
		      const struct weir_route_stats *n)
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
		    columns_text(t, "%d", r->priority),
		    columns_text(t, "%llu", (unsigned long long)n->requests),
		    columns_text(t, "%llu", (unsigned long long)n->responses[4]));
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
	case WEIR_ENDPOINT_UNHEALTHY:
		return "unhealthy";
	default:
		return "?";
	}
}

/* Seconds for which the kernel leaves the endpoint alone, begun ones in full. */
static unsigned int ejected_s(const struct weir_health *h)
{
	uint64_t now = monotonic_ns();

	return h->until_ns > now ? (h->until_ns - now + 999999999) / 1000000000 : 0;
}

static const char *health_name(const struct weir_endpoint *ep,
			       const struct weir_health *h)
{
	return ep->state == WEIR_ENDPOINT_READY && ejected_s(h) ? "ejected"
								: state_name(ep->state);
}

static json_t *endpoint_json(uint32_t id, const struct weir_endpoint *ep,
			     const struct weir_endpoint_stats *n,
			     const struct weir_health *h)
{
	char source[WEIR_ADDR_TEXT];

	return json_pack(
		"{s:I, s:s, s:s, s:s, s:b, s:s, s:i, s:i, s:I, s:I, s:I, s:I, s:o}",
		"id", (json_int_t)id, "address", ep->text, "service", ep->service,
		"state", health_name(ep, h), "by_hand", ep->held != 0, "source",
		addr_format(&ep->source, source), "mss", (int)ep->mss, "weight",
		(int)ep->weight, "connections", (json_int_t)n->connections, "failures",
		(json_int_t)n->failures, "failures_in_a_row", (json_int_t)h->failures,
		"ejected_s", (json_int_t)ejected_s(h), "connect_us",
		numbers(n->connect_us, WEIR_HIST_BUCKETS));
}

static const struct column endpoint_columns[] = {
	{"ID", COLUMN_RIGHT, true},	  {"ADDRESS", COLUMN_LEFT, false},
	{"SERVICE", COLUMN_FLEX, false},  {"STATE", COLUMN_LEFT, false},
	{"WEIGHT", COLUMN_RIGHT, true},	  {"SOURCE", COLUMN_LEFT, true},
	{"MSS", COLUMN_RIGHT, true},	  {"CONNECTIONS", COLUMN_RIGHT, true},
	{"FAILURES", COLUMN_RIGHT, true}, {},
};

static void endpoint_row(struct columns *t, uint32_t id, const struct weir_endpoint *ep,
			 const struct weir_endpoint_stats *n,
			 const struct weir_health *h)
{
	const char *state = health_name(ep, h);
	char source[WEIR_ADDR_TEXT];

	if (ep->state == WEIR_ENDPOINT_READY && ejected_s(h))
		state = columns_text(t, "ejected (%u s)", ejected_s(h));
	else if (ep->held && ep->state == WEIR_ENDPOINT_DRAINING)
		state = "draining (by hand)";
	columns_row(t, columns_text(t, "%u", id), ep->text, ep->service, state,
		    columns_text(t, "%u", ep->weight), addr_format(&ep->source, source),
		    columns_text(t, "%u", ep->mss),
		    columns_text(t, "%llu", (unsigned long long)n->connections),
		    columns_text(t, "%llu", (unsigned long long)n->failures));
}

/* ---- either ---- */

/* What was counted for an id; zeros when there is no entry. */
static void read_stats(const struct dp *dp, enum dp_map map, uint32_t id, void *value,
		       size_t size)
{
	memset(value, 0, size);
	if (bpf_map_lookup_elem(dp->map[map], &id, value))
		memset(value, 0, size);
}

static int show_routes(const struct ctx *ctx, const struct dp *dp,
		       const struct numbered_list *list)
{
	struct weir_route_stats n;
	struct columns t;
	size_t i;

	columns_init(&t, route_columns, ctx->output == OUTPUT_WIDE);
	for (i = 0; i < list->entries.len; i++) {
		uint32_t id = list->entries.item[i].id;

		read_stats(dp, DP_MAP_route_stats, id, &n, sizeof(n));
		route_row(&t, id, list->entries.item[i].value, &n);
	}
	return columns_print(&t, "no routes");
}

static int show_endpoints(const struct ctx *ctx, const struct dp *dp,
			  const struct numbered_list *list)
{
	struct weir_endpoint_stats n;
	struct weir_health h;
	struct columns t;
	size_t i;

	columns_init(&t, endpoint_columns, ctx->output == OUTPUT_WIDE);
	for (i = 0; i < list->entries.len; i++) {
		uint32_t id = list->entries.item[i].id;

		read_stats(dp, DP_MAP_endpoint_stats, id, &n, sizeof(n));
		read_stats(dp, DP_MAP_endpoint_health, id, &h, sizeof(h));
		endpoint_row(&t, id, list->entries.item[i].value, &n, &h);
	}
	return columns_print(&t, "no endpoints");
}

static int show_once(const struct ctx *ctx, void *arg)
{
	enum dp_map map = *(enum dp_map *)arg;
	bool routes = map == DP_MAP_routes;
	struct numbered_list list = {};
	struct err err = {};
	struct dp dp;
	size_t i;
	int r;

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

			struct weir_endpoint_stats en;
			struct weir_route_stats rn;
			struct weir_health h;

			if (routes)
				read_stats(&dp, DP_MAP_route_stats, id, &rn,
					   sizeof(rn));
			else
				read_stats(&dp, DP_MAP_endpoint_stats, id, &en,
					   sizeof(en));
			read_stats(&dp, DP_MAP_endpoint_health, id, &h, sizeof(h));
			json_array_append_new(
				doc, routes ? route_json(id, value, &rn)
					    : endpoint_json(id, value, &en, &h));
		}
		r = cmd_json(doc);
	} else {
		r = routes ? show_routes(ctx, &dp, &list)
			   : show_endpoints(ctx, &dp, &list);
	}
	free_list(&list);
	dp_close(&dp);
	return r;
}

static int show(struct ctx *ctx, int argc, char **argv, enum dp_map map)
{
	struct watch_options watch = {};
	void *const to[] = {&watch};
	int r = options_parse(ctx, to, &argc, argv);

	if (r)
		return r;
	if (argc > 1)
		return cmd_usage(ctx, "no operand is expected: %s", argv[1]);
	return watch_run(ctx, &watch, show_once, &map);
}

int routes_main(struct ctx *ctx, int argc, char **argv)
{
	return show(ctx, argc, argv, DP_MAP_routes);
}

int endpoints_main(struct ctx *ctx, int argc, char **argv)
{
	return show(ctx, argc, argv, DP_MAP_endpoints);
}

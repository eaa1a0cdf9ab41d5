/* SPDX-License-Identifier: BSD-2-Clause */
/* weir flows: the connections that there are. */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <jansson.h>

#include "base/addr.h"
#include "cmd/cmd.h"
#include "cmd/columns.h"
#include "dp/dp.h"
#include "dp/flows.h"
#include "dp/mapio.h"

struct row {
	struct weir_tuple key;
	struct weir_flow flow;
};

struct rows vec_of(struct row);

static int add_row(const void *key, const void *value, void *arg)
{
	struct row *r = vec_push((struct rows *)arg);

	if (!r)
		return -1;
	memcpy(&r->key, key, sizeof(r->key));
	memcpy(&r->flow, value, sizeof(r->flow));
	return 0;
}

static int oldest_first(const void *a, const void *b)
{
	const struct row *x = a, *y = b;

	return (x->flow.opened_ns > y->flow.opened_ns) -
	       (x->flow.opened_ns < y->flow.opened_ns);
}

/* What the other maps add to a flow. */
struct view {
	char client[WEIR_ADDR_TEXT], listener[WEIR_ADDR_TEXT];
	char endpoint[WEIR_ADDR_TEXT];
	char ingress[WEIR_NAME_MAX];
	double age_s, idle_s;
	uint64_t up, down;
	const char *state;
};

static double seconds_since(uint64_t then, uint64_t now)
{
	return then < now ? (now - then) / 1e9 : 0;
}

static void look(const struct dp *dp, const struct row *r, uint64_t now, struct view *v)
{
	const struct weir_flow *f = &r->flow;
	struct weir_endpoint ep;
	struct weir_route route;
	struct weir_leg leg;

	memset(v, 0, sizeof(*v));
	addr_format_port(&r->key.src, ntohs(r->key.sport), v->client);
	addr_format_port(&r->key.dst, ntohs(r->key.dport), v->listener);
	v->state = flow_state_text(f);
	v->age_s = seconds_since(f->opened_ns, now);
	v->idle_s = seconds_since(f->seen_ns, now);
	v->up = f->bytes_up;
	if (!bpf_map_lookup_elem(dp->map[DP_MAP_routes], &f->route_id, &route))
		memcpy(v->ingress, route.ingress, sizeof(v->ingress));
	if (f->state != WEIR_FLOW_SPLICED && f->state != WEIR_FLOW_CONNECT)
		return;
	if (!bpf_map_lookup_elem(dp->map[DP_MAP_endpoints], &f->endpoint_id, &ep))
		memcpy(v->endpoint, ep.text, sizeof(v->endpoint));
	if (!bpf_map_lookup_elem(dp->map[DP_MAP_legs], &f->leg, &leg))
		v->down = leg.bytes_down;
}

static json_t *view_json(const struct row *r, const struct view *v)
{
	return json_pack(
		"{s:s, s:s, s:s, s:o, s:o, s:I, s:f, s:f, s:I, s:I}", "client",
		v->client, "listener", v->listener, "state", v->state, "ingress",
		*v->ingress ? json_string(v->ingress) : json_null(), "endpoint",
		*v->endpoint ? json_string(v->endpoint) : json_null(), "requests",
		(json_int_t)r->flow.requests, "age_s", v->age_s, "idle_s", v->idle_s,
		"bytes_up", (json_int_t)v->up, "bytes_down", (json_int_t)v->down);
}

static const struct column flow_columns[] = {
	{"CLIENT", COLUMN_LEFT, false},
	{"LISTENER", COLUMN_LEFT, true},
	{"STATE", COLUMN_LEFT, false},
	{"ENDPOINT", COLUMN_LEFT, false},
	{"INGRESS", COLUMN_FLEX, false},
	{"REQUESTS", COLUMN_RIGHT, false},
	{"AGE", COLUMN_RIGHT, false},
	{"IDLE", COLUMN_RIGHT, true},
	{"UP", COLUMN_RIGHT, false},
	{"DOWN", COLUMN_RIGHT, false},
	{},
};

static int print_table(const struct ctx *ctx, const struct dp *dp,
		       const struct rows *rows, uint64_t now)
{
	struct columns t;
	size_t i;

	columns_init(&t, flow_columns, ctx->output == OUTPUT_WIDE);
	for (i = 0; i < rows->len; i++) {
		const struct row *r = &rows->item[i];
		struct view v;

		look(dp, r, now, &v);
		columns_row(&t, v.client, v.listener, v.state, v.endpoint, v.ingress,
			    columns_text(&t, "%u", r->flow.requests),
			    columns_text(&t, "%.0fs", v.age_s),
			    columns_text(&t, "%.0fs", v.idle_s),
			    columns_text(&t, "%llu", (unsigned long long)v.up),
			    columns_text(&t, "%llu", (unsigned long long)v.down));
	}
	return columns_print(&t, "no connections");
}

static int print_json(const struct dp *dp, const struct rows *rows, uint64_t now)
{
	json_t *doc = json_array();
	size_t i;

	for (i = 0; i < rows->len; i++) {
		struct view v;

		look(dp, &rows->item[i], now, &v);
		json_array_append_new(doc, view_json(&rows->item[i], &v));
	}
	return cmd_json(doc);
}

int flows_main(struct ctx *ctx, int argc, char **argv)
{
	struct rows rows = {};
	struct err err = {};
	uint64_t now = monotonic_ns();
	struct dp dp;
	int r = options_parse(ctx, NULL, &argc, argv);

	if (r)
		return r;
	if (argc > 1)
		return cmd_usage(ctx, "no operand is expected: %s", argv[1]);
	if (dp_open(&dp, ctx->pin, &err))
		return cmd_fail(&err);
	r = map_each(dp.map[DP_MAP_flows], add_row, &rows, &err);
	if (r == -1)
		err_set(&err, r, "out of memory");
	if (rows.len)
		qsort(rows.item, rows.len, sizeof(*rows.item), oldest_first);
	if (r)
		r = cmd_fail(&err);
	else if (ctx->output == OUTPUT_JSON)
		r = print_json(&dp, &rows, now);
	else
		r = print_table(ctx, &dp, &rows, now);
	vec_free(&rows);
	dp_close(&dp);
	return r;
}

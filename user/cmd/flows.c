/* SPDX-License-Identifier: BSD-2-Clause */
/* weir flows: the connections that there are. */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <jansson.h>

#include "base/addr.h"
#include "base/log.h"
#include "base/number.h"
#include "base/units.h"
#include "base/word.h"
#include "cmd/cmd.h"
#include "cmd/show.h"
#include "dp/drain.h"
#include "dp/dp.h"
#include "dp/flows.h"
#include "dp/mapio.h"

struct flow_options {
	const char *client;
	const char *endpoint;
	const char *route;
	int state; /* place in STATES, or -1 */
	const char *limit;
};

#define STATES "head|connect|spliced|replied|closing|closed"

const struct option_row options_flows[] = {
	{0, "client", "ADDR[/BITS]", "clients of this network only", OPTION_STRING,
	 offsetof(struct flow_options, client)},
	{0, "endpoint", "ADDR:PORT|NAMESPACE/SERVICE[:PORT]",
	 "at this endpoint, or at one of this Service, only", OPTION_STRING,
	 offsetof(struct flow_options, endpoint)},
	{0, "route", "NAMESPACE/INGRESS", "whose request matched this Ingress only",
	 OPTION_STRING, offsetof(struct flow_options, route)},
	{0, "state", STATES, "in this state only", OPTION_CHOICE,
	 offsetof(struct flow_options, state)},
	{0, "limit", "N", "the first N of them", OPTION_STRING,
	 offsetof(struct flow_options, limit)},
	{},
};

enum sort { SORT_AGE, SORT_IDLE, SORT_REQUESTS, SORT_UP, SORT_DOWN };

const struct option_row options_flows_order[] = {
	OPTION_SORT("age|idle|requests|up|down"),
	OPTION_REVERSE,
	{},
};

/* Which flows are wanted, and how. */
struct filter {
	const struct flow_options *opt;
	struct sort_options sort;
	struct table_options table;
	struct weir_addr client;
	unsigned int client_bits; /* 0: any */
	uint64_t limit;		  /* 0: all */
};

struct row {
	struct weir_tuple key;
	struct weir_flow flow;
	uint64_t down; /* payload to the client from the present endpoint */
};

struct rows vec_of(struct row);

static int by(enum sort sort, const struct row *x, const struct row *y)
{
	switch (sort) {
	case SORT_AGE:
		return -greater_first(x->flow.opened_ns, y->flow.opened_ns);
	case SORT_IDLE:
		return -greater_first(x->flow.seen_ns, y->flow.seen_ns);
	case SORT_REQUESTS:
		return greater_first(x->flow.requests, y->flow.requests);
	case SORT_UP:
		return greater_first(x->flow.bytes_up, y->flow.bytes_up);
	case SORT_DOWN:
		return greater_first(x->down, y->down);
	}
	return 0;
}

static int in_order(const void *a, const void *b, void *arg)
{
	const struct sort_options *opt = arg;
	int d = by(opt->by, a, b);

	if (!d)
		d = by(SORT_AGE, a, b);
	return opt->reverse ? -d : d;
}

/* What the other maps add to a flow. */
struct view {
	char client[WEIR_ADDR_TEXT], listener[WEIR_ADDR_TEXT];
	char endpoint[WEIR_ADDR_TEXT];
	char service[WEIR_NAME_MAX];
	char ingress[WEIR_NAME_MAX];
	double age_s, idle_s;
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

	memset(v, 0, sizeof(*v));
	addr_format_port(&r->key.src, ntohs(r->key.sport), v->client);
	addr_format_port(&r->key.dst, ntohs(r->key.dport), v->listener);
	v->state = flow_state_text(f);
	v->age_s = seconds_since(f->opened_ns, now);
	v->idle_s = seconds_since(f->seen_ns, now);
	if (!bpf_map_lookup_elem(dp->map[DP_MAP_routes], &f->route_id, &route))
		memcpy(v->ingress, route.ingress, sizeof(v->ingress));
	if (f->state != WEIR_FLOW_SPLICED && f->state != WEIR_FLOW_CONNECT)
		return;
	if (!bpf_map_lookup_elem(dp->map[DP_MAP_endpoints], &f->endpoint_id, &ep)) {
		memcpy(v->endpoint, ep.text, sizeof(v->endpoint));
		memcpy(v->service, ep.service, sizeof(v->service));
	}
}

static uint64_t bytes_down(const struct dp *dp, const struct weir_flow *f)
{
	struct weir_leg leg;

	if ((f->state != WEIR_FLOW_SPLICED && f->state != WEIR_FLOW_CONNECT) ||
	    bpf_map_lookup_elem(dp->map[DP_MAP_legs], &f->leg, &leg))
		return 0;
	return leg.bytes_down;
}

/* ---- choosing ---- */

static bool is_state(const char *state, int choice)
{
	const char *p = STATES;
	size_t len = strlen(state);

	while (choice--)
		p = strchr(p, '|') + 1;
	return !strncmp(p, state, len) && (!p[len] || p[len] == '|');
}

static bool wants(const struct filter *f, const struct dp *dp, const struct row *r)
{
	const struct flow_options *opt = f->opt;
	struct view v;

	if (!addr_has_prefix(&r->key.src, &f->client, f->client_bits))
		return false;
	if (opt->state >= 0 && !is_state(flow_state_text(&r->flow), opt->state))
		return false;
	if (!opt->endpoint && !opt->route)
		return true;
	look(dp, r, 0, &v);
	if (opt->route && strcmp(v.ingress, opt->route) != 0)
		return false;
	return !opt->endpoint || drain_is_named(v.endpoint, opt->endpoint) ||
	       drain_is_named(v.service, opt->endpoint);
}

struct collect {
	const struct filter *filter;
	const struct dp *dp;
	struct rows rows;
};

static int add_row(const void *key, const void *value, void *arg)
{
	struct collect *c = arg;
	struct row row, *r;

	memcpy(&row.key, key, sizeof(row.key));
	memcpy(&row.flow, value, sizeof(row.flow));
	if (!wants(c->filter, c->dp, &row))
		return 0;
	r = vec_push(&c->rows);
	if (!r)
		return -1;
	row.down = bytes_down(c->dp, &row.flow);
	*r = row;
	return 0;
}

/* ---- showing ---- */

static json_t *view_json(const struct row *r, const struct view *v)
{
	return json_pack("{s:s, s:s, s:s, s:o, s:o, s:I, s:f, s:f, s:I, s:I}", "client",
			 v->client, "listener", v->listener, "state", v->state,
			 "ingress", *v->ingress ? json_string(v->ingress) : json_null(),
			 "endpoint",
			 *v->endpoint ? json_string(v->endpoint) : json_null(),
			 "requests", (json_int_t)r->flow.requests, "age_s", v->age_s,
			 "idle_s", v->idle_s, "bytes_up", (json_int_t)r->flow.bytes_up,
			 "bytes_down", (json_int_t)r->down);
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
		       const struct table_options *opt, const struct rows *rows,
		       uint64_t now)
{
	struct columns t;
	size_t i;

	columns_init(&t, flow_columns, ctx->output == OUTPUT_WIDE);
	t.no_headers = opt->no_headers;
	for (i = 0; i < rows->len; i++) {
		const struct row *r = &rows->item[i];
		char age[UNITS_TEXT], idle[UNITS_TEXT];
		struct view v;

		look(dp, r, now, &v);
		columns_row(&t, v.client, v.listener, v.state, v.endpoint, v.ingress,
			    columns_number(&t, r->flow.requests),
			    units_age(v.age_s, age), units_age(v.idle_s, idle),
			    columns_bytes(&t, r->flow.bytes_up),
			    columns_bytes(&t, r->down));
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

/* ---- what a filter names is perhaps not there at all ---- */

struct search {
	bool found;
	struct word_search near;
};

static int try_ingress(const void *key, const void *value, void *arg)
{
	const struct weir_route *route = value;
	struct search *s = arg;

	s->found = s->found || !strcmp(route->ingress, s->near.given);
	word_try(&s->near, route->ingress);
	return 0;
}

static int try_endpoint(const void *key, const void *value, void *arg)
{
	const struct weir_endpoint *ep = value;
	struct search *s = arg;

	s->found = s->found || drain_is_named(ep->text, s->near.given) ||
		   drain_is_named(ep->service, s->near.given);
	word_try(&s->near, ep->text);
	word_try(&s->near, ep->service);
	return 0;
}

static void warn_unknown(const struct dp *dp, const char *option, const char *given,
			 enum dp_map map, map_fn try)
{
	struct search s = {.near = {.given = given}};
	struct err ignored = {};

	if (!given || map_each(dp->map[map], try, &s, &ignored) || s.found)
		return;
	log_warn("%s %s: there is none now%s%s%s", option, given,
		 *s.near.best ? ", did you mean " : "", s.near.best,
		 *s.near.best ? "?" : "");
}

static int print_flows(const struct ctx *ctx, void *arg)
{
	const struct filter *filter = arg;
	struct sort_options sort = filter->sort;
	struct collect c = {.filter = filter};
	uint64_t now = monotonic_ns();
	struct err err = {};
	size_t left = 0;
	struct dp dp;
	int r;

	if (dp_open(&dp, ctx->pin, &err))
		return cmd_fail(&err);
	c.dp = &dp;
	warn_unknown(&dp, "--route", filter->opt->route, DP_MAP_routes, try_ingress);
	warn_unknown(&dp, "--endpoint", filter->opt->endpoint, DP_MAP_endpoints,
		     try_endpoint);
	r = map_each(dp.map[DP_MAP_flows], add_row, &c, &err);
	if (r == -1)
		err_set(&err, r, "out of memory");
	if (c.rows.len)
		qsort_r(c.rows.item, c.rows.len, sizeof(*c.rows.item), in_order, &sort);
	if (filter->limit && c.rows.len > filter->limit) {
		left = c.rows.len - filter->limit;
		c.rows.len = filter->limit;
	}
	if (r)
		r = cmd_fail(&err);
	else if (ctx->output == OUTPUT_JSON)
		r = print_json(&dp, &c.rows, now);
	else
		r = print_table(ctx, &dp, &filter->table, &c.rows, now);
	if (!r && left)
		log_info("flows: %zu more", left);
	vec_free(&c.rows);
	dp_close(&dp);
	return r;
}

int flows_main(struct ctx *ctx, int argc, char **argv)
{
	struct flow_options opt = {.state = -1};
	struct watch_options watch = {};
	struct filter filter = {.opt = &opt};
	void *const to[] = {&watch, &opt, &filter.sort, &filter.table};
	int r = options_parse(ctx, to, &argc, argv);

	if (r)
		return r;
	if (argc > 1)
		return cmd_usage(ctx, "no operand is expected: %s", argv[1]);
	if (opt.client &&
	    addr_parse_prefix(opt.client, &filter.client, &filter.client_bits))
		return cmd_usage(ctx, "--client: not an address: %s", opt.client);
	if (opt.limit &&
	    (number_parse(opt.limit, UINT32_MAX, &filter.limit) || !filter.limit))
		return cmd_usage(ctx, "--limit: %s is not a number from 1 on",
				 opt.limit);
	return watch_run(ctx, &watch, print_flows, &filter);
}

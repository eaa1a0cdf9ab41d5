/* SPDX-License-Identifier: BSD-2-Clause */
/* weir endpoints: where requests go to. */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include <weir/stats.h>

#include "base/addr.h"
#include "cmd/cmd.h"
#include "cmd/show.h"
#include "dp/dp.h"
#include "dp/flows.h"
#include "dp/group_flags.h"
#include "dp/mapio.h"
#include "dp/quantile.h"

enum sort {
	SORT_SERVICE,
	SORT_ADDRESS,
	SORT_STATE,
	SORT_CONNECTIONS,
	SORT_FAILURES,
	SORT_P99,
};

const struct option_row options_endpoints[] = {
	OPTION_SORT("service|address|state|connections|failures|p99"),
	OPTION_REVERSE,
	{},
};

struct row {
	uint32_t id;
	struct weir_endpoint ep;
	struct weir_endpoint_stats n;
	struct weir_health health;
	unsigned int ejected_s; /* left alone by the kernel for so long; 0: not */
	const char *state;
	uint32_t flags; /* of its group, WEIR_GROUP_* */
};

struct rows vec_of(struct row);

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

/* Begun seconds in full; of endpoints that would get connections otherwise. */
static unsigned int ejected_s(const struct weir_endpoint *ep,
			      const struct weir_health *h)
{
	uint64_t now = monotonic_ns();

	if (ep->state != WEIR_ENDPOINT_READY || h->until_ns <= now)
		return 0;
	return (h->until_ns - now + 999999999) / 1000000000;
}

static int add_row(const void *key, const void *value, void *arg)
{
	struct row *r = vec_push((struct rows *)arg);

	if (!r)
		return -1;
	memcpy(&r->id, key, sizeof(r->id));
	memcpy(&r->ep, value, sizeof(r->ep));
	return 0;
}

static int read_rows(const struct dp *dp, struct rows *rows, struct err *err)
{
	int r = map_each(dp->map[DP_MAP_endpoints], add_row, rows, err);
	struct group_flags flags = {};
	size_t i;

	if (r == -1)
		return err_set(err, r, "out of memory");
	if (!r)
		r = group_flags_read(dp, &flags, err);
	for (i = 0; !r && i < rows->len; i++) {
		struct row *row = &rows->item[i];

		read_or_zero(dp->map[DP_MAP_endpoint_stats], row->id, &row->n,
			     sizeof(row->n));
		read_or_zero(dp->map[DP_MAP_endpoint_health], row->id, &row->health,
			     sizeof(row->health));
		row->ejected_s = ejected_s(&row->ep, &row->health);
		row->state = row->ejected_s ? "ejected" : state_name(row->ep.state);
		row->flags = group_flags_of(&flags, row->ep.service);
	}
	vec_free(&flags);
	return r;
}

static int by_address(const struct row *x, const struct row *y)
{
	int d = memcmp(&x->ep.addr, &y->ep.addr, sizeof(x->ep.addr));

	return d ? d : ntohs(x->ep.port) - ntohs(y->ep.port);
}

static int by(enum sort sort, const struct row *x, const struct row *y)
{
	switch (sort) {
	case SORT_SERVICE:
		return strcmp(x->ep.service, y->ep.service);
	case SORT_ADDRESS:
		return by_address(x, y);
	case SORT_STATE:
		return strcmp(x->state, y->state);
	case SORT_CONNECTIONS:
		return greater_first(x->n.connections, y->n.connections);
	case SORT_FAILURES:
		return greater_first(x->n.failures, y->n.failures);
	case SORT_P99:
		return greater_first(quantile_us(x->n.connect_us, .99),
				     quantile_us(y->n.connect_us, .99));
	}
	return 0;
}

static int in_order(const void *a, const void *b, void *arg)
{
	const struct row *x = a, *y = b;
	const struct sort_options *opt = arg;
	int d = by(opt->by, x, y);

	if (!d)
		d = by(SORT_SERVICE, x, y);
	if (!d)
		d = by_address(x, y);
	if (!d)
		d = (x->id > y->id) - (x->id < y->id);
	return opt->reverse ? -d : d;
}

static json_t *row_json(const struct row *r)
{
	const struct weir_endpoint *ep = &r->ep;
	char source[WEIR_ADDR_TEXT];

	return json_pack(
		"{s:I, s:s, s:s, s:s, s:b, s:s, s:s, s:b, s:b, s:i, s:i, s:I, s:I, "
		"s:I, "
		"s:I, s:o}",
		"id", (json_int_t)r->id, "address", ep->text, "service", ep->service,
		"state", r->state, "by_hand", ep->held != 0, "source",
		addr_format(&ep->source, source), "client_address",
		r->flags & WEIR_GROUP_KEEP_CLIENT ? "keep" : "node", "by_client",
		!!(r->flags & WEIR_GROUP_BY_CLIENT), "proxy_protocol",
		!!(r->flags & WEIR_GROUP_PROXY), "mss", (int)ep->mss, "weight",
		(int)ep->weight, "connections", (json_int_t)r->n.connections,
		"failures", (json_int_t)r->n.failures, "failures_in_a_row",
		(json_int_t)r->health.failures, "ejected_s", (json_int_t)r->ejected_s,
		"connect_us", json_numbers(r->n.connect_us, WEIR_HIST_BUCKETS));
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
	{"ID", COLUMN_RIGHT, true},	   {"ADDRESS", COLUMN_LEFT, false},
	{"SERVICE", COLUMN_FLEX, false},   {"STATE", COLUMN_LEFT, false},
	{"WEIGHT", COLUMN_RIGHT, true},	   {"SOURCE", COLUMN_LEFT, true},
	{"MSS", COLUMN_RIGHT, true},	   {"CONNECTIONS", COLUMN_RIGHT, false},
	{"FAILURES", COLUMN_RIGHT, false}, {"P50", COLUMN_RIGHT, true},
	{"P99", COLUMN_RIGHT, true},	   {},
};

enum { COLUMN_STATE = 3, COLUMN_FAILURES = 8 };

static enum paint state_paint(const struct row *r)
{
	switch (r->ep.state) {
	case WEIR_ENDPOINT_UNREACHABLE:
	case WEIR_ENDPOINT_UNHEALTHY:
		return PAINT_RED;
	case WEIR_ENDPOINT_DRAINING:
		return PAINT_YELLOW;
	default:
		return r->ejected_s ? PAINT_RED : PAINT_NONE;
	}
}

static void print_row(struct columns *t, const struct row *r)
{
	const struct weir_endpoint *ep = &r->ep;
	const char *state = r->state;
	char source[WEIR_ADDR_TEXT];

	if (r->ejected_s)
		state = columns_text(t, "ejected (%u s)", r->ejected_s);
	else if (ep->held && ep->state == WEIR_ENDPOINT_DRAINING)
		state = "draining (by hand)";
	columns_row(t, columns_text(t, "%u", r->id), ep->text, ep->service, state,
		    columns_text(t, "%u", ep->weight),
		    r->flags & WEIR_GROUP_KEEP_CLIENT
			    ? "(client's)"
			    : addr_format(&ep->source, source),
		    columns_text(t, "%u", ep->mss), columns_number(t, r->n.connections),
		    columns_number(t, r->n.failures),
		    columns_quantile(t, r->n.connect_us, .5),
		    columns_quantile(t, r->n.connect_us, .99));
	columns_paint(t, COLUMN_STATE, state_paint(r));
	if (r->n.failures)
		columns_paint(t, COLUMN_FAILURES, PAINT_YELLOW);
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
	return columns_print(&t, "no endpoints");
}

static int show(const struct ctx *ctx, void *arg)
{
	const struct show_options *opt = arg;
	struct sort_options sort = opt->sort;
	struct rows rows = {};
	struct err err = {};
	struct dp dp;
	int r;

	if (dp_open(&dp, ctx->pin, &err))
		return cmd_fail(&err);
	r = read_rows(&dp, &rows, &err);
	dp_close(&dp);
	if (!r && rows.len)
		qsort_r(rows.item, rows.len, sizeof(*rows.item), in_order, &sort);
	if (r)
		r = cmd_fail(&err);
	else
		r = ctx->output == OUTPUT_JSON ? print_json(&rows)
					       : print_table(ctx, &opt->table, &rows);
	vec_free(&rows);
	return r;
}

int endpoints_main(struct ctx *ctx, int argc, char **argv)
{
	return show_main(ctx, argc, argv, show);
}

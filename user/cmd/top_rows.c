/* SPDX-License-Identifier: BSD-2-Clause */
#include "cmd/top_rows.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <jansson.h>

#include "cmd/cmd.h"
#include "cmd/columns.h"
#include "dp/dp.h"
#include "dp/mapio.h"
#include "dp/quantile.h"

static int add_route(const void *key, const void *value, void *arg)
{
	const struct weir_route_stats *s = value;
	struct top_row *r = vec_push((struct top_rows *)arg);

	if (!r)
		return -ENOMEM;
	memcpy(&r->id, key, sizeof(r->id));
	r->count = s->requests;
	r->bad[0] = s->responses[3];
	r->bad[1] = s->responses[4];
	memcpy(r->us, s->first_byte_us, sizeof(r->us));
	return 0;
}

static int add_endpoint(const void *key, const void *value, void *arg)
{
	const struct weir_endpoint_stats *s = value;
	struct top_row *r = vec_push((struct top_rows *)arg);

	if (!r)
		return -ENOMEM;
	memcpy(&r->id, key, sizeof(r->id));
	r->count = s->connections;
	r->bad[0] = 0;
	r->bad[1] = s->failures;
	memcpy(r->us, s->connect_us, sizeof(r->us));
	return 0;
}

static int by_id(const void *a, const void *b)
{
	const struct top_row *x = a, *y = b;

	return (x->id > y->id) - (x->id < y->id);
}

static int busiest_first(const void *a, const void *b)
{
	const struct top_row *x = a, *y = b;

	if (x->count != y->count)
		return x->count < y->count ? 1 : -1;
	if (x->bad[1] != y->bad[1])
		return x->bad[1] < y->bad[1] ? 1 : -1;
	return by_id(a, b);
}

int top_rows_read(const struct dp *dp, enum top_by by, struct top_rows *out,
		  struct err *err)
{
	bool routes = by == TOP_ROUTES;
	int r;

	out->len = 0;
	r = map_each(dp->map[routes ? DP_MAP_route_stats : DP_MAP_endpoint_stats],
		     routes ? add_route : add_endpoint, out, err);
	if (r == -ENOMEM)
		return err_set(err, r, "out of memory");
	if (!r && out->len)
		qsort(out->item, out->len, sizeof(*out->item), by_id);
	return r;
}

/* Rows in which something moved. */
static int moved(const struct top_rows *before, const struct top_rows *now,
		 struct top_rows *out)
{
	size_t i, k;

	for (i = 0; i < now->len; i++) {
		struct top_row d = now->item[i];
		const struct top_row *old = NULL;
		struct top_row *slot;

		if (before->len)
			old = bsearch(&d, before->item, before->len, sizeof(d), by_id);
		if (old) {
			d.count -= old->count;
			d.bad[0] -= old->bad[0];
			d.bad[1] -= old->bad[1];
			for (k = 0; k < WEIR_HIST_BUCKETS; k++)
				d.us[k] -= old->us[k];
		}
		if (!d.count && !d.bad[0] && !d.bad[1])
			continue;
		slot = vec_push(out);
		if (!slot)
			return -ENOMEM;
		*slot = d;
	}
	if (out->len)
		qsort(out->item, out->len, sizeof(*out->item), busiest_first);
	return 0;
}

/* "host/path" and the Ingress, or the address and the Service. */
struct names {
	char what[WEIR_HOST_MAX + WEIR_PATH_MAX];
	char whose[WEIR_NAME_MAX];
};

static void name(const struct dp *dp, enum top_by by, uint32_t id, struct names *n)
{
	struct weir_endpoint_stats ep = {};
	struct weir_route_stats route = {};

	if (by == TOP_ROUTES) {
		bpf_map_lookup_elem(dp->map[DP_MAP_route_stats], &id, &route);
		snprintf(n->what, sizeof(n->what), "%s%s",
			 *route.host ? route.host : "*", route.path);
		memcpy(n->whose, route.ingress, sizeof(n->whose));
	} else {
		bpf_map_lookup_elem(dp->map[DP_MAP_endpoint_stats], &id, &ep);
		snprintf(n->what, sizeof(n->what), "%s", ep.text);
		memcpy(n->whose, ep.service, sizeof(n->whose));
	}
}

static const struct column route_columns[] = {
	{"REQ/S", COLUMN_RIGHT, false},
	{"4XX/S", COLUMN_RIGHT, false},
	{"5XX/S", COLUMN_RIGHT, false},
	{"P50 MS", COLUMN_RIGHT, false},
	{"P90 MS", COLUMN_RIGHT, false},
	{"P99 MS", COLUMN_RIGHT, false},
	{"ROUTE", COLUMN_FLEX, false},
	{"INGRESS", COLUMN_FLEX, false},
	{},
};

static const struct column endpoint_columns[] = {
	{"CONN/S", COLUMN_RIGHT, false}, {"FAIL/S", COLUMN_RIGHT, false},
	{"P50 MS", COLUMN_RIGHT, false}, {"P90 MS", COLUMN_RIGHT, false},
	{"P99 MS", COLUMN_RIGHT, false}, {"ENDPOINT", COLUMN_LEFT, false},
	{"SERVICE", COLUMN_FLEX, false}, {},
};

static int print_table(const struct dp *dp, enum top_by by, const struct top_rows *rows,
		       double seconds)
{
	bool routes = by == TOP_ROUTES;
	struct columns t;
	size_t i;

	columns_init(&t, routes ? route_columns : endpoint_columns, false);
	for (i = 0; i < rows->len; i++) {
		const struct top_row *r = &rows->item[i];
		const char *rate = columns_text(&t, "%.1f", r->count / seconds);
		const char *bad = columns_text(&t, "%.1f", r->bad[1] / seconds);
		const char *p50 =
			columns_text(&t, "%.2f", quantile_us(r->us, .5) / 1e3);
		const char *p90 =
			columns_text(&t, "%.2f", quantile_us(r->us, .9) / 1e3);
		const char *p99 =
			columns_text(&t, "%.2f", quantile_us(r->us, .99) / 1e3);
		struct names n;

		name(dp, by, r->id, &n);
		if (routes)
			columns_row(&t, rate,
				    columns_text(&t, "%.1f", r->bad[0] / seconds), bad,
				    p50, p90, p99, n.what, n.whose);
		else
			columns_row(&t, rate, bad, p50, p90, p99, n.what, n.whose);
	}
	return columns_print(&t, routes ? "no requests" : "no connections");
}

static int print_json(const struct dp *dp, enum top_by by, const struct top_rows *rows,
		      double seconds)
{
	bool routes = by == TOP_ROUTES;
	json_t *doc = json_array();
	size_t i;

	for (i = 0; i < rows->len; i++) {
		const struct top_row *r = &rows->item[i];
		struct names n;
		json_t *o;

		name(dp, by, r->id, &n);
		o = json_pack("{s:I, s:s, s:s, s:f, s:f, s:f, s:f, s:f}", "id",
			      (json_int_t)r->id, routes ? "route" : "endpoint", n.what,
			      routes ? "ingress" : "service", n.whose, "per_second",
			      r->count / seconds,
			      routes ? "5xx_per_second" : "failures_per_second",
			      r->bad[1] / seconds, "p50_us", quantile_us(r->us, .5),
			      "p90_us", quantile_us(r->us, .9), "p99_us",
			      quantile_us(r->us, .99));
		if (routes)
			json_object_set_new(o, "4xx_per_second",
					    json_real(r->bad[0] / seconds));
		json_array_append_new(doc, o);
	}
	cmd_json_lines = true;
	return cmd_json(doc);
}

int top_rows_print(const struct ctx *ctx, const struct dp *dp, enum top_by by,
		   const struct top_rows *before, const struct top_rows *now,
		   double seconds)
{
	struct top_rows rows = {};
	struct err err = {};
	int r = moved(before, now, &rows);

	if (r) {
		err_set(&err, r, "out of memory");
		r = cmd_fail(&err);
	} else {
		r = ctx->output == OUTPUT_JSON ? print_json(dp, by, &rows, seconds)
					       : print_table(dp, by, &rows, seconds);
	}
	vec_free(&rows);
	return r;
}

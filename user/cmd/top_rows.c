/* SPDX-License-Identifier: BSD-2-Clause */
#include "cmd/top_rows.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>

#include "dp/dp.h"
#include "dp/flows.h"
#include "dp/mapio.h"
#include "dp/quantile.h"

const struct top_column top_columns[TOP_VIEWS][TOP_COLUMNS + 1] = {
	[TOP_OUTCOMES] = {{"PER SECOND", "rate", TOP_RATE, false},
			  {"COUNT", "count", TOP_COUNT, false},
			  {"OUTCOME", "outcome", TOP_TEXT, false},
			  {"MEANING", "meaning", TOP_TEXT, false}},
	[TOP_ROUTES] = {{"REQ/S", "requests", TOP_RATE, false},
			{"4XX/S", "4xx", TOP_RATE, false},
			{"5XX/S", "5xx", TOP_RATE, true},
			{"P50", "p50", TOP_US, false},
			{"P90", "p90", TOP_US, false},
			{"P99", "p99", TOP_US, false},
			{"ROUTE", "route", TOP_TEXT, false},
			{"INGRESS", "ingress", TOP_TEXT, false}},
	[TOP_ENDPOINTS] = {{"CONN/S", "connections", TOP_RATE, false},
			   {"FAIL/S", "failures", TOP_RATE, true},
			   {"P50", "p50", TOP_US, false},
			   {"P90", "p90", TOP_US, false},
			   {"P99", "p99", TOP_US, false},
			   {"ENDPOINT", "endpoint", TOP_TEXT, false},
			   {"SERVICE", "service", TOP_TEXT, false}},
};

unsigned int top_numbers(enum top_by by)
{
	unsigned int n = 0;

	while (top_columns[by][n].unit != TOP_TEXT)
		n++;
	return n;
}

int top_column_find(enum top_by by, const char *name)
{
	int i;

	for (i = 0; top_columns[by][i].title; i++)
		if (!strcmp(top_columns[by][i].name, name))
			return i;
	return -1;
}

/* ---- one look ---- */

static int add_route(const void *key, const void *value, void *arg)
{
	const struct weir_route_stats *s = value;
	struct top_counted *r = vec_push((struct top_counts *)arg);

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
	struct top_counted *r = vec_push((struct top_counts *)arg);

	if (!r)
		return -ENOMEM;
	memcpy(&r->id, key, sizeof(r->id));
	r->count = s->connections;
	r->bad[1] = s->failures;
	memcpy(r->us, s->connect_us, sizeof(r->us));
	return 0;
}

static int by_id(const void *a, const void *b)
{
	const struct top_counted *x = a, *y = b;

	return (x->id > y->id) - (x->id < y->id);
}

static int read_counts(const struct dp *dp, bool routes, struct top_counts *out,
		       struct err *err)
{
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

int top_look(const struct dp *dp, enum top_by by, struct top_look *out, struct err *err)
{
	int r = 0;

	out->ns = monotonic_ns();
	out->flows = map_count(dp->map[DP_MAP_flows]);
	if (by == TOP_ROUTES || by == TOP_VIEWS)
		r = read_counts(dp, true, &out->of[TOP_ROUTES], err);
	if (!r && (by == TOP_ENDPOINTS || by == TOP_VIEWS))
		r = read_counts(dp, false, &out->of[TOP_ENDPOINTS], err);
	return r ? r : counters_read(dp, &out->counters, err);
}

void top_look_free(struct top_look *look)
{
	int by;

	for (by = 0; by < TOP_VIEWS; by++)
		vec_free(&look->of[by]);
}

/* ---- between two ---- */

static double rate(uint64_t before, uint64_t now, double seconds)
{
	return seconds > 0 ? (now - before) / seconds : 0;
}

static int compare_outcomes(const struct counters *before, const struct counters *now,
			    double seconds, bool all, struct top_rows *out)
{
	int i;

	for (i = 0; i < WEIR_OUTCOME_COUNT; i++) {
		struct top_row *r;

		if (!all && !now->value[i])
			continue;
		r = vec_push(&out->rows);
		if (!r)
			return -ENOMEM;
		r->id = i;
		r->number[0] = rate(before->value[i], now->value[i], seconds);
		r->number[1] = now->value[i];
		r->text[0] = outcome_names[i];
		r->text[1] = outcome_texts[i];
	}
	return 0;
}

/* "host/path" and the Ingress, or the address and the Service. */
static int name(const struct dp *dp, enum top_by by, struct top_row *r,
		struct pool *pool)
{
	struct weir_endpoint_stats ep = {};
	struct weir_route_stats route = {};

	if (by == TOP_ROUTES) {
		bpf_map_lookup_elem(dp->map[DP_MAP_route_stats], &r->id, &route);
		r->text[0] = pool_printf(pool, "%s%s", *route.host ? route.host : "*",
					 route.path);
		r->text[1] = pool_strdup(pool, route.ingress);
	} else {
		bpf_map_lookup_elem(dp->map[DP_MAP_endpoint_stats], &r->id, &ep);
		r->text[0] = pool_strdup(pool, ep.text);
		r->text[1] = pool_strdup(pool, ep.service);
	}
	return r->text[0] && r->text[1] ? 0 : -ENOMEM;
}

/* What was counted since then. */
static struct top_counted less(const struct top_counted *now,
			       const struct top_counts *before)
{
	const struct top_counted *old = NULL;
	struct top_counted d = *now;
	size_t k;

	if (before->len)
		old = bsearch(now, before->item, before->len, sizeof(d), by_id);
	if (!old)
		return d;
	d.count -= old->count;
	d.bad[0] -= old->bad[0];
	d.bad[1] -= old->bad[1];
	for (k = 0; k < WEIR_HIST_BUCKETS; k++)
		d.us[k] -= old->us[k];
	return d;
}

static int compare_counts(const struct dp *dp, enum top_by by,
			  const struct top_counts *before, const struct top_counts *now,
			  double seconds, struct top_rows *out)
{
	static const double shares[] = {.5, .9, .99};
	size_t i, k;

	for (i = 0; seconds > 0 && i < now->len; i++) {
		struct top_counted d = less(&now->item[i], before);
		struct top_row *r;
		unsigned int n = 0;

		if (!d.count && !d.bad[0] && !d.bad[1])
			continue;
		r = vec_push(&out->rows);
		if (!r)
			return -ENOMEM;
		r->id = d.id;
		r->number[n++] = d.count / seconds;
		if (by == TOP_ROUTES)
			r->number[n++] = d.bad[0] / seconds;
		r->number[n++] = d.bad[1] / seconds;
		for (k = 0; k < sizeof(shares) / sizeof(shares[0]); k++)
			r->number[n++] = quantile_us(d.us, shares[k]);
		if (name(dp, by, r, &out->pool))
			return -ENOMEM;
	}
	return 0;
}

int top_compare(const struct dp *dp, enum top_by by, const struct top_look *before,
		const struct top_look *now, bool all, struct top_rows *out,
		struct err *err)
{
	double seconds = (now->ns - before->ns) / 1e9;
	int r = by == TOP_OUTCOMES ? compare_outcomes(&before->counters, &now->counters,
						      seconds, all, out)
				   : compare_counts(dp, by, &before->of[by],
						    &now->of[by], seconds, out);

	return r ? err_set(err, r, "out of memory") : 0;
}

struct order {
	unsigned int column, numbers;
	bool reverse;
};

static int number_order(double x, double y)
{
	return (x < y) - (x > y);
}

static int in_order(const void *a, const void *b, void *arg)
{
	const struct top_row *x = a, *y = b;
	const struct order *o = arg;
	int d;

	if (o->column < o->numbers)
		d = number_order(x->number[o->column], y->number[o->column]);
	else
		d = strcmp(x->text[o->column - o->numbers],
			   y->text[o->column - o->numbers]);
	if (d)
		return o->reverse ? -d : d;
	d = number_order(x->number[0], y->number[0]);
	if (!d)
		d = number_order(x->number[1], y->number[1]);
	return d ? d : (x->id > y->id) - (x->id < y->id);
}

void top_sort(struct top_rows *rows, enum top_by by, unsigned int column, bool reverse)
{
	struct order order = {column, top_numbers(by), reverse};

	if (rows->rows.len)
		qsort_r(rows->rows.item, rows->rows.len, sizeof(*rows->rows.item),
			in_order, &order);
}

void top_rows_free(struct top_rows *rows)
{
	vec_free(&rows->rows);
	pool_free(&rows->pool);
}

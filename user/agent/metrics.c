/* SPDX-License-Identifier: BSD-2-Clause */
#include "agent/metrics.h"

#include <string.h>

#include <weir/stats.h>

#include "dp/counters.h"
#include "dp/dp.h"
#include "dp/flows.h"
#include "dp/mapio.h"

static int count_state(const void *key, const void *value, void *arg)
{
	const struct weir_flow *flow = value;
	uint64_t *states = arg;

	if (flow->state < FLOW_STATES)
		states[flow->state]++;
	return 0;
}

static void head(FILE *out, const char *name, const char *type, const char *help)
{
	fprintf(out, "# HELP weir_%s %s\n# TYPE weir_%s %s\n", name, help, name, type);
}

static void gauge(FILE *out, const char *name, const char *help,
		  unsigned long long value)
{
	head(out, name, "gauge", help);
	fprintf(out, "weir_%s %llu\n", name, value);
}

/* ---- labels ---- */

/* `a="x",b="y"`; every byte of a value may be escaped. */
struct labels {
	char text[2 * (2 * WEIR_NAME_MAX + WEIR_HOST_MAX + WEIR_PATH_MAX)];
	size_t len;
};

static void labels_begin(struct labels *l)
{
	l->text[0] = '\0';
	l->len = 0;
}

static void put(struct labels *l, const char *text)
{
	size_t len = strlen(text);

	if (l->len + len >= sizeof(l->text))
		return;
	memcpy(l->text + l->len, text, len + 1);
	l->len += len;
}

/* Backslash, quote and line end are escaped. */
static void label(struct labels *l, const char *name, const char *value)
{
	char one[3] = "\\";

	put(l, l->len ? "," : "");
	put(l, name);
	put(l, "=\"");
	for (; *value; value++) {
		bool special = *value == '\n' || *value == '"' || *value == '\\';

		one[1] = *value == '\n' ? 'n' : *value;
		put(l, special ? one : one + 1);
	}
	put(l, "\"");
}

static void label_number(struct labels *l, const char *name, uint32_t value)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", value);
	label(l, name, text);
}

/* ---- one metric per walk of a map: its lines must stand together ---- */

/* A histogram's buckets are counted one by one in the map, and up to each here. */
static void write_hist(FILE *out, const char *name, const char *labels,
		       const u64 *buckets, u64 sum_us)
{
	unsigned long long count = 0;
	uint32_t i;

	for (i = 0; i < WEIR_HIST_BUCKETS - 1; i++) {
		count += buckets[i];
		fprintf(out, "weir_%s_bucket{%s,le=\"%.6f\"} %llu\n", name, labels,
			(double)(2ull << i) / 1e6, count);
	}
	count += buckets[i];
	fprintf(out, "weir_%s_bucket{%s,le=\"+Inf\"} %llu\n", name, labels, count);
	fprintf(out, "weir_%s_sum{%s} %llu.%06llu\n", name, labels,
		(unsigned long long)sum_us / 1000000,
		(unsigned long long)sum_us % 1000000);
	fprintf(out, "weir_%s_count{%s} %llu\n", name, labels, count);
}

struct family {
	const char *name, *type, *help;
	/* Writes the lines of one entry. */
	void (*write)(FILE *out, const char *name, const char *labels,
		      const void *stats);
};

static void write_value(FILE *out, const char *name, const char *labels, uint64_t value)
{
	fprintf(out, "weir_%s{%s} %llu\n", name, labels, (unsigned long long)value);
}

static void route_requests(FILE *out, const char *name, const char *labels,
			   const void *stats)
{
	const struct weir_route_stats *n = stats;

	write_value(out, name, labels, n->requests);
}

static void route_responses(FILE *out, const char *name, const char *labels,
			    const void *stats)
{
	const struct weir_route_stats *n = stats;
	int i;

	for (i = 0; i < 5; i++)
		fprintf(out, "weir_%s{%s,class=\"%dxx\"} %llu\n", name, labels, i + 1,
			(unsigned long long)n->responses[i]);
}

static void route_up(FILE *out, const char *name, const char *labels, const void *stats)
{
	const struct weir_route_stats *n = stats;

	write_value(out, name, labels, n->bytes_up);
}

static void route_down(FILE *out, const char *name, const char *labels,
		       const void *stats)
{
	const struct weir_route_stats *n = stats;

	write_value(out, name, labels, n->bytes_down);
}

static void route_first_byte(FILE *out, const char *name, const char *labels,
			     const void *stats)
{
	const struct weir_route_stats *n = stats;

	write_hist(out, name, labels, n->first_byte_us, n->first_byte_sum_us);
}

static const struct family route_families[] = {
	{"route_requests_total", "counter", "Requests that matched a rule.",
	 route_requests},
	{"route_responses_total", "counter",
	 "Responses by class, those of the kernel included.", route_responses},
	{"route_request_bytes_total", "counter",
	 "Payload to endpoints, of requests that are over.", route_up},
	{"route_response_bytes_total", "counter",
	 "Payload to clients, of requests that are over.", route_down},
	{"route_first_byte_seconds", "histogram",
	 "From a request sent on to the first byte of its response.", route_first_byte},
};

static void endpoint_connections(FILE *out, const char *name, const char *labels,
				 const void *stats)
{
	const struct weir_endpoint_stats *n = stats;

	write_value(out, name, labels, n->connections);
}

static void endpoint_failures(FILE *out, const char *name, const char *labels,
			      const void *stats)
{
	const struct weir_endpoint_stats *n = stats;

	write_value(out, name, labels, n->failures);
}

static void endpoint_connect(FILE *out, const char *name, const char *labels,
			     const void *stats)
{
	const struct weir_endpoint_stats *n = stats;

	write_hist(out, name, labels, n->connect_us, n->connect_sum_us);
}

static const struct family endpoint_families[] = {
	{"endpoint_connections_total", "counter",
	 "Connections that an endpoint accepted.", endpoint_connections},
	{"endpoint_connect_failures_total", "counter",
	 "Connections that an endpoint refused or left unanswered.", endpoint_failures},
	{"endpoint_connect_seconds", "histogram",
	 "From a SYN to an endpoint to its answer.", endpoint_connect},
};

struct walk {
	FILE *out;
	const struct family *family;
};

/* The id tells rules apart that differ in methods or headers only. Routes without a
 * request have no series yet: 100,000 of them would be too many. */
static int write_route(const void *key, const void *value, void *arg)
{
	const struct weir_route_stats *n = value;
	const struct walk *w = arg;
	struct labels l;
	uint32_t id;

	if (!n->requests)
		return 0;
	memcpy(&id, key, sizeof(id));
	labels_begin(&l);
	label_number(&l, "route", id);
	label(&l, "ingress", n->ingress);
	label(&l, "host", n->host);
	label(&l, "path", n->path);
	w->family->write(w->out, w->family->name, l.text, n);
	return 0;
}

static int write_endpoint(const void *key, const void *value, void *arg)
{
	const struct weir_endpoint_stats *n = value;
	const struct walk *w = arg;
	struct labels l;

	labels_begin(&l);
	label(&l, "service", n->service);
	label(&l, "endpoint", n->text);
	w->family->write(w->out, w->family->name, l.text, n);
	return 0;
}

static int write_families(const struct dp *dp, enum dp_map map, map_fn entry,
			  const struct family *families, size_t count, FILE *out,
			  struct err *err)
{
	size_t i;
	int r = 0;

	for (i = 0; !r && i < count; i++) {
		struct walk w = {out, &families[i]};

		head(out, w.family->name, w.family->type, w.family->help);
		r = map_each(dp->map[map], entry, &w, err);
	}
	return r;
}

#define FAMILIES(f) f, sizeof(f) / sizeof(f[0])

static int write_stats(const struct dp *dp, FILE *out, struct err *err)
{
	int r = write_families(dp, DP_MAP_route_stats, write_route,
			       FAMILIES(route_families), out, err);

	return r ? r
		 : write_families(dp, DP_MAP_endpoint_stats, write_endpoint,
				  FAMILIES(endpoint_families), out, err);
}

int metrics_write(const struct dp *dp, FILE *out, struct err *err)
{
	uint64_t states[FLOW_STATES] = {};
	struct weir_settings s;
	struct counters c;
	int i, r = dp_settings_read(dp, &s, err);

	if (!r)
		r = counters_read(dp, &c, err);
	if (!r)
		r = map_each(dp->map[DP_MAP_flows], count_state, states, err);
	if (r)
		return r;
	head(out, "build_info", "gauge", "The version, and 1.");
	fprintf(out, "weir_build_info{version=\"" WEIR_VERSION "\"} 1\n");
	head(out, "outcomes_total", "counter", "How packets and requests ended.");
	for (i = 0; i < WEIR_OUTCOME_COUNT; i++)
		fprintf(out, "weir_outcomes_total{outcome=\"%s\"} %llu\n",
			outcome_names[i], (unsigned long long)c.value[i]);
	head(out, "connections", "gauge", "Connections by state.");
	for (i = WEIR_FLOW_HEAD; i < FLOW_STATES; i++)
		fprintf(out, "weir_connections{state=\"%s\"} %llu\n",
			flow_state_names[i], (unsigned long long)states[i]);
	gauge(out, "generation", "Route tables put in place so far.", s.generation);
	gauge(out, "routes", "Routes in the table.", s.routes);
	gauge(out, "last_apply_ok", "1 when the last change of the rules was taken.",
	      !strcmp(s.applied, "ok"));
	head(out, "last_apply_timestamp_seconds", "gauge",
	     "Time of the last good change.");
	fprintf(out, "weir_last_apply_timestamp_seconds %llu.%03llu\n",
		(unsigned long long)s.applied_ns / 1000000000,
		(unsigned long long)s.applied_ns / 1000000 % 1000);
	return write_stats(dp, out, err);
}

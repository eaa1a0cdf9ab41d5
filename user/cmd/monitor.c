/* SPDX-License-Identifier: BSD-2-Clause */
/* weir monitor: one line for each request, as it is answered. */
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include <bpf/bpf.h>
#include <jansson.h>

#include <weir/flow.h>

#include "base/addr.h"
#include "base/clock.h"
#include "base/number.h"
#include "base/units.h"
#include "cmd/cmd.h"
#include "cmd/columns.h"
#include "cmd/monitor_filter.h"
#include "dp/dp.h"
#include "dp/events.h"
#include "dp/exchange.h"
#include "dp/flows.h"

const struct option_row options_monitor[] = {
	{0, "host", "NAME", "requests to this host only", OPTION_STRING,
	 offsetof(struct monitor_options, host)},
	{0, "route", "NAMESPACE/NAME|ID",
	 "requests that this Ingress, or this route of `weir routes`, matched",
	 OPTION_STRING, offsetof(struct monitor_options, route)},
	{0, "status", "CODE|CLASS",
	 "answers such as 404 or 5xx only; several with commas or repeated",
	 OPTION_LIST, offsetof(struct monitor_options, status)},
	{0, "client", "ADDR[/BITS]", "requests from there only", OPTION_STRING,
	 offsetof(struct monitor_options, client)},
	{0, "sample", "N", "one request of N, at random", OPTION_STRING,
	 offsetof(struct monitor_options, sample)},
	{'n', "count", "N", "end after so many lines", OPTION_STRING,
	 offsetof(struct monitor_options, count)},
	{},
};

struct monitor {
	const struct ctx *ctx;
	struct dp dp;
	struct monitor_filter filter;
	int64_t wall_ns; /* CLOCK_REALTIME less CLOCK_MONOTONIC */
	uint64_t lines, most;
};

static volatile sig_atomic_t stopped;

static void on_stop(int sig)
{
	stopped = 1;
}

/* A text of the network's for a terminal and for JSON: what is not printable
 * ASCII becomes \xNN. `len` is its true length, `max` what was kept of it. */
static void printable(const char *text, unsigned int len, unsigned int max, char *out,
		      size_t size)
{
	unsigned int i, n = len < max ? len : max;
	size_t at = 0;

	for (i = 0; i < n && at + 8 < size; i++) {
		unsigned char c = text[i];

		if (isprint(c) && c != '\\')
			out[at++] = c;
		else
			at += snprintf(out + at, size - at, "\\x%02x", c);
	}
	if (len > n)
		at += snprintf(out + at, size - at, "...");
	out[at] = '\0';
}

/* An exchange as people see it. */
struct line {
	char time[CLOCK_TEXT];
	char client[WEIR_ADDR_TEXT], listener[WEIR_ADDR_TEXT];
	char method[WEIR_EVENT_METHOD * 4 + 8];
	char host[WEIR_EVENT_HOST * 4 + 8];
	char target[WEIR_EVENT_TARGET * 4 + 8];
	char ingress[WEIR_NAME_MAX], path[WEIR_PATH_MAX];
	char endpoint[WEIR_ADDR_TEXT], service[WEIR_NAME_MAX];
	const struct weir_event *e;
	const struct weir_event_response *r; /* zeroed when none came */
};

static void look(const struct monitor *m, const struct exchange *x, struct line *l)
{
	const struct weir_event_request *q = &x->request;
	struct weir_endpoint ep;
	struct weir_route route;

	memset(l, 0, sizeof(*l));
	l->e = x->has_request ? &q->e : &x->response.e;
	l->r = &x->response;
	clock_text(l->e->time_ns + m->wall_ns, l->time);
	addr_format_port(&l->e->client, ntohs(l->e->client_port), l->client);
	addr_format_port(&l->e->listener, ntohs(l->e->listener_port), l->listener);
	printable(q->method, q->method_len, WEIR_EVENT_METHOD, l->method,
		  sizeof(l->method));
	printable(q->host, q->host_len, WEIR_EVENT_HOST, l->host, sizeof(l->host));
	printable(q->target, q->target_len, WEIR_EVENT_TARGET, l->target,
		  sizeof(l->target));
	if (!bpf_map_lookup_elem(m->dp.map[DP_MAP_routes], &l->e->route_id, &route)) {
		memcpy(l->ingress, route.ingress, sizeof(l->ingress));
		memcpy(l->path, route.path, sizeof(l->path));
	}
	if (x->has_response && !bpf_map_lookup_elem(m->dp.map[DP_MAP_endpoints],
						    &l->r->endpoint_id, &ep)) {
		memcpy(l->endpoint, ep.text, sizeof(l->endpoint));
		memcpy(l->service, ep.service, sizeof(l->service));
	}
}

static const char *or_dash(const char *s)
{
	return *s ? s : "-";
}

/* Statuses of their own colour, and a cut response. */
static void print_status(const struct weir_event_response *r)
{
	char text[16] = "-";
	enum paint paint = PAINT_NONE;

	if (r->status)
		snprintf(text, sizeof(text), "%u", r->status);
	if (r->status >= 500)
		paint = PAINT_RED;
	else if (r->status >= 400)
		paint = PAINT_YELLOW;
	print_painted(paint, text);
	if (r->flags & WEIR_EVENT_CUT)
		print_painted(PAINT_YELLOW, " cut");
}

static void print_text(const struct line *l, bool has_response, bool wide)
{
	const char *by = *l->endpoint ? l->endpoint : "-";
	char bytes[UNITS_TEXT], us[UNITS_TEXT];

	if (l->r->flags & WEIR_EVENT_KERNEL)
		by = "kernel";
	printf("%s %-21s %-7s %s%s  %s  %s  ", l->time, l->client, or_dash(l->method),
	       l->host, or_dash(l->target), or_dash(l->ingress), by);
	print_status(l->r);
	if (!has_response)
		printf("  no end seen\n");
	else if (wide)
		printf("  %llu B  %u us\n", (unsigned long long)l->r->bytes_down,
		       l->r->total_us);
	else
		printf("  %s  %s\n", units_bytes(l->r->bytes_down, bytes),
		       units_us(l->r->total_us, us));
}

static json_t *text_or_null(const char *s)
{
	return *s ? json_string(s) : json_null();
}

static int print_json(const struct line *l, const struct exchange *x)
{
	const struct weir_event_response *r = l->r;
	json_t *doc = json_pack(
		"{s:s, s:s, s:s, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "time",
		l->time, "client", l->client, "listener", l->listener, "request",
		(json_int_t)l->e->number, "method", text_or_null(l->method), "host",
		text_or_null(l->host), "target", text_or_null(l->target), "ingress",
		text_or_null(l->ingress), "path", text_or_null(l->path), "endpoint",
		text_or_null(l->endpoint), "service", text_or_null(l->service));
	int code;

	if (x->has_response)
		json_object_update_new(
			doc,
			json_pack("{s:o, s:I, s:I, s:I, s:I, s:b, s:b, s:b}", "status",
				  r->status ? json_integer(r->status) : json_null(),
				  "bytes_up", (json_int_t)r->bytes_up, "bytes_down",
				  (json_int_t)r->bytes_down, "first_byte_us",
				  (json_int_t)r->first_us, "total_us",
				  (json_int_t)r->total_us, "kernel",
				  !!(r->flags & WEIR_EVENT_KERNEL), "cut",
				  !!(r->flags & WEIR_EVENT_CUT), "upgraded",
				  !!(r->flags & WEIR_EVENT_UPGRADED)));
	code = doc ? json_dumpf(doc, stdout, JSON_COMPACT) : -1;
	json_decref(doc);
	putchar('\n');
	return code;
}

static int on_exchange(const struct exchange *x, void *arg)
{
	struct monitor *m = arg;
	struct line l;

	if (!monitor_filter_wants(&m->filter, x))
		return 0;
	look(m, x, &l);
	if (m->ctx->output == OUTPUT_JSON)
		print_json(&l, x);
	else
		print_text(&l, x->has_response, m->ctx->output == OUTPUT_WIDE);
	if (ferror(stdout))
		return -EPIPE;
	return m->most && ++m->lines >= m->most ? -ECANCELED : 0;
}

static int on_record(void *arg, const void *record, size_t len)
{
	return exchanges_add(arg, record, len);
}

static void say_lost(const struct ctx *ctx, uint64_t lost)
{
	if (ctx->output == OUTPUT_JSON)
		printf("{\"lost\":%llu}\n", (unsigned long long)lost);
	else
		fprintf(stderr, "weir: %llu records lost, the ring was full\n",
			(unsigned long long)lost);
}

static int follow(struct monitor *m, struct exchanges *all, struct events *ev)
{
	uint64_t lost = 0;
	int r = 0;

	while (!r && !stopped) {
		uint64_t now;

		r = events_poll(ev, 500);
		now = events_lost(ev);
		if (now != lost)
			say_lost(m->ctx, now);
		lost = now;
		if (fflush(stdout))
			return EXIT_FAILED;
	}
	if (stopped)
		exchanges_flush(all);
	return r && r != -ECANCELED && r != -EINTR ? EXIT_FAILED : EXIT_DONE;
}

int monitor_main(struct ctx *ctx, int argc, char **argv)
{
	struct monitor_options opt = {};
	void *const to[] = {&opt};
	struct monitor m = {.ctx = ctx, .wall_ns = clock_wall_ns() - monotonic_ns()};
	struct sigaction stop = {.sa_handler = on_stop};
	struct exchanges *all = NULL;
	struct events *ev = NULL;
	struct err err = {};
	int r = options_parse(ctx, to, &argc, argv);

	if (r)
		return r;
	if (argc > 1)
		return cmd_usage(ctx, "no operand is expected: %s", argv[1]);
	if (opt.count && (number_parse(opt.count, UINT32_MAX, &m.most) || !m.most))
		return cmd_usage(ctx, "--count: not a number: %s", opt.count);
	r = monitor_filter_parse(ctx, &opt, &m.filter);
	vec_free(&opt.status);
	if (r)
		return r;
	if (dp_open(&m.dp, ctx->pin, &err))
		return cmd_fail(&err);
	sigaction(SIGINT, &stop, NULL);
	sigaction(SIGTERM, &stop, NULL);
	all = exchanges_new(on_exchange, &m);
	if (!all)
		r = err_set(&err, -ENOMEM, "out of memory");
	if (!r)
		r = monitor_filter_routes(&m.filter, &m.dp, &err);
	if (!r)
		r = events_open(&m.dp, &m.filter.kernel, on_record, all, &ev, &err);
	r = r ? cmd_fail(&err) : follow(&m, all, ev);
	events_close(ev);
	exchanges_free(all);
	monitor_filter_free(&m.filter);
	dp_close(&m.dp);
	return r;
}

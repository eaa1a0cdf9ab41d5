/* SPDX-License-Identifier: BSD-2-Clause */
#include "agent/metrics.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <weir/stats.h>

#include "base/addr.h"
#include "base/mem.h"
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

/* A label's value: backslash, quote and line end are escaped. */
static void label(FILE *out, const char *name, const char *value, const char *before)
{
	fprintf(out, "%s%s=\"", before, name);
	for (; *value; value++) {
		if (*value == '\n')
			fputs("\\n", out);
		else if (*value == '"' || *value == '\\')
			fprintf(out, "\\%c", *value);
		else
			fputc(*value, out);
	}
	fputc('"', out);
}

static void route_labels(FILE *out, const struct weir_route_stats *n)
{
	label(out, "ingress", n->ingress, "{");
	label(out, "host", n->host, ",");
	label(out, "path", n->path, ",");
}

static int write_requests(const void *key, const void *value, void *arg)
{
	const struct weir_route_stats *n = value;

	fputs("weir_route_requests_total", arg);
	route_labels(arg, n);
	fprintf(arg, "} %llu\n", (unsigned long long)n->requests);
	return 0;
}

static int write_responses(const void *key, const void *value, void *arg)
{
	const struct weir_route_stats *n = value;
	int i;

	for (i = 0; i < 5; i++) {
		fputs("weir_route_responses_total", arg);
		route_labels(arg, n);
		fprintf(arg, ",class=\"%dxx\"} %llu\n", i + 1,
			(unsigned long long)n->responses[i]);
	}
	return 0;
}

static void write_endpoint(FILE *out, const char *name,
			   const struct weir_endpoint_stats *n,
			   unsigned long long value)
{
	fputs(name, out);
	label(out, "service", n->service, "{");
	label(out, "endpoint", n->text, ",");
	fprintf(out, "} %llu\n", value);
}

static int write_connections(const void *key, const void *value, void *arg)
{
	const struct weir_endpoint_stats *n = value;

	write_endpoint(arg, "weir_endpoint_connections_total", n, n->connections);
	return 0;
}

static int write_failures(const void *key, const void *value, void *arg)
{
	const struct weir_endpoint_stats *n = value;

	write_endpoint(arg, "weir_endpoint_connect_failures_total", n, n->failures);
	return 0;
}

/* One metric per walk of the map: its lines must stand together. */
static int write_stats(const struct dp *dp, FILE *out, struct err *err)
{
	int r;

	head(out, "route_requests_total", "counter", "Requests that matched a rule.");
	r = map_each(dp->map[DP_MAP_route_stats], write_requests, out, err);
	head(out, "route_responses_total", "counter",
	     "Responses by class, those of the kernel included.");
	if (!r)
		r = map_each(dp->map[DP_MAP_route_stats], write_responses, out, err);
	head(out, "endpoint_connections_total", "counter",
	     "Connections that an endpoint accepted.");
	if (!r)
		r = map_each(dp->map[DP_MAP_endpoint_stats], write_connections, out,
			     err);
	head(out, "endpoint_connect_failures_total", "counter",
	     "Connections that an endpoint refused or left unanswered.");
	if (!r)
		r = map_each(dp->map[DP_MAP_endpoint_stats], write_failures, out, err);
	return r;
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

/* ---- the server ---- */

static void answer(int fd, const char *status, const char *type, const char *body,
		   size_t len)
{
	char top[256];
	int n = snprintf(top, sizeof(top),
			 "HTTP/1.1 %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n"
			 "Connection: close\r\n\r\n",
			 status, type, len);

	if (send(fd, top, n, MSG_NOSIGNAL | MSG_MORE) == n)
		send(fd, body, len, MSG_NOSIGNAL);
}

static void answer_text(int fd, const char *status, const char *text)
{
	answer(fd, status, "text/plain; charset=utf-8", text, strlen(text));
}

static void answer_metrics(int fd, const struct dp *dp)
{
	auto_free char *text = NULL;
	struct err err = {};
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	int r;

	if (!out) {
		answer_text(fd, "500 Internal Server Error", "out of memory\n");
		return;
	}
	r = metrics_write(dp, out, &err);
	fclose(out);
	if (r)
		answer_text(fd, "500 Internal Server Error", err.what);
	else
		answer(fd, "200 OK", "text/plain; version=0.0.4; charset=utf-8", text,
		       len);
}

static bool asks_for(const char *line, const char *path)
{
	size_t len = strlen(path);

	return !strncmp(line, "GET ", 4) && !strncmp(line + 4, path, len) &&
	       (line[4 + len] == ' ' || line[4 + len] == '?');
}

static void on_connection(struct watch *w)
{
	struct metrics_server *m = w->arg;
	struct timeval patience = {.tv_usec = 200000};
	auto_fd int fd = accept4(w->fd, NULL, NULL, SOCK_CLOEXEC);
	char line[2048];
	ssize_t got;

	if (fd < 0)
		return;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	got = recv(fd, line, sizeof(line) - 1, 0);
	if (got <= 0)
		return;
	line[got] = '\0';
	if (asks_for(line, "/metrics"))
		answer_metrics(fd, m->dp);
	else if (asks_for(line, "/healthz"))
		answer_text(fd, "200 OK", "ok\n");
	else if (asks_for(line, "/readyz"))
		answer_text(fd, m->dp->prog >= 0 ? "200 OK" : "503 Service Unavailable",
			    m->dp->prog >= 0 ? "ok\n" : "starting\n");
	else
		answer_text(fd, "404 Not Found", "not found\n");
}

void metrics_init(struct metrics_server *m)
{
	*m = (struct metrics_server){.listener = {-1, on_connection, m}};
}

int metrics_listen(struct metrics_server *m, struct loop *loop, const char *text,
		   const struct dp *dp, struct err *err)
{
	struct sockaddr_storage sa;
	struct weir_addr addr;
	int on = 1, fd;
	uint16_t port;
	socklen_t len;

	if (addr_parse_port(text, &addr, &port))
		return err_set(err, -EINVAL, "--metrics %s: not ADDR:PORT", text);
	len = addr_to_sockaddr(&addr, port, &sa);
	fd = socket(sa.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	m->listener.fd = fd;
	m->loop = loop;
	m->dp = dp;
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) ||
	    bind(fd, (struct sockaddr *)&sa, len) || listen(fd, 16))
		return err_set(err, -errno, "--metrics %s: %s", text, strerror(errno));
	return loop_add(loop, &m->listener, err);
}

void metrics_close(struct metrics_server *m)
{
	mem_close_fd(&m->listener.fd);
	m->listener.fd = -1;
}

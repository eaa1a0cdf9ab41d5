/* SPDX-License-Identifier: BSD-2-Clause */
#include "agent/scrape.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <microhttpd.h>

#include "agent/metrics.h"
#include "base/addr.h"
#include "base/mem.h"
#include "dp/attach.h"
#include "dp/dp.h"

/* This is for a scraper or two and the kubelet. */
#define CONNECTIONS 16u
#define CONNECTION_BYTES 16384u
#define PATIENCE_S 5u

#define TEXT_TYPE "text/plain; charset=utf-8"
#define METRICS_TYPE "text/plain; version=0.0.4; charset=utf-8"

/* ---- answers ---- */

static enum MHD_Result answer(struct MHD_Connection *c, unsigned int status,
			      const char *type, char *body, size_t len,
			      enum MHD_ResponseMemoryMode mode)
{
	struct MHD_Response *r = MHD_create_response_from_buffer(len, body, mode);
	enum MHD_Result done;

	if (!r)
		return MHD_NO;
	MHD_add_response_header(r, MHD_HTTP_HEADER_CONTENT_TYPE, type);
	if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
		MHD_add_response_header(r, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
	done = MHD_queue_response(c, status, r);
	MHD_destroy_response(r);
	return done;
}

static enum MHD_Result answer_line(struct MHD_Connection *c, unsigned int status,
				   const char *line)
{
	char text[512];
	int n = snprintf(text, sizeof(text), "%.500s\n", line);

	return answer(c, status, TEXT_TYPE, text, n, MHD_RESPMEM_MUST_COPY);
}

static enum MHD_Result answer_metrics(struct MHD_Connection *c, const struct dp *dp)
{
	struct err err = {};
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	int r;

	if (!out)
		return answer_line(c, MHD_HTTP_INTERNAL_SERVER_ERROR, "out of memory");
	r = metrics_write(dp, out, &err);
	fclose(out);
	if (!r)
		return answer(c, MHD_HTTP_OK, METRICS_TYPE, text, len,
			      MHD_RESPMEM_MUST_FREE);
	free(text);
	return answer_line(c, MHD_HTTP_INTERNAL_SERVER_ERROR, err.what);
}

/* NULL, or why not. */
static const char *not_ready(const struct dp *dp, struct err *err)
{
	struct attachments hooks = {};
	struct weir_settings s;
	bool is_live = false;
	size_t i;
	int r;

	if (dp->prog < 0)
		return "starting";
	r = dp_settings_read(dp, &s, err);
	if (!r)
		r = attach_list(dp, &hooks, err);
	for (i = 0; i < hooks.len; i++)
		is_live |= hooks.item[i].live;
	vec_free(&hooks);
	if (r)
		return err->what;
	if (!s.generation)
		return "no rules yet";
	return is_live ? NULL : "attached to no interface";
}

static enum MHD_Result answer_ready(struct MHD_Connection *c, const struct dp *dp)
{
	struct err err = {};
	const char *why = not_ready(dp, &err);

	return answer_line(c, why ? MHD_HTTP_SERVICE_UNAVAILABLE : MHD_HTTP_OK,
			   why ? why : "ok");
}

static enum MHD_Result on_request(void *arg, struct MHD_Connection *c, const char *url,
				  const char *method, const char *version,
				  const char *upload, size_t *upload_len, void **state)
{
	static int head_seen;
	const struct scrape *s = arg;

	/* First comes the head alone; then a body, which nobody reads. */
	if (!*state) {
		*state = &head_seen;
		return MHD_YES;
	}
	if (*upload_len) {
		*upload_len = 0;
		return MHD_YES;
	}
	if (strcmp(method, MHD_HTTP_METHOD_GET) && strcmp(method, MHD_HTTP_METHOD_HEAD))
		return answer_line(c, MHD_HTTP_METHOD_NOT_ALLOWED, "GET only");
	if (!strcmp(url, "/metrics"))
		return answer_metrics(c, s->dp);
	if (!strcmp(url, "/healthz"))
		return answer_line(c, MHD_HTTP_OK, "ok");
	if (!strcmp(url, "/readyz"))
		return answer_ready(c, s->dp);
	return answer_line(c, MHD_HTTP_NOT_FOUND,
			   "not found: /metrics, /healthz, /readyz");
}

/* ---- the server ---- */

static void on_events(struct watch *w)
{
	struct scrape *s = w->arg;

	MHD_run(s->daemon);
}

static void on_clock(struct watch *w)
{
	timer_done(w);
	on_events(w);
}

void scrape_init(struct scrape *s)
{
	*s = (struct scrape){.events = {-1, on_events, s}, .clock = {-1, on_clock, s}};
}

static int listen_on(const char *text, struct err *err)
{
	struct sockaddr_storage sa;
	struct weir_addr addr;
	auto_fd int fd = -1;
	uint16_t port;
	socklen_t len;
	int on = 1;

	if (addr_parse_port(text, &addr, &port)) {
		err_set(err, -EINVAL, "--metrics %s: not ADDR:PORT", text);
		return err_hint(err, "127.0.0.1:9090 is for this node alone");
	}
	len = addr_to_sockaddr(&addr, port, &sa);
	fd = socket(sa.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) ||
	    bind(fd, (struct sockaddr *)&sa, len) || listen(fd, CONNECTIONS))
		return err_set(err, -errno, "--metrics %s: %s", text, strerror(errno));
	return take_fd(fd);
}

int scrape_listen(struct scrape *s, struct loop *loop, const char *text,
		  const struct dp *dp, struct err *err)
{
	const union MHD_DaemonInfo *info;
	int r, fd = listen_on(text, err);

	if (fd < 0)
		return fd;
	s->dp = dp;
	s->daemon = MHD_start_daemon(
		MHD_USE_EPOLL, 0, NULL, NULL, on_request, s, MHD_OPTION_LISTEN_SOCKET,
		fd, MHD_OPTION_CONNECTION_LIMIT, CONNECTIONS,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_BYTES,
		MHD_OPTION_CONNECTION_TIMEOUT, PATIENCE_S, MHD_OPTION_END);
	if (!s->daemon) {
		close(fd);
		return err_set(err, -EIO, "--metrics %s: the server does not start",
			       text);
	}
	info = MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	s->events.fd = info->epoll_fd;
	r = loop_add(loop, &s->events, err);
	if (!r)
		r = loop_timer(loop, &s->clock, err);
	if (!r)
		timer_set(&s->clock, PATIENCE_S * 1000, PATIENCE_S * 1000);
	return r;
}

void scrape_close(struct scrape *s)
{
	if (s->daemon)
		MHD_stop_daemon(s->daemon); /* closes both of its descriptors */
	mem_close_fd(&s->clock.fd);
	scrape_init(s);
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "cmd/monitor_filter.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include <bpf/bpf.h>

#include <weir/flow.h>

#include "base/addr.h"
#include "base/number.h"
#include "base/word.h"
#include "cmd/cmd.h"
#include "dp/dp.h"
#include "dp/exchange.h"
#include "dp/mapio.h"

#define STATUS_END 600u

static void status_add(struct monitor_filter *f, unsigned int code)
{
	f->status[code / 8] |= 1u << code % 8;
	f->kernel.classes |= 1u << code / 100;
	f->by_status = true;
}

/* "404", or "4xx" for all of a class. */
static int status_parse(struct monitor_filter *f, const char *text)
{
	uint64_t code;
	unsigned int i;

	if (strlen(text) == 3 && text[0] >= '1' && text[0] <= '5' &&
	    tolower(text[1]) == 'x' && tolower(text[2]) == 'x') {
		for (i = 0; i < 100; i++)
			status_add(f, (text[0] - '0') * 100 + i);
		return 0;
	}
	if (number_parse(text, STATUS_END - 1, &code) || code < 100)
		return -EINVAL;
	status_add(f, code);
	return 0;
}

static int statuses_parse(const struct ctx *ctx, const struct words *given,
			  struct monitor_filter *f)
{
	struct words each = {};
	size_t i;
	int r = words_split(given, &each) ? cmd_usage(ctx, "--status: out of memory")
					  : 0;

	for (i = 0; !r && i < each.len; i++)
		if (status_parse(f, each.item[i]))
			r = cmd_usage(ctx, "--status: neither a code nor a class: %s",
				      each.item[i]);
	words_free(&each);
	return r;
}

/* As routing compares it: in lower case, without a trailing dot. */
static int host_parse(const char *text, struct weir_monitor *m)
{
	size_t i, len = strlen(text);

	if (len && text[len - 1] == '.')
		len--;
	if (!len || len > WEIR_EVENT_HOST)
		return -EINVAL;
	for (i = 0; i < len; i++)
		m->host[i] = tolower((unsigned char)text[i]);
	m->host_len = len;
	return 0;
}

int monitor_filter_parse(const struct ctx *ctx, const struct monitor_options *opt,
			 struct monitor_filter *out)
{
	struct monitor_filter *f = out;
	unsigned int bits = 0;
	uint64_t n = 0;

	memset(f, 0, sizeof(*f));
	f->kernel.route_id = WEIR_NO_ID;
	f->route = opt->route;
	if (opt->host && host_parse(opt->host, &f->kernel))
		return cmd_usage(ctx, "--host: not a host name: %s", opt->host);
	if (opt->client && addr_parse_prefix(opt->client, &f->kernel.client, &bits))
		return cmd_usage(ctx, "--client: not an address: %s", opt->client);
	f->kernel.client_bits = bits;
	if (opt->sample && (number_parse(opt->sample, UINT32_MAX, &n) || !n))
		return cmd_usage(ctx, "--sample: %s is not a number from 1 on",
				 opt->sample);
	f->kernel.sample = n;
	return statuses_parse(ctx, &opt->status, f);
}

struct search {
	struct monitor_filter *f;
	uint32_t found;
	struct word_search near;
};

static int add_route(const void *key, const void *value, void *arg)
{
	const struct weir_route *route = value;
	struct search *s = arg;
	uint32_t id;

	if (strcmp(route->ingress, s->f->route) != 0) {
		word_try(&s->near, route->ingress);
		return 0;
	}
	memcpy(&id, key, sizeof(id));
	s->f->kernel.route_id = id;
	s->found++;
	return id_set_add(&s->f->routes, id) ? 0 : -ENOMEM;
}

int monitor_filter_routes(struct monitor_filter *f, const struct dp *dp,
			  struct err *err)
{
	struct search s = {f, 0, {.given = f->route}};
	uint64_t id;
	int r;

	if (!f->route)
		return 0;
	if (!number_parse(f->route, WEIR_NO_ID - 1, &id)) {
		f->kernel.route_id = id;
		return 0;
	}
	r = map_each(dp->map[DP_MAP_routes], add_route, &s, err);
	if (r)
		return r == -ENOMEM ? err_set(err, r, "out of memory") : r;
	if (!s.found) {
		err_set(err, -ENOENT, "no route of this Ingress: %s", f->route);
		return *s.near.best ? err_hint(err, "did you mean %s?", s.near.best)
				    : err_hint(err, "weir routes shows them");
	}
	f->by_ids = s.found > 1;
	if (f->by_ids)
		f->kernel.route_id = WEIR_NO_ID;
	return 0;
}

bool monitor_filter_wants(const struct monitor_filter *f, const struct exchange *x)
{
	const struct weir_event *e = x->has_request ? &x->request.e : &x->response.e;
	unsigned int status = x->has_response ? x->response.status : 0;

	if (f->by_ids && !id_set_has(&f->routes, e->route_id))
		return false;
	if (!f->by_status)
		return true;
	return status < STATUS_END && f->status[status / 8] >> status % 8 & 1;
}

void monitor_filter_free(struct monitor_filter *f)
{
	id_set_free(&f->routes);
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "route/explain.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "route/table.h"
#include "route/table_entries.h"

const char *const explain_verdict_text[EXPLAIN_VERDICT_COUNT] = {
	[EXPLAIN_ROUTE] = "route",     [EXPLAIN_FALLBACK] = "fallback",
	[EXPLAIN_REPLY] = "reply",     [EXPLAIN_REJECT] = "reject",
	[EXPLAIN_GATEWAY] = "gateway", [EXPLAIN_INCOMPLETE] = "incomplete",
};

int explain_open(struct explainer *e, struct ir *ir, struct err *err)
{
	size_t size, full = WEIR_TABLE_MIN, i;
	void *blob = NULL;
	int r;

	memset(e, 0, sizeof(*e));
	for (i = 0; i < ir->routes.len; i++)
		ir->routes.item[i].id = i;
	for (i = 0; i < ir->groups.len; i++)
		ir->groups.item[i].id = i;
	r = table_compile(ir, &blob, &size, err);
	if (!r)
		r = table_check(blob, size, err);
	if (!r) {
		while (full < size)
			full *= 2;
		e->table = calloc(1, full);
		if (!e->table)
			r = err_set(err, -ENOMEM, "explain: out of memory");
	}
	if (!r) {
		memcpy(e->table, blob, size);
		e->mask = full - 1;
		e->ir = ir;
	}
	free(blob);
	return r;
}

void explain_close(struct explainer *e)
{
	free(e->table);
	e->table = NULL;
}

static void say(struct explain_answer *a, enum explain_verdict verdict,
		unsigned int status, const char *reason)
{
	a->verdict = verdict;
	a->status = status;
	snprintf(a->reason, sizeof(a->reason), "%s", reason);
}

static bool has_ready(const struct ir_group *g)
{
	size_t i;

	for (i = 0; i < g->endpoints.len; i++)
		if (g->endpoints.item[i].ready)
			return true;
	return false;
}

static const char *why_matched(const struct explainer *e, const struct ir_route *route)
{
	static const char *const hosts[] = {
		[IR_HOST_EXACT] = "host",
		[IR_HOST_WILDCARD] = "wildcard host",
		[IR_HOST_TRAILING] = "wildcard host",
		[IR_HOST_ANY] = "any host",
	};
	static const char *const paths[] = {
		[WEIR_PATH_EXACT] = "exact path",
		[WEIR_PATH_PREFIX] = "prefix",
		[WEIR_PATH_IMPLEMENTATION] = "string prefix",
		[WEIR_PATH_REGEX] = "regular expression",
	};
	static char text[96];

	if (route->type == WEIR_PATH_DEFAULT)
		return e->ir->order == IR_ORDER_KONG
			       ? "the default backend: a rule for / as any other"
			       : "no rule matched: the default backend";
	snprintf(text, sizeof(text), "%s, %s%s%s%s", hosts[route->host_kind],
		 paths[route->type], route->methods.len ? ", method" : "",
		 route->headers.len ? ", headers" : "",
		 e->received.flags & HEAD_NORMAL ? "" : "; path normalised");
	return text;
}

/* A redirect quotes the request. One that also exceeds what the client takes in
 * a segment is refused by the kernel, but that is not known here. */
static void answer_reply(const struct explainer *e, struct explain_answer *a,
			 const struct ir_reply *reply)
{
	const struct http_head *h = &e->h;
	bool quotes = reply->location && !strcmp(reply->location, IR_LOCATION_HTTPS);

	if (quotes && (!h->host_len || e->head.data[h->target_off] != '/'))
		say(a, EXPLAIN_REJECT, 400, "a redirect needs a host and a path");
	else if (quotes &&
		 (h->host_len > WEIR_QUOTE_MAX || h->target_len > WEIR_QUOTE_MAX))
		say(a, EXPLAIN_REJECT, 431, "longer than a redirect can be");
	else
		say(a, EXPLAIN_REPLY, reply->status, "answered by its rule");
}

static void answer_route(struct explainer *e, struct explain_answer *a)
{
	const struct ir_route *route = &e->ir->routes.item[e->m.route_id];
	const struct ir_group *group;

	a->route = route;
	switch (route->action) {
	case WEIR_ACTION_REPLY:
		answer_reply(e, a, &e->ir->replies.item[route->reply]);
		return;
	case WEIR_ACTION_UNHONOURED:
		say(a, EXPLAIN_REPLY, 503, route->reason ?: "needs a gateway");
		return;
	case WEIR_ACTION_GATEWAY:
		say(a, EXPLAIN_GATEWAY, 0, route->reason ?: "left to the gateway");
		break;
	case WEIR_ACTION_GROUP:
		group = &e->ir->groups.item[e->m.group_id];
		if (!has_ready(group)) {
			say(a, EXPLAIN_REPLY, 503, "no endpoint is ready");
			return;
		}
		say(a,
		    route->type == WEIR_PATH_DEFAULT ? EXPLAIN_FALLBACK : EXPLAIN_ROUTE,
		    0, why_matched(e, route));
		if (e->m.strip_len &&
		    head_rewrite(&e->head, &e->h, e->m.strip_len) < 0) {
			say(a, EXPLAIN_REJECT, 400, "no header line to pad the head");
			return;
		}
		break;
	}
	a->target = (const char *)e->head.data + e->h.target_off;
	a->target_len = e->h.target_len;
}

/* What the gateway takes as it is, when there is one. */
static void unreadable(const struct explainer *e, struct explain_answer *a,
		       unsigned int status, const char *why)
{
	if (table_gateway(e->table, e->mask) != WEIR_NO_ID)
		say(a, EXPLAIN_GATEWAY, 0, why);
	else
		say(a, EXPLAIN_REJECT, status, why);
}

/* The ir without one route. Its strings are borrowed. */
static int without(const struct ir *ir, size_t index, struct ir *out)
{
	size_t size = sizeof(*ir->routes.item), rest = ir->routes.len - index - 1;

	*out = *ir;
	out->routes.item = malloc(ir->routes.len * size);
	if (!out->routes.item)
		return -ENOMEM;
	memcpy(out->routes.item, ir->routes.item, index * size);
	memcpy(out->routes.item + index, ir->routes.item + index + 1, rest * size);
	out->routes.len--;
	return 0;
}

/* The path in the form in which it is matched. */
static void normal_path(struct explainer *e, const void *bytes, size_t len, char *path)
{
	*path = '\0';
	memcpy(e->head.data, bytes, len);
	if (head_scan(&e->head, len, &e->h) != HEAD_DONE ||
	    (!(e->h.flags & HEAD_NORMAL) && head_rewrite(&e->head, &e->h, 0) < 0))
		return;
	memcpy(path, e->head.data + e->h.path_off, e->h.path_len);
	path[e->h.path_len] = '\0';
}

int explain_second(const struct explainer *e, const struct ir_route *first,
		   const void *bytes, size_t len, struct explain_second *out,
		   struct err *err)
{
	auto_free struct explainer *other = calloc(1, sizeof(*other));
	size_t at = first - e->ir->routes.item, second;
	struct explain_answer a;
	char path[WEIR_HEAD_MAX];
	struct ir rest;
	int r;

	*out = (struct explain_second){};
	if (!other || without(e->ir, at, &rest))
		return err_set(err, -ENOMEM, "explain: out of memory");
	r = explain_open(other, &rest, err);
	if (!r) {
		normal_path(other, bytes, len, path);
		explain_head(other, bytes, len, &a);
	}
	if (!r && a.route) {
		second = a.route - rest.routes.item;
		second += second >= at;
		out->route = &e->ir->routes.item[second];
		out->why = entries_why(e->ir, at, second, path);
	}
	explain_close(other);
	free(rest.routes.item);
	return r;
}

void explain_head(struct explainer *e, const void *bytes, size_t len,
		  struct explain_answer *a)
{
	int status;

	*a = (struct explain_answer){};
	if (len > WEIR_HEAD_MAX)
		len = WEIR_HEAD_MAX;
	memcpy(e->head.data, bytes, len);
	status = head_scan(&e->head, len, &e->h);
	e->received = e->h;
	if (status != HEAD_DONE)
		e->received.head_len = 0;
	switch (status) {
	case HEAD_DONE:
		break;
	case HEAD_MORE:
		say(a, EXPLAIN_INCOMPLETE, 0, "the head goes on");
		return;
	case HEAD_LONG:
		unreadable(e, a, 431, "the head is too long");
		return;
	case HEAD_VERSION:
		unreadable(e, a, 505, "not HTTP/1");
		return;
	default:
		say(a, EXPLAIN_REJECT, 400, "the head is malformed or ambiguous");
		return;
	}
	if (!(e->h.flags & HEAD_NORMAL) && head_rewrite(&e->head, &e->h, 0) < 0) {
		say(a, EXPLAIN_REJECT, 400, "the path is not valid");
		return;
	}
	if (table_find(e->table, e->mask, &e->head, &e->h, &e->m) == TABLE_FOUND)
		answer_route(e, a);
	else
		say(a, EXPLAIN_REPLY, 404,
		    "no rule matched and there is no default backend");
}

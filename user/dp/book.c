/* SPDX-License-Identifier: BSD-2-Clause */
#include "dp/book.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>

#include <weir/flow.h>
#include <weir/stats.h>

#include "base/addr.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "dp/dp.h"
#include "dp/listeners.h"
#include "dp/mapio.h"
#include "dp/path.h"
#include "dp/shares.h"

/* ---- names ---- */

#define KEY_MAX 1024

static void endpoint_key(const char *service, const char *text, char *buf)
{
	snprintf(buf, KEY_MAX, "%s %s", service, text);
}

/* Fields are separated by a character that none of them may have. */
static void route_key(const struct weir_route *r, unsigned int nth, char *buf)
{
	char *to = stpcpy(stpcpy(buf, r->ingress), "\n");

	to = stpcpy(stpcpy(to, r->host), "\n");
	to = stpcpy(stpcpy(to, r->path), "\n");
	snprintf(to, KEY_MAX - (size_t)(to - buf), "%u %u", r->type, nth);
}

/* As the maps keep a name: cut when it is too long, and still one of its kind
 * (two labels of 63 bytes and a port may be longer than WEIR_NAME_MAX). */
static void kept_name(const char *name, char *buf)
{
	const int head = WEIR_NAME_MAX - 18;
	unsigned long long tail = hash64_str(name, 0);

	if (strlen(name) < WEIR_NAME_MAX)
		snprintf(buf, WEIR_NAME_MAX, "%s", name);
	else
		snprintf(buf, WEIR_NAME_MAX, "%.*s~%016llx", head, name, tail);
}

static uint64_t group_content(const struct weir_group *g)
{
	/* All but the turn, which the kernel moves. */
	size_t from = offsetof(struct weir_group, share);

	return hash64((const char *)g + from, sizeof(*g) - from, 0);
}

static int no_memory(struct err *err)
{
	return err_set(err, -ENOMEM, "out of memory");
}

/* ---- reading back ---- */

static void learnt(struct registry_entry *e, uint64_t content)
{
	if (!e)
		return;
	e->is_written = true;
	e->content = content;
}

static int read_endpoint(const void *key, const void *value, void *arg)
{
	const struct weir_endpoint *ep = value;
	struct book *book = arg;
	char name[KEY_MAX];
	uint32_t id;

	memcpy(&id, key, sizeof(id));
	endpoint_key(ep->service, ep->text, name);
	learnt(registry_learn(&book->endpoints, name, id), hash64(ep, sizeof(*ep), 0));
	if (ep->state == WEIR_ENDPOINT_UNHEALTHY || ep->held == WEIR_ENDPOINT_UNHEALTHY)
		return strmap_set(&book->unhealthy, ep->text, id);
	return 0;
}

static int read_group(const void *key, const void *value, void *arg)
{
	const struct weir_group *g = value;
	uint32_t id;

	memcpy(&id, key, sizeof(id));
	learnt(registry_learn(arg, g->name, id), group_content(g));
	return 0;
}

static int read_route(const void *key, const void *value, void *arg)
{
	const struct weir_route *route = value;
	struct registry_entry *e = NULL;
	char name[KEY_MAX];
	unsigned int nth;
	uint32_t id;

	memcpy(&id, key, sizeof(id));
	for (nth = 0; !e && nth < 64; nth++) {
		route_key(route, nth, name);
		e = registry_learn(arg, name, id);
	}
	learnt(e, hash64(route, sizeof(*route), 0));
	return 0;
}

static void at_least(struct registry *r, uint32_t id)
{
	if (id != WEIR_NO_ID && id >= r->next)
		r->next = id + 1;
}

static int read_flow(const void *key, const void *value, void *arg)
{
	const struct weir_flow *flow = value;
	struct book *book = arg;

	at_least(&book->endpoints, flow->endpoint_id);
	at_least(&book->groups, flow->group_id);
	at_least(&book->routes, flow->route_id);
	return 0;
}

void book_new(struct book *book)
{
	book_free(book);
	/* 0 is what a zeroed value says: it names nothing. */
	book->endpoints.next = book->groups.next = book->routes.next = 1;
}

int book_read(struct book *book, const struct dp *dp, struct err *err)
{
	struct book fresh = {};
	int r;

	book_new(&fresh);
	r = map_each(dp->map[DP_MAP_endpoints], read_endpoint, &fresh, err);
	if (!r)
		r = map_each(dp->map[DP_MAP_groups], read_group, &fresh.groups, err);
	if (!r)
		r = map_each(dp->map[DP_MAP_routes], read_route, &fresh.routes, err);
	if (!r)
		r = map_each(dp->map[DP_MAP_flows], read_flow, &fresh, err);
	if (r) {
		book_free(&fresh);
		return r == -ENOMEM ? no_memory(err) : r;
	}
	book_free(book);
	*book = fresh;
	return 0;
}

void book_free(struct book *book)
{
	registry_free(&book->endpoints);
	registry_free(&book->groups);
	registry_free(&book->routes);
	strmap_free(&book->unhealthy);
}

bool book_says_unhealthy(const struct book *book, const struct weir_addr *addr,
			 uint16_t port)
{
	char text[WEIR_ADDR_TEXT];
	uint32_t id;

	addr_format_port(addr, port, text);
	return strmap_get(&book->unhealthy, text, &id);
}

/* ---- ids ---- */

void book_begin(struct book *book)
{
	registry_begin(&book->endpoints);
	registry_begin(&book->groups);
	registry_begin(&book->routes);
}

int book_groups(struct book *book, struct group_want *want, size_t count,
		struct err *err)
{
	char name[WEIR_NAME_MAX];
	size_t i;

	for (i = 0; i < count; i++) {
		struct registry_entry *e;

		kept_name(want[i].name, name);
		e = registry_take(&book->groups, name, NULL);
		if (!e)
			return no_memory(err);
		want[i].id = e->id;
	}
	return 0;
}

int book_route(struct book *book, const struct weir_route *route, size_t *place,
	       struct err *err)
{
	struct registry *r = &book->routes;
	const struct registry_entry *e;
	char name[KEY_MAX];
	unsigned int nth = 0;
	bool is_taken;

	do {
		route_key(route, nth++, name);
		e = registry_take(r, name, &is_taken);
	} while (e && is_taken);
	if (!e)
		return no_memory(err);
	*place = e - r->item;
	return 0;
}

/* ---- writing ---- */

static int write_error(enum dp_map map, int error, struct err *err)
{
	if (error == E2BIG)
		return err_set(err, -E2BIG, "map %s is full: too many %s",
			       dp_map_names[map], dp_map_names[map]);
	return err_set(err, -error, "map %s: %s", dp_map_names[map], strerror(error));
}

static int write_value(const struct dp *dp, enum dp_map map, uint32_t id,
		       const void *value, struct registry_entry *e, uint64_t content,
		       struct err *err)
{
	if (e->is_written && e->content == content)
		return 0;
	if (bpf_map_update_elem(dp->map[map], &id, value, BPF_ANY))
		return write_error(map, errno, err);
	e->is_written = true;
	e->content = content;
	return 0;
}

/* An entry of route_stats or endpoint_stats; one that is there counts on. */
static void write_stats(const struct dp *dp, enum dp_map map, uint32_t id,
			const void *value)
{
	if (bpf_map_update_elem(dp->map[map], &id, value, BPF_NOEXIST) &&
	    errno != EEXIST)
		log_warn("map %s: %s", dp_map_names[map], strerror(errno));
}

static enum weir_endpoint_state state_of(const struct endpoint_want *want)
{
	if (!want->ready)
		return WEIR_ENDPOINT_DRAINING;
	return want->unhealthy ? WEIR_ENDPOINT_UNHEALTHY : WEIR_ENDPOINT_READY;
}

/* What the map has; drains by hand are known to it alone. */
static bool read_known(const struct dp *dp, const struct registry_entry *e,
		       struct weir_endpoint *out)
{
	return e->is_written &&
	       !bpf_map_lookup_elem(dp->map[DP_MAP_endpoints], &e->id, out);
}

static bool has_way(const struct weir_endpoint *ep)
{
	return ep->state != WEIR_ENDPOINT_GONE &&
	       ep->state != WEIR_ENDPOINT_UNREACHABLE &&
	       ep->held != WEIR_ENDPOINT_UNREACHABLE;
}

/* Puts our address and the MSS towards the endpoint into its value. `old` is the
 * value so far, when its way is known to be as it was; or NULL. */
static int find_way(const struct endpoint_want *want, const struct weir_endpoint *old,
		    struct weir_endpoint *ep)
{
	struct path path;
	int r;

	if (old && has_way(old)) {
		ep->source = old->source;
		ep->mss = old->mss;
		return 0;
	}
	r = path_find(&want->addr, want->port, &path);
	if (r) {
		ep->mss = LISTENER_MSS_DEFAULT;
		if (ep->state != WEIR_ENDPOINT_DRAINING)
			ep->state = WEIR_ENDPOINT_UNREACHABLE;
		return r;
	}
	ep->source = path.source;
	ep->mss = path.mss;
	return 0;
}

/* A round of writing groups. */
struct writing {
	struct book *book;
	const struct dp *dp;
	bool ways;    /* look for all of them */
	uint16_t mss; /* that fits all so far */
	struct err *err;
};

/* Sets *id and *out, its value in the map. */
static int write_endpoint(struct writing *w, const struct group_want *group,
			  const struct endpoint_want *want, uint32_t *id,
			  struct weir_endpoint *out)
{
	struct weir_endpoint ep =
				     {
					     .addr = want->addr,
					     .port = htons(want->port),
					     .weight = want->weight,
					     .state = state_of(want),
				     },
			     old;
	struct registry_entry *e;
	char key[KEY_MAX];
	uint64_t content;
	bool fresh, known;
	int r;

	kept_name(group->name, ep.service);
	addr_format_port(&want->addr, want->port, ep.text);
	endpoint_key(ep.service, ep.text, key);
	e = registry_take(&w->book->endpoints, key, NULL);
	if (!e)
		return no_memory(w->err);
	known = read_known(w->dp, e, &old);
	r = find_way(want, known && !w->ways ? &old : NULL, &ep);
	if (!r && ep.mss < w->mss)
		w->mss = ep.mss;
	if (known && old.held) {
		ep.held = ep.state;
		ep.state = WEIR_ENDPOINT_DRAINING;
	}
	content = hash64(&ep, sizeof(ep), 0);
	/* Said once, not at every look. */
	if (r && !(e->is_written && e->content == content))
		log_warn("endpoint %s of %s gets nothing: %s", ep.text, group->name,
			 strerror(-r));
	*id = e->id;
	*out = ep;
	fresh = !e->is_written;
	r = write_value(w->dp, DP_MAP_endpoints, e->id, &ep, e, content, w->err);
	if (!r && fresh) {
		struct weir_endpoint_stats stats = {};

		memcpy(stats.service, ep.service, sizeof(stats.service));
		memcpy(stats.text, ep.text, sizeof(stats.text));
		write_stats(w->dp, DP_MAP_endpoint_stats, e->id, &stats);
	}
	return r;
}

static int write_endpoints(struct writing *w, const struct group_want *want,
			   struct shares *shares)
{
	size_t i;

	for (i = 0; i < want->count; i++) {
		struct weir_endpoint ep;
		uint32_t id = 0;
		int r = write_endpoint(w, want, &want->endpoints[i], &id, &ep);

		if (r)
			return r;
		if (!shares_add(shares, id, &ep)) {
			log_warn("%s: more than %u endpoints, the others get nothing",
				 want->name, WEIR_GROUP_ENDPOINTS);
			break;
		}
	}
	return 0;
}

static int write_group(struct writing *w, const struct group_want *want)
{
	struct shares shares;
	struct weir_group g = {}, old;
	struct registry_entry *e;
	int r;

	shares_init(&shares);
	r = write_endpoints(w, want, &shares);
	g.flags = want->flags;
	if (!r)
		r = shares_fill(&shares, &g, w->err);
	if (r)
		return r;
	kept_name(want->name, g.name);
	e = registry_take(&w->book->groups, g.name, NULL);
	if (!e)
		return no_memory(w->err);
	if (e->is_written &&
	    !bpf_map_lookup_elem(w->dp->map[DP_MAP_groups], &e->id, &old))
		g.turn = old.turn;
	return write_value(w->dp, DP_MAP_groups, e->id, &g, e, group_content(&g),
			   w->err);
}

int book_write_groups(struct book *book, const struct dp *dp,
		      const struct group_want *want, size_t count, bool ways,
		      uint16_t *mss, struct err *err)
{
	struct writing w = {book, dp, ways, UINT16_MAX, err};
	size_t i;

	for (i = 0; i < count; i++) {
		int r = write_group(&w, &want[i]);

		if (r)
			return r;
	}
	*mss = w.mss == UINT16_MAX ? LISTENER_MSS_DEFAULT : w.mss;
	return 0;
}

/* The numbers of a new route. Its id was nobody's, so nothing is lost. */
static int put_route_stats(struct map_writes *w, uint32_t id,
			   const struct weir_route *route)
{
	struct weir_route_stats stats = {};

	memcpy(stats.ingress, route->ingress, sizeof(stats.ingress));
	memcpy(stats.host, route->host, sizeof(stats.host));
	memcpy(stats.path, route->path, sizeof(stats.path));
	return map_writes_put(w, id, &stats);
}

static int put_routes(struct book *book, const size_t *places, size_t count,
		      book_route_fn value, void *arg, struct map_writes *routes,
		      struct map_writes *stats, struct err *err)
{
	struct weir_route route;
	size_t i;
	int r = 0;

	for (i = 0; i < count && !r; i++) {
		struct registry_entry *e = &book->routes.item[places[i]];
		uint64_t content;

		value(arg, i, &route);
		content = hash64(&route, sizeof(route), 0);
		if (e->is_written && e->content == content)
			continue;
		if (!e->is_written)
			r = put_route_stats(stats, e->id, &route);
		if (r)
			return write_error(DP_MAP_route_stats, -r, err);
		e->is_written = true;
		e->content = content;
		r = map_writes_put(routes, e->id, &route);
	}
	if (!r)
		r = map_writes_flush(routes);
	if (r)
		return write_error(DP_MAP_routes, -r, err);
	r = map_writes_flush(stats);
	return r ? write_error(DP_MAP_route_stats, -r, err) : 0;
}

int book_write_routes(struct book *book, const struct dp *dp, const size_t *places,
		      size_t count, book_route_fn value, void *arg, struct err *err)
{
	struct map_writes routes = {}, stats = {};
	int r = map_writes_open(&routes, dp->map[DP_MAP_routes],
				sizeof(struct weir_route));

	if (!r)
		r = map_writes_open(&stats, dp->map[DP_MAP_route_stats],
				    sizeof(struct weir_route_stats));
	r = r ? no_memory(err)
	      : put_routes(book, places, count, value, arg, &routes, &stats, err);
	map_writes_free(&routes);
	map_writes_free(&stats);
	return r;
}

/* ---- what is no longer wanted ---- */

struct retire {
	const struct dp *dp;
	enum dp_map map;
};

static bool retire_value(const struct registry_entry *e, void *arg)
{
	const struct retire *r = arg;

	if (e->wanted)
		return false;
	bpf_map_delete_elem(r->dp->map[r->map], &e->id);
	if (r->map == DP_MAP_routes)
		bpf_map_delete_elem(r->dp->map[DP_MAP_route_stats], &e->id);
	return true;
}

static int mark_gone(struct registry_entry *e, const struct dp *dp, struct err *err)
{
	struct weir_endpoint ep;

	if (bpf_map_lookup_elem(dp->map[DP_MAP_endpoints], &e->id, &ep) ||
	    ep.state == WEIR_ENDPOINT_GONE)
		return 0;
	ep.state = WEIR_ENDPOINT_GONE;
	return write_value(dp, DP_MAP_endpoints, e->id, &ep, e,
			   hash64(&ep, sizeof(ep), 0), err);
}

static bool has_endpoint(const struct group_want *g, const struct endpoint_want *want)
{
	size_t i;

	for (i = 0; i < g->count; i++)
		if (g->endpoints[i].port == want->port &&
		    !memcmp(&g->endpoints[i].addr, &want->addr, sizeof(want->addr)))
			return true;
	return false;
}

int book_drop_endpoints(struct book *book, const struct dp *dp,
			const struct group_want *old, const struct group_want *now,
			struct err *err)
{
	char service[WEIR_NAME_MAX], text[WEIR_ADDR_TEXT], key[KEY_MAX];
	size_t i;
	int r = 0;

	kept_name(old->name, service);
	for (i = 0; i < old->count && !r; i++) {
		const struct endpoint_want *want = &old->endpoints[i];
		struct registry_entry *e;

		if (has_endpoint(now, want))
			continue;
		addr_format_port(&want->addr, want->port, text);
		endpoint_key(service, text, key);
		e = registry_take(&book->endpoints, key, NULL);
		if (!e)
			return no_memory(err);
		e->wanted = false;
		r = mark_gone(e, dp, err);
	}
	return r;
}

int book_retire(struct book *book, const struct dp *dp, struct err *err)
{
	struct retire groups = {dp, DP_MAP_groups};
	struct retire routes = {dp, DP_MAP_routes};
	size_t i;

	registry_drop(&book->groups, retire_value, &groups);
	registry_drop(&book->routes, retire_value, &routes);
	for (i = 0; i < book->endpoints.len; i++) {
		struct registry_entry *e = &book->endpoints.item[i];
		int r = e->wanted ? 0 : mark_gone(e, dp, err);

		if (r)
			return r;
	}
	return 0;
}

bool book_has_unwanted_endpoints(const struct book *book)
{
	size_t i;

	for (i = 0; i < book->endpoints.len; i++)
		if (!book->endpoints.item[i].wanted)
			return true;
	return false;
}

struct forget {
	const struct dp *dp;
	bool (*is_used)(uint32_t id, void *arg);
	void *arg;
};

static bool forget_endpoint(const struct registry_entry *e, void *arg)
{
	const struct forget *f = arg;

	if (e->wanted || f->is_used(e->id, f->arg))
		return false;
	bpf_map_delete_elem(f->dp->map[DP_MAP_endpoints], &e->id);
	bpf_map_delete_elem(f->dp->map[DP_MAP_endpoint_stats], &e->id);
	bpf_map_delete_elem(f->dp->map[DP_MAP_endpoint_health], &e->id);
	return true;
}

void book_forget_endpoints(struct book *book, const struct dp *dp,
			   bool (*is_used)(uint32_t id, void *arg), void *arg)
{
	struct forget f = {dp, is_used, arg};

	registry_drop(&book->endpoints, forget_endpoint, &f);
}

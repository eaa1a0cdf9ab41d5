/* SPDX-License-Identifier: BSD-2-Clause */
#include "agent/apply.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <weir/flow.h>

#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "dp/flows.h"
#include "dp/listeners.h"
#include "dp/replies.h"
#include "dp/table.h"
#include "route/table.h"

static int no_memory(struct err *err)
{
	return err_set(err, -ENOMEM, "out of memory");
}

/* ---- what is there already ---- */

static uint64_t reply_hash(const struct weir_reply *reply)
{
	uint64_t h = hash64(reply, sizeof(*reply), 0);

	return h ? h : 1;
}

static void read_replies(struct applier *a)
{
	uint32_t id;

	for (id = WEIR_REPLY_FIRST_FREE; id < WEIR_MAX_REPLIES; id++) {
		struct weir_reply reply;

		a->reply_content[id] = 0;
		if (!reply_read(a->dp, id, &reply) && reply.status)
			a->reply_content[id] = reply_hash(&reply);
	}
}

/* Another process may have replaced the table's map and the program by larger
 * ones: what is pinned counts. */
static int reopen(struct dp *dp, struct err *err)
{
	struct dp again;
	int r;

	if (dp->fresh_prog)
		return 0; /* ours is newer, and not pinned yet */
	r = dp_open(&again, dp->pin, err);
	if (r)
		return r;
	dp_close(dp);
	*dp = again;
	return 0;
}

/* The maps may have been changed by another process since the last time. */
static int refresh(struct applier *a, struct weir_settings *s, struct err *err)
{
	int r = dp_settings_read(a->dp, s, err);

	if (r || (a->is_ready && a->generation == s->generation))
		return r;
	a->table_hash = 0;
	a->is_ready = false;
	r = reopen(a->dp, err);
	if (!r)
		r = book_read(&a->book, a->dp, err);
	if (r)
		return r;
	read_replies(a);
	a->generation = s->generation;
	a->is_ready = true;
	return 0;
}

bool applier_is_current(const struct applier *a)
{
	struct weir_settings s;
	struct err ignored = {};

	return a->is_ready && !dp_settings_read(a->dp, &s, &ignored) &&
	       s.generation == a->generation;
}

/* ---- replies: ids stay with their bytes ---- */

/* One that has these bytes; else one never used; else one not wanted now. */
static uint32_t reply_slot(const struct applier *a, uint64_t content, const bool *taken)
{
	uint32_t id, unused = 0, old = 0;

	for (id = WEIR_REPLY_FIRST_FREE; id < WEIR_MAX_REPLIES; id++) {
		if (a->reply_content[id] == content)
			return id;
		if (!unused && !a->reply_content[id] && !taken[id])
			unused = id;
		if (!old && !taken[id])
			old = id;
	}
	return unused ? unused : old;
}

struct plan {
	struct ir *ir;
	struct group_want *groups;
	struct endpoint_want *endpoints;
	size_t *places; /* of each route in the book */
	struct reply_write {
		uint32_t id;
		struct weir_reply reply;
	} * replies;
	size_t reply_count;
};

static void plan_free(struct plan *p)
{
	free(p->groups);
	free(p->endpoints);
	free(p->places);
	free(p->replies);
}

/* Puts ir.replies into the order of their ids, with holes: the compiler counts
 * from WEIR_REPLY_FIRST_FREE. */
static int plan_replies(const struct applier *a, struct plan *p, struct err *err)
{
	struct ir *ir = p->ir;
	bool taken[WEIR_MAX_REPLIES] = {};
	size_t count = ir->replies.len, i, top = 0;
	auto_free struct ir_reply *moved = NULL;

	if (!count)
		return 0;
	p->replies = calloc(count, sizeof(*p->replies));
	if (!p->replies)
		return no_memory(err);
	/* Ids of bytes that are there first, so that no other takes them. */
	for (i = 0; i < count; i++) {
		const struct ir_reply *from = &ir->replies.item[i];
		const struct reply_want want = {
			.status = from->status,
			.content_type = from->content_type,
			.body = from->body,
			.location = from->location,
			.to_https = from->location &&
				    !strcmp(from->location, IR_LOCATION_HTTPS),
		};
		struct reply_write *w = &p->replies[i];
		uint32_t id;

		if (reply_render(&want, &w->reply))
			return err_set(err, -E2BIG,
				       "a reply with status %u is longer than "
				       "the %u bytes that the kernel sends",
				       from->status, WEIR_REPLY_BYTES);
		id = reply_slot(a, reply_hash(&w->reply), taken);
		if (id && a->reply_content[id] == reply_hash(&w->reply)) {
			w->id = id;
			taken[id] = true;
		}
	}
	for (i = 0; i < count; i++) {
		struct reply_write *w = &p->replies[i];

		if (!w->id)
			w->id = reply_slot(a, reply_hash(&w->reply), taken);
		if (!w->id)
			return err_set(err, -E2BIG, "more than %u different replies",
				       WEIR_MAX_REPLIES - WEIR_REPLY_FIRST_FREE);
		taken[w->id] = true;
		if (w->id - WEIR_REPLY_FIRST_FREE >= top)
			top = w->id - WEIR_REPLY_FIRST_FREE + 1;
	}
	p->reply_count = count;
	moved = calloc(top, sizeof(*moved));
	if (!moved)
		return no_memory(err);
	for (i = 0; i < ir->routes.len; i++)
		if (ir->routes.item[i].reply >= 0)
			ir->routes.item[i].reply =
				p->replies[ir->routes.item[i].reply].id -
				WEIR_REPLY_FIRST_FREE;
	for (i = 0; i < count; i++) {
		struct ir_reply *from = &ir->replies.item[i];
		struct ir_reply *to = &moved[p->replies[i].id - WEIR_REPLY_FIRST_FREE];

		/* Two rules with the same bytes share an id. */
		if (to->status) {
			free(from->content_type);
			free(from->body);
			free(from->location);
		} else {
			*to = *from;
		}
	}
	vec_free(&ir->replies);
	ir->replies.item = take(moved);
	ir->replies.len = ir->replies.cap = top;
	return 0;
}

/* ---- ids ---- */

static int plan_groups(struct applier *a, struct plan *p, struct err *err)
{
	struct ir *ir = p->ir;
	struct endpoint_want *ep;
	size_t i, k, endpoints = 0;
	int r;

	for (i = 0; i < ir->groups.len; i++)
		endpoints += ir->groups.item[i].endpoints.len;
	p->groups = calloc(ir->groups.len + 1, sizeof(*p->groups));
	p->endpoints = calloc(endpoints + 1, sizeof(*p->endpoints));
	if (!p->groups || !p->endpoints)
		return no_memory(err);
	ep = p->endpoints;
	for (i = 0; i < ir->groups.len; i++) {
		const struct ir_group *g = &ir->groups.item[i];

		p->groups[i] = (struct group_want){g->name, ep, g->endpoints.len, 0};
		for (k = 0; k < g->endpoints.len; k++, ep++) {
			ep->addr = g->endpoints.item[k].addr;
			ep->port = g->endpoints.item[k].port;
			ep->weight = g->endpoints.item[k].weight;
			ep->ready = g->endpoints.item[k].ready;
			ep->unhealthy = a->is_down && a->is_down(&g->endpoints.item[k],
								 a->is_down_arg);
		}
	}
	r = book_groups(&a->book, p->groups, ir->groups.len, err);
	for (i = 0; !r && i < ir->groups.len; i++)
		ir->groups.item[i].id = p->groups[i].id;
	return r;
}

static bool has_group(const struct ir_route *r)
{
	return r->action == WEIR_ACTION_GROUP || r->action == WEIR_ACTION_GATEWAY;
}

static void route_value(const struct ir *ir, const struct ir_route *r,
			struct weir_route *out)
{
	memset(out, 0, sizeof(*out));
	out->group_id = has_group(r) ? ir->groups.item[r->group].id : WEIR_NO_ID;
	out->type = r->type;
	out->action = r->action;
	out->flags = r->flags;
	out->priority = r->priority;
	snprintf(out->ingress, sizeof(out->ingress), "%s", r->ingress);
	snprintf(out->backend, sizeof(out->backend), "%s", r->backend ?: "");
	snprintf(out->host, sizeof(out->host), "%s", r->host);
	snprintf(out->path, sizeof(out->path), "%s", r->path);
}

static int plan_routes(struct applier *a, struct plan *p, struct err *err)
{
	struct ir *ir = p->ir;
	size_t i;

	if (ir->routes.len > WEIR_MAX_ROUTES)
		return err_set(err, -E2BIG,
			       "%zu routes are more than the %u that are "
			       "the limit",
			       ir->routes.len, WEIR_MAX_ROUTES);
	p->places = calloc(ir->routes.len + 1, sizeof(*p->places));
	if (!p->places)
		return no_memory(err);
	for (i = 0; i < ir->routes.len; i++) {
		struct weir_route value;
		int r;

		route_value(ir, &ir->routes.item[i], &value);
		r = book_route(&a->book, &value, &p->places[i], err);
		if (r)
			return r;
		ir->routes.item[i].id = a->book.routes.item[p->places[i]].id;
	}
	return 0;
}

/* Everything that the compiler reads. */
static uint64_t table_hash(const struct ir *ir)
{
	uint64_t h = ir->routes.len << 1 | (ir->order == IR_ORDER_KONG);
	size_t i, k, v;

	if (ir->gateway)
		h = hash64(&ir->groups.item[ir->gateway - 1].id, sizeof(uint32_t), h);
	for (i = 0; i < ir->routes.len; i++) {
		const struct ir_route *r = &ir->routes.item[i];
		const uint32_t numbers[] = {
			r->id,		r->host_kind,
			r->mixed_hosts, r->type,
			r->flags,	r->action,
			r->priority,	r->order,
			r->reply,	has_group(r) ? ir->groups.item[r->group].id : 0,
		};

		h = hash64(numbers, sizeof(numbers), h);
		h = hash64(&r->created, sizeof(r->created), h);
		h = hash64_str(r->host, h);
		h = hash64_str(r->match, h);
		h = hash64_str(r->pattern ?: "", h);
		for (k = 0; k < r->methods.len; k++)
			h = hash64_str(r->methods.item[k], h);
		for (k = 0; k < r->headers.len; k++) {
			h = hash64_str(r->headers.item[k].name, h + 1);
			for (v = 0; v < r->headers.item[k].values.len; v++)
				h = hash64_str(r->headers.item[k].values.item[v], h);
			for (v = 0; v < r->headers.item[k].patterns.len; v++)
				h = hash64_str(r->headers.item[k].patterns.item[v],
					       h + 1);
		}
	}
	return h ? h : 1;
}

/* ---- writing ---- */

static int write_all(struct applier *a, const struct plan *p, struct err *err)
{
	const struct ir *ir = p->ir;
	uint16_t mss;
	size_t i;
	int r = book_write_groups(&a->book, a->dp, p->groups, ir->groups.len, &mss,
				  err);

	for (i = 0; !r && i < p->reply_count; i++) {
		const struct reply_write *w = &p->replies[i];
		uint64_t content = reply_hash(&w->reply);

		if (a->reply_content[w->id] == content)
			continue;
		r = reply_write(a->dp, w->id, &w->reply, err);
		if (!r)
			a->reply_content[w->id] = content;
	}
	for (i = 0; !r && i < ir->routes.len; i++) {
		struct weir_route value;

		route_value(ir, &ir->routes.item[i], &value);
		r = book_write_route(&a->book, a->dp, p->places[i], &value, err);
	}
	if (!r) {
		a->mss = mss;
		r = listeners_set_mss(a->dp, mss, err);
	}
	return r;
}

/* The program and the table's map for larger tables; every other map stays. */
static int grow(struct applier *a, size_t size, struct dp *larger, struct err *err)
{
	log_debug("the route table grows to %zu bytes", size);
	return dp_load(larger, a->dp->pin, size, err);
}

static int fill_table(struct applier *a, const void *blob, size_t size, struct err *err)
{
	struct dp larger;
	int r;

	if (size > a->dp->table_bytes) {
		r = grow(a, size, &larger, err);
		if (r)
			return r;
		dp_close(a->dp);
		*a->dp = larger;
	}
	return table_fill(a->dp, blob, size, err);
}

static uint64_t realtime_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return ts.tv_sec * 1000000000ull + ts.tv_nsec;
}

static bool has_fallback(const struct ir *ir)
{
	size_t i;

	for (i = 0; i < ir->routes.len; i++)
		if (ir->routes.item[i].flags & WEIR_ROUTE_FALLBACK)
			return true;
	return false;
}

static int write_settings(struct applier *a, const struct ir *ir, bool swapped,
			  struct weir_settings *s, struct err *err)
{
	int r;

	s->generation += swapped;
	s->table_bytes = a->dp->table_bytes;
	s->fallback = has_fallback(ir);
	s->routes = ir->routes.len;
	s->applied_ns = realtime_ns();
	snprintf(s->applied, sizeof(s->applied), "ok");
	r = dp_settings_write(a->dp, s, err);
	if (!r)
		a->generation = s->generation;
	return r;
}

int apply_ir(struct applier *a, struct ir *ir, struct applied *out, struct err *err)
{
	struct plan p = {.ir = ir};
	struct weir_settings settings;
	auto_free void *blob = NULL;
	auto_fd int inner = -1;
	uint64_t hash = 0, compile_ns, write_ns;
	size_t size = 0;
	bool swaps;
	int r = refresh(a, &settings, err);

	if (r)
		return r;
	book_begin(&a->book);
	r = plan_groups(a, &p, err);
	if (!r)
		r = plan_routes(a, &p, err);
	if (!r)
		r = plan_replies(a, &p, err);
	hash = r ? 0 : table_hash(ir);
	swaps = hash != a->table_hash;
	compile_ns = monotonic_ns();
	if (!r && swaps)
		r = table_compile(ir, &blob, &size, err);
	if (!r && swaps)
		r = table_check(blob, size, err);
	write_ns = monotonic_ns();
	if (!r && swaps) {
		inner = fill_table(a, blob, size, err);
		r = inner < 0 ? inner : 0;
	}
	if (!r)
		r = write_all(a, &p, err);
	if (!r && swaps)
		r = table_swap(a->dp, inner, err);
	if (!r)
		r = dp_publish(a->dp, err);
	if (!r && a->settle)
		r = a->settle(a->settle_arg, err);
	if (!r)
		r = write_settings(a, ir, swaps, &settings, err);
	if (!r)
		r = book_retire(&a->book, a->dp, err);
	if (!r) {
		a->table_hash = hash;
		log_debug("table compiled and checked, %u ms; maps written, %u ms",
			  (unsigned int)((write_ns - compile_ns) / 1000000),
			  (unsigned int)((monotonic_ns() - write_ns) / 1000000));
		*out = (struct applied){settings.generation, swaps, size};
	} else {
		a->is_ready = false; /* the maps are asked again next time */
	}
	plan_free(&p);
	return r;
}

/* `old` are the groups of before, in the order of p->groups. */
static int write_endpoints(struct applier *a, const struct plan *p,
			   const struct plan *old, struct err *err)
{
	size_t i, count = p->ir->groups.len;
	uint16_t mss;
	int r = book_write_groups(&a->book, a->dp, p->groups, count, &mss, err);

	for (i = 0; i < count && !r; i++)
		r = book_drop_endpoints(&a->book, a->dp, &old->groups[i], &p->groups[i],
					err);
	if (r || !count || mss >= a->mss)
		return r; /* paths that have become wider may wait */
	a->mss = mss;
	return listeners_set_mss(a->dp, mss, err);
}

/* Both get what the other one had: fresh is to be written, `ir` to be served. */
static void exchange_endpoints(struct ir *ir, struct ir *fresh)
{
	size_t i;

	for (i = 0; i < fresh->groups.len; i++) {
		struct ir_group *now = &fresh->groups.item[i];
		struct ir_group *served = ir_group(ir, now->name), was = *served;

		served->endpoints.item = now->endpoints.item;
		served->endpoints.len = now->endpoints.len;
		served->endpoints.cap = now->endpoints.cap;
		now->endpoints.item = was.endpoints.item;
		now->endpoints.len = was.endpoints.len;
		now->endpoints.cap = was.endpoints.cap;
	}
}

int apply_endpoints(struct applier *a, struct ir *ir, struct ir *fresh,
		    struct applied *out, struct err *err)
{
	struct plan now = {.ir = fresh}, old = {.ir = fresh};
	struct weir_settings s;
	int r = dp_settings_read(a->dp, &s, err);

	if (!r)
		r = plan_groups(a, &now, err);
	if (r) {
		plan_free(&now);
		return r;
	}
	exchange_endpoints(ir, fresh);
	r = plan_groups(a, &old, err);
	if (!r)
		r = write_endpoints(a, &now, &old, err);
	s.applied_ns = realtime_ns();
	snprintf(s.applied, sizeof(s.applied), "ok");
	if (!r)
		r = dp_settings_write(a->dp, &s, err);
	if (r)
		a->is_ready = false; /* all rules are applied again next time */
	else
		*out = (struct applied){.generation = s.generation};
	plan_free(&now);
	plan_free(&old);
	return r;
}

int apply_paths(struct applier *a, struct ir *ir, struct err *err)
{
	struct plan p = {.ir = ir};
	uint16_t mss;
	int r;

	if (!applier_is_current(a))
		return 0;
	r = plan_groups(a, &p, err);
	if (!r)
		r = book_write_groups(&a->book, a->dp, p.groups, ir->groups.len, &mss,
				      err);
	if (!r) {
		a->mss = mss;
		r = listeners_set_mss(a->dp, mss, err);
	}
	plan_free(&p);
	return r;
}

/* Of the place its end: that is where the line number is. */
#define APPLIED_WHERE 48

void apply_refused(const struct dp *dp, const struct err *why)
{
	struct weir_settings s;
	struct err ignored = {};
	const char *where;
	size_t len;

	if (dp_settings_read(dp, &s, &ignored))
		return;
	len = strlen(why->where);
	where = len > APPLIED_WHERE ? why->where + len - APPLIED_WHERE : why->where;
	snprintf(s.applied, sizeof(s.applied), "refused: %.64s", why->what);
	len = strlen(s.applied);
	if (*where)
		snprintf(s.applied + len, sizeof(s.applied) - len, " (%.48s)", where);
	dp_settings_write(dp, &s, &ignored);
}

void applier_free(struct applier *a)
{
	book_free(&a->book);
}

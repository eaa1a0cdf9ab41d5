/* SPDX-License-Identifier: BSD-2-Clause */
#include "agent/apply.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <weir/flow.h>

#include "agent/plan.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "dp/flows.h"
#include "dp/listeners.h"
#include "dp/table.h"
#include "route/table.h"

/* ---- what is there already ---- */

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

/* Nothing is there yet. */
static int begin_new(struct applier *a, struct weir_settings *s)
{
	memset(s, 0, sizeof(*s));
	book_new(&a->book);
	a->is_ready = true;
	return 0;
}

int applier_refresh(struct applier *a, struct weir_settings *s, struct err *err)
{
	int r;

	if (a->load)
		return begin_new(a, s);
	r = dp_settings_read(a->dp, s, err);
	if (r || (a->is_ready && a->generation == s->generation))
		return r;
	a->table_hash = 0;
	a->is_ready = a->has_ways = false;
	r = reopen(a->dp, err);
	if (!r)
		r = book_read(&a->book, a->dp, err);
	if (r)
		return r;
	replies_read(a);
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

struct plan {
	struct ir *ir;
	struct group_plan groups;
	struct reply_plan replies;
	size_t *places; /* of each route in the book */
};

static void plan_free(struct plan *p)
{
	group_plan_free(&p->groups);
	reply_plan_free(&p->replies);
	free(p->places);
}

/* ---- ids ---- */

static bool has_group(const struct ir_route *r)
{
	return r->action == WEIR_ACTION_GROUP || r->action == WEIR_ACTION_GATEWAY;
}

/* Cut when it is too long; the rest is zero already. */
static void put_text(char *to, size_t size, const char *text)
{
	memcpy(to, text, strnlen(text, size - 1));
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
	put_text(out->ingress, sizeof(out->ingress), r->ingress);
	put_text(out->backend, sizeof(out->backend), r->backend ?: "");
	put_text(out->host, sizeof(out->host), r->host);
	put_text(out->path, sizeof(out->path), r->path);
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
		return err_set(err, -ENOMEM, "out of memory");
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
			r->id,
			r->host_kind,
			r->mixed_hosts,
			r->type,
			r->flags,
			r->action,
			r->priority,
			r->reply,
			has_group(r) ? ir->groups.item[r->group].id : 0,
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

static void nth_route(void *ir, size_t i, struct weir_route *out)
{
	route_value(ir, &((struct ir *)ir)->routes.item[i], out);
}

static int write_all(struct applier *a, const struct plan *p, struct err *err)
{
	uint16_t mss;
	int r = group_plan_write(a, &p->groups, !a->has_ways, &mss, err);

	if (!r)
		r = reply_plan_write(a, &p->replies, err);
	if (!r)
		r = book_write_routes(&a->book, a->dp, p->places, p->ir->routes.len,
				      nth_route, p->ir, err);
	if (r)
		return r;
	a->has_ways = a->follows_node;
	a->mss = mss;
	return listeners_set_mss(a->dp, mss, err);
}

/* The program and the table's map for larger tables; every other map stays. */
static int grow(struct applier *a, size_t size, struct dp *larger, struct err *err)
{
	log_debug("the route table grows to %zu bytes", size);
	return dp_load(larger, a->dp->pin, size, err);
}

static int fill_table(struct applier *a, const void *blob, size_t size,
		      struct weir_settings *s, struct err *err)
{
	struct dp larger;
	int r;

	if (a->load) {
		r = a->load(a->load_arg, size, err);
		if (!r)
			r = dp_settings_read(a->dp, s, err);
		if (r)
			return r;
		a->load = NULL;
	}
	if (size > a->dp->table_bytes) {
		r = grow(a, size, &larger, err);
		if (r)
			return r;
		dp_close(a->dp);
		*a->dp = larger;
	}
	return table_fill(a->dp, blob, size, err);
}

int settings_write_ok(const struct dp *dp, struct weir_settings *s, struct err *err)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	s->applied_ns = now.tv_sec * 1000000000ull + now.tv_nsec;
	snprintf(s->applied, sizeof(s->applied), "ok");
	return dp_settings_write(dp, s, err);
}

static bool has_fallback(const struct ir *ir)
{
	size_t i;

	for (i = 0; i < ir->routes.len; i++)
		if (ir->routes.item[i].flags & WEIR_ROUTE_FALLBACK)
			return true;
	return false;
}

/* Before the rules that are to be served with it. */
static int write_client_address(struct applier *a, struct weir_settings *s,
				struct err *err)
{
	bool keep = a->client_address == CLIENT_ADDRESS_KEEP;

	if (a->client_address == CLIENT_ADDRESS_AS_IS || s->keep_client == keep)
		return 0;
	s->keep_client = keep;
	return dp_settings_write(a->dp, s, err);
}

static int write_settings(struct applier *a, const struct ir *ir, bool swapped,
			  struct weir_settings *s, struct err *err)
{
	int r;

	s->generation += swapped;
	s->table_bytes = a->dp->table_bytes;
	s->fallback = has_fallback(ir);
	s->routes = ir->routes.len;
	r = settings_write_ok(a->dp, s, err);
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
	int r = applier_refresh(a, &settings, err);

	if (r)
		return r;
	book_begin(&a->book);
	r = group_plan_all(a, ir, &p.groups, err);
	if (!r)
		r = plan_routes(a, &p, err);
	if (!r)
		r = reply_plan_make(a, ir, &p.replies, err);
	hash = r ? 0 : table_hash(ir);
	swaps = hash != a->table_hash;
	compile_ns = monotonic_ns();
	if (!r && swaps)
		r = table_compile(ir, &blob, &size, err);
	if (!r && swaps)
		r = table_check(blob, size, err);
	write_ns = monotonic_ns();
	if (!r && swaps) {
		inner = fill_table(a, blob, size, &settings, err);
		r = inner < 0 ? inner : 0;
	}
	if (!r)
		r = write_all(a, &p, err);
	if (!r)
		r = write_client_address(a, &settings, err);
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

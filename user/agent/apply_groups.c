/* SPDX-License-Identifier: BSD-2-Clause */
/* Endpoints and groups: all of them, or those that have changed. */
#include "agent/plan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "dp/listeners.h"
#include "dp/served.h"

static int no_memory(struct err *err)
{
	return err_set(err, -ENOMEM, "out of memory");
}

int group_plan_make(struct applier *a, struct ir_group *const *of, size_t count,
		    struct group_plan *out, struct err *err)
{
	struct endpoint_want *ep;
	size_t i, k, endpoints = 0;
	int r;

	*out = (struct group_plan){.count = count};
	for (i = 0; i < count; i++)
		endpoints += of[i]->endpoints.len;
	out->groups = calloc(count + 1, sizeof(*out->groups));
	out->endpoints = calloc(endpoints + 1, sizeof(*out->endpoints));
	if (!out->groups || !out->endpoints)
		return no_memory(err);
	ep = out->endpoints;
	for (i = 0; i < count; i++) {
		const struct ir_group *g = of[i];

		out->groups[i] = (struct group_want){
			.name = g->name,
			.endpoints = ep,
			.count = g->endpoints.len,
			.flags = g->flags,
		};
		for (k = 0; k < g->endpoints.len; k++, ep++) {
			const struct ir_endpoint *e = &g->endpoints.item[k];

			ep->addr = e->addr;
			ep->port = e->port;
			ep->weight = e->weight;
			ep->ready = e->ready;
			ep->unhealthy = a->is_down && a->is_down(e, a->is_down_arg);
		}
	}
	r = book_groups(&a->book, out->groups, count, err);
	for (i = 0; !r && i < count; i++)
		of[i]->id = out->groups[i].id;
	return r;
}

int group_plan_all(struct applier *a, struct ir *ir, struct group_plan *out,
		   struct err *err)
{
	auto_free struct ir_group **all = calloc(ir->groups.len + 1, sizeof(*all));
	size_t i;

	*out = (struct group_plan){};
	if (!all)
		return no_memory(err);
	for (i = 0; i < ir->groups.len; i++)
		all[i] = &ir->groups.item[i];
	return group_plan_make(a, all, ir->groups.len, out, err);
}

int group_plan_write(struct applier *a, const struct group_plan *p, bool ways,
		     uint16_t *mss, struct err *err)
{
	return book_write_groups(&a->book, a->dp, p->groups, p->count, ways, mss, err);
}

void group_plan_free(struct group_plan *p)
{
	free(p->groups);
	free(p->endpoints);
}

/* Some of the groups: what fits these may be less than what fits all, but ways that
 * have become wider can wait. */
static int write_some(struct applier *a, const struct group_plan *p, struct err *err)
{
	uint16_t mss;
	int r = group_plan_write(a, p, false, &mss, err);

	if (r || !p->count || mss >= a->mss)
		return r;
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
	struct group_plan now = {}, old = {};
	struct weir_settings s;
	size_t i;
	int r = dp_settings_read(a->dp, &s, err);

	if (!r)
		r = group_plan_all(a, fresh, &now, err);
	if (r) {
		group_plan_free(&now);
		return r;
	}
	exchange_endpoints(ir, fresh);
	r = group_plan_all(a, fresh, &old, err);
	if (!r)
		r = write_some(a, &now, err);
	for (i = 0; i < now.count && !r; i++)
		r = book_drop_endpoints(&a->book, a->dp, &old.groups[i], &now.groups[i],
					err);
	if (!r)
		r = settings_write_ok(a->dp, &s, err);
	if (r)
		a->is_ready = false; /* all rules are applied again next time */
	else
		*out = (struct applied){.generation = s.generation};
	group_plan_free(&now);
	group_plan_free(&old);
	return r;
}

int apply_groups(struct applier *a, struct ir *ir, const uint32_t *places, size_t count,
		 struct err *err)
{
	auto_free struct ir_group **some = calloc(count + 1, sizeof(*some));
	struct group_plan p = {};
	size_t i;
	int r;

	if (!some)
		return no_memory(err);
	for (i = 0; i < count; i++)
		some[i] = &ir->groups.item[places[i]];
	r = group_plan_make(a, some, count, &p, err);
	if (!r)
		r = write_some(a, &p, err);
	group_plan_free(&p);
	return r;
}

/* A device has another MTU, most likely. New connections are told; no packet says
 * anything to those that are open. */
static void warn_narrower(uint16_t before, uint16_t now)
{
	if (now < before)
		log_warn("the way to endpoints takes segments of %u bytes, before %u: "
			 "connections that are open keep theirs, and may stall",
			 now, before);
}

int apply_paths(struct applier *a, struct ir *ir, struct err *err)
{
	struct group_plan p = {};
	uint16_t mss;
	int r = group_plan_all(a, ir, &p, err);

	if (!r)
		r = group_plan_write(a, &p, true, &mss, err);
	if (!r) {
		a->has_ways = a->follows_node;
		warn_narrower(a->mss, mss);
		a->mss = mss;
		r = listeners_set_mss(a->dp, mss, err);
	}
	group_plan_free(&p);
	return r;
}

/* ---- what another process has applied ---- */

static int add_group(struct ir *ir, const struct served_group *from)
{
	struct ir_group *g;

	if (strmap_set(&ir->group_places, from->name, (uint32_t)ir->groups.len))
		return -ENOMEM;
	g = vec_push(&ir->groups);
	if (!g)
		return -ENOMEM;
	g->flags = from->flags;
	g->name = strdup(from->name);
	return g->name ? 0 : -ENOMEM;
}

static int add_endpoint(struct ir *ir, const struct served_endpoint *from)
{
	struct ir_group *g = ir_group(ir, from->group);
	struct ir_endpoint *e = g ? vec_push(&g->endpoints) : NULL;

	if (!e)
		return g ? -ENOMEM : 0;
	e->addr = from->addr;
	e->port = from->port;
	e->weight = from->weight;
	e->ready = from->ready;
	return 0;
}

int apply_adopt(struct applier *a, struct ir *out, struct err *err)
{
	struct weir_settings s;
	struct served served = {};
	struct ir ir = {};
	size_t i;
	int r = applier_refresh(a, &s, err);

	if (!r)
		r = served_read(a->dp, &served, err);
	if (r)
		return r;
	for (i = 0; i < served.groups.len && !r; i++)
		r = add_group(&ir, &served.groups.item[i]);
	for (i = 0; i < served.endpoints.len && !r; i++)
		r = add_endpoint(&ir, &served.endpoints.item[i]);
	served_free(&served);
	if (r) {
		ir_free(&ir);
		return no_memory(err);
	}
	*out = ir;
	return 0;
}

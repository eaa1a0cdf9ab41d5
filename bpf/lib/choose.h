/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Which endpoint of a group: the slots in turn (struct weir_group), or from the
 * client's own slot on, past those that this request has tried and those that have
 * failed too often of late.
 */
#pragma once

#include "lib/packet.h"
#include "pure/spread.h"

/* Slots looked at for one choice; then an ejected endpoint must do. */
#define CHOOSE_LOOKS 64

#define CHOOSE_SECOND 1000000000ull

/* ---- passive health ---- */

/*
 * The endpoint has refused, or has not answered. One that has been ejected before
 * needs no second failure. CPUs that see this at once may count one failure instead
 * of two.
 */
static __always_inline void health_failed(u32 id)
{
	struct weir_health first = {.failures = 1};
	struct weir_health *h = bpf_map_lookup_elem(&endpoint_health, &id);
	u64 now, span = WEIR_EJECT_MIN_S;
	u32 doubled;

	if (!h) {
		bpf_map_update_elem(&endpoint_health, &id, &first, BPF_NOEXIST);
		return;
	}
	h->failures++;
	now = bpf_ktime_get_ns();
	/* a SYN that left before it was ejected, or for want of another endpoint */
	if (now < h->until_ns && !h->on_trial)
		return;
	doubled = h->ejections;
	if (!doubled && h->failures < WEIR_EJECT_FAILURES)
		return;
	if (doubled > 15)
		doubled = 15;
	span <<= doubled;
	if (span > WEIR_EJECT_MAX_S)
		span = WEIR_EJECT_MAX_S;
	if (h->ejections < 0xffff)
		h->ejections++;
	h->on_trial = 0;
	h->until_ns = now + span * CHOOSE_SECOND;
	COUNT(EJECTED);
}

static __always_inline void health_accepted(u32 id)
{
	if (bpf_map_lookup_elem(&endpoint_health, &id))
		bpf_map_delete_elem(&endpoint_health, &id);
}

/* Is it to be left alone? When its time is over, one connection finds out how it is
 * and the others go past it for another second. */
static __always_inline bool health_is_ejected(u32 id)
{
	struct weir_health *h = bpf_map_lookup_elem(&endpoint_health, &id);
	u64 now, until;

	if (!h || !h->ejections)
		return false;
	now = bpf_ktime_get_ns();
	until = h->until_ns;
	if (now < until || __sync_val_compare_and_swap(&h->until_ns, until,
						       now + CHOOSE_SECOND) != until)
		return true;
	h->on_trial = 1;
	return false;
}

/* ---- choice ---- */

static __always_inline bool choose_has_tried(const struct weir_flow *f, u32 id)
{
	u32 i;

	for (i = 0; i < WEIR_CONNECT_TRIES; i++)
		if (i < f->tries && f->tried[i] == id)
			return true;
	return false;
}

/* The endpoint `id` it is. Sets endpoint_id, endpoint_mss and all of f->leg but the
 * source port. */
static __always_inline int choose_take(struct weir_flow *f, u32 id)
{
	struct weir_endpoint *e = bpf_map_lookup_elem(&endpoints, &id);
	u32 nth = f->tries;

	if (!e)
		return -1;
	if (nth < WEIR_CONNECT_TRIES)
		f->tried[nth] = id;
	f->endpoint_id = id;
	f->endpoint_mss = e->mss;
	f->leg.src = e->addr;
	f->leg.dst = e->source;
	f->leg.sport = e->port;
	return 0;
}

/* Has the group endpoints for clients of the other family alone? */
static __always_inline bool choose_other_family(const struct weir_flow *f,
						const struct weir_addr *client)
{
	u32 group = f->want_group;
	struct weir_group *g = bpf_map_lookup_elem(&groups, &group);

	if (!g)
		return false;
	return addr_family(client) == WEIR_IPV4
		       ? !g->share[WEIR_IPV4].count && g->share[WEIR_IPV6].count
		       : !g->share[WEIR_IPV6].count && g->share[WEIR_IPV4].count;
}

/* How the endpoints of this group are spoken to. */
static __always_inline void choose_manners(struct weir_flow *f,
					   const struct weir_group *g)
{
	u32 zero = 0, flags = g->flags;
	struct weir_settings *set = bpf_map_lookup_elem(&settings, &zero);

	f->flags &= ~(WEIR_FLOW_PROXY | WEIR_FLOW_KEEPS_CLIENT);
	if (flags & WEIR_GROUP_PROXY)
		f->flags |= WEIR_FLOW_PROXY;
	if (flags & WEIR_GROUP_KEEP_CLIENT ||
	    (set && set->keep_client && !(flags & WEIR_GROUP_NODE)))
		f->flags |= WEIR_FLOW_KEEPS_CLIENT;
}

struct choose {
	struct weir_flow *f;
	struct weir_group *g;
	const struct weir_share *share;
	u32 place;  /* the client's, in a group that goes by clients */
	u32 found;  /* endpoint id, or WEIR_NO_ID */
	u32 second; /* the first one that is ejected or unhealthy, likewise */
};

/* Look at the next slot, the i-th. Returns 1 when that is enough. */
static long choose_look(u32 i, void *ctx)
{
	struct choose *c = ctx;
	u32 slots = c->share->slots, at = c->share->first, id;
	struct weir_endpoint *e;

	if (!slots)
		return 1;
	if (c->g->flags & WEIR_GROUP_BY_CLIENT)
		at += (c->place % slots + i) % slots;
	else
		at += (u32)(__sync_fetch_and_add(&c->g->turn, 1) % slots);
	pure_keep(at);
	if (at >= WEIR_GROUP_SLOTS)
		return 1;
	id = c->g->slot[at];
	if (choose_has_tried(c->f, id))
		return 0;
	e = bpf_map_lookup_elem(&endpoints, &id);
	if (!e ||
	    (e->state != WEIR_ENDPOINT_READY && e->state != WEIR_ENDPOINT_UNHEALTHY))
		return 0;
	if (e->state == WEIR_ENDPOINT_READY && !health_is_ejected(id)) {
		c->found = id;
		return 1;
	}
	if (c->second == WEIR_NO_ID)
		c->second = id;
	return 0;
}

/* The next endpoint of the wanted group, for the client of scratch.client. Returns
 * 0, or -1 when there is none that this request has not tried. */
__noinline int choose_endpoint(struct weir_flow *f)
{
	struct choose c = {.f = f, .found = WEIR_NO_ID, .second = WEIR_NO_ID};
	struct scratch *s = scratch_get();
	u32 group;

	if (!s || !f)
		return -1;
	group = f->want_group;
	c.g = bpf_map_lookup_elem(&groups, &group);
	if (!c.g)
		return -1;
	choose_manners(f, c.g);
	c.share = &c.g->share[WEIR_IPV4];
	if (addr_family(&s->client.src) != WEIR_IPV4)
		c.share = &c.g->share[WEIR_IPV6];
	/* the same client starts from the same slot each time, and goes the same way */
	if (c.g->flags & WEIR_GROUP_BY_CLIENT)
		c.place = spread_addr(&s->client.src);
	bpf_loop(CHOOSE_LOOKS, choose_look, &c, 0);
	if (c.found != WEIR_NO_ID)
		return choose_take(f, c.found);
	if (c.second == WEIR_NO_ID)
		return -1;
	COUNT(ALL_EJECTED);
	return choose_take(f, c.second);
}

/*
 * May the next request stay with the endpoint that the flow has? It leaves one that
 * is draining or gone, but not a draining one that is the last: what is still served
 * there is better than a 503.
 */
static __always_inline bool choose_stays(const struct weir_flow *f)
{
	u32 id = f->endpoint_id, group = f->group_id;
	struct weir_endpoint *e;
	struct weir_group *g;

	if (f->want_group != group)
		return false;
	e = bpf_map_lookup_elem(&endpoints, &id);
	if (!e)
		return false;
	if (e->state == WEIR_ENDPOINT_READY || e->state == WEIR_ENDPOINT_UNHEALTHY)
		return true;
	if (e->state != WEIR_ENDPOINT_DRAINING)
		return false;
	g = bpf_map_lookup_elem(&groups, &group);
	return g && !g->share[addr_family(&f->leg.src)].count;
}

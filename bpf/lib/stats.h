/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Counting by route and by endpoint. A missing entry is no error: userspace has
 * taken the route or endpoint away. */
#pragma once

#include "lib/event.h"
#include "lib/scratch.h"
#include "pure/hist.h"

static __always_inline void stats_add(u64 *n, u64 more)
{
	__sync_fetch_and_add(n, more);
}

static __always_inline void stats_hist(u64 *buckets, u64 ns)
{
	u32 i = hist_bucket(ns / 1000);

	pure_keep(i);
	if (i < WEIR_HIST_BUCKETS)
		stats_add(&buckets[i], 1);
}

static __always_inline void stats_request(u32 route)
{
	struct weir_route_stats *r = bpf_map_lookup_elem(&route_stats, &route);

	if (r)
		stats_add(&r->requests, 1);
}

/* status: 100..599 */
static __always_inline void stats_response(struct weir_route_stats *r, u32 status)
{
	u32 class = status / 100 - 1;

	pure_keep(class);
	if (class < 5)
		stats_add(&r->responses[class], 1);
}

/* A reply of the kernel's own has gone out. */
static __always_inline void stats_reply(struct weir_flow *f)
{
	u32 route = f->route_id, id = f->reply_id;
	struct weir_route_stats *r = bpf_map_lookup_elem(&route_stats, &route);
	struct weir_reply *reply = bpf_map_lookup_elem(&replies, &id);

	if (r && reply)
		stats_response(r, reply->status);
	if (reply && f->flags & WEIR_FLOW_WATCHED)
		event_reply(f, reply->status, f->srv_nxt - f->reply_seq);
}

/* The bytes since the last call belong to the request that the leg is at. */
static __always_inline void stats_bytes(struct weir_flow *f, struct weir_leg *l)
{
	u32 route = l->route_id;
	struct weir_route_stats *r = bpf_map_lookup_elem(&route_stats, &route);

	if (l->flags & WEIR_LEG_WATCHED)
		event_response(l, f->bytes_up - f->counted_up,
			       l->bytes_down - l->counted_down);
	if (r) {
		stats_add(&r->bytes_up, f->bytes_up - f->counted_up);
		stats_add(&r->bytes_down, l->bytes_down - l->counted_down);
	}
	f->counted_up = f->bytes_up;
	l->counted_down = l->bytes_down;
}

/* A request goes to the endpoint now. */
static __always_inline void stats_asked(struct weir_flow *f, struct weir_leg *l)
{
	l->route_id = f->route_id;
	l->asked_ns = bpf_ktime_get_ns();
	l->request = f->requests;
	l->status = 0;
	l->first_us = 0;
	if (f->flags & WEIR_FLOW_WATCHED) {
		f->flags &= ~WEIR_FLOW_WATCHED;
		l->flags |= WEIR_LEG_WATCHED;
		l->read_ns = f->read_ns;
	}
}

/*
 * The first bytes of a response stand at `off` of the packet: read its status.
 * After an interim one (RFC 9110, 15.2) the next packet is looked at as well; a
 * final response in the same packet is not seen.
 */
__noinline int stats_answered(struct __sk_buff *skb, struct weir_leg *l, u32 off)
{
	struct weir_route_stats *r;
	char line[12];
	u32 route, status;

	if (!l)
		return 0;
	l->flags &= ~(WEIR_LEG_AWAITED | WEIR_LEG_INTERIM);
	if (bpf_skb_load_bytes(skb, off, line, sizeof(line)))
		return 0;
	if (line[0] != 'H' || line[4] != '/' || line[8] != ' ')
		return 0;
	status = (u32)(line[9] - '0') * 100 + (u32)(line[10] - '0') * 10 +
		 (u32)(line[11] - '0');
	if (status / 100 == 1 && status != 101)
		l->flags |= WEIR_LEG_INTERIM;
	else
		l->status = status;
	if (l->flags & WEIR_LEG_WATCHED)
		l->first_us = (bpf_ktime_get_ns() - l->read_ns) / 1000;
	route = l->route_id;
	r = bpf_map_lookup_elem(&route_stats, &route);
	if (!r)
		return 0;
	stats_response(r, status);
	if (status / 100 != 1 || status == 101)
		stats_hist(r->first_byte_us, bpf_ktime_get_ns() - l->asked_ns);
	return 0;
}

static __always_inline void stats_connected(const struct weir_leg *l)
{
	u32 id = l->endpoint_id;
	struct weir_endpoint_stats *e = bpf_map_lookup_elem(&endpoint_stats, &id);

	if (!e)
		return;
	stats_add(&e->connections, 1);
	stats_hist(e->connect_us, bpf_ktime_get_ns() - l->syn_ns);
}

static __always_inline void stats_failed(const struct weir_leg *l)
{
	u32 id = l->endpoint_id;
	struct weir_endpoint_stats *e = bpf_map_lookup_elem(&endpoint_stats, &id);

	if (e)
		stats_add(&e->failures, 1);
}

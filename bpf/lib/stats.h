/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Counting by route and by endpoint. A missing entry is no error: userspace has
 * taken the route or endpoint away. */
#pragma once

#include "lib/event.h"
#include "lib/scratch.h"
#include "pure/hist.h"

/* Apart, since the verifier goes through the loop for each caller otherwise. */
__noinline int leg_wait(struct weir_leg *l)
{
	u32 i;

	for (i = 0; l && i < CLAIM_TRIES; i++)
		if (claim_try(&l->claim))
			return 1;
	return 0;
}

/* See struct weir_leg. */
static __always_inline bool leg_claim(struct weir_leg *l)
{
	return claim_try(&l->claim) || leg_wait(l);
}

static __always_inline void leg_release(struct weir_leg *l)
{
	claim_give(&l->claim);
}

static __always_inline void stats_add(u64 *n, u64 more)
{
	__sync_fetch_and_add(n, more);
}

static __always_inline void stats_hist(u64 *buckets, u64 *sum_us, u64 us)
{
	u32 i = hist_bucket(us);

	pure_keep(i);
	if (i < WEIR_HIST_BUCKETS)
		stats_add(&buckets[i], 1);
	stats_add(sum_us, us);
}

/* `again`: the flow's request before this one had the same route: what it has sent is
 * counted along. */
static __always_inline void stats_request(struct weir_flow *f, bool again)
{
	u32 route = f->route_id;
	struct weir_route_stats *r = bpf_map_lookup_elem(&route_stats, &route);

	if (!r)
		return;
	stats_add(&r->requests, 1);
	if (again) {
		stats_add(&r->bytes_up, f->bytes_up - f->counted_up);
		f->counted_up = f->bytes_up;
	}
}

/* status: 100..599 */
static __always_inline void stats_class(struct weir_route_stats *r, u32 status)
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
		stats_class(r, reply->status);
	if (reply && f->flags & WEIR_FLOW_WATCHED)
		event_reply(f, reply->status, f->srv_nxt - f->reply_seq);
}

/* The low bits of CLOCK_MONOTONIC in microseconds. */
static __always_inline u32 stats_now_us(void)
{
	return (u32)(bpf_ktime_get_ns() / 1000);
}

/* The head of a response begins, perhaps after an interim one (RFC 9110, 15.2). */
static __always_inline void response_begin(struct weir_leg *l)
{
	struct weir_response *r = &l->response;

	r->state = WEIR_RESPONSE_HEAD;
	r->status = 0;
	r->carried = 0;
	r->flags = l->answer.flags & WEIR_ASKED_HEAD ? WEIR_RESPONSE_BODYLESS : 0;
	l->first_us = stats_now_us();
}

/* Must another request wait until a response begins? Without track of the responses
 * nothing is remembered, see stats_asked(). */
static __always_inline bool asked_is_full(const struct weir_leg *l)
{
	return l->asked_end - l->asked_first >= WEIR_ASKED_MAX &&
	       l->response.state != WEIR_RESPONSE_LOST;
}

/* The response to the next request begins. False when there is none. */
static __always_inline bool asked_take(struct weir_leg *l)
{
	u32 at = l->asked_first;

	if (at == l->asked_end)
		return false;
	l->answer = l->asked[at & (WEIR_ASKED_MAX - 1)];
	l->asked_first = at + 1;
	l->answer.flags |= WEIR_ASKED_OPEN;
	l->response.bytes = 0;
	response_begin(l);
	return true;
}

/* A whole response head has come. */
static __always_inline void stats_response(struct weir_route_stats *r,
					   const struct weir_leg *l)
{
	stats_class(r, l->response.status);
	if (l->response.state != WEIR_RESPONSE_INTERIM)
		stats_hist(r->first_byte_us, &r->first_byte_sum_us,
			   l->first_us - l->answer.asked_us);
}

/* The response at hand is closed, with its event. `up`: bytes of its request. */
static __always_inline void stats_response_done(struct weir_leg *l, u64 up)
{
	u32 flags = l->answer.flags;

	l->answer.flags = flags & WEIR_ASKED_HEAD;
	if (flags & WEIR_ASKED_OPEN && flags & WEIR_ASKED_WATCHED)
		event_response(l, up);
}

/*
 * What has come of the response at hand is counted: its head (WEIR_RESPONSE_COUNT), and
 * its bytes if it was open and is `over`. `last`: no other request's bytes have come
 * either. Leg claimed.
 */
__noinline int stats_answer(struct weir_leg *l, u32 over, u32 last)
{
	struct weir_route_stats *r;
	u64 up = 0;
	u32 route;

	if (!l)
		return 0;
	route = l->answer.route_id;
	r = bpf_map_lookup_elem(&route_stats, &route);
	if (r && l->response.flags & WEIR_RESPONSE_COUNT)
		stats_response(r, l);
	l->response.flags &= ~WEIR_RESPONSE_COUNT;
	if (!over)
		return 0;
	if (r)
		stats_add(&r->bytes_down, l->response.bytes);
	if (last && l->answer.flags & WEIR_ASKED_WATCHED) {
		struct weir_tuple client = l->client;
		struct weir_flow *f = bpf_map_lookup_elem(&flows, &client);

		if (f)
			up = f->bytes_up - f->counted_up;
	}
	stats_response_done(l, up);
	l->counted_down += l->response.bytes;
	return 0;
}

/* The bytes up since the last call belong to the request that was sent last. */
static __always_inline void stats_up(struct weir_flow *f, const struct weir_leg *l)
{
	u32 route = l->route_id;
	struct weir_route_stats *r;

	if (f->bytes_up == f->counted_up)
		return;
	r = bpf_map_lookup_elem(&route_stats, &route);
	if (r)
		stats_add(&r->bytes_up, f->bytes_up - f->counted_up);
	f->counted_up = f->bytes_up;
}

/* The leg ends: so does the response at hand, and what came beside it is counted. A
 * leg that cannot be claimed is busy with a packet, and counted with a later one. */
static __always_inline void stats_end(struct weir_flow *f, struct weir_leg *l)
{
	u32 route = l->answer.route_id;
	struct weir_route_stats *r;

	if (!leg_claim(l))
		return;
	if (!(l->answer.flags & WEIR_ASKED_OPEN))
		asked_take(l);
	stats_response_done(l, f->bytes_up - f->counted_up);
	stats_up(f, l);
	r = bpf_map_lookup_elem(&route_stats, &route);
	if (r && l->bytes_down > l->counted_down)
		stats_add(&r->bytes_down, l->bytes_down - l->counted_down);
	l->counted_down = l->bytes_down;
	leg_release(l);
}

/*
 * A request goes to the endpoint now. `acked`: the client has acknowledged all
 * that the endpoint has sent, so a lost track of its responses is found again. Both are
 * claimed.
 */
static __always_inline void stats_asked(struct weir_flow *f, struct weir_leg *l,
					bool acked)
{
	u64 now = bpf_ktime_get_ns();
	struct weir_asked *a;

	l->route_id = f->route_id;
	if (l->response.state == WEIR_RESPONSE_LOST) {
		if (!acked)
			return;
		stats_response_done(l, 0);
		l->asked_first = l->asked_end;
		l->response.next = l->seq_max;
		l->response.state = WEIR_RESPONSE_OVER;
	}
	a = &l->asked[l->asked_end & (WEIR_ASKED_MAX - 1)];
	a->route_id = f->route_id;
	a->request = f->requests;
	a->asked_us = (u32)(now / 1000);
	a->flags = f->flags & WEIR_FLOW_REQ_HEAD ? WEIR_ASKED_HEAD : 0;
	if (f->flags & WEIR_FLOW_WATCHED) {
		f->flags &= ~WEIR_FLOW_WATCHED;
		a->flags |= WEIR_ASKED_WATCHED;
		a->waited_us = (u32)((now - f->read_ns) / 1000);
	}
	barrier();
	l->asked_end++;
}

static __always_inline void stats_connected(const struct weir_leg *l)
{
	u32 id = l->endpoint_id;
	struct weir_endpoint_stats *e = bpf_map_lookup_elem(&endpoint_stats, &id);

	if (!e)
		return;
	stats_add(&e->connections, 1);
	stats_hist(e->connect_us, &e->connect_sum_us,
		   (bpf_ktime_get_ns() - l->syn_ns) / 1000);
}

static __always_inline void stats_failed(const struct weir_leg *l)
{
	u32 id = l->endpoint_id;
	struct weir_endpoint_stats *e = bpf_map_lookup_elem(&endpoint_stats, &id);

	if (e)
		stats_add(&e->failures, 1);
}

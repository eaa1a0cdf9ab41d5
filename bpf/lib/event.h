/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The records of <weir/event.h>. While nobody watches, a request costs one array
 * lookup and a compare.
 */
#pragma once

#include "lib/scratch.h"
#include "pure/word.h"

_Static_assert(WEIR_EVENT_HOST % 8 == 0, "hosts are compared by words");

static __always_inline u64 event_prefix(u32 bits)
{
	return bits >= 64 ? ~0ULL : ~(~0ULL >> (bits & 63));
}

static __always_inline bool event_wants_client(const struct weir_monitor *m,
					       const struct weir_addr *a)
{
	u32 bits = m->client_bits, low = bits > 64 ? bits - 64 : 0;
	u64 d0 = bpf_be64_to_cpu(m->client.d[0] ^ a->d[0]);
	u64 d1 = bpf_be64_to_cpu(m->client.d[1] ^ a->d[1]);

	return !(d0 & event_prefix(bits)) && !(d1 & event_prefix(low));
}

static __always_inline bool event_wants_host(const struct weir_monitor *m,
					     const struct weir_head *b,
					     const struct http_head *h)
{
	u32 i, n = m->host_len;

	if (!n)
		return true;
	if (h->host_len != n || n > WEIR_EVENT_HOST)
		return false;
	for (i = 0; i < WEIR_EVENT_HOST; i += 8) {
		u64 differ;

		if (i >= n)
			break;
		differ = word_lower(head_word(b, h->host_off + i)) ^
			 word_get(m->host + i);
		if (n - i < 8)
			differ &= (1ULL << (n - i) * 8) - 1;
		if (differ)
			return false;
	}
	return true;
}

static __always_inline void event_begin(struct weir_event *e, u32 kind, u64 now,
					const struct weir_tuple *client,
					const struct weir_flow *f)
{
	e->kind = kind;
	e->number = f->requests;
	e->time_ns = now;
	e->client = client->src;
	e->listener = client->dst;
	e->client_port = client->sport;
	e->listener_port = client->dport;
	e->route_id = f->route_id;
}

static __always_inline u16 event_text(char *to, u32 max, const struct weir_head *b,
				      u32 at, u32 len)
{
	u32 n = len > max ? max : len;

	if (pure_range(&n, max))
		bpf_probe_read_kernel(to, n, &b->data[at & WEIR_HEAD_MASK]);
	return len;
}

/*
 * A request has been read: f->requests is its number, f->route_id its route. Its
 * head is in the buffer and scratch.h, or could not be read (`bad`). Decides
 * whether it is watched. Flow claimed.
 */
__noinline int event_request(struct weir_flow *f, u32 bad)
{
	struct weir_event_request *r;
	struct scratch *s = scratch_get();
	struct weir_monitor *m;
	struct weir_head *b;
	u32 zero = 0, slot;
	u64 now;

	if (!f)
		return 0;
	f->flags &= ~WEIR_FLOW_WATCHED;
	m = bpf_map_lookup_elem(&monitor, &zero);
	if (!m || !m->until_ns)
		return 0;
	now = bpf_ktime_get_ns();
	slot = f->slot;
	b = bpf_map_lookup_elem(&heads, &slot);
	if (m->until_ns < now || !b || !s)
		return 0;
	if (m->route_id != WEIR_NO_ID && m->route_id != f->route_id)
		return 0;
	if (!event_wants_client(m, &s->client.src))
		return 0;
	if (bad ? m->host_len : !event_wants_host(m, b, &s->h))
		return 0;
	if (m->sample > 1 && bpf_get_prandom_u32() % m->sample)
		return 0;
	r = bpf_ringbuf_reserve(&events, sizeof(*r), 0);
	if (!r) {
		__sync_fetch_and_add(&m->lost, 1);
		return 0;
	}
	__builtin_memset(r, 0, sizeof(*r));
	event_begin(&r->e, WEIR_EVENT_REQUEST, now, &s->client, f);
	if (!bad) {
		const struct http_head *h = &s->h;

		r->method_len = event_text(r->method, WEIR_EVENT_METHOD, b,
					   h->method_off, h->method_len);
		r->host_len = event_text(r->host, WEIR_EVENT_HOST, b, h->host_off,
					 h->host_len);
		r->target_len = event_text(r->target, WEIR_EVENT_TARGET, b,
					   h->target_off, h->target_len);
	}
	bpf_ringbuf_submit(r, 0);
	f->flags |= WEIR_FLOW_WATCHED;
	f->read_ns = now;
	return 0;
}

static __always_inline struct weir_event_response *event_reserve(u32 status)
{
	struct weir_event_response *r;
	struct weir_monitor *m;
	u32 zero = 0;

	m = bpf_map_lookup_elem(&monitor, &zero);
	if (!m)
		return NULL;
	/* status / 100, without a bit for none */
	if (m->classes && !(m->classes >> (status / 100 & 31) & 1))
		return NULL;
	r = bpf_ringbuf_reserve(&events, sizeof(*r), 0);
	if (!r)
		__sync_fetch_and_add(&m->lost, 1);
	else
		__builtin_memset(r, 0, sizeof(*r));
	return r;
}

/* What came of the request that the leg's response answers. */
__noinline int event_response(struct weir_leg *l, u64 up)
{
	struct weir_event_response *r;
	const struct weir_asked *a;
	u32 status, began;
	u64 now;

	if (!l)
		return 0;
	a = &l->answer;
	status = l->response.status;
	r = event_reserve(status);
	if (!r)
		return 0;
	now = bpf_ktime_get_ns();
	began = a->asked_us - a->waited_us;
	r->e.kind = WEIR_EVENT_RESPONSE;
	r->e.number = a->request;
	r->e.time_ns = now;
	r->e.client = l->client.src;
	r->e.listener = l->client.dst;
	r->e.client_port = l->client.sport;
	r->e.listener_port = l->client.dport;
	r->e.route_id = a->route_id;
	r->endpoint_id = l->endpoint_id;
	r->status = status;
	if (status == 101)
		r->flags = WEIR_EVENT_UPGRADED;
	else if (l->response.state != WEIR_RESPONSE_OVER &&
		 !(l->response.state == WEIR_RESPONSE_FIN &&
		   l->flags & WEIR_LEG_FIN_ENDPOINT))
		r->flags = WEIR_EVENT_CUT;
	r->first_us = l->first_us - began;
	r->total_us = (u32)(now / 1000) - began;
	r->bytes_up = up;
	r->bytes_down = l->response.bytes;
	if (l->response.state >= WEIR_RESPONSE_READ)
		r->bytes_down = l->bytes_down - l->counted_down;
	bpf_ringbuf_submit(r, 0);
	return 0;
}

/* The kernel's own reply, of `len` bytes, answers the flow's request. */
__noinline int event_reply(struct weir_flow *f, u32 status, u32 len)
{
	struct weir_event_response *r;
	struct scratch *s = scratch_get();
	u64 now;

	if (!f || !s)
		return 0;
	f->flags &= ~WEIR_FLOW_WATCHED;
	r = event_reserve(status);
	if (!r)
		return 0;
	now = bpf_ktime_get_ns();
	event_begin(&r->e, WEIR_EVENT_RESPONSE, now, &s->client, f);
	r->endpoint_id = WEIR_NO_ID;
	r->status = status;
	r->flags = WEIR_EVENT_KERNEL;
	r->first_us = (now - f->read_ns) / 1000;
	r->total_us = r->first_us;
	r->bytes_up = f->head_end - f->head_seq;
	r->bytes_down = len;
	bpf_ringbuf_submit(r, 0);
	return 0;
}

/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Requests that do not wait for the answer to the one before (RFC 9112, 9.3.2). Those
 * for the endpoint that the flow has stand one behind the other in the head buffer, and
 * go on together; all of it stays there until the endpoint has acknowledged it.
 */
#pragma once

#include "lib/request.h"

/* Requests that join the one before them, at most, for one packet. */
#define REQUESTS_MORE 15

/* Bytes of later requests stand in the buffer behind those that have been read. */
static __always_inline bool request_is_behind(const struct weir_flow *f)
{
	return f->next_req == f->head_end && seq_before(f->head_end, f->loaded_end) &&
	       !f->body_left && !(f->flags & (WEIR_FLOW_OPAQUE | WEIR_FLOW_CHUNKED));
}

/* Behind all bytes that the buffer holds. */
static __always_inline u32 request_kept_end(const struct weir_flow *f)
{
	return request_is_behind(f) ? f->loaded_end : f->head_end;
}

/*
 * The packet's new bytes go behind all others in the buffer, as many as there is room
 * for. Those of the body of the request that stands there belong to it. Returns 0, or
 * the verdict.
 */
__noinline int request_keep(struct __sk_buff *skb, struct weir_flow *f)
{
	struct scratch *s = scratch_get();
	struct weir_head *b;
	u32 at, skip, used, n;

	if (!s || !f)
		return DROP(ERROR);
	at = request_kept_end(f);
	skip = at - s->p.seq;
	if ((s32)skip < 0)
		return DROP(HEAD_GAP);
	if (skip >= s->p.len)
		return 0;
	if (!packet_sum_ok(skb))
		return DROP(HEAD_CSUM);
	used = at - f->head_seq;
	if (used >= WEIR_HEAD_MAX)
		return DROP(HEAD_FULL);
	n = s->p.len - skip;
	if (n > WEIR_HEAD_MAX - used)
		n = WEIR_HEAD_MAX - used;
	b = slot_of(f);
	if (!b || head_load(skb, b, used, s->p.l4 + s->p.hl + skip, n))
		return DROP(ERROR);
	f->loaded_end = at + n;
	if (f->flags & WEIR_FLOW_OPAQUE || f->body_left ||
	    !seq_before(f->next_req, f->loaded_end))
		f->head_end = f->loaded_end;
	else
		f->head_end = f->next_req;
	return 0;
}

/*
 * The packet holds the end of a body and, behind next_req, the start of another head:
 * that goes into the buffer, where it waits (WEIR_FLOW_PENDING), unless it is there
 * already. Returns STEP_TRIM, or the verdict.
 */
__noinline int request_stash(struct __sk_buff *skb, struct weir_flow *f)
{
	struct scratch *s = scratch_get();
	struct weir_head *b;
	struct weir_leg *l;
	u32 off, n;

	if (!s || !f)
		return DROP(ERROR);
	l = flow_leg(f, &s->client);
	if (!l)
		return DROP(ERROR);
	if (!packet_sum_ok(skb))
		return DROP(HEAD_CSUM);
	f->srv_nxt = s->p.ack;
	l->flags |= WEIR_LEG_POKE;
	if (f->flags & WEIR_FLOW_PENDING)
		return STEP_TRIM;
	if (!slot_take(f))
		return DROP(SLOTS_FULL);
	off = f->next_req - s->p.seq;
	n = s->p.len - off;
	if (n > WEIR_HEAD_MAX)
		n = WEIR_HEAD_MAX;
	b = slot_of(f);
	if (!b || head_load(skb, b, 0, s->p.l4 + s->p.hl + off, n)) {
		slot_put(f);
		return DROP(ERROR);
	}
	f->loaded_end = f->next_req + n;
	f->flags |= WEIR_FLOW_PENDING;
	COUNT(REQ_QUEUED);
	return STEP_TRIM;
}

/* The body's part of such a packet goes on, from a buffer that is free afterwards: until
 * it has arrived, the client's TCP keeps it. */
__noinline int request_trim(struct __sk_buff *skb, struct weir_flow *f)
{
	struct scratch *s = scratch_get();
	struct weir_head *b;
	int verdict;
	u32 n;

	if (!s || !f)
		return DROP(ERROR);
	s->stash = f->slot;
	f->slot = WEIR_NO_SLOT;
	n = f->next_req - s->p.seq;
	if (n > WEIR_HEAD_MAX)
		n = WEIR_HEAD_MAX;
	f->head_seq = s->p.seq;
	f->head_end = s->p.seq + n;
	f->sent_end = s->p.seq;
	f->client_win = s->p.win;
	verdict = DROP(SLOTS_FULL);
	if (slot_take(f)) {
		b = slot_of(f);
		verdict = DROP(ERROR);
		if (b && !head_load(skb, b, 0, s->p.l4 + s->p.hl, n))
			verdict = VERDICT(TO_ENDPOINT,
					  connect_send(skb, f, s->p.seq, s->p.seq + n,
						       s->p.ack + f->ack_add));
		slot_put(f);
	}
	f->slot = s->stash;
	f->head_seq = f->next_req;
	f->head_end = f->next_req;
	f->sent_end = f->next_req;
	return verdict;
}

/*
 * The requests before this one are still on their way to the endpoint: the packet's
 * bytes go behind them in the buffer, if they follow them. Returns STEP_MORE, or the
 * verdict.
 */
__noinline int request_append(struct __sk_buff *skb, struct weir_flow *f)
{
	struct scratch *s = scratch_get();
	struct weir_leg *l;
	int r;

	if (!s || !f)
		return DROP(ERROR);
	l = flow_leg(f, &s->client);
	if (!l || s->p.flags & TCP_FIN)
		return DROP(REQ_HELD);
	/* behind the body of the last one, of which the buffer has nothing else */
	if (f->next_req != f->head_end &&
	    (s->p.seq != f->head_end || f->body_left ||
	     f->flags & (WEIR_FLOW_OPAQUE | WEIR_FLOW_CHUNKED)))
		return DROP(REQ_HELD);
	f->client_win = s->p.win;
	r = request_keep(skb, f);
	if (r)
		return r;
	/* a hole before the buffer is the client's to fill, while it has the bytes */
	return seq_before(l->ack_max, f->head_seq + f->seq_add - proxy_before(f))
		       ? DROP(REQ_HELD)
		       : STEP_MORE;
}

/*
 * The requests in the buffer have arrived at the endpoint: what stands behind them
 * moves to its front, to be read like a part of a head that has just come.
 */
__noinline int request_unpend(struct weir_flow *f)
{
	struct weir_head *b;
	u32 from, n, i;

	if (!f)
		return -1;
	b = slot_of(f);
	if (!b)
		return -1;
	from = f->head_end - f->head_seq;
	n = f->loaded_end - f->head_end;
	for (i = 0; i < WEIR_HEAD_MAX; i += WEIR_HEAD_SLACK) {
		if (i >= n)
			break;
		bpf_probe_read_kernel(&b->data[i], WEIR_HEAD_SLACK,
				      &b->data[(from + i) & WEIR_HEAD_MASK]);
	}
	f->head_seq = f->head_end;
	f->head_end = f->loaded_end;
	f->flags |= WEIR_FLOW_PARTIAL;
	return 0;
}

/*
 * Another whole request stands in the buffer behind those that are sent, and goes to
 * the same endpoint (RFC 9112, 9.3.2): it joins them. Returns 0, or -1 when there is
 * none such; what stands there then waits (WEIR_FLOW_PENDING).
 */
__noinline int request_more(struct weir_flow *f)
{
	struct scratch *s = scratch_get();
	u32 zero = 0, from, loaded, body;
	struct weir_head *b;
	struct weir_leg *l;
	void *inner, *blob;

	if (!s || !f || !request_is_behind(f) ||
	    f->flags & (WEIR_FLOW_UPGRADE | WEIR_FLOW_REQ_CLOSE))
		return -1;
	l = flow_leg(f, &s->client);
	b = slot_of(f);
	if (!l || !b || asked_is_full(l))
		return -1;
	from = f->head_end - f->head_seq;
	loaded = f->loaded_end - f->head_seq;
	if (head_scan_from(b, from, loaded, &s->h) != HEAD_DONE ||
	    s->h.flags & (HEAD_CHUNKED | HEAD_UPGRADE | HEAD_EXPECT))
		return -1;
	if (s->h.flags & HEAD_LENGTH && s->h.content_length > WEIR_HEAD_MAX)
		return -1;
	body = s->h.flags & HEAD_LENGTH ? (u32)s->h.content_length : 0;
	if (s->h.head_len + body > loaded)
		return -1;
	if (!(s->h.flags & HEAD_NORMAL) && head_rewrite(b, &s->h, 0) < 0)
		return -1;
	inner = bpf_map_lookup_elem(&table, &zero);
	blob = inner ? bpf_map_lookup_elem(inner, &zero) : NULL;
	if (!blob || table_find(blob, table_mask, b, &s->h, &s->m) != TABLE_FOUND ||
	    s->m.action != WEIR_ACTION_GROUP || s->m.group_id != f->group_id)
		return -1;
	if (!leg_claim(l))
		return -1;
	if (s->m.strip_len && head_rewrite(b, &s->h, s->m.strip_len) < 0) {
		leg_release(l);
		return -1;
	}

	stats_up(f, l);
	f->requests++;
	f->route_id = s->m.route_id;
	event_request(f, false);
	request_want(f, &s->h, &s->m, TABLE_FOUND, false);
	f->flags &= ~WEIR_FLOW_REQ_HEAD;
	if (s->h.flags & HEAD_METHOD_HEAD)
		f->flags |= WEIR_FLOW_REQ_HEAD;
	if (s->h.flags & HEAD_CLOSE)
		f->flags |= WEIR_FLOW_REQ_CLOSE;
	f->next_req = f->head_seq + s->h.head_len + body;
	f->head_end = f->next_req;
	stats_asked(f, l, false);
	leg_release(l);
	return 0;
}

/* What has come into the buffer goes to the endpoint. `first`: in its first window,
 * which a SYN-ACK does not scale. */
__noinline int request_send(struct __sk_buff *skb, struct weir_flow *f, u32 first)
{
	struct scratch *s = scratch_get();
	struct weir_leg *l;
	u32 from, to, ack;

	if (!s || !f)
		return DROP(ERROR);
	l = flow_leg(f, &s->client);
	if (!l)
		return DROP(ERROR);
	if (!request_is_behind(f)) {
		f->flags &= ~WEIR_FLOW_PENDING;
		l->flags &= ~WEIR_LEG_POKE;
	} else if (!(f->flags & WEIR_FLOW_PENDING)) {
		f->flags |= WEIR_FLOW_PENDING;
		f->srv_nxt = first ? f->srv_nxt : s->p.ack;
		l->flags |= WEIR_LEG_POKE;
		COUNT(REQ_QUEUED);
	}
	if (!first && f->sent_end == f->head_end)
		return DROP(REQ_HELD);
	if (!leg_claim(l))
		return DROP(CONTENDED);
	l->kept_ack = f->head_end + f->seq_add;
	leg_waits(f, l);
	leg_release(l);
	from = unsent_from(f);
	to = f->head_end;
	ack = s->p.ack + f->ack_add;
	if (first) {
		ack = s->p.seq + 1;
		if (to - from > s->p.win)
			to = from + s->p.win;
	}
	return verdict_of(first ? WEIR_CONNECTED : WEIR_TO_ENDPOINT,
			  connect_send(skb, f, from, to, ack));
}

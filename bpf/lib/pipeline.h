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

/*
 * The requests before this one are still on their way to the endpoint: the packet's
 * bytes go behind them in the buffer, if they follow them. Returns STEP_MORE.
 */
__noinline int request_append(struct __sk_buff *skb, struct weir_flow *f)
{
	struct scratch *s = scratch_get();
	struct weir_head *b;
	u32 used, n;

	if (!s || !f)
		return DROP(ERROR);
	used = f->head_end - f->head_seq;
	n = s->p.len;
	if (s->p.seq != f->head_end || f->next_req != f->head_end ||
	    s->p.flags & TCP_FIN || used >= WEIR_HEAD_MAX || n > WEIR_HEAD_MAX - used)
		return DROP(REQ_HELD);
	if (!packet_sum_ok(skb))
		return DROP(HEAD_CSUM);
	b = slot_of(f);
	if (!b || head_load(skb, b, used, s->p.l4 + s->p.hl, n))
		return DROP(ERROR);
	f->loaded_end = f->head_end + n;
	f->client_win = s->p.win;
	return STEP_MORE;
}

/*
 * Another whole request stands in the buffer behind those that are sent, and goes to
 * the same endpoint (RFC 9112, 9.3.2): it joins them. Returns 0, or -1 when there is
 * none such; what stands there then comes again from the client.
 */
__noinline int request_more(struct weir_flow *f)
{
	struct scratch *s = scratch_get();
	u32 zero = 0, from, loaded, body;
	struct weir_head *b;
	struct weir_leg *l;
	void *inner, *blob;

	if (!s || !f || !seq_before(f->head_end, f->loaded_end) ||
	    f->next_req != f->head_end || f->body_left ||
	    f->flags & (WEIR_FLOW_OPAQUE | WEIR_FLOW_UPGRADE | WEIR_FLOW_CHUNKED |
			WEIR_FLOW_REQ_CLOSE))
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
	if (s->m.strip_len && head_rewrite(b, &s->h, s->m.strip_len) < 0)
		return -1;
	if (!leg_claim(l))
		return -1;

	stats_up(f, l);
	f->requests++;
	f->route_id = s->m.route_id;
	event_request(f, false);
	request_want(f, &s->h, &s->m, TABLE_FOUND);
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
	if (!first && f->sent_end == f->head_end)
		return DROP(REQ_HELD);
	if (seq_before(f->head_end, f->loaded_end))
		COUNT(REQ_SPLIT);
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

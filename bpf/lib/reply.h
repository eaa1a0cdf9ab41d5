/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Replies that weir makes itself. They are reproducible: the request that they
 * answer is acknowledged by the reply alone, so a lost reply makes the client
 * send the request again and it gets the same bytes under the same numbers.
 */
#pragma once

#include "lib/emit.h"
#include "lib/flow.h"

/* Longest text before what is quoted, and behind it. */
#define QUOTE_TEXT_MAX (WEIR_REPLY_BYTES / 2)

/*
 * The payload of a redirect, out.len bytes, into the carrier: the text's first
 * part, host and target from the head buffer, the rest. Sets out.sum. Returns
 * 0, or -1 to drop.
 */
__noinline int reply_quote(struct __sk_buff *skb, struct weir_flow *f)
{
	struct scratch *s = scratch_get();
	struct sum_walk w = {.skb = skb};
	struct weir_reply *r;
	struct weir_head *b;
	u32 id, n, at, off;

	if (!s || !f)
		return -1;
	id = f->reply_id;
	r = bpf_map_lookup_elem(&replies, &id);
	b = slot_of(f);
	if (!r || !b)
		return -1;
	off = out_l4(s) + TCP_LEN;
	n = r->close.insert_at;
	if (!pure_range(&n, QUOTE_TEXT_MAX) ||
	    bpf_skb_store_bytes(skb, off, r->close.text, n, BPF_F_RECOMPUTE_CSUM))
		return -1;
	off += n;
	n = f->host_len;
	at = f->host_off & WEIR_HEAD_MASK;
	if (!pure_range(&n, WEIR_QUOTE_MAX) ||
	    bpf_skb_store_bytes(skb, off, &b->data[at], n, BPF_F_RECOMPUTE_CSUM))
		return -1;
	off += n;
	n = f->target_len;
	at = f->target_off & WEIR_HEAD_MASK;
	if (!pure_range(&n, WEIR_QUOTE_MAX) ||
	    bpf_skb_store_bytes(skb, off, &b->data[at], n, BPF_F_RECOMPUTE_CSUM))
		return -1;
	off += n;
	n = r->close.len - r->close.insert_at;
	at = r->close.insert_at;
	if (!pure_range(&at, QUOTE_TEXT_MAX) || !pure_range(&n, QUOTE_TEXT_MAX) ||
	    bpf_skb_store_bytes(skb, off, &r->close.text[at], n, BPF_F_RECOMPUTE_CSUM))
		return -1;
	w.s = s;
	w.off = out_l4(s) + TCP_LEN;
	w.left = s->out.len;
	bpf_loop((2 * WEIR_QUOTE_MAX + WEIR_REPLY_BYTES) / SUM_CHUNK, sum_chunk, &w, 0);
	s->out.sum = w.sum;
	return w.left ? -1 : 0;
}

/* Bytes of the flow's reply without its FIN. */
static __always_inline u32 reply_len(const struct weir_flow *f,
				     const struct weir_reply_text *text)
{
	u32 n = f->flags & WEIR_FLOW_REQ_HEAD ? text->head_len : text->len;

	return text->insert_at ? n + f->host_len + f->target_len : n;
}

/*
 * Send the flow's current reply in place of the carrier: its first byte is
 * reply_seq, and it acknowledges everything below `ack`. Returns a TC action,
 * or -1.
 */
__noinline int reply_emit(struct __sk_buff *skb, struct weir_flow *f, u32 ack)
{
	struct scratch *s = scratch_get();
	struct weir_reply_text *text;
	struct weir_reply *r;
	u32 id, n, sum;
	bool closes;

	if (!s || !f)
		return -1;
	id = f->reply_id;
	r = bpf_map_lookup_elem(&replies, &id);
	if (!r)
		return -1;
	closes = f->flags & WEIR_FLOW_REQ_CLOSE;
	text = closes ? &r->close : &r->keep;
	n = reply_len(f, text);
	s->out.len = n;
	s->out.opt_words = 0;
	tuple_reverse(&s->out.t, &s->client);
	s->out.hop = f->to_client;
	s->out.seq = f->reply_seq;
	s->out.ack = ack;
	s->out.win = head_window(f, 0);
	s->out.flags = TCP_ACK | TCP_PSH | (closes ? TCP_FIN : 0);
	if (text->insert_at) {
		if (emit_resize(skb, s, 0, n) || reply_quote(skb, f) ||
		    emit_header(skb))
			return -1;
		return hop_leave(&f->to_client);
	}
	if (!pure_range(&n, WEIR_REPLY_BYTES) || emit_resize(skb, s, 0, n))
		return -1;
	sum = sum_words((u8 *)text->text, n, 0);
	if (n > SUM_CHUNK)
		sum = sum_words((u8 *)text->text + SUM_CHUNK, n - SUM_CHUNK, sum);
	if (n & 3)
		sum = sum_tail(*(u32 *)&text->text[n & (WEIR_REPLY_BYTES - 4)], n, sum);
	s->out.sum = sum;
	if (!pure_range(&n, WEIR_REPLY_BYTES))
		return -1;
	if (bpf_skb_store_bytes(skb, out_l4(s) + TCP_LEN, text->text, n,
				BPF_F_RECOMPUTE_CSUM))
		return -1;
	if (emit_header(skb))
		return -1;
	return hop_leave(&f->to_client);
}

/* Bytes of the flow's reply with its FIN, as sequence numbers. */
static __always_inline u32 reply_span(const struct weir_flow *f)
{
	u32 id = f->reply_id;
	struct weir_reply *r = bpf_map_lookup_elem(&replies, &id);
	struct weir_reply_text *text;
	bool closes = f->flags & WEIR_FLOW_REQ_CLOSE;

	if (!r)
		return 0;
	text = closes ? &r->close : &r->keep;
	return reply_len(f, text) + closes;
}

/*
 * Does want_reply quote the request? Then it closes. A request that cannot be
 * quoted is refused: one without Host (HTTP/1.0), a target that is no path
 * ("*"), and what would not fit one segment.
 */
static __always_inline bool reply_quotes(struct weir_flow *f)
{
	u32 id = f->want_reply;
	struct weir_reply *r = bpf_map_lookup_elem(&replies, &id);
	struct weir_head *b = slot_of(f);

	if (!r || !r->close.insert_at)
		return false;
	f->flags |= WEIR_FLOW_REQ_CLOSE;
	if (!b || !f->host_len || b->data[f->target_off & WEIR_HEAD_MASK] != '/') {
		COUNT(REQ_BAD);
		f->want_reply = WEIR_REPLY_BAD_REQUEST;
		return false;
	}
	if (f->host_len > WEIR_QUOTE_MAX || f->target_len > WEIR_QUOTE_MAX ||
	    reply_len(f, &r->close) > f->mss) {
		COUNT(REQ_TOO_LONG);
		f->want_reply = WEIR_REPLY_TOO_LONG;
		return false;
	}
	return true;
}

/*
 * Answer the request in the buffer with want_reply. The flow is claimed, has
 * no leg any more, and srv_nxt is what the client expects next.
 */
__noinline int reply_start(struct __sk_buff *skb, struct weir_flow *f)
{
	struct scratch *s = scratch_get();
	bool closes, quotes;
	u32 ack;

	if (!s || !f)
		return DROP(ERROR);
	quotes = reply_quotes(f);
	/* The client's packet, if that is the carrier, is forgotten: everything
	 * below stands in the flow. Bytes behind a request that keeps the
	 * connection are not acknowledged, so they come again. */
	closes = f->flags & WEIR_FLOW_REQ_CLOSE;
	ack = closes ? f->head_end : f->next_req;
	f->reply_id = f->want_reply;
	f->reply_req = f->head_seq;
	f->reply_seq = f->srv_nxt;
	f->srv_nxt += reply_span(f);
	f->next_req = ack;
	f->flags |= WEIR_FLOW_REPLY;
	f->flags &= ~(WEIR_FLOW_PARTIAL | WEIR_FLOW_HELD);
	f->tries = 0;
	if (!quotes)
		slot_put(f);
	if (closes) {
		f->state = WEIR_FLOW_REPLIED;
		f->flags |= WEIR_FLOW_FIN_SERVER;
		if (f->flags & WEIR_FLOW_FIN_CLIENT && f->fin_seq == ack) {
			f->flags |= WEIR_FLOW_DONE;
			f->next_req = ++ack;
		}
	} else {
		f->state = WEIR_FLOW_HEAD;
	}
	return VERDICT(REPLIED, reply_emit(skb, f, ack));
}

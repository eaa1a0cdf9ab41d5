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
 * n bytes (1..EMIT_MAX) at `off` of a reply's text become the payload of a segment made
 * from scratch.out. Returns 0, or -1 to drop.
 */
__noinline int reply_segment(struct __sk_buff *skb, struct weir_flow *f, u32 off, u32 n)
{
	struct scratch *s = scratch_get();
	const struct weir_reply_text *text;
	struct weir_reply *r;
	u32 id, at, i;

	if (!s || !f)
		return -1;
	id = f->reply_id;
	r = bpf_map_lookup_elem(&replies, &id);
	if (!r)
		return -1;
	text = f->flags & WEIR_FLOW_REQ_CLOSE ? &r->close : &r->keep;
	s->out.len = n;
	if (emit_resize(skb, s, 0, n))
		return -1;
	s->out.sum = 0;
	at = out_l4(s) + TCP_LEN;
	for (i = 0; i < EMIT_MAX / SUM_CHUNK; i++) {
		const char *p = &text->text[off & (WEIR_REPLY_BYTES - 1)];
		u32 c = n > SUM_CHUNK ? SUM_CHUNK : n;

		if (!n)
			break;
		s->out.sum = sum_words((u8 *)p, c, s->out.sum);
		if (c & 3)
			s->out.sum = sum_tail(*(u32 *)(p + (c & (SUM_CHUNK - 4))), c,
					      s->out.sum);
		if (!pure_range(&c, SUM_CHUNK) ||
		    bpf_skb_store_bytes(skb, at, p, c, BPF_F_RECOMPUTE_CSUM))
			return -1;
		at += c;
		off += c;
		n -= c;
	}
	return emit_header(skb);
}

/* Segments of a reply that are sent for one packet that arrives. */
#define REPLY_SEGMENTS 32

/*
 * Send the flow's current reply in place of the carrier, from the byte `from` on: as
 * much as the client's window takes behind `acked`, what it has acknowledged. The
 * request ends before `ack`. Returns a TC action, or -1.
 *
 * A reply in several segments does not acknowledge the last byte of its request, so
 * that the client's timer runs until it has all of them: see reply_acked().
 */
__noinline int reply_emit(struct __sk_buff *skb, struct weir_flow *f, u32 ack,
			  u32 acked, u32 from)
{
	struct scratch *s = scratch_get();
	u32 id, end, to, mss, i;
	struct weir_reply *r;
	bool closes;

	if (!s || !f)
		return -1;
	id = f->reply_id;
	r = bpf_map_lookup_elem(&replies, &id);
	if (!r)
		return -1;
	closes = f->flags & WEIR_FLOW_REQ_CLOSE;
	end = f->srv_nxt - closes;
	tuple_reverse(&s->out.t, &s->client);
	s->out.hop = f->to_client;
	s->out.opt_words = 0;
	s->out.win = head_window(f, 0);
	if (r->close.insert_at && closes) {
		u32 n = end - f->reply_seq;

		s->out.len = n;
		s->out.seq = f->reply_seq;
		s->out.ack = ack;
		s->out.flags = TCP_ACK | TCP_PSH | TCP_FIN;
		if (emit_resize(skb, s, 0, n) || reply_quote(skb, f) ||
		    emit_header(skb))
			return -1;
		return hop_leave(&f->to_client);
	}
	if (seq_before(acked, f->reply_seq))
		acked = f->reply_seq;
	if (seq_before(from, acked))
		from = acked;
	to = acked + flow_client_window(f);
	if (seq_before(end, to))
		to = end;
	mss = emit_room(skb, out_is_v6(s));
	if (mss > f->mss)
		mss = f->mss;
	if (mss > EMIT_MAX)
		mss = EMIT_MAX;
	f->flags &= ~WEIR_FLOW_WITHHELD;
	if (from != acked || to != end || seq_diff(to, from) > (s32)mss) {
		f->flags |= WEIR_FLOW_WITHHELD;
		ack--;
	}
	s->out.ack = ack;
	for (i = 0; i < REPLY_SEGMENTS; i++) {
		u32 n = to - from;
		bool last;

		if ((s32)n <= 0)
			break;
		if (n > mss)
			n = mss;
		last = from + n == to || i == REPLY_SEGMENTS - 1;
		s->out.seq = from;
		s->out.flags = TCP_ACK | (last ? TCP_PSH : 0);
		if (closes && from + n == end)
			s->out.flags |= TCP_FIN;
		if (reply_segment(skb, f, from - f->reply_seq, n))
			return -1;
		from += n;
		if (closes && from == end)
			from++;
		if (seq_before(f->reply_nxt, from))
			f->reply_nxt = from;
		/* not past clones that wait in the interface's queue */
		if (last)
			return i ? bpf_redirect(f->to_client.ifindex, 0)
				 : hop_leave(&f->to_client);
		if (bpf_clone_redirect(skb, f->to_client.ifindex, 0))
			COUNT(UNSENT);
	}
	/* nothing but the FIN is missing, or the window is closed */
	s->out.seq = from;
	s->out.flags = TCP_ACK | (closes && from == end ? TCP_FIN : 0);
	if (emit_control(skb, s))
		return -1;
	return hop_leave(&f->to_client);
}

/*
 * More of the reply: for a packet with bytes of its request again, from what the client
 * has acknowledged; for a bare ACK, what did not fit the window before.
 */
__noinline int reply_more(struct __sk_buff *skb, struct weir_flow *f)
{
	struct scratch *s = scratch_get();
	u32 acked;

	if (!s || !f)
		return DROP(ERROR);
	acked = s->p.ack;
	f->client_win = s->p.win;
	if (packet_span(&s->p))
		return VERDICT(REPLY_AGAIN,
			       reply_emit(skb, f, flow_expects(f), acked, acked));
	return VERDICT(REPLIED,
		       reply_emit(skb, f, flow_expects(f), acked, f->reply_nxt));
}

/* A bare ACK of the client's: is the reply not over with it? Returns 0, the step that
 * follows or the verdict. When all has arrived, its request is acknowledged wholly. */
static __always_inline int reply_acked(struct __sk_buff *skb, struct scratch *s,
				       struct weir_flow *f)
{
	if (!(f->flags & WEIR_FLOW_WITHHELD))
		return 0;
	if (seq_before(s->p.ack, f->srv_nxt))
		return f->reply_nxt == f->srv_nxt ? 0 : STEP_REPEAT;
	f->flags &= ~WEIR_FLOW_WITHHELD;
	return VERDICT(PROBE_ACKED, emit_answer(skb, f->srv_nxt, flow_expects(f),
						TCP_ACK, head_window(f, 0)));
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
	f->reply_seq = f->srv_nxt;
	f->reply_nxt = f->srv_nxt;
	f->srv_nxt += reply_span(f);
	f->next_req = ack;
	f->flags |= WEIR_FLOW_REPLY;
	f->flags &= ~(WEIR_FLOW_PARTIAL | WEIR_FLOW_HELD);
	f->tries = 0;
	if (!quotes && closes)
		slots_free(f);
	else if (!quotes)
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
	return VERDICT(REPLIED, reply_emit(skb, f, ack, f->reply_seq, f->reply_seq));
}

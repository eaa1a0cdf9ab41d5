/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Packets of a client whose flow needs more than a splice, by the flow's
 * state. Each returns a verdict or the step that follows.
 */
#pragma once

#include "lib/handshake.h"
#include "lib/pipeline.h"

/* Over before an endpoint was needed, or on both sides: FIN for the FIN at fin_seq. */
static __always_inline int client_close(struct __sk_buff *skb, struct weir_flow *f)
{
	u32 seq = f->srv_nxt;

	f->flags |= WEIR_FLOW_FIN_CLIENT | WEIR_FLOW_FIN_SERVER | WEIR_FLOW_DONE;
	f->srv_nxt = seq + 1;
	f->state = WEIR_FLOW_CLOSED;
	slots_free(f);
	return VERDICT(CLOSE_ACKED,
		       emit_answer(skb, seq, f->fin_seq + 1, TCP_FIN | TCP_ACK, 0));
}

/* RST counts at exactly the expected byte only (RFC 5961, 3.2). */
static __always_inline int client_reset(struct scratch *s, struct weir_flow *f,
					u32 expected)
{
	if (s->p.seq != expected)
		return DROP(RST_IGNORED);
	f->state = WEIR_FLOW_CLOSED;
	f->flags |= WEIR_FLOW_DONE;
	slots_free(f);
	return DROP(RST_CLIENT);
}

/* No endpoint: reading a head, or idle between kernel-made replies. */
static __always_inline int client_head(struct __sk_buff *skb, struct scratch *s,
				       struct weir_flow *f)
{
	u32 expected = flow_expects(f);
	struct pkt *p = &s->p;
	bool unseen = f->flags & WEIR_FLOW_REPLY && seq_before(p->ack, f->srv_nxt);
	int r;

	if (p->flags & TCP_RST)
		return client_reset(s, f, expected);
	if (!p->len) {
		if (p->flags & TCP_FIN && p->seq == expected) {
			f->flags |= WEIR_FLOW_FIN_CLIENT;
			f->fin_seq = expected;
			/* who closes gets the last reply, which may be lost, first */
			if (unseen)
				return STEP_REPEAT;
			return client_close(skb, f);
		}
		if (f->flags & WEIR_FLOW_FIN_CLIENT && f->fin_seq == expected &&
		    p->seq == expected + 1 && !unseen)
			return client_close(skb, f);
		f->client_win = p->win;
		r = f->flags & WEIR_FLOW_REPLY ? reply_acked(skb, s, f) : 0;
		if (r)
			return r;
		/* a keepalive probe wants an answer (RFC 9293, 3.8.4) */
		if (p->seq == expected - 1)
			return VERDICT(PROBE_ACKED, request_ack(skb, s, f));
		return DROP(PROBE_ACKED);
	}
	/* As long as the client lacks the last reply, it gets that again and
	 * nothing else: bytes taken now would acknowledge the request that asks
	 * for it. */
	if (unseen)
		return STEP_REPEAT;
	return STEP_COLLECT;
}

/* SYN sent to an endpoint: more bytes are kept, repeated ones repeat the SYN. */
static __always_inline int client_connect(struct __sk_buff *skb, struct scratch *s,
					  struct weir_flow *f)
{
	struct pkt *p = &s->p;

	if (p->flags & TCP_RST) {
		/* the SYN-ACK of the endpoint will find the flow gone and be reset */
		if (seq_before(p->seq, f->head_seq) || seq_before(f->head_end, p->seq))
			return DROP(RST_IGNORED);
		return client_reset(s, f, p->seq);
	}
	f->client_win = p->win;
	if (!p->len && !(p->flags & TCP_FIN)) {
		if (p->seq == f->head_seq - 1)
			return VERDICT(
				PROBE_ACKED,
				emit_answer(skb, f->srv_nxt, f->head_seq, TCP_ACK, 0));
		return DROP(PROBE_ACKED);
	}
	if (seq_before(p->seq, f->head_end))
		return connect_again(skb, f);
	if (p->seq != request_kept_end(f))
		return DROP(HEAD_GAP);
	if (!packet_sum_ok(skb))
		return DROP(HEAD_CSUM);
	if (f->flags & WEIR_FLOW_CHUNKED && !f->body_left &&
	    seq_before(f->next_req, p->seq + p->len) && body_scan(skb, f)) {
		struct weir_leg *l = flow_leg(f, &p->t);

		/* the SYN-ACK, if any, is reset */
		if (l)
			l->state = WEIR_LEG_CLOSED;
		f->state = WEIR_FLOW_HEAD;
		return request_refuse(f);
	}
	return STEP_KEEP;
}

/* The packet's bytes go behind the request in the buffer, which cannot go on yet: its
 * endpoint is not connected, or it is held. Returns the step that follows, or the verdict. */
__noinline int client_keep(struct __sk_buff *skb, struct weir_flow *f)
{
	struct scratch *s = scratch_get();
	int r = 0;

	if (!s || !f)
		return DROP(ERROR);
	if (f->state == WEIR_FLOW_SPLICED) {
		if (!(f->flags & WEIR_FLOW_CHUNKED))
			request_keep(skb, f);
		return f->want_group == WEIR_NO_ID ? STEP_REPLY : STEP_CONNECT;
	}
	r = request_keep(skb, f);
	if (r)
		return r;
	if (s->p.flags & TCP_FIN && s->p.seq + s->p.len == f->head_end) {
		f->flags |= WEIR_FLOW_FIN_CLIENT;
		f->fin_seq = f->head_end;
	}
	return DROP(HEAD_QUEUED);
}

/*
 * Bytes behind a request that asks for an upgrade: a tunnel's after 101, another
 * request's after any other final response, and until either has come they wait
 * (RFC 9110, 7.8). Returns false when they do.
 */
static __always_inline bool client_upgrade(struct weir_flow *f,
					   const struct weir_leg *l)
{
	u8 state = l->response.state;

	if (state == WEIR_RESPONSE_TUNNEL || state == WEIR_RESPONSE_LOST)
		f->flags |= WEIR_FLOW_OPAQUE;
	else if (!response_all_over(l))
		return false;
	f->flags &= ~WEIR_FLOW_UPGRADE;
	return true;
}

/*
 * Requests wait in the buffer for those before them, which have been sent. Data goes
 * behind them. They are looked at when the endpoint has what was sent: then a response
 * may be over, and there is room for another one. A FIN comes again.
 */
static __always_inline int client_pending(struct scratch *s, struct weir_flow *f,
					  struct weir_leg *l)
{
	struct pkt *p = &s->p;

	f->srv_nxt = p->ack;
	f->client_win = p->win;
	if (p->len && seq_before(p->seq, f->head_end)) {
		if (l->waits & WEIR_WAITS_ACK)
			return STEP_RESEND;
		/* the end of a body before them */
		return seq_before(f->head_end, p->seq + p->len) ? STEP_TRIM
								: STEP_SPLICE;
	}
	if (!(l->waits & WEIR_WAITS_ACK) && !asked_is_full(l) &&
	    !seq_before(l->ack_max, f->head_end + f->seq_add))
		return STEP_COLLECT;
	l->flags |= WEIR_LEG_POKE;
	if (p->len)
		return STEP_APPEND;
	return p->flags & TCP_FIN ? DROP(REQ_HELD) : STEP_SPLICE;
}

/* Connected. Whatever is neither a head nor a repeated one is spliced. */
static __always_inline int client_spliced(struct __sk_buff *skb, struct scratch *s,
					  struct weir_flow *f, struct weir_leg *l)
{
	struct pkt *p = &s->p;
	u32 end = p->seq + p->len, i;
	bool again;

	if (!l || l->state != WEIR_LEG_SPLICED) {
		slots_free(f);
		return VERDICT(FLOW_GONE, emit_reset(skb, p));
	}
	if (f->slot != WEIR_NO_SLOT && !flow_collects(f) &&
	    !(f->flags & (WEIR_FLOW_HELD | WEIR_FLOW_PENDING) ||
	      l->waits & WEIR_WAITS_ACK))
		slot_put(f);
	if (f->flags & WEIR_FLOW_DONE) {
		stats_end(f, l);
		if (f->slot == WEIR_NO_SLOT)
			slots_free(f);
	}
	if (p->flags & TCP_RST) {
		/* passed on whatever it is; the endpoint judges it. It ends the
		 * flow here only at a number the endpoint may still expect. */
		u32 acked = l->ack_max + l->ack_add;

		if (p->seq - acked <= 0xffff) {
			stats_end(f, l);
			f->flags |= WEIR_FLOW_DONE;
			l->flags |= WEIR_LEG_FIN_CLIENT | WEIR_LEG_FIN_ENDPOINT;
			slots_free(f);
		}
		COUNT(RST_CLIENT);
		return STEP_SPLICE;
	}
	if (f->flags & WEIR_FLOW_HELD) {
		f->client_win = p->win;
		return STEP_KEEP;
	}
	if (f->flags & WEIR_FLOW_PENDING && f->slot != WEIR_NO_SLOT)
		return client_pending(s, f, l);
	for (i = 0; i < 4; i++) {
		u32 step;

		if (!f->body_left || !seq_before(f->next_req, end))
			break;
		step = f->body_left > BODY_STEP ? BODY_STEP : (u32)f->body_left;
		f->next_req += step;
		f->body_left -= step;
	}
	/* part of the kept head: whatever follows it comes again after it */
	again = p->len && f->slot != WEIR_NO_SLOT && !flow_collects(f) &&
		seq_before(p->seq, f->head_end);
	if (!again && p->len && f->flags & WEIR_FLOW_CHUNKED &&
	    seq_before(f->next_req, end))
		return STEP_BODY;
	if (!again && p->len && f->flags & WEIR_FLOW_UPGRADE &&
	    seq_before(f->next_req, end) && !client_upgrade(f, l))
		return DROP(REQ_HELD);
	if (!again && p->len && !(f->flags & WEIR_FLOW_OPAQUE) &&
	    (seq_before(f->next_req, end) || flow_collects(f))) {
		/* the end of a body and another head in one segment: only the
		 * body's part goes on, the rest comes again */
		if (seq_before(p->seq, f->next_req) && !flow_collects(f) &&
		    f->slot == WEIR_NO_SLOT)
			return STEP_TRIM;
		/* a hole before it would be acknowledged along with it */
		if (!flow_collects(f) && f->slot == WEIR_NO_SLOT &&
		    seq_before(l->ack_max, f->next_req + f->seq_add))
			return DROP(HEAD_GAP);
		if (f->slot != WEIR_NO_SLOT && !flow_collects(f))
			return STEP_APPEND;
		if (asked_is_full(l))
			return DROP(REQ_HELD);
		return STEP_COLLECT;
	}
	if (p->flags & TCP_FIN) {
		if (flow_collects(f)) {
			/* half a head and no more: nobody can use it */
			f->flags |= WEIR_FLOW_DONE;
			l->state = WEIR_LEG_CLOSED;
			slots_free(f);
			return VERDICT(REQ_BAD, emit_reset(skb, p));
		}
		flow_fin_client(f, l, end);
	}
	if (again) {
		f->client_win = p->win;
		return STEP_RESEND;
	}
	return STEP_SPLICE;
}

/* A closing reply has been sent: repeat it, drain a body, answer the FIN. */
static __always_inline int client_replied(struct __sk_buff *skb, struct scratch *s,
					  struct weir_flow *f)
{
	struct pkt *p = &s->p;
	u32 end = p->seq + packet_span(p);
	bool unseen = seq_before(p->ack, f->srv_nxt);
	u32 win = head_window(f, 0);

	if (p->flags & TCP_RST)
		return client_reset(s, f, f->next_req);
	/* the request of a redirect was kept to make that again */
	if (!unseen)
		slots_free(f);
	if (end == p->seq && end == f->next_req) {
		int r = reply_acked(skb, s, f);

		return r ? r : DROP(PROBE_ACKED);
	}
	if (seq_before(f->next_req, p->seq))
		return VERDICT(HEAD_GAP,
			       emit_answer(skb, f->srv_nxt, f->next_req, TCP_ACK, win));
	if (!seq_before(f->next_req, end)) {
		if (unseen)
			return STEP_REPEAT;
		return VERDICT(HEAD_OLD,
			       emit_answer(skb, f->srv_nxt, f->next_req, TCP_ACK, win));
	}
	f->next_req = end;
	if (p->flags & TCP_FIN) {
		f->flags |= WEIR_FLOW_FIN_CLIENT | WEIR_FLOW_DONE;
		f->fin_seq = end - 1;
		if (unseen)
			return STEP_REPEAT;
		f->state = WEIR_FLOW_CLOSED;
		return VERDICT(CLOSE_ACKED,
			       emit_answer(skb, f->srv_nxt, end, TCP_ACK, 0));
	}
	/* lingering close (RFC 9112, 9.6); a reply that was lost goes along */
	if (unseen) {
		COUNT(REPLY_DRAIN);
		return STEP_REPEAT;
	}
	return VERDICT(REPLY_DRAIN, emit_answer(skb, f->srv_nxt, end, TCP_ACK, win));
}

/* Over: a lost last ACK is given again, data is refused. */
static __always_inline int client_closed(struct __sk_buff *skb, struct scratch *s,
					 struct weir_flow *f)
{
	struct pkt *p = &s->p;
	u32 flags = TCP_ACK;

	if (p->flags & TCP_RST)
		return DROP(RST_IGNORED);
	if (p->flags & TCP_FIN) {
		if (p->ack == f->srv_nxt - 1)
			flags |= TCP_FIN;
		return VERDICT(
			CLOSE_ACKED,
			emit_answer(skb, p->ack, p->seq + packet_span(p), flags, 0));
	}
	if (p->len)
		return VERDICT(COOKIE_BAD, emit_reset(skb, p));
	return DROP(PROBE_ACKED);
}

/* Ends and answers that are weir's own need a packet that is right. Bytes of a
 * head are checked where they are taken; what is spliced, its receiver checks. */
static __always_inline bool client_needs_sum(const struct weir_flow *f,
					     const struct pkt *p)
{
	return p->flags & TCP_RST ||
	       (f->state != WEIR_FLOW_SPLICED &&
		(p->flags & TCP_FIN || f->state == WEIR_FLOW_REPLIED ||
		 f->state == WEIR_FLOW_CLOSED));
}

/* The usual last packet of a finished connection, told from the ACK of a new
 * handshake without computing cookies. */
static __always_inline bool client_acks_last(const struct weir_leg *l,
					     const struct pkt *p)
{
	return l && p->ack == l->seq_max + l->seq_add;
}

/* The flow is claimed; l is the leg that it is spliced to, or NULL. `known`: a finished
 * flow that is not to start anew. */
__noinline int client_packet(struct __sk_buff *skb, struct weir_flow *f,
			     struct weir_leg *l, u32 known)
{
	struct scratch *s = scratch_get();
	struct pkt *p;

	if (!s || !f)
		return DROP(ERROR);
	p = &s->p;
	if ((p->flags & (TCP_SYN | TCP_ACK)) == (TCP_SYN | TCP_ACK) ||
	    !(p->flags & (TCP_SYN | TCP_ACK | TCP_RST)))
		return DROP(FLAGS_BAD);
	if (p->flags & TCP_SYN) {
		/* a live connection is challenged (RFC 5961, 4.2): by the endpoint
		 * if there is one, which also knows the true numbers */
		if (f->state == WEIR_FLOW_SPLICED && !(f->flags & WEIR_FLOW_DONE)) {
			COUNT(SYN_CHALLENGE);
			return STEP_SPLICE;
		}
		if (f->state == WEIR_FLOW_HEAD || f->state == WEIR_FLOW_CONNECT ||
		    (f->state == WEIR_FLOW_REPLIED && !(f->flags & WEIR_FLOW_DONE)))
			return VERDICT(SYN_CHALLENGE,
				       emit_answer(skb, f->srv_nxt, flow_expects(f),
						   TCP_ACK, head_window(f, 0)));
		return STEP_SYN;
	}
	if (!known && f->flags & WEIR_FLOW_DONE && !(p->flags & TCP_RST) &&
	    !client_acks_last(l, p))
		return STEP_AGAIN;
	if (client_needs_sum(f, p) && !packet_sum_ok(skb))
		return DROP(HEAD_CSUM);
	switch (f->state) {
	case WEIR_FLOW_HEAD:
		return client_head(skb, s, f);
	case WEIR_FLOW_CONNECT:
		return client_connect(skb, s, f);
	case WEIR_FLOW_SPLICED:
		return client_spliced(skb, s, f, l);
	case WEIR_FLOW_REPLIED:
		return client_replied(skb, s, f);
	}
	return client_closed(skb, s, f);
}

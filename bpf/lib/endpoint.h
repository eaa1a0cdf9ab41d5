/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Packets of an endpoint whose leg needs more than a splice, by its state. */
#pragma once

#include "lib/request.h"

/* The leg waits for its SYN-ACK. */
static __always_inline int endpoint_connect(struct __sk_buff *skb, struct scratch *s,
					    struct weir_flow *f, struct weir_leg *l)
{
	struct pkt *p = &s->p;

	if (p->flags & TCP_RST) {
		if (!(p->flags & TCP_ACK) || p->ack != f->isn + 1)
			return DROP(RST_IGNORED);
		if (!packet_sum_ok(skb))
			return DROP(HEAD_CSUM);
		return connect_failed(f, l, skb->mark == WEIR_MARK_SILENT);
	}
	if (!(p->flags & TCP_ACK))
		return DROP(FLAGS_BAD);
	/* an old connection of the endpoint's, in TIME_WAIT say: reset it, the
	 * repeated SYN then succeeds (RFC 9293, 3.10.7.3) */
	if (!(p->flags & TCP_SYN) || p->ack != f->isn + 1)
		return VERDICT(CONNECT_STALE, emit_reset(skb, p));
	if (!packet_sum_ok(skb))
		return DROP(HEAD_CSUM);
	return connect_synack(skb, f, l);
}

/*
 * A leg that the flow has left: weir is its client now. Its FIN is answered,
 * and so is what it repeats; anything new is refused.
 */
static __always_inline int endpoint_orphan(struct __sk_buff *skb, struct scratch *s,
					   struct weir_leg *l)
{
	struct pkt *p = &s->p;
	u32 end = p->seq + packet_span(p);
	u32 flags = TCP_ACK, seq = l->fin_seq + 1;

	if (p->flags & TCP_RST) {
		l->state = WEIR_LEG_CLOSED;
		return DROP(ORPHAN);
	}
	if (p->len && seq_before(l->seq_max, p->seq + p->len)) {
		l->state = WEIR_LEG_CLOSED;
		return VERDICT(ORPHAN_RST, emit_reset(skb, p));
	}
	if (seq_before(p->ack, seq)) {
		seq = l->fin_seq;
		flags |= TCP_FIN;
	}
	if (p->flags & TCP_FIN && !(flags & TCP_FIN))
		l->state = WEIR_LEG_CLOSED;
	if (!packet_span(p) && !(flags & TCP_FIN))
		return DROP(ORPHAN);
	return VERDICT(ORPHAN, emit_answer(skb, seq, end, flags, 0xffff));
}

static __always_inline int endpoint_closed(struct __sk_buff *skb, struct pkt *p)
{
	if (p->flags & TCP_FIN && p->flags & TCP_ACK)
		return VERDICT(ORPHAN, emit_answer(skb, p->ack, p->seq + packet_span(p),
						   TCP_ACK, 0xffff));
	return VERDICT(ORPHAN_RST, emit_reset(skb, p));
}

/* What the endpoint lacks of a head that exceeded its first window. The ACK at
 * hand has gone to the client; the carrier is free. */
__noinline int endpoint_feed(struct __sk_buff *skb, struct weir_flow *f)
{
	struct scratch *s = scratch_get();
	u32 room, from, to;

	if (!s || !f)
		return DROP(ERROR);
	from = unsent_from(f);
	room = (u32)s->p.win << (s->feed_shift & 15);
	to = s->p.ack - f->seq_add + room;
	if (seq_before(f->head_end, to))
		to = f->head_end;
	if (!seq_before(from, to))
		return DROP(TO_CLIENT);
	return VERDICT(TO_ENDPOINT,
		       connect_send(skb, f, from, to, s->p.seq + packet_span(&s->p)));
}

/*
 * All responses have gone to the client, and a request waits for its ACK of them, which
 * may be delayed. One byte that it has had long ago is answered at once (RFC 9293,
 * 3.10.7.4). The endpoint's packet at hand has gone; the carrier is free.
 */
__noinline int endpoint_poke(struct __sk_buff *skb, struct weir_flow *f,
			     struct weir_leg *l)
{
	struct scratch *s = scratch_get();
	u8 byte = 0;

	if (!s || !f || !l)
		return DROP(ERROR);
	l->flags &= ~WEIR_LEG_POKE;
	tuple_reverse(&s->out.t, &s->client);
	s->out.hop = f->to_client;
	s->out.seq = f->srv_nxt - 1;
	s->out.ack = s->p.ack + l->ack_add;
	s->out.flags = TCP_ACK;
	s->out.win = head_window(f, 0);
	s->out.opt_words = 0;
	s->out.len = 1;
	s->out.sum = 0;
	if (emit_resize(skb, s, 0, 1) ||
	    bpf_skb_store_bytes(skb, out_l4(s) + TCP_LEN, &byte, 1,
				BPF_F_RECOMPUTE_CSUM) ||
	    emit_header(skb))
		return DROP(UNSENT);
	/* not past the packet before it */
	return VERDICT(POKED, bpf_redirect(f->to_client.ifindex, 0));
}

/* Connected. */
static __always_inline int endpoint_spliced(struct __sk_buff *skb, struct scratch *s,
					    struct weir_flow *f, struct weir_leg *l)
{
	struct pkt *p = &s->p;

	if (p->flags & TCP_SYN) {
		/* our ACK was lost: never shown to the client */
		if (l->waits & WEIR_WAITS_ACK && f->slot != WEIR_NO_SLOT) {
			COUNT(SYNACK_AGAIN);
			return STEP_RESEND;
		}
		return VERDICT(SYNACK_AGAIN,
			       emit_answer(skb, f->next_req + f->seq_add, p->seq + 1,
					   TCP_ACK, client_window(f, f->client_win)));
	}
	if (p->flags & TCP_RST) {
		if (!packet_sum_ok(skb))
			return DROP(HEAD_CSUM);
		/* passed on; it ends the flow here only at a number that the client
		 * may expect */
		if (p->seq - l->seq_max + 0xffff <= 0x1fffe) {
			stats_end(f, l);
			f->flags |= WEIR_FLOW_DONE | WEIR_FLOW_FIN_SERVER;
			l->flags |= WEIR_LEG_FIN_CLIENT | WEIR_LEG_FIN_ENDPOINT;
			slots_free(f);
		}
		COUNT(RST_ENDPOINT);
		return STEP_SPLICE;
	}
	if (p->flags & TCP_FIN) {
		f->flags |= WEIR_FLOW_FIN_SERVER;
		l->flags |= WEIR_LEG_FIN_ENDPOINT;
		if (f->flags & WEIR_FLOW_FIN_CLIENT)
			f->flags |= WEIR_FLOW_DONE;
	}
	if (l->waits & WEIR_WAITS_ACK && p->flags & TCP_ACK) {
		if (seq_before(l->ack_max, p->ack))
			l->ack_max = p->ack;
		if (!seq_before(p->ack, l->kept_ack)) {
			if (!leg_claim(l))
				return DROP(CONTENDED);
			l->waits &= ~(WEIR_WAITS_ACK | WEIR_WAITS_GIVE);
			leg_release(l);
			if (!flow_collects(f) &&
			    !(f->flags & (WEIR_FLOW_HELD | WEIR_FLOW_PENDING)))
				slot_put(f);
		} else if (seq_before(f->sent_end, f->head_end) && !flow_collects(f)) {
			return STEP_FEED;
		}
	}
	if (f->flags & WEIR_FLOW_DONE &&
	    !(f->flags & WEIR_FLOW_HELD || l->waits & WEIR_WAITS_ACK))
		slots_free(f);
	return STEP_SPLICE;
}

/* Any packet of a leg that is not simply spliced. f is its flow, claimed, or NULL
 * when the flow is gone or uses another leg. */
__noinline int endpoint_packet(struct __sk_buff *skb, struct weir_leg *l,
			       struct weir_flow *f)
{
	struct scratch *s = scratch_get();

	if (!s || !l)
		return DROP(ERROR);
	/* ours with this client's address is over: it has connected by itself */
	if (s->p.flags & TCP_SYN && leg_is_over(l) &&
	    l->flags & WEIR_LEG_KEEPS_CLIENT) {
		bpf_map_delete_elem(&legs, &s->p.t);
		return PASS(PASS_OTHER);
	}
	if (l->state == WEIR_LEG_ORPHAN)
		return endpoint_orphan(skb, s, l);
	if (l->state == WEIR_LEG_CLOSED)
		return endpoint_closed(skb, &s->p);
	if (!f || (l->state == WEIR_LEG_CONNECT && f->state != WEIR_FLOW_CONNECT)) {
		l->state = WEIR_LEG_CLOSED;
		return VERDICT(FLOW_GONE, emit_reset(skb, &s->p));
	}
	if (l->state == WEIR_LEG_CONNECT)
		return endpoint_connect(skb, s, f, l);
	return endpoint_spliced(skb, s, f, l);
}

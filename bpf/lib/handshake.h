/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The client's handshake: SYN cookies out, and a flow for each valid one back. */
#pragma once

#include <asm-generic/errno-base.h>

#include "lib/emit.h"
#include "lib/flow.h"
#include "pure/cookie.h"

static __always_inline struct weir_listener *listener_find(const struct weir_tuple *t)
{
	struct weir_listener_key key = {.addr = t->dst, .port = t->dport};

	return bpf_map_lookup_elem(&listeners, &key);
}

/* A SYN for a listener: answer with a cookie, keep nothing (RFC 4987, 3.6). */
__noinline int handshake_syn(struct __sk_buff *skb)
{
	struct scratch *s = scratch_get();
	struct weir_cookie_keys *keys;
	struct weir_listener *l;
	struct cookie_opts c;
	struct tcpopt o;
	u32 zero = 0, room;

	if (!s)
		return DROP(ERROR);
	l = listener_find(&s->p.t);
	keys = bpf_map_lookup_elem(&cookie_keys, &zero);
	if (!l || !keys || !packet_options(skb, s, &o))
		return DROP(ERROR);
	if (s->p.flags & (TCP_FIN | TCP_RST) || o.signature)
		return DROP(SYN_BAD);
	if (!packet_sum_ok(skb))
		return DROP(HEAD_CSUM);

	/* what the client takes, and what leaves this device in one piece: longer
	 * packets would be lost without a word */
	c.mss = o.mss;
	room = emit_room(skb, s->p.v6);
	if (c.mss > room)
		c.mss = room;
	c.wscale = o.wscale;
	c.sack = o.sack;
	tuple_reverse(&s->out.t, &s->p.t);
	hop_back(skb, &s->out.hop);
	s->out.seq = cookie_make(keys, &s->p.t, s->p.seq, bpf_ktime_get_ns(), &c);
	s->out.ack = s->p.seq + 1;
	s->out.flags = TCP_SYN | TCP_ACK;
	s->out.win = WEIR_INIT_WINDOW;
	s->out.opt_words = TCPOPT_SYN_WORDS;
	tcpopt_write_syn(s->out.opt, l->mss,
			 o.wscale == WEIR_WSCALE_NONE ? WEIR_WSCALE_NONE : WEIR_WSCALE,
			 o.sack);
	if (emit_control(skb, s))
		return DROP(UNSENT);
	return VERDICT(SYN_COOKIE, hop_leave(&s->out.hop));
}

/*
 * A segment for a listener. With a valid cookie it finishes the handshake,
 * whether bare or with data (the bare ACK may be lost): the flow is made and
 * the segment goes on. `old` is the finished flow of the same tuple, claimed,
 * which then starts anew in place (RFC 6191), or NULL.
 *
 * Returns 0 when the flow is made, 1 when an old one is not to be replaced, or
 * the verdict.
 */
static __always_inline int handshake_ack(struct __sk_buff *skb, struct scratch *s,
					 struct weir_flow *old)
{
	u32 zero = 0;
	struct weir_cookie_keys *keys = bpf_map_lookup_elem(&cookie_keys, &zero);
	enum cookie_result r;
	struct weir_flow *f;
	struct cookie_opts c;

	if (!keys)
		return DROP(ERROR);
	if (old && (s->p.flags & (TCP_RST | TCP_ACK)) != TCP_ACK)
		return 1;
	/* a late copy of the old connection's first segment, whose cookie is as
	 * good as ever: its request must not be served twice */
	if (old && s->p.seq == old->first_seq && s->p.ack == old->first_ack)
		return 1;
	if (s->p.flags & TCP_RST)
		return DROP(RST_IGNORED);
	if (!(s->p.flags & TCP_ACK))
		return DROP(FLAGS_BAD);
	r = cookie_check(keys, &s->p.t, s->p.seq - 1, s->p.ack - 1, bpf_ktime_get_ns(),
			 &c);
	if (old && r != COOKIE_VALID)
		return 1;
	if (!packet_sum_ok(skb))
		return DROP(HEAD_CSUM);
	if (r == COOKIE_EARLY && s->p.len)
		return DROP(HEAD_GAP);
	if (r != COOKIE_VALID)
		return VERDICT(COOKIE_BAD, emit_reset(skb, &s->p));

	f = &s->flow;
	__builtin_memset(f, 0, sizeof(*f));
	f->state = WEIR_FLOW_HEAD;
	f->wscale = c.wscale;
	f->mss = c.mss;
	f->flags = c.sack ? WEIR_FLOW_SACK : 0;
	f->opened_ns = bpf_ktime_get_ns();
	f->seen_ns = f->opened_ns;
	f->seen_jiffies = (u32)bpf_jiffies64();
	f->first_seq = s->p.seq;
	f->first_ack = s->p.ack;
	f->next_req = s->p.seq;
	f->head_seq = s->p.seq;
	f->head_end = s->p.seq;
	f->srv_nxt = s->p.ack;
	f->slot = WEIR_NO_SLOT;
	f->spare = WEIR_NO_SLOT;
	f->client_win = s->p.win;
	f->route_id = WEIR_NO_ID;
	f->group_id = WEIR_NO_ID;
	f->endpoint_id = WEIR_NO_ID;
	f->want_group = WEIR_NO_ID;
	hop_back(skb, &f->to_client);
	if (old) {
		struct weir_leg *l = flow_leg(old, &s->p.t);

		if (l)
			l->state = WEIR_LEG_CLOSED;
		slots_free(old);
		f->claim = old->claim;
		*old = *f;
	} else {
		/* an int: before 6.4 the upper half of the result is not set */
		int err = bpf_map_update_elem(&flows, &s->p.t, f, BPF_NOEXIST);

		/* another CPU may just have made it from the same cookie */
		if (err && err != -EEXIST)
			return VERDICT(FLOW_FULL, emit_reset(skb, &s->p));
	}
	COUNT(COOKIE_OK);
	return 0;
}

/* No flow: 0 when there is one now, or the verdict. */
__noinline int handshake_first(struct __sk_buff *skb)
{
	struct scratch *s = scratch_get();

	return s ? handshake_ack(skb, s, NULL) : DROP(ERROR);
}

/* A finished flow: 0 when it has started anew, 1 when not, or the verdict. */
__noinline int handshake_again(struct __sk_buff *skb, struct weir_flow *old)
{
	struct scratch *s = scratch_get();

	if (!s || !old)
		return DROP(ERROR);
	return handshake_ack(skb, s, old);
}

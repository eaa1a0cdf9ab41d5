/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The endpoint's side of delayed binding: choose an endpoint, send it a SYN
 * with what the client offered, and when it accepts give it the kept head.
 */
#pragma once

#include "lib/choose.h"
#include "lib/emit.h"
#include "lib/flow.h"
#include "lib/source.h"
#include "pure/cookie.h"

/* Source ports tried for one connection before it is refused. They are far apart: ports
 * of connections that last stand side by side when those came together. A prime that
 * is no port number, so that it has no divisor in common with any range. */
#define PORT_TRIES 32
#define PORT_STRIDE 65537u

/* Spreads source ports over the range: the next one is the oldest. */
u64 port_turn;

static __always_inline bool port_has_listener(u32 port)
{
	u32 word = port / 64;
	u64 *bits = bpf_map_lookup_elem(&listen_ports, &word);

	return bits && *bits >> (port & 63) & 1;
}

/* May the tuple of this leg be used for a new connection? The endpoint takes a
 * SYN above its old numbers even in TIME_WAIT (RFC 6191; ours are clocked). */
static __always_inline bool leg_is_over(const struct weir_leg *l)
{
	u8 fins = WEIR_LEG_FIN_CLIENT | WEIR_LEG_FIN_ENDPOINT;

	return l->state == WEIR_LEG_CLOSED || (l->flags & fins) == fins;
}

/* Make the leg from `key` and scratch.leg, unless another connection has it. */
static __always_inline bool leg_make(const struct weir_tuple *key,
				     const struct weir_leg *l)
{
	struct weir_leg *old;

	if (!bpf_map_update_elem(&legs, key, l, BPF_NOEXIST))
		return true;
	old = bpf_map_lookup_elem(&legs, key);
	if (!old || !leg_is_over(old))
		return false;
	*old = *l;
	return true;
}

/* Reserve a source port towards f->leg.src and make the leg. The client's address goes
 * with the client's port, unless that is taken. */
__noinline int connect_reserve(struct weir_flow *f)
{
	struct scratch *s = scratch_get();
	u32 zero = 0, lo, range, at, i;
	struct weir_settings *set = bpf_map_lookup_elem(&settings, &zero);
	struct weir_tuple key;
	struct weir_leg *l;

	if (!s || !set || !f || set->port_hi < set->port_lo)
		return -1;
	key = f->leg;
	lo = set->port_lo;
	range = set->port_hi - lo + 1;
	l = &s->leg;
	__builtin_memset(l, 0, sizeof(*l));
	l->client = s->client;
	l->state = WEIR_LEG_CONNECT;
	l->to_client = f->to_client;
	l->endpoint_id = f->endpoint_id;
	l->syn_ns = bpf_ktime_get_ns();
	l->seen_ns = l->syn_ns;
	l->seen_jiffies = (u32)bpf_jiffies64();
	if (f->flags & WEIR_FLOW_KEEPS_CLIENT) {
		l->flags = WEIR_LEG_KEEPS_CLIENT;
		f->leg.dport = s->client.sport;
		key.dport = f->leg.dport;
		if (!port_has_listener(bpf_ntohs(key.dport)) && leg_make(&key, l))
			return 0;
		COUNT(KEEP_PORT);
	}
	at = __sync_fetch_and_add(&port_turn, 1) % range;
	for (i = 0; i < PORT_TRIES; i++, at += PORT_STRIDE) {
		u32 port = lo + at % range;

		if (port_has_listener(port))
			continue;
		f->leg.dport = bpf_htons(port);
		key.dport = f->leg.dport;
		if (leg_make(&key, l))
			return 0;
	}
	return -1;
}

/* The client's window as an endpoint without our scale must read it. */
static __always_inline u16 client_window(const struct weir_flow *f, u32 win)
{
	return window_rescale(win, f->win_shift, 0);
}

/* Send the SYN of f->leg by scratch.way in place of the carrier. Returns the verdict,
 * with `outcome` when it has gone. */
__noinline int connect_syn(struct __sk_buff *skb, struct weir_flow *f, u32 outcome)
{
	struct scratch *s = scratch_get();
	struct bpf_fib_lookup *fib;
	u16 mss;

	if (!s || !f)
		return DROP(ERROR);
	fib = &s->fib;
	tuple_reverse(&s->out.t, &f->leg);
	if (!way_is_known(s))
		return DROP(NO_FIB);
	__builtin_memcpy(s->out.hop.dmac, fib->dmac, 6);
	__builtin_memcpy(s->out.hop.smac, fib->smac, 6);
	mss = f->mss < f->endpoint_mss ? f->mss : f->endpoint_mss;
	s->out.seq = f->isn;
	s->out.ack = 0;
	s->out.flags = TCP_SYN;
	/* the window of a SYN is never scaled (RFC 7323, 2.2) */
	s->out.win = window_rescale(f->client_win,
				    f->wscale == WEIR_WSCALE_NONE ? 0 : f->wscale, 0);
	s->out.opt_words = TCPOPT_SYN_WORDS;
	tcpopt_write_syn(s->out.opt, mss, f->wscale, f->flags & WEIR_FLOW_SACK);
	if (emit_control(skb, s))
		return DROP(UNSENT);
	if (s->way == BPF_FIB_LKUP_RET_SUCCESS)
		return verdict_of(outcome, bpf_redirect(fib->ifindex, 0));
	return verdict_of(outcome, bpf_redirect_neigh(fib->ifindex, NULL, 0, 0));
}

/*
 * The request in the buffer needs an endpoint of want_group. The flow is
 * claimed and has no leg. Returns the verdict, or STEP_REPLY.
 */
__noinline int connect_start(struct __sk_buff *skb, struct weir_flow *f)
{
	u32 outcome = f && f->tries ? WEIR_CONNECT_NEXT : WEIR_CONNECT;
	struct scratch *s = scratch_get();
	u64 words[6];

	if (!s || !f)
		return DROP(ERROR);
	f->flags &= ~(WEIR_FLOW_PARTIAL | WEIR_FLOW_HELD | WEIR_FLOW_REPLY);
	f->win_shift = 0;
	if (choose_endpoint(f)) {
		if (f->tries) {
			/* what was left has just been taken away */
			COUNT(CONNECT_REFUSED);
			f->want_reply = WEIR_REPLY_BAD_GATEWAY;
			return STEP_REPLY;
		}
		if (choose_other_family(f, &s->client.src))
			COUNT(REQ_NO_FAMILY);
		else
			COUNT(REQ_NO_ENDPOINT);
		f->want_reply = WEIR_REPLY_NO_ENDPOINT;
		return STEP_REPLY;
	}
	if (source_choose(skb, f))
		return DROP(ERROR);
	if (connect_reserve(f)) {
		COUNT(NO_PORT);
		f->want_reply = WEIR_REPLY_UNAVAILABLE;
		return STEP_REPLY;
	}
	words[0] = f->leg.src.d[0];
	words[1] = f->leg.src.d[1];
	words[2] = f->leg.dst.d[0];
	words[3] = f->leg.dst.d[1];
	words[4] = (u64)f->leg.sport << 16 | f->leg.dport;
	words[5] = 0;
	{
		u64 key[2] = {isn_key[0], isn_key[1]};

		/* RFC 6528: a hash of the tuple and a clock, here of 64 ns */
		f->isn = (u32)siphash(key, words, 6) + (u32)(bpf_ktime_get_ns() >> 6);
	}
	f->tries++;
	f->group_id = f->want_group;
	f->state = WEIR_FLOW_CONNECT;
	return connect_syn(skb, f, outcome);
}

/* The endpoint has refused our SYN, or is silent: the next one, or 502; 504 after
 * silence. The flow is claimed. */
static __always_inline int connect_failed(struct weir_flow *f, struct weir_leg *l,
					  bool silent)
{
	u32 group = f->want_group;
	struct weir_group *g;

	stats_failed(l);
	/* its answers to the client's address may have gone another way */
	if (silent && l->flags & WEIR_LEG_KEEPS_CLIENT)
		COUNT(KEEP_SILENT);
	else
		health_failed(l->endpoint_id);
	l->state = WEIR_LEG_CLOSED;
	f->state = WEIR_FLOW_HEAD;
	g = bpf_map_lookup_elem(&groups, &group);
	if (g && f->tries < WEIR_CONNECT_TRIES &&
	    f->tries < g->share[addr_family(&f->leg.src)].count)
		return STEP_CONNECT;
	if (silent) {
		COUNT(CONNECT_TIMEOUT);
		f->want_reply = WEIR_REPLY_TIMEOUT;
		return STEP_REPLY;
	}
	COUNT(CONNECT_REFUSED);
	f->want_reply = WEIR_REPLY_BAD_GATEWAY;
	return STEP_REPLY;
}

/*
 * The client repeats its request while the endpoint owes a SYN-ACK: so does our SYN,
 * and after CONNECT_SILENT_NS another endpoint is tried. Linux repeats after 0.2, 0.6,
 * 1.4 and 3 s: a SYN has had three more chances. (A client whose packet waits in a
 * queue of this host repeats nothing: there the agent speaks, user/dp/silent.h.)
 */
#define CONNECT_SILENT_NS 2000000000ull

__noinline int connect_again(struct __sk_buff *skb, struct weir_flow *f)
{
	struct scratch *s = scratch_get();
	struct weir_leg *l;

	if (!s || !f)
		return DROP(ERROR);
	l = flow_leg(f, &s->client);
	if (!l) {
		/* taken away: an answer to another SYN would find nobody */
		f->tries = 0;
		f->state = WEIR_FLOW_HEAD;
		return STEP_CONNECT;
	}
	if (bpf_ktime_get_ns() - l->syn_ns > CONNECT_SILENT_NS)
		return connect_failed(f, l, true);
	if (source_way(skb, f))
		return DROP(ERROR);
	return connect_syn(skb, f, WEIR_CONNECT_AGAIN);
}

/*
 * Bytes of the PROXY header in front of the head that is kept: they stand before
 * head_seq, numbers that the client does not use any more, and go along with the
 * head's first byte, again if need be. 0 when there is none, and behind the first
 * head of a leg.
 */
static __always_inline u32 proxy_before(const struct weir_flow *f)
{
	u32 n = proxy_len(addr_family(&f->leg.src) == WEIR_IPV6);

	return f->flags & WEIR_FLOW_PROXY && f->head_seq + f->seq_add == f->isn + 1 + n
		       ? n
		       : 0;
}

/* Where the kept bytes that have not been sent begin, for connect_send(). */
static __always_inline u32 unsent_from(const struct weir_flow *f)
{
	return f->sent_end == f->head_seq ? f->head_seq - proxy_before(f) : f->sent_end;
}

/* Segments sent from the buffer for one packet that arrives. */
#define SEND_SEGMENTS 32

/*
 * Send the kept bytes [from, to) to the endpoint in place of the carrier, up to
 * SEND_SEGMENTS segments, and the PROXY header if `from` is before them; `ack` is in
 * the endpoint's numbers. With nothing to send it is a bare ACK. Returns a TC action,
 * or -1.
 */
__noinline int connect_send(struct __sk_buff *skb, struct weir_flow *f, u32 from,
			    u32 to, u32 ack)
{
	struct scratch *s = scratch_get();
	u32 mss, i, win, slot, proxy = 0;

	if (!s || !f)
		return -1;
	slot = f->slot;
	if (seq_before(from, f->head_seq)) {
		proxy = proxy_before(f);
		from = f->head_seq;
	}
	mss = f->mss < f->endpoint_mss ? f->mss : f->endpoint_mss;
	if (mss > EMIT_MAX)
		mss = EMIT_MAX;
	if (mss < 1)
		mss = 1;
	win = client_window(f, f->client_win);
	tuple_reverse(&s->out.t, &f->leg);
	s->out.hop = f->to_endpoint;
	s->out.ack = ack;
	s->out.win = win;
	for (i = 0; i < SEND_SEGMENTS; i++) {
		u32 n = to - from;
		bool last;

		if ((s32)n <= 0)
			break;
		if (n > mss)
			n = mss;
		if (proxy && n + proxy > mss)
			n = mss > proxy ? mss - proxy : 1;
		last = from + n == to || i == SEND_SEGMENTS - 1;
		s->out.seq = from + f->seq_add - proxy;
		s->out.flags = TCP_ACK | (last ? TCP_PSH : 0);
		if (from + n == f->head_end && f->flags & WEIR_FLOW_FIN_CLIENT &&
		    f->fin_seq == f->head_end)
			s->out.flags |= TCP_FIN;
		if (emit_head(skb, slot, from - f->head_seq, n, proxy))
			return -1;
		proxy = 0;
		from += n;
		if (seq_before(f->sent_end, from)) {
			f->bytes_up += from - f->sent_end;
			f->sent_end = from;
		}
		/* not past clones that wait in the interface's queue */
		if (last)
			return i ? bpf_redirect(f->to_endpoint.ifindex, 0)
				 : hop_leave(&f->to_endpoint);
		if (bpf_clone_redirect(skb, f->to_endpoint.ifindex, 0))
			COUNT(UNSENT);
	}
	s->out.seq = from + f->seq_add - proxy;
	s->out.flags = TCP_ACK;
	s->out.opt_words = 0;
	if (emit_control(skb, s))
		return -1;
	return bpf_redirect(f->to_endpoint.ifindex, 0);
}

/*
 * SYN-ACK of the endpoint (scratch.p): from here on both directions are a
 * shift. That very packet becomes the ACK with the kept head.
 */
__noinline int connect_synack(struct __sk_buff *skb, struct weir_flow *f,
			      struct weir_leg *l)
{
	struct scratch *s = scratch_get();
	struct tcpopt o;
	u8 shift;

	if (!s || !f || !l || !packet_options(skb, s, &o))
		return DROP(ERROR);

	hop_back(skb, &f->to_endpoint);
	f->seq_add = f->isn + 1 - f->head_seq;
	if (f->flags & WEIR_FLOW_PROXY)
		f->seq_add += proxy_len(s->p.v6);
	f->ack_add = s->p.seq + 1 - f->srv_nxt;
	l->seq_add = -f->ack_add;
	l->ack_add = -f->seq_add;
	l->seq_max = s->p.seq + 1;
	l->ack_max = s->p.ack;
	if (o.mss < f->endpoint_mss)
		f->endpoint_mss = o.mss;
	/* what the client was promised against what the endpoint means */
	shift = o.wscale == WEIR_WSCALE_NONE ? 0 : o.wscale;
	l->win_shift = 0;
	f->win_shift = 0;
	if (f->wscale != WEIR_WSCALE_NONE) {
		l->win_shift = (int)WEIR_WSCALE - shift;
		if (o.wscale == WEIR_WSCALE_NONE)
			f->win_shift = f->wscale;
	}
	f->sent_end = f->head_seq;
	f->tries = 0;
	stats_connected(l);
	health_accepted(l->endpoint_id);
	l->flags &= WEIR_LEG_KEEPS_CLIENT;
	leg_waits(f, l);
	l->response.next = l->seq_max;
	stats_asked(f, l, true);
	if (f->flags & WEIR_FLOW_FIN_CLIENT)
		l->flags |= WEIR_LEG_FIN_CLIENT;
	/* the fast path of another CPU goes by the states: they change last */
	barrier();
	l->state = WEIR_LEG_SPLICED;
	f->state = WEIR_FLOW_SPLICED;

	return STEP_FIRST;
}

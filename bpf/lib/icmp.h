/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * ICMP errors about packets that weir has sent on. "Too big" is for the end whose
 * data it was: it gets the message as a router on its own path would have sent it.
 * "Unreachable" is an answer to our SYN. All others are no reason for a connection
 * to end (RFC 5461) and nobody's business on this node: they are dropped.
 *
 * A message is made anew from what it quotes, cut to the 8 bytes of TCP that it must
 * have (RFC 792); the sender is an address of ours, as that of a NAT (RFC 5508).
 */
#pragma once

#include "lib/emit.h"
#include "lib/flow.h"
#include "lib/handshake.h"

#define ICMP_LEN 8u
#define ICMP_QUOTE 8u /* bytes of TCP: ports and sequence number */
#define ICMP_BYTES_MAX 2048u

/* How far from what is known a quoted number may be: what an end has under way.
 * The end itself judges exactly (RFC 5927, 4.1). */
#define ICMP_WINDOW (16u << 20)

/* Of a mapped path: smaller ones are no reason to send smaller segments. */
#define ICMP_MTU_MIN 576u

enum icmp_kind {
	ICMP_NONE,
	ICMP_TOO_BIG,
	ICMP_UNREACHABLE,
	ICMP_SOFT,
};

static __always_inline enum icmp_kind icmp_kind(bool v6, u32 type, u32 code)
{
	if (v6)
		return type == 2	    ? ICMP_TOO_BIG
		       : type == 1	    ? ICMP_UNREACHABLE
		       : type && type < 128 ? ICMP_SOFT
					    : ICMP_NONE;
	if (type == 3)
		return code == 4 ? ICMP_TOO_BIG : ICMP_UNREACHABLE;
	/* source quench, time exceeded, parameter problem */
	return type == 4 || type == 11 || type == 12 ? ICMP_SOFT : ICMP_NONE;
}

/* Is the checksum of `n` bytes at `off` right? */
static __always_inline bool icmp_sum_ok(struct __sk_buff *skb, struct scratch *s,
					u32 off, u32 n)
{
	struct sum_walk w = {.skb = skb, .s = s, .off = off, .left = n};
	u32 pair[8], i;

	if (n > ICMP_BYTES_MAX)
		return false;
	if (s->p.v6) {
		w.sum = bpf_htons(IPPROTO_ICMPV6) + bpf_htons(n);
		if (bpf_skb_load_bytes(skb, ETH_LEN + 8, pair, sizeof(pair)))
			return false;
		for (i = 0; i < 8; i++)
			w.sum = sum_add(w.sum, pair[i]);
	}
	bpf_loop(ICMP_BYTES_MAX / SUM_CHUNK, sum_chunk, &w, 0);
	return !w.left && sum_fold(w.sum) == 0xffff;
}

/*
 * Read an error and the packet that it quotes: scratch.icmp, and scratch.p.t as if
 * the quoted packet's receiver had sent something. Returns 0, or the verdict.
 */
__noinline int icmp_read(struct __sk_buff *skb)
{
	struct scratch *s = scratch_get();
	u32 l4 = ETH_LEN + IP6_LEN, head = IP6_LEN, n;
	struct icmp_error *e;
	u8 *ip;

	if (!s)
		return DROP(ERROR);
	e = &s->icmp;
	ip = (u8 *)e->ip;
	s->p.v6 = skb->protocol == bpf_htons(ETH_P_IPV6);
	if (bpf_skb_load_bytes(skb, ETH_LEN, ip, IP4_LEN))
		return PASS(PASS_MALFORMED);
	if (s->p.v6) {
		n = (u32)ip[4] << 8 | ip[5];
	} else {
		head = IP4_LEN;
		l4 = ETH_LEN + (ip[0] & 15) * 4;
		if (ip[6] & 0x3f || ip[7])
			return PASS(PASS_FRAGMENT);
		n = ((u32)ip[2] << 8 | ip[3]) + ETH_LEN - l4;
	}
	if (l4 + n > skb->len || n < ICMP_LEN + head + ICMP_QUOTE ||
	    bpf_skb_load_bytes(skb, l4, e->icmp, sizeof(e->icmp)))
		return PASS(PASS_OTHER);
	e->kind = icmp_kind(s->p.v6, ((u8 *)e->icmp)[0], ((u8 *)e->icmp)[1]);
	if (e->kind == ICMP_NONE)
		return PASS(PASS_OTHER);
	if (s->p.v6) {
		if (bpf_skb_load_bytes(skb, l4 + ICMP_LEN, ip, IP6_LEN) ||
		    ip[6] != IPPROTO_TCP)
			return PASS(PASS_OTHER);
		__builtin_memcpy(&s->p.t.dst, &e->ip[2], 16);
		__builtin_memcpy(&s->p.t.src, &e->ip[6], 16);
	} else {
		/* we send none with options of our own, and splice few */
		if (bpf_skb_load_bytes(skb, l4 + ICMP_LEN, ip, IP4_LEN) ||
		    ip[0] != 0x45 || ip[9] != IPPROTO_TCP || ip[6] & 0x1f || ip[7])
			return PASS(PASS_OTHER);
		addr_from_v4(&s->p.t.dst, e->ip[3]);
		addr_from_v4(&s->p.t.src, e->ip[4]);
	}
	if (bpf_skb_load_bytes(skb, l4 + ICMP_LEN + head, e->tcp, sizeof(e->tcp)))
		return PASS(PASS_OTHER);
	s->p.t.dport = e->tcp[0];
	s->p.t.sport = e->tcp[0] >> 16;
	s->p.t.pad = 0;
	e->bytes = n;
	e->off = l4;
	return 0;
}

/*
 * Send the error on: to out.t.dst by out.hop, about a packet with the addresses and
 * ports of *about and this sequence number. Returns the verdict.
 */
static __always_inline int icmp_emit(struct __sk_buff *skb, struct scratch *s,
				     const struct weir_tuple *about, u32 seq,
				     u32 outcome)
{
	struct icmp_error *e = &s->icmp;
	u32 head = s->p.v6 ? IP6_LEN : IP4_LEN, sum = 0, i;
	u32 l4_len = ICMP_LEN + head + ICMP_QUOTE, len, from;
	u32 *w = (u32 *)(s->header + HEADER_L4);

	w[0] = e->icmp[0] & bpf_htonl(0xffff0000);
	w[1] = e->icmp[1];
	if (s->p.v6) {
		emit_ip6(s, l4_len, IPPROTO_ICMPV6);
		sum = out_pseudo(s, l4_len, IPPROTO_ICMPV6);
		w[2] = e->ip[0];
		w[3] = e->ip[1];
		__builtin_memcpy(&w[4], &about->src, 16);
		__builtin_memcpy(&w[8], &about->dst, 16);
		w[12] = (u32)about->dport << 16 | about->sport;
		w[13] = bpf_htonl(seq);
		for (i = 0; i < 14; i++)
			sum = sum_add(sum, w[i]);
	} else {
		u32 inner = 0;

		emit_ip4(s, l4_len, IPPROTO_ICMP);
		w[2] = e->ip[0];
		w[3] = e->ip[1];
		w[4] = e->ip[2] & bpf_htonl(0xffff0000);
		w[5] = about->src.w[3];
		w[6] = about->dst.w[3];
		for (i = 2; i < 7; i++)
			inner = sum_add(inner, w[i]);
		w[4] |= (u32)(u16)~sum_fold(inner) << 16;
		w[7] = (u32)about->dport << 16 | about->sport;
		w[8] = bpf_htonl(seq);
		for (i = 0; i < 9; i++)
			sum = sum_add(sum, w[i]);
	}
	w[0] |= (u32)(u16)~sum_fold(sum) << 16;
	from = (s->p.v6 ? HEADER_IP6 : HEADER_IP4) - ETH_LEN;
	len = HEADER_L4 - from + l4_len;
	if (bpf_skb_change_tail(skb, len, 0))
		return DROP(UNSENT);
	pure_keep(from);
	if (from > HEADER_IP4 - ETH_LEN ||
	    !pure_range(&len, HEADER_ROOM - HEADER_IP4 + ETH_LEN))
		return DROP(ERROR);
	if (bpf_skb_store_bytes(skb, 0, s->header + from, len, BPF_F_RECOMPUTE_CSUM))
		return DROP(ERROR);
	return (int)(outcome << 8) | (hop_leave(&s->out.hop) & 0xff);
}

/* About a packet to a client: the endpoint has to send smaller ones. */
static __always_inline int icmp_to_endpoint(struct __sk_buff *skb, struct scratch *s,
					    struct weir_flow *f)
{
	struct weir_leg *l = flow_leg(f, &s->p.t);
	struct weir_tuple about = f->leg;
	u32 seq, under_way;

	if (s->icmp.kind != ICMP_TOO_BIG || f->state != WEIR_FLOW_SPLICED || !l)
		return DROP(ICMP_IGNORED);
	seq = bpf_ntohl(s->icmp.tcp[1]) - l->seq_add;
	under_way = l->seq_max - seq;
	if (under_way - 1 >= ICMP_WINDOW)
		return DROP(ICMP_BAD);
	tuple_reverse(&s->out.t, &about);
	s->out.hop = f->to_endpoint;
	return icmp_emit(skb, s, &about, seq, WEIR_ICMP_TO_ENDPOINT);
}

/* About a packet to an endpoint. */
static __always_inline int icmp_to_client(struct __sk_buff *skb, struct scratch *s,
					  struct weir_flow *f, struct weir_leg *l)
{
	u32 seq = bpf_ntohl(s->icmp.tcp[1]), mtu, head;
	struct weir_tuple about = l->client;

	if (s->icmp.kind == ICMP_UNREACHABLE && l->state == WEIR_LEG_CONNECT) {
		if (f->state != WEIR_FLOW_CONNECT || seq != f->isn)
			return DROP(ICMP_BAD);
		/* as good as the endpoint's RST: the next one */
		COUNT(CONNECT_UNREACHABLE);
		s->p.flags = TCP_RST | TCP_ACK;
		s->p.seq = 0;
		s->p.ack = f->isn + 1;
		s->p.len = 0;
		s->p.win = 0;
		s->p.hl = TCP_LEN;
		s->p.l4 = ETH_LEN + (s->p.v6 ? IP6_LEN : IP4_LEN);
		s->p.checked = 1;
		return STEP_ENDPOINT;
	}
	if (s->icmp.kind != ICMP_TOO_BIG || l->state != WEIR_LEG_SPLICED)
		return DROP(ICMP_IGNORED);
	if (seq - l->ack_max >= ICMP_WINDOW)
		return DROP(ICMP_BAD);
	/* what weir sends from the head's buffer itself */
	head = TCP_LEN + (s->p.v6 ? IP6_LEN : IP4_LEN);
	mtu = bpf_ntohl(s->icmp.icmp[1]);
	if (!s->p.v6)
		mtu &= 0xffff;
	if (mtu >= ICMP_MTU_MIN && mtu - head < f->endpoint_mss)
		f->endpoint_mss = mtu - head;
	tuple_reverse(&s->out.t, &about);
	s->out.hop = l->to_client;
	return icmp_emit(skb, s, &about, seq - f->seq_add, WEIR_ICMP_TO_CLIENT);
}

/* Any ICMP packet. Returns the verdict, or STEP_ENDPOINT with scratch.p for what is
 * an endpoint's refusal. */
__noinline int icmp_packet(struct __sk_buff *skb)
{
	struct scratch *s = scratch_get();
	struct weir_leg *l = NULL;
	struct weir_flow *f;
	int r;

	if (!s)
		return DROP(ERROR);
	r = icmp_read(skb);
	if (r)
		return r;
	if (listener_find(&s->p.t)) {
		/* without a flow it is about the answer to a SYN, which is small */
		f = bpf_map_lookup_elem(&flows, &s->p.t);
		if (!f)
			return DROP(ICMP_IGNORED);
	} else {
		l = bpf_map_lookup_elem(&legs, &s->p.t);
		if (!l)
			return PASS(PASS_OTHER);
		f = leg_flow(l, &s->p.t);
		if (!f)
			return DROP(ICMP_IGNORED);
	}
	if (!icmp_sum_ok(skb, s, s->icmp.off, s->icmp.bytes))
		return DROP(ICMP_BAD);
	if (!flow_claim(f))
		return DROP(CONTENDED);
	r = l ? icmp_to_client(skb, s, f, l) : icmp_to_endpoint(skb, s, f);
	flow_release(f);
	return r;
}

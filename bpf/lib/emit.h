/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Segments that weir makes. Each takes the place of the packet at hand, which
 * is only a carrier: whatever its bytes were, they are gone afterwards. Fill
 * scratch.out, put the payload in, write the header, redirect.
 */
#pragma once

#include "lib/packet.h"

/* Where the header is built in scratch.header: the words of both families'
 * IP headers end at the same place, and all are aligned. */
#define HEADER_L4 56u
#define HEADER_IP6 (HEADER_L4 - IP6_LEN)
#define HEADER_IP4 (HEADER_L4 - IP4_LEN)

/* The segment at hand, like the one that it replaces, is IPv6. */
static __always_inline bool out_is_v6(const struct scratch *s)
{
	return addr_family(&s->out.t.src) == WEIR_IPV6;
}

/* Offset of the TCP header of a segment that weir makes: no IP options. */
static __always_inline u32 out_l4(const struct scratch *s)
{
	return ETH_LEN + (out_is_v6(s) ? IP6_LEN : IP4_LEN);
}

/*
 * Give the carrier room for `payload` bytes behind a header with options. Its own
 * IP options or extension headers are cut out: where a checksum is left to the
 * device (CHECKSUM_PARTIAL), the place of TCP in the buffer must stay.
 */
static __always_inline int emit_resize(struct __sk_buff *skb, struct scratch *s,
				       u32 opt_words, u32 payload)
{
	u32 l4 = out_l4(s);

	if (s->p.l4 > l4) {
		if (bpf_skb_adjust_room(skb, (int)l4 - s->p.l4, BPF_ADJ_ROOM_NET,
					BPF_F_ADJ_ROOM_FIXED_GSO))
			return -1;
		s->p.l4 = l4;
	}
	return bpf_skb_change_tail(skb, l4 + TCP_LEN + opt_words * 4 + payload, 0);
}

/* The payload that the carrier can hold: its device's MTU is its limit. */
static __always_inline u32 emit_room(struct __sk_buff *skb, bool v6)
{
	u32 mtu = 0;

	bpf_check_mtu(skb, 0, &mtu, 0, 0);
	return mtu - TCP_LEN - (v6 ? IP6_LEN : IP4_LEN);
}

static __always_inline void emit_eth(u8 *at, const struct weir_hop *hop, __be16 proto)
{
	struct ethhdr *eth = (struct ethhdr *)at;

	__builtin_memcpy(eth->h_dest, hop->dmac, 6);
	__builtin_memcpy(eth->h_source, hop->smac, 6);
	eth->h_proto = proto;
}

/* Ethernet and IPv4 headers in front of l4_len bytes. */
static __always_inline void emit_ip4(struct scratch *s, u32 l4_len, u8 protocol)
{
	struct iphdr *ip = (struct iphdr *)(s->header + HEADER_IP4);
	u32 *w = (u32 *)ip, sum, i;

	emit_eth(s->header + HEADER_IP4 - ETH_LEN, &s->out.hop, bpf_htons(ETH_P_IP));
	w[0] = bpf_htonl(0x45000000 | (IP4_LEN + l4_len));
	w[1] = bpf_htonl(0x4000); /* don't fragment */
	w[2] = bpf_htonl(64 << 24 | protocol << 16);
	w[3] = s->out.t.src.w[3];
	w[4] = s->out.t.dst.w[3];
	for (sum = 0, i = 0; i < 5; i++)
		sum = sum_add(sum, w[i]);
	ip->check = ~sum_fold(sum);
}

/* Flow label 0 (RFC 6437, 2), hop limit 64. */
static __always_inline void emit_ip6(struct scratch *s, u32 l4_len, u8 protocol)
{
	u32 *w = (u32 *)(s->header + HEADER_IP6), i;

	emit_eth(s->header + HEADER_IP6 - ETH_LEN, &s->out.hop, bpf_htons(ETH_P_IPV6));
	w[0] = bpf_htonl(0x60000000);
	w[1] = bpf_htonl(l4_len << 16 | protocol << 8 | 64);
	for (i = 0; i < 4; i++) {
		w[2 + i] = s->out.t.src.w[i];
		w[6 + i] = s->out.t.dst.w[i];
	}
}

/* Sum of the pseudo header. Mapped IPv4 addresses: the 0xffff mark adds nothing. */
static __always_inline u32 out_pseudo(const struct scratch *s, u32 l4_len, u8 protocol)
{
	u32 sum = bpf_htonl((u32)protocol << 16 | l4_len), i;

	for (i = 0; i < 4; i++) {
		sum = sum_add(sum, s->out.t.src.w[i]);
		sum = sum_add(sum, s->out.t.dst.w[i]);
	}
	return sum;
}

/*
 * Write the whole header from scratch.out. The payload, out.len bytes with the
 * sum out.sum, is in place. Returns 0, or -1 when the packet must be dropped.
 */
__noinline int emit_header(struct __sk_buff *skb)
{
	struct scratch *s = scratch_get();
	struct out *o;
	struct tcphdr *tcp;
	u32 sum, l4_len, pseudo, len = TCP_LEN, from;
	u32 *w, i;
	bool v6;

	if (!s)
		return -1;
	o = &s->out;
	v6 = out_is_v6(s);
	l4_len = TCP_LEN + o->opt_words * 4 + o->len;
	if (v6)
		emit_ip6(s, l4_len, IPPROTO_TCP);
	else
		emit_ip4(s, l4_len, IPPROTO_TCP);

	tcp = (struct tcphdr *)(s->header + HEADER_L4);
	w = (u32 *)tcp;
	w[0] = (u32)o->t.dport << 16 | o->t.sport;
	w[1] = bpf_htonl(o->seq);
	w[2] = bpf_htonl(o->ack);
	w[3] = bpf_htonl((TCP_LEN / 4 + o->opt_words) << 28 | o->flags << 16 | o->win);
	w[4] = 0;
	sum = o->sum;
	for (i = 0; i < 5; i++)
		sum = sum_add(sum, w[i]);
	if (o->opt_words) {
		for (i = 0; i < TCPOPT_SYN_WORDS; i++) {
			w[5 + i] = o->opt[i];
			sum = sum_add(sum, o->opt[i]);
		}
		len += TCPOPT_SYN_WORDS * 4;
	}
	pseudo = out_pseudo(s, l4_len, IPPROTO_TCP);
	if (packet_is_partial(skb, out_l4(s) + 16, false))
		tcp->check = sum_fold(pseudo);
	else
		tcp->check = ~sum_fold(sum_add(pseudo, sum));
	from = (v6 ? HEADER_IP6 : HEADER_IP4) - ETH_LEN;
	len += HEADER_L4 - from;
	pure_keep(from);
	if (from > HEADER_IP4 - ETH_LEN ||
	    !pure_range(&len, HEADER_ROOM - HEADER_IP4 + ETH_LEN))
		return -1;
	return bpf_skb_store_bytes(skb, 0, s->header + from, len, BPF_F_RECOMPUTE_CSUM)
		       ? -1
		       : 0;
}

/* A segment without payload from scratch.out, put in place of the carrier. */
static __always_inline int emit_control(struct __sk_buff *skb, struct scratch *s)
{
	s->out.len = 0;
	s->out.sum = 0;
	if (emit_resize(skb, s, s->out.opt_words, 0))
		return -1;
	return emit_header(skb);
}

/* Answer the sender of the packet at hand (scratch.p) with a bare segment. Returns a TC
 * action, or -1 when it is not sent. */
__noinline int emit_answer(struct __sk_buff *skb, u32 seq, u32 ack, u32 flags, u32 win)
{
	struct scratch *s = scratch_get();

	if (!s)
		return -1;
	tuple_reverse(&s->out.t, &s->p.t);
	hop_back(skb, &s->out.hop);
	s->out.seq = seq;
	s->out.ack = ack;
	s->out.flags = flags;
	s->out.win = win;
	s->out.opt_words = 0;
	if (emit_control(skb, s))
		return -1;
	return hop_leave(&s->out.hop);
}

/* RST for a packet without a connection (RFC 9293, 3.10.7.1). Returns like emit_answer();
 * a RST is not answered. */
static __always_inline int emit_reset(struct __sk_buff *skb, const struct pkt *p)
{
	if (p->flags & TCP_RST)
		return TC_ACT_SHOT;
	if (p->flags & TCP_ACK)
		return emit_answer(skb, p->ack, 0, TCP_RST, 0);
	return emit_answer(skb, 0, p->seq + packet_span(p), TCP_RST | TCP_ACK, 0);
}

/* Longest payload taken from a head buffer for one segment. */
#define EMIT_MAX WEIR_HEAD_SLACK

/* The first `n` bytes of the payload are a PROXY header for the client at hand. */
static __always_inline int emit_proxy(struct __sk_buff *skb, struct scratch *s, u32 n)
{
	bool v6 = n != PROXY_WORDS_V4 * 4;
	u32 i;

	proxy_write(s->proxy, &s->client, v6);
	for (i = 0; i < PROXY_WORDS_V6; i++)
		if (i < PROXY_WORDS_V4 || v6)
			s->out.sum = sum_add(s->out.sum, s->proxy[i]);
	return bpf_skb_store_bytes(skb, out_l4(s) + TCP_LEN, s->proxy,
				   v6 ? PROXY_WORDS_V6 * 4 : PROXY_WORDS_V4 * 4,
				   BPF_F_RECOMPUTE_CSUM);
}

/*
 * n bytes (1..EMIT_MAX) at `off` of a head buffer become the payload of a
 * segment made from scratch.out, behind a PROXY header of `proxy` bytes, or 0.
 * Returns 0, or -1 to drop.
 */
__noinline int emit_head(struct __sk_buff *skb, u32 slot, u32 off, u32 n, u32 proxy)
{
	struct scratch *s = scratch_get();
	struct weir_head *b = bpf_map_lookup_elem(&heads, &slot);

	if (!s || !b)
		return -1;
	if (!pure_range(&n, EMIT_MAX))
		return -1;
	s->out.opt_words = 0;
	s->out.len = n + proxy;
	if (emit_resize(skb, s, 0, n + proxy))
		return -1;
	s->out.sum = sum_head(b, off, n);
	if (proxy && emit_proxy(skb, s, proxy))
		return -1;
	if (!pure_range(&n, EMIT_MAX))
		return -1;
	if (bpf_skb_store_bytes(skb, out_l4(s) + TCP_LEN + proxy,
				&b->data[off & WEIR_HEAD_MASK], n,
				BPF_F_RECOMPUTE_CSUM))
		return -1;
	return emit_header(skb);
}

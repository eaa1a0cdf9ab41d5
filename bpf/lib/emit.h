/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Segments that weir makes. Each takes the place of the packet at hand, which
 * is only a carrier: whatever its bytes were, they are gone afterwards. Fill
 * scratch.out, put the payload in, write the header, redirect.
 */
#pragma once

#include "lib/packet.h"

struct header {
	struct ethhdr eth;
	struct iphdr ip;
	struct tcphdr tcp;
	u32 opt[TCPOPT_SYN_WORDS];
} __attribute__((packed));

/* Give the carrier room for `payload` bytes behind a header with options. */
static __always_inline int emit_resize(struct __sk_buff *skb, u32 opt_words,
				       u32 payload)
{
	return bpf_skb_change_tail(skb, OUT_L4 + TCP_LEN + opt_words * 4 + payload, 0);
}

/*
 * Write the whole header from scratch.out. The payload, out.len bytes with the
 * sum out.sum, is in place. Returns 0, or -1 when the packet must be dropped.
 */
__noinline int emit_header(struct __sk_buff *skb)
{
	struct scratch *s = scratch_get();
	struct out *o;
	struct header *h;
	u32 sum, l4_len, pseudo, len = ETH_LEN + IP4_LEN + TCP_LEN;
	u16 check;
	u32 *w, i;

	if (!s)
		return -1;
	o = &s->out;
	h = (struct header *)s->header;
	l4_len = TCP_LEN + o->opt_words * 4 + o->len;

	__builtin_memcpy(h->eth.h_dest, o->hop.dmac, 6);
	__builtin_memcpy(h->eth.h_source, o->hop.smac, 6);
	h->eth.h_proto = bpf_htons(ETH_P_IP);

	__builtin_memset(&h->ip, 0, sizeof(h->ip));
	h->ip.version = 4;
	h->ip.ihl = IP4_LEN / 4;
	h->ip.tot_len = bpf_htons(IP4_LEN + l4_len);
	h->ip.frag_off = bpf_htons(0x4000);
	h->ip.ttl = 64;
	h->ip.protocol = IPPROTO_TCP;
	h->ip.saddr = o->t.src.w[3];
	h->ip.daddr = o->t.dst.w[3];
	w = (u32 *)(s->header + ETH_LEN);
	for (sum = 0, i = 0; i < 5; i++)
		sum = sum_add(sum, w[i]);
	h->ip.check = ~sum_fold(sum);

	__builtin_memset(&h->tcp, 0, sizeof(h->tcp));
	h->tcp.source = o->t.sport;
	h->tcp.dest = o->t.dport;
	h->tcp.seq = bpf_htonl(o->seq);
	h->tcp.ack_seq = bpf_htonl(o->ack);
	h->tcp.doff = TCP_LEN / 4 + o->opt_words;
	((u8 *)&h->tcp)[13] = o->flags;
	h->tcp.window = bpf_htons(o->win);

	pseudo = sum_add(o->t.src.w[3], o->t.dst.w[3]);
	pseudo = sum_add(pseudo, bpf_htonl(IPPROTO_TCP << 16 | l4_len));
	sum = o->sum;
	w = (u32 *)(s->header + OUT_L4);
	for (i = 0; i < 5; i++)
		sum = sum_add(sum, w[i]);
	if (o->opt_words) {
		for (i = 0; i < TCPOPT_SYN_WORDS; i++) {
			h->opt[i] = o->opt[i];
			sum = sum_add(sum, o->opt[i]);
		}
		len += sizeof(h->opt);
	}
	if (packet_is_partial(skb, OUT_CHECK, false))
		check = sum_fold(pseudo);
	else
		check = ~sum_fold(sum_add(pseudo, sum));
	h->tcp.check = check;
	/* two sizes, each constant for the verifier */
	if (len == ETH_LEN + IP4_LEN + TCP_LEN)
		return bpf_skb_store_bytes(skb, 0, s->header,
					   ETH_LEN + IP4_LEN + TCP_LEN,
					   BPF_F_RECOMPUTE_CSUM)
			       ? -1
			       : 0;
	return bpf_skb_store_bytes(skb, 0, s->header, sizeof(struct header),
				   BPF_F_RECOMPUTE_CSUM)
		       ? -1
		       : 0;
}

/* A segment without payload from scratch.out, put in place of the carrier. */
static __always_inline int emit_control(struct __sk_buff *skb, struct scratch *s)
{
	s->out.len = 0;
	s->out.sum = 0;
	if (emit_resize(skb, s->out.opt_words, 0))
		return -1;
	return emit_header(skb);
}

/* Answer the sender of the packet at hand (scratch.p) with a bare segment. */
__noinline int emit_answer(struct __sk_buff *skb, u32 seq, u32 ack, u32 flags, u32 win)
{
	struct scratch *s = scratch_get();

	if (!s)
		return TC_ACT_SHOT;
	tuple_reverse(&s->out.t, &s->p.t);
	hop_back(skb, &s->out.hop);
	s->out.seq = seq;
	s->out.ack = ack;
	s->out.flags = flags;
	s->out.win = win;
	s->out.opt_words = 0;
	if (emit_control(skb, s))
		return TC_ACT_SHOT;
	return bpf_redirect(skb->ifindex, 0);
}

/* RST for a packet without a connection (RFC 9293, 3.10.7.1). */
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

/*
 * n bytes (1..EMIT_MAX) at `off` of a head buffer become the payload of a
 * segment made from scratch.out. Returns 0, or -1 to drop.
 */
__noinline int emit_head(struct __sk_buff *skb, u32 slot, u32 off, u32 n)
{
	struct scratch *s = scratch_get();
	struct weir_head *b = bpf_map_lookup_elem(&heads, &slot);

	if (!s || !b)
		return -1;
	if (!pure_range(&n, EMIT_MAX))
		return -1;
	s->out.opt_words = 0;
	s->out.len = n;
	if (emit_resize(skb, 0, n))
		return -1;
	s->out.sum = sum_head(b, off, n);
	if (!pure_range(&n, EMIT_MAX))
		return -1;
	if (bpf_skb_store_bytes(skb, OUT_L4 + TCP_LEN, &b->data[off & WEIR_HEAD_MASK],
				n, BPF_F_RECOMPUTE_CSUM))
		return -1;
	return emit_header(skb);
}

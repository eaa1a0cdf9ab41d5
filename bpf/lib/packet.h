/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Ethernet, IP and TCP headers -> struct pkt. Offsets come from ihl and doff. */
#pragma once

#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/tcp.h>

#include "lib/csum.h"

#define ETH_LEN 14u
#define IP4_LEN 20u
#define TCP_LEN 20u
/* Headers of the segments that weir makes: no IP options. */
#define OUT_L4 (ETH_LEN + IP4_LEN)
#define OUT_CHECK (OUT_L4 + 16)

/* Packet pointers of the parsed headers. Lost at every helper that may move
 * the packet. */
struct view {
	struct ethhdr *eth;
	struct iphdr *ip;
	struct tcphdr *tcp;
	void *end;
};

static __always_inline void addr_from_v4(struct weir_addr *a, __be32 v4)
{
	a->w[0] = 0;
	a->w[1] = 0;
	a->w[2] = bpf_htonl(0xffff);
	a->w[3] = v4;
}

static __always_inline u8 tcp_flags(const struct tcphdr *tcp)
{
	return ((const u8 *)tcp)[13];
}

#define PACKET_OURS (-1)

/* Returns PACKET_OURS and fills p and v, or the verdict to leave with. */
static __always_inline int packet_parse(struct __sk_buff *skb, struct pkt *p,
					struct view *v)
{
	void *data = (void *)(long)skb->data;
	void *end = (void *)(long)skb->data_end;
	u32 ihl, hl, total;

	v->eth = data;
	v->ip = data + ETH_LEN;
	if ((void *)(v->ip + 1) + TCP_LEN > end) {
		/* most drivers put the headers of TCP into the linear part, not all */
		if (skb->protocol != bpf_htons(ETH_P_IP) ||
		    skb->len < ETH_LEN + IP4_LEN + TCP_LEN ||
		    bpf_skb_pull_data(skb, ETH_LEN + IP4_LEN + TCP_LEN))
			return PASS(PASS_OTHER);
		data = (void *)(long)skb->data;
		end = (void *)(long)skb->data_end;
		v->eth = data;
		v->ip = data + ETH_LEN;
		if ((void *)(v->ip + 1) + TCP_LEN > end)
			return PASS(PASS_OTHER);
	}
	if (v->eth->h_proto != bpf_htons(ETH_P_IP) || v->ip->protocol != IPPROTO_TCP)
		return PASS(PASS_OTHER);
	if (v->ip->frag_off & bpf_htons(0x3fff))
		return PASS(PASS_FRAGMENT);
	ihl = v->ip->ihl * 4;
	v->tcp = (void *)v->ip + ihl;
	v->end = end;
	if (ihl < IP4_LEN || (void *)(v->tcp + 1) > end)
		return PASS(PASS_MALFORMED);
	hl = v->tcp->doff * 4;
	total = bpf_ntohs(v->ip->tot_len);
	/* a GSO packet over 64 KiB (BIG TCP) carries no length */
	if (!total)
		total = skb->len - ETH_LEN;
	if (hl < TCP_LEN || total < ihl + hl || total > skb->len - ETH_LEN)
		return PASS(PASS_MALFORMED);

	addr_from_v4(&p->t.src, v->ip->saddr);
	addr_from_v4(&p->t.dst, v->ip->daddr);
	p->t.sport = v->tcp->source;
	p->t.dport = v->tcp->dest;
	p->t.pad = 0;
	p->seq = bpf_ntohl(v->tcp->seq);
	p->ack = bpf_ntohl(v->tcp->ack_seq);
	p->win = bpf_ntohs(v->tcp->window);
	p->flags = tcp_flags(v->tcp) & 0x3f;
	p->l3 = ETH_LEN;
	p->l4 = ETH_LEN + ihl;
	p->hl = hl;
	p->len = total - ihl - hl;
	return PACKET_OURS;
}

/* Read the TCP options of scratch.p. Returns false when they are not there. */
static __always_inline bool packet_options(struct __sk_buff *skb, struct scratch *s,
					   struct tcpopt *o)
{
	u32 n = s->p.hl - TCP_LEN;

	if (n && (!pure_range(&n, TCPOPT_MAX) ||
		  bpf_skb_load_bytes(skb, s->p.l4 + TCP_LEN, s->opts.b, n)))
		return false;
	tcpopt_read(&s->opts, n, 536, o);
	return true;
}

/* Sequence numbers that the segment takes: SYN and FIN count (RFC 9293, 3.4). */
static __always_inline u32 packet_span(const struct pkt *p)
{
	return p->len + !!(p->flags & TCP_SYN) + !!(p->flags & TCP_FIN);
}

/* The way back to whoever sent this packet. */
static __always_inline void hop_back(struct __sk_buff *skb, struct weir_hop *hop)
{
	u8 mac[12];

	bpf_skb_load_bytes(skb, 0, mac, 12);
	__builtin_memcpy(hop->dmac, mac + 6, 6);
	__builtin_memcpy(hop->smac, mac, 6);
	hop->ifindex = skb->ifindex;
}

static __always_inline void tuple_reverse(struct weir_tuple *to,
					  const struct weir_tuple *from)
{
	to->src = from->dst;
	to->dst = from->src;
	to->sport = from->dport;
	to->dport = from->sport;
	to->pad = 0;
}

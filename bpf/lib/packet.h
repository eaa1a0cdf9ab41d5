/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Ethernet, IP and TCP headers -> struct pkt. Offsets come from ihl and doff. */
#pragma once

#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>

#include "lib/csum.h"

#define ETH_LEN 14u
#define IP4_LEN 20u
#define IP6_LEN 40u
#define TCP_LEN 20u

/* Packet pointers of the parsed headers. Lost at every helper that may move
 * the packet. */
struct view {
	struct ethhdr *eth;
	union {
		struct iphdr *ip;
		struct ipv6hdr *ip6;
	};
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

static __always_inline enum weir_family addr_family(const struct weir_addr *a)
{
	return !a->w[0] && !a->w[1] && a->w[2] == bpf_htonl(0xffff) ? WEIR_IPV4
								    : WEIR_IPV6;
}

static __always_inline u8 tcp_flags(const struct tcphdr *tcp)
{
	return ((const u8 *)tcp)[13];
}

#define PACKET_OURS (-1)

/* The first headers: an IPv6 one, or an IPv4 one and TCP. */
#define PACKET_LEAST (ETH_LEN + IP4_LEN + TCP_LEN)

/* IPv6 extension headers that are walked, and where TCP begins at the latest. */
#define EXTENSIONS 4
#define EXTENSIONS_END 200u

/*
 * Walk the extension headers of an IPv6 packet (RFC 8200, 4). Returns minus the
 * offset of the TCP header, or the verdict to leave with. An atomic fragment is
 * a whole packet (RFC 6946). With segments left of a routing header the address
 * in the header is not the last one, which TCP's checksum is made with.
 */
__noinline int packet_extensions(struct __sk_buff *skb)
{
	u32 off = ETH_LEN + IP6_LEN, i;
	u8 next = 0;

	if (bpf_skb_load_bytes(skb, ETH_LEN + 6, &next, 1))
		return PASS(PASS_MALFORMED);
	for (i = 0; i <= EXTENSIONS; i++) {
		u8 h[4];

		if (next == IPPROTO_TCP)
			return -(int)off;
		if (next != IPPROTO_HOPOPTS && next != IPPROTO_DSTOPTS &&
		    next != IPPROTO_ROUTING && next != IPPROTO_FRAGMENT)
			return PASS(PASS_OTHER);
		if (bpf_skb_load_bytes(skb, off, h, sizeof(h)))
			return PASS(PASS_MALFORMED);
		if (next == IPPROTO_ROUTING && h[3])
			return PASS(PASS_EXTENSION);
		if (next == IPPROTO_FRAGMENT && (h[2] || h[3] & 0xf9))
			return PASS(PASS_FRAGMENT);
		off += next == IPPROTO_FRAGMENT ? 8 : (h[1] + 1u) * 8;
		if (off > EXTENSIONS_END)
			break;
		next = h[0];
	}
	return PASS(PASS_EXTENSION);
}

/* Make the first n bytes of the packet linear: most drivers put the headers of
 * TCP there, not all. Packet pointers are made anew. */
static __always_inline bool packet_linear(struct __sk_buff *skb, struct view *v, u32 n)
{
	if (skb->len < n || bpf_skb_pull_data(skb, n))
		return false;
	v->eth = (void *)(long)skb->data;
	v->ip = (void *)v->eth + ETH_LEN;
	v->end = (void *)(long)skb->data_end;
	return (void *)v->eth + PACKET_LEAST <= v->end;
}

/* A pointer that keeps what is found out about it: made again from the same
 * offset it would be another one for the verifier. */
static __always_inline void *packet_at(const struct view *v, u32 off)
{
	void *at = (void *)v->eth + off;

	pure_keep(at);
	return at;
}

/* Returns 0, or the verdict. Tagged packets are those of a VLAN interface, which
 * gets them untagged from here; the kernel has taken the tag out of the frame. */
static __always_inline int packet_begin(struct __sk_buff *skb, struct view *v)
{
	if (skb->vlan_present)
		return PASS(PASS_VLAN);
	v->eth = (void *)(long)skb->data;
	v->ip = (void *)v->eth + ETH_LEN;
	v->end = (void *)(long)skb->data_end;
	if ((void *)v->eth + PACKET_LEAST <= v->end)
		return 0;
	if (skb->protocol != bpf_htons(ETH_P_IP) &&
	    skb->protocol != bpf_htons(ETH_P_IPV6))
		return PASS(PASS_OTHER);
	return packet_linear(skb, v, PACKET_LEAST) ? 0 : PASS(PASS_OTHER);
}

/* TCP at `l4` of a packet with `total` bytes from the IP header on, 0 when that
 * is not said: a GSO packet over 64 KiB (BIG TCP). All of p but the addresses. */
static __always_inline int packet_tcp(struct __sk_buff *skb, struct pkt *p,
				      struct view *v, u32 l4, u32 total)
{
	u32 hl;

	v->tcp = packet_at(v, l4);
	if ((void *)(v->tcp + 1) > v->end) {
		if (!packet_linear(skb, v, l4 + TCP_LEN))
			return PASS(PASS_MALFORMED);
		v->tcp = packet_at(v, l4);
		if ((void *)(v->tcp + 1) > v->end)
			return PASS(PASS_MALFORMED);
	}
	hl = v->tcp->doff * 4;
	if (!total)
		total = skb->len - ETH_LEN;
	if (hl < TCP_LEN || total + ETH_LEN < l4 + hl || total > skb->len - ETH_LEN)
		return PASS(PASS_MALFORMED);
	p->t.sport = v->tcp->source;
	p->t.dport = v->tcp->dest;
	p->t.pad = 0;
	p->seq = bpf_ntohl(v->tcp->seq);
	p->ack = bpf_ntohl(v->tcp->ack_seq);
	p->win = bpf_ntohs(v->tcp->window);
	p->flags = tcp_flags(v->tcp) & 0x3f;
	p->l4 = l4;
	p->hl = hl;
	p->checked = 0;
	p->len = total + ETH_LEN - l4 - hl;
	return PACKET_OURS;
}

/* Behind packet_begin(): an IPv4 packet. Returns PACKET_OURS and fills p and v, STEP_ICMP,
 * or the verdict to leave with. */
static __always_inline int packet_parse4(struct __sk_buff *skb, struct pkt *p,
					 struct view *v)
{
	u32 ihl;
	int r;

	if (v->ip->protocol != IPPROTO_TCP)
		return v->ip->protocol == IPPROTO_ICMP ? STEP_ICMP : PASS(PASS_OTHER);
	if (v->ip->frag_off & bpf_htons(0x3fff))
		return PASS(PASS_FRAGMENT);
	ihl = v->ip->ihl * 4;
	if (ihl < IP4_LEN)
		return PASS(PASS_MALFORMED);
	r = packet_tcp(skb, p, v, ETH_LEN + ihl, bpf_ntohs(v->ip->tot_len));
	if (r != PACKET_OURS)
		return r;
	addr_from_v4(&p->t.src, v->ip->saddr);
	addr_from_v4(&p->t.dst, v->ip->daddr);
	p->v6 = 0;
	return PACKET_OURS;
}

/* The same for an IPv6 packet. */
static __always_inline int packet_parse6(struct __sk_buff *skb, struct pkt *p,
					 struct view *v)
{
	u32 l4 = ETH_LEN + IP6_LEN, total;
	int r;

	if (v->ip6->nexthdr == IPPROTO_ICMPV6)
		return STEP_ICMP;
	if (v->ip6->nexthdr != IPPROTO_TCP) {
		r = packet_extensions(skb);
		if (r >= 0)
			return r;
		l4 = -r;
		pure_keep(l4);
		if (l4 < ETH_LEN + IP6_LEN || l4 > EXTENSIONS_END)
			return PASS(PASS_EXTENSION);
	}
	total = bpf_ntohs(v->ip6->payload_len);
	r = packet_tcp(skb, p, v, l4, total ? total + IP6_LEN : 0);
	if (r != PACKET_OURS)
		return r;
	__builtin_memcpy(&p->t.src, &v->ip6->saddr, sizeof(p->t.src));
	__builtin_memcpy(&p->t.dst, &v->ip6->daddr, sizeof(p->t.dst));
	p->v6 = 1;
	return PACKET_OURS;
}

/* Either. */
static __always_inline int packet_parse(struct __sk_buff *skb, struct pkt *p,
					struct view *v)
{
	int r = packet_begin(skb, v);

	if (r)
		return r;
	if (v->eth->h_proto == bpf_htons(ETH_P_IP))
		return packet_parse4(skb, p, v);
	if (v->eth->h_proto == bpf_htons(ETH_P_IPV6))
		return packet_parse6(skb, p, v);
	return PASS(PASS_OTHER);
}

/* Read the TCP options of scratch.p. Returns false when they are not there. */
static __always_inline bool packet_options(struct __sk_buff *skb, struct scratch *s,
					   struct tcpopt *o)
{
	u32 n = s->p.hl - TCP_LEN;

	if (n && (!pure_range(&n, TCPOPT_MAX) ||
		  bpf_skb_load_bytes(skb, s->p.l4 + TCP_LEN, s->opts.b, n)))
		return false;
	/* without the option: RFC 9293, 3.7.1 */
	tcpopt_read(&s->opts, n, s->p.v6 ? 1220 : 536, o);
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
	u32 ifindex = skb->ifindex;
	struct weir_attachment *at = bpf_map_lookup_elem(&attachments, &ifindex);
	u8 mac[12];

	bpf_skb_load_bytes(skb, 0, mac, 12);
	__builtin_memcpy(hop->dmac, mac + 6, 6);
	__builtin_memcpy(hop->smac, mac, 6);
	hop->ifindex = ifindex;
	hop->peer = at ? at->peer : 0;
}

/* The packet leaves that way: not through a veth's own queue and the next softirq
 * if it need not. Returns a TC action. */
static __always_inline int hop_leave(const struct weir_hop *hop)
{
	if (hop->peer)
		return bpf_redirect_peer(hop->ifindex, 0);
	return bpf_redirect(hop->ifindex, 0);
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

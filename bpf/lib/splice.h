/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The splice: a packet of a connected flow gets the other side's addresses,
 * ports, sequence numbers and window, and leaves. Its length never changes,
 * so GSO packets pass whole. Checksums are updated by difference only: a
 * packet that was bad stays bad (RFC 1624).
 */
#pragma once

#include "lib/flow.h"
#include "lib/packet.h"

/* What a packet becomes. */
struct turn {
	const struct weir_tuple *back; /* the receiver's packets: swapped, our header */
	const struct weir_hop *hop;
	u32 seq;
	u32 ack;
	u32 ack_add; /* for the SACK edges */
	u16 win;
};

/*
 * SACK edges at any offset (RFC 2018, RFC 2883: D-SACK edges below the ACK move
 * as well). Only reached when the usual NOP NOP SACK layout is not met, which
 * splice() handles by itself. Changes the packet and its checksum.
 */
__noinline int splice_sack_anywhere(struct __sk_buff *skb, u32 ack_add)
{
	struct scratch *s = scratch_get();
	struct tcpopt o;
	u32 i, at;

	if (!s || !packet_options(skb, s, &o))
		return -1;
	if (!o.sack_off)
		return 0;
	at = s->p.l4 + TCP_LEN + o.sack_off;
	for (i = 0; i < 8; i++) {
		u32 was, now, from, to;

		if (i >= o.sack_edges)
			break;
		if (bpf_skb_load_bytes(skb, at, &was, 4))
			return -1;
		now = bpf_htonl(bpf_ntohl(was) + ack_add);
		if (bpf_skb_store_bytes(skb, at, &now, 4, 0))
			return -1;
		from = was;
		to = now;
		/* at an odd offset each byte counts in the other half (RFC 1071, 2) */
		if (at & 1) {
			from = __builtin_bswap32(from);
			to = __builtin_bswap32(to);
			from = from << 16 | from >> 16;
			to = to << 16 | to >> 16;
		}
		bpf_l4_csum_replace(skb, s->p.l4 + 16, from, to, 4);
		at += 4;
	}
	return 0;
}

/* NOP NOP SACK length, then pairs of edges, all of it within the header: the
 * layout of every stack, and the only one that splice() moves by itself. */
static __always_inline bool splice_sack_plain(__be32 first, u32 hl)
{
	u32 len = bpf_ntohl(first) & 0xff;

	return (first & bpf_htonl(0xffffff00)) == bpf_htonl(0x01010500) && len >= 10 &&
	       len + 2 <= hl - TCP_LEN && !((len - 2) & 7);
}

/* Put an IPv6 address in the place of another: what that adds to the sum. */
static __always_inline u32 splice_addr(struct in6_addr *at, const struct weir_addr *to)
{
	__be32 *w = at->in6_u.u6_addr32;
	u32 sum = 0, i;

	for (i = 0; i < 4; i++) {
		sum = sum_add(sum, sum_diff(to->w[i], w[i]));
		w[i] = to->w[i];
	}
	return sum;
}

static __always_inline int splice(struct __sk_buff *skb, const struct pkt *p,
				  struct view *v, const struct turn *to)
{
	u32 pseudo, body, sum, ports;
	__be32 seq = bpf_htonl(to->seq);
	__be32 ack = bpf_htonl(to->ack);
	enum summed summed;

	if (p->v6) {
		pseudo = splice_addr(&v->ip6->saddr, &to->back->dst);
		pseudo = sum_add(pseudo, splice_addr(&v->ip6->daddr, &to->back->src));
	} else {
		pseudo = sum_diff(to->back->dst.w[3], v->ip->saddr);
		pseudo = sum_add(pseudo, sum_diff(to->back->src.w[3], v->ip->daddr));
		sum = sum_add((u16)~v->ip->check, pseudo);
		v->ip->saddr = to->back->dst.w[3];
		v->ip->daddr = to->back->src.w[3];
		v->ip->check = ~sum_fold(sum);
	}

	ports = (u32)to->back->sport << 16 | to->back->dport;
	body = sum_diff(ports, *(u32 *)&v->tcp->source);
	*(u32 *)&v->tcp->source = ports;
	body = sum_add(body, sum_diff(seq, v->tcp->seq));
	v->tcp->seq = seq;
	if (p->flags & TCP_ACK) {
		body = sum_add(body, sum_diff(ack, v->tcp->ack_seq));
		v->tcp->ack_seq = ack;
	}
	if (to->win != p->win) {
		__be16 win = bpf_htons(to->win);

		body = sum_add(body, sum_diff(win, v->tcp->window));
		v->tcp->window = win;
	}
	if (p->hl > TCP_LEN) {
		__be32 *opt = (void *)(v->tcp + 1);

		if ((void *)(opt + 1) <= v->end && splice_sack_plain(*opt, p->hl)) {
			u32 edges = ((bpf_ntohl(*opt) & 0xff) - 2) >> 2, i;

			/* unrolled: the verifier does not follow a moving packet
			 * pointer whose check the compiler has shifted */
#pragma unroll
			for (i = 0; i < 8; i++) {
				__be32 *edge = opt + 1 + i;
				__be32 was, now;

				if (i >= edges || (void *)(edge + 1) > v->end)
					break;
				was = *edge;
				now = bpf_htonl(bpf_ntohl(was) + to->ack_add);
				*edge = now;
				body = sum_add(body, sum_diff(now, was));
			}
		}
	}
	__builtin_memcpy(v->eth->h_dest, to->hop->dmac, 6);
	__builtin_memcpy(v->eth->h_source, to->hop->smac, 6);

	summed = packet_summed(skb);
	if (summed == SUMMED_PARTIAL) {
		v->tcp->check = sum_fold(sum_add(pseudo, v->tcp->check));
	} else if (summed == SUMMED_NONE || summed == SUMMED_UNNECESSARY) {
		sum = sum_add(sum_add(pseudo, body), (u16)~v->tcp->check);
		v->tcp->check = ~sum_fold(sum);
	} else {
		bpf_l4_csum_replace(skb, p->l4 + 16, 0, pseudo, BPF_F_PSEUDO_HDR);
		bpf_l4_csum_replace(skb, p->l4 + 16, 0, body, 0);
	}
	return hop_leave(to->hop);
}

/* Options that splice() cannot move in place by itself. Packet pointers are
 * lost when it returns true: parse again. */
static __always_inline bool splice_needs_options(const struct pkt *p, struct view *v)
{
	const __be32 *opt = (void *)(v->tcp + 1);
	u32 need = p->hl - TCP_LEN;

	if (p->hl == TCP_LEN)
		return false;
	/* all options in the linear part, and in the layout that splice() knows */
	if (need > TCPOPT_MAX || (void *)opt + need > v->end)
		return true;
	if ((void *)(opt + 1) > v->end)
		return true;
	return !splice_sack_plain(*opt, p->hl);
}

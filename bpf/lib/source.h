/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The way to an endpoint, and the address that the endpoint sees: one of the node's,
 * or the client's own where that is asked for. A client's address works as long as
 * the endpoint's answers come through an interface of ours; where that cannot be, the
 * node's is taken.
 */
#pragma once

#include "lib/packet.h"

#define AF_INET 2
#define AF_INET6 10

/* The same in each network namespace: clients on the node itself come in there. */
#define LOOPBACK_IFINDEX 1

/* Look up how packets of f->leg get to the endpoint: scratch.fib and scratch.way. */
__noinline int source_way(struct __sk_buff *skb, struct weir_flow *f)
{
	struct scratch *s = scratch_get();
	struct bpf_fib_lookup *fib;

	if (!s || !f)
		return -1;
	fib = &s->fib;
	__builtin_memset(fib, 0, sizeof(*fib));
	fib->l4_protocol = IPPROTO_TCP;
	if (addr_family(&f->leg.src) == WEIR_IPV6) {
		fib->family = AF_INET6;
		__builtin_memcpy(fib->ipv6_src, &f->leg.dst, sizeof(fib->ipv6_src));
		__builtin_memcpy(fib->ipv6_dst, &f->leg.src, sizeof(fib->ipv6_dst));
	} else {
		fib->family = AF_INET;
		fib->ipv4_src = f->leg.dst.w[3];
		fib->ipv4_dst = f->leg.src.w[3];
	}
	fib->ifindex = skb->ifindex;
	s->way = bpf_fib_lookup(skb, fib, sizeof(*fib), 0);
	return 0;
}

static __always_inline bool way_is_known(const struct scratch *s)
{
	return s->way == BPF_FIB_LKUP_RET_SUCCESS ||
	       s->way == BPF_FIB_LKUP_RET_NO_NEIGH;
}

/*
 * The way for f->leg, whose endpoint has just been chosen, and the client's address
 * in it where its group keeps that. Not for a client on the side of the endpoint, the endpoint
 * itself included: answers to its address would not come through us; nor for one on
 * this node, whose ports are the node's own.
 */
__noinline int source_choose(struct __sk_buff *skb, struct weir_flow *f)
{
	struct scratch *s = scratch_get();
	struct weir_addr node;

	if (!s || !f)
		return -1;
	if (!(f->flags & WEIR_FLOW_KEEPS_CLIENT))
		return source_way(skb, f);
	node = f->leg.dst;
	if (f->to_client.ifindex != LOOPBACK_IFINDEX) {
		f->leg.dst = s->client.src;
		if (source_way(skb, f))
			return -1;
		if (s->fib.ifindex != f->to_client.ifindex)
			return 0;
		f->leg.dst = node;
	}
	f->flags &= ~WEIR_FLOW_KEEPS_CLIENT;
	COUNT(KEEP_HAIRPIN);
	return source_way(skb, f);
}

/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The flow table: claiming, head slots, ageing, and finding the other half. */
#pragma once

#include "lib/scratch.h"
#include "lib/stats.h"
#include "pure/seq.h"

/*
 * A flow is changed by one CPU at a time. The fast path does not claim: it
 * reads the deltas of a spliced flow, which only change together with `state`.
 */
static __always_inline bool flow_claim(struct weir_flow *f)
{
	u32 i;

	for (i = 0; i < CLAIM_TRIES; i++)
		if (claim_try(&f->claim))
			return true;
	return false;
}

static __always_inline void flow_release(struct weir_flow *f)
{
	claim_give(&f->claim);
}

/* Write the time of the last packet about once a second: jiffies are inlined
 * by the verifier, the clock is a call. 256 jiffies are 0.25 to 2.56 s. */
static __always_inline void flow_seen(u64 *seen_ns, u32 *seen_jiffies)
{
	u32 now = (u32)bpf_jiffies64();

	if (now - *seen_jiffies < 256)
		return;
	*seen_jiffies = now;
	*seen_ns = bpf_ktime_get_ns();
}

static __always_inline struct weir_head *slot_of(struct weir_flow *f)
{
	u32 slot = f->slot;

	return slot == WEIR_NO_SLOT ? NULL : bpf_map_lookup_elem(&heads, &slot);
}

/* Flow claimed. Takes a slot when the flow has none. */
static __always_inline bool slot_take(struct weir_flow *f)
{
	u32 slot = WEIR_NO_SLOT;

	if (f->slot != WEIR_NO_SLOT)
		return true;
	if (f->spare != WEIR_NO_SLOT) {
		f->slot = f->spare;
		f->spare = WEIR_NO_SLOT;
		return true;
	}
	if (bpf_map_pop_elem(&head_free, &slot))
		return false;
	f->slot = slot;
	return true;
}

static __always_inline void slot_push(u32 slot)
{
	if (slot != WEIR_NO_SLOT)
		bpf_map_push_elem(&head_free, &slot, 0);
}

/* Flow claimed. What the slot holds is of no use any more; another head of the flow
 * may come. */
static __always_inline void slot_put(struct weir_flow *f)
{
	u32 slot = f->slot;

	f->slot = WEIR_NO_SLOT;
	if (slot < slots_stay && f->spare == WEIR_NO_SLOT)
		f->spare = slot;
	else
		slot_push(slot);
}

/* Flow claimed. There will be no other head. */
static __always_inline void slots_free(struct weir_flow *f)
{
	slot_push(f->slot);
	slot_push(f->spare);
	f->slot = WEIR_NO_SLOT;
	f->spare = WEIR_NO_SLOT;
}

/* The leg of a flow, if it still belongs to it. */
static __noinline struct weir_leg *flow_leg(const struct weir_flow *f,
					    const struct weir_tuple *client)
{
	/* on the stack: 6.1 takes no key from memory of a function's argument */
	struct weir_tuple key = f->leg;
	struct weir_leg *l = bpf_map_lookup_elem(&legs, &key);

	if (!l || l->client.sport != client->sport ||
	    l->client.src.d[0] != client->src.d[0] ||
	    l->client.src.d[1] != client->src.d[1] ||
	    l->client.dport != client->dport || l->client.dst.d[1] != client->dst.d[1])
		return NULL;
	return l;
}

/* The flow of a leg, if the leg is still the one it uses. */
static __noinline struct weir_flow *leg_flow(const struct weir_leg *l,
					     const struct weir_tuple *key)
{
	struct weir_tuple client = l->client;
	struct weir_flow *f = bpf_map_lookup_elem(&flows, &client);

	if (!f || f->leg.dport != key->dport || f->leg.sport != key->sport ||
	    f->leg.src.d[0] != key->src.d[0] || f->leg.src.d[1] != key->src.d[1] ||
	    f->leg.dst.d[0] != key->dst.d[0] || f->leg.dst.d[1] != key->dst.d[1])
		return NULL;
	return f;
}

/* A request of the flow goes to the endpoint, and stays in the buffer until that has
 * acknowledged it. Both are claimed. */
static __always_inline void leg_waits(const struct weir_flow *f, struct weir_leg *l)
{
	l->waits = WEIR_WAITS_ACK | WEIR_WAITS_ANSWER;
	if (f->slot >= slots_stay)
		l->waits |= WEIR_WAITS_GIVE;
}

/* The client's FIN, behind the byte before `end`, goes to the endpoint. */
static __always_inline void flow_fin_client(struct weir_flow *f, struct weir_leg *l,
					    u32 end)
{
	f->flags |= WEIR_FLOW_FIN_CLIENT;
	f->fin_seq = end;
	l->flags |= WEIR_LEG_FIN_CLIENT;
	if (f->flags & WEIR_FLOW_FIN_SERVER) {
		f->flags |= WEIR_FLOW_DONE;
		stats_end(f, l);
		if (!(l->waits & WEIR_WAITS_ACK))
			slots_free(f);
	}
}

/* Does the buffer take the client's next bytes (rather than being kept for the
 * endpoint's sake)? */
static __always_inline bool flow_collects(const struct weir_flow *f)
{
	return f->slot != WEIR_NO_SLOT &&
	       (f->state == WEIR_FLOW_HEAD || f->flags & WEIR_FLOW_PARTIAL);
}

/* The client's next byte that weir waits for. */
static __always_inline u32 flow_expects(const struct weir_flow *f)
{
	return flow_collects(f) ? f->head_end : f->next_req;
}

/* What the client takes, in bytes. */
static __always_inline u32 flow_client_window(const struct weir_flow *f)
{
	return (u32)f->client_win
	       << (f->wscale == WEIR_WSCALE_NONE ? 0 : f->wscale & 15);
}

/* What a client may send before an endpoint is connected, as a window field. A
 * little more than there is room for, since a window that is scaled loses its
 * last bytes: they would wait for the client's persist timer (RFC 9293, 3.8.6.1).
 * What does not fit is not taken and comes again. */
static __always_inline u32 head_window(const struct weir_flow *f, u32 used)
{
	u32 room = used < WEIR_HEAD_MAX ? WEIR_HEAD_MAX - used : 0;

	room += WEIR_HEAD_SLACK;
	return f->wscale == WEIR_WSCALE_NONE ? room : room >> WEIR_WSCALE;
}

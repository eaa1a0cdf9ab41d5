/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Following an endpoint's responses through the packets that carry them. No
 * packet waits for that: it is read as it passes. A packet that lies before
 * the next byte of framing is not looked at; one that overtakes framing, or
 * framing that is not understood, ends it (WEIR_RESPONSE_LOST) until a request
 * finds all that came before it acknowledged. The leg is claimed.
 */
#pragma once

#include "lib/body.h"
#include "pure/response.h"

/* Steps within one packet: heads in pieces, bodies, chunk framing. */
#define RESPONSE_STEPS 64

static __always_inline bool response_is_over(const struct weir_leg *l)
{
	return l->response.state == WEIR_RESPONSE_OVER &&
	       !seq_before(l->seq_max, l->response.next);
}

/* Does a packet whose payload ends before `end` hold framing, or the end of the
 * response at hand? */
static __always_inline bool response_concerns(const struct weir_leg *l, u32 end)
{
	const struct weir_response *r = &l->response;

	if (seq_before(r->next, end))
		return r->state <= WEIR_RESPONSE_READ;
	return r->next == end && r->state == WEIR_RESPONSE_OVER &&
	       l->answer.flags & WEIR_ASKED_OPEN;
}

/* Has the last response come that a request asked for? */
static __always_inline bool response_all_over(const struct weir_leg *l)
{
	return l->asked_first == l->asked_end && response_is_over(l);
}

/* Is every response of the leg over, and has the client, which acknowledges
 * `ack`, got it? When that cannot be known: has it got all so far? */
static __always_inline bool response_all_acked(const struct weir_leg *l, u32 ack)
{
	if (ack != l->seq_max + l->seq_add)
		return false;
	if (l->flags & WEIR_LEG_FIN_ENDPOINT)
		return true;
	if (l->response.state == WEIR_RESPONSE_LOST)
		return !(l->waits & WEIR_WAITS_ANSWER);
	return response_all_over(l);
}

/* Move on by the bytes of the body that are known, at most 1 GiB. */
static __always_inline void response_skip(struct weir_response *r)
{
	u32 step = r->left > BODY_STEP ? BODY_STEP : (u32)r->left;

	r->next += step;
	r->left -= step;
	r->bytes += step;
}

/* Is it a body that goes on at `next`? Nothing is read there. */
static __always_inline bool response_skips(const struct weir_response *r)
{
	return r->left &&
	       (r->state == WEIR_RESPONSE_BODY || r->state == WEIR_RESPONSE_CHUNKS);
}

static __always_inline void response_head(struct __sk_buff *skb, struct weir_leg *l,
					  u32 seq, u32 end, u32 off)
{
	struct scratch *s = scratch_get();
	struct weir_response *r = &l->response;
	u32 n = end - r->next, carried = r->carried, used, at;

	if (!s)
		return;
	if (n > RESPONSE_PIECE)
		n = RESPONSE_PIECE;
	if (carried > WEIR_RESPONSE_CARRY)
		carried = WEIR_RESPONSE_CARRY;
	__builtin_memcpy(s->text.data, r->carry, WEIR_RESPONSE_CARRY);
	at = carried & (WEIR_RESPONSE_CARRY * 2 - 1);
	if (!pure_range(&n, RESPONSE_PIECE) ||
	    bpf_skb_load_bytes(skb, off + (r->next - seq), s->text.data + at, n)) {
		r->state = WEIR_RESPONSE_LOST;
		return;
	}
	used = response_scan(&s->text, carried + n, r) - carried;
	r->next += used;
	r->bytes += used;
	if (r->state == WEIR_RESPONSE_HEAD || r->state == WEIR_RESPONSE_LOST)
		return;
	r->flags |= WEIR_RESPONSE_COUNT;
	if (r->state == WEIR_RESPONSE_BODY) {
		response_skip(r);
		if (!r->left)
			r->state = WEIR_RESPONSE_OVER;
	} else if (r->state == WEIR_RESPONSE_CHUNKS) {
		r->left = 0;
		r->chunk_size = 0;
		r->chunk_step = CHUNK_SIZE_FIRST;
	}
}

static __noinline void response_chunks(struct __sk_buff *skb, struct weir_leg *l,
				       u32 seq, u32 end, u32 off)
{
	struct weir_response *r = &l->response;
	struct body_walk b = {.skb = skb};

	if (r->left) {
		response_skip(r);
		return;
	}
	b.c.size = r->chunk_size;
	b.c.step = r->chunk_step;
	b.seq = r->next;
	b.end = end;
	b.off = off + (r->next - seq);
	bpf_loop(BODY_READS, body_read, &b, 0);
	r->bytes += b.seq - r->next;
	r->next = b.seq;
	r->left = b.left;
	r->chunk_size = b.c.size;
	r->chunk_step = b.c.step;
	if (b.c.step == CHUNK_DONE)
		r->state = WEIR_RESPONSE_OVER;
	else if (b.c.step == CHUNK_BAD)
		r->state = WEIR_RESPONSE_LOST;
}

/* One step at `next`. Returns 1 when nothing is left to read in the packet. */
__noinline int response_one(struct __sk_buff *skb, struct weir_leg *l, u32 seq, u32 end,
			    u32 off)
{
	struct weir_response *r;

	if (!l)
		return 1;
	r = &l->response;
	if (!seq_before(r->next, end))
		return 1;
	if (seq_before(r->next, seq) && !response_skips(r)) {
		r->state = WEIR_RESPONSE_LOST;
		return 1;
	}
	switch (r->state) {
	case WEIR_RESPONSE_OVER:
		if (l->answer.flags & WEIR_ASKED_OPEN)
			stats_answer(l, 1, 0);
		/* bytes that nobody asked for are no response */
		if (!asked_take(l)) {
			r->state = WEIR_RESPONSE_LOST;
			return 1;
		}
		response_head(skb, l, seq, end, off);
		return 0;
	case WEIR_RESPONSE_INTERIM:
		stats_answer(l, 0, 0);
		response_begin(l);
		return 0;
	case WEIR_RESPONSE_HEAD:
		response_head(skb, l, seq, end, off);
		return 0;
	case WEIR_RESPONSE_BODY:
		response_skip(r);
		if (!r->left)
			r->state = WEIR_RESPONSE_OVER;
		return 0;
	case WEIR_RESPONSE_CHUNKS:
		response_chunks(skb, l, seq, end, off);
		return 0;
	}
	return 1;
}

/* The payload of an endpoint's packet goes to the client. */
static __always_inline void response_read(struct __sk_buff *skb, struct weir_leg *l,
					  const struct pkt *p)
{
	struct weir_response *r = &l->response;
	u32 seq = p->seq, end = seq + p->len, off = p->l4 + p->hl, i;
	bool over;

	l->waits &= ~WEIR_WAITS_ANSWER;
	if (r->state <= WEIR_RESPONSE_READ && seq_before(r->next, end)) {
		for (i = 0; i < RESPONSE_STEPS; i++)
			if (response_one(skb, l, seq, end, off))
				break;
		if (i == RESPONSE_STEPS)
			r->state = WEIR_RESPONSE_LOST;
	}
	if (seq_before(l->seq_max, end))
		l->seq_max = end;
	over = l->answer.flags & WEIR_ASKED_OPEN && response_is_over(l);
	if (over || r->flags & WEIR_RESPONSE_COUNT)
		stats_answer(l, over, 1);
}

/* What keeps a packet of a spliced leg from going on at once. */
static __always_inline bool response_turns(const struct weir_leg *l,
					   const struct pkt *p)
{
	return l->waits & WEIR_WAITS_ACK || (p->len && l->waits) ||
	       response_concerns(l, p->seq + p->len);
}

/*
 * The packet is the acknowledgement of a request or has something of a response; the
 * flow is left alone, unless it is `known` (and claimed). Returns 1 when the packet may
 * go on, 0 when the flow is needed or the leg cannot be claimed. Moves nothing in the
 * packet.
 */
__noinline int response_pass(struct __sk_buff *skb, struct weir_leg *l,
			     const struct pkt *p, u32 known)
{
	if (!l || !p)
		return 0;
	if (!leg_claim(l))
		return 0;
	if (l->waits & WEIR_WAITS_ACK && !known) {
		if (l->waits & WEIR_WAITS_GIVE || seq_before(p->ack, l->kept_ack) ||
		    l->flags & (WEIR_LEG_FIN_CLIENT | WEIR_LEG_FIN_ENDPOINT)) {
			leg_release(l);
			return 0;
		}
		if (seq_before(l->ack_max, p->ack))
			l->ack_max = p->ack;
		l->waits &= ~WEIR_WAITS_ACK;
	}
	if (p->len)
		response_read(skb, l, p);
	leg_release(l);
	return 1;
}

/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Following a chunked body through the packets that carry it. The framing is
 * read where it stands, the data is skipped by number, nothing is kept: the
 * state between two packets is a few bytes of the flow.
 */
#pragma once

#include "lib/flow.h"
#include "lib/packet.h"
#include "pure/chunk.h"

/* A body is followed in steps, so that 32-bit numbers do for any length. */
#define BODY_STEP (1u << 30)

/* Bytes of framing read in one packet. What is behind them is not sent on and
 * comes again, so that a packet of tiny chunks cannot hold up the CPU. */
#define BODY_READS 4096

struct body_walk {
	struct __sk_buff *skb;
	struct chunk c;
	u64 left; /* data bytes beyond `seq` */
	u32 seq;
	u32 end;
	u32 off; /* of the byte `seq` in the packet */
};

static long body_read(u32 i, void *ctx)
{
	struct body_walk *w = ctx;
	u32 step;
	u64 skip;
	u8 byte;

	if (!seq_before(w->seq, w->end))
		return 1;
	if (bpf_skb_load_bytes(w->skb, w->off, &byte, 1))
		return 1;
	skip = chunk_take(&w->c, byte);
	step = skip > BODY_STEP ? BODY_STEP : (u32)skip;
	w->left = skip - step;
	w->seq += 1 + step;
	w->off += 1 + step;
	return w->c.step >= CHUNK_DONE;
}

/*
 * Read the framing in the packet at hand from next_req on, which is not before
 * the packet's first byte, and move next_req to the next byte that matters.
 * Returns 0, or -1 when the framing is broken.
 */
__noinline int body_scan(struct __sk_buff *skb, struct weir_flow *f)
{
	struct scratch *s = scratch_get();
	struct body_walk w = {.skb = skb};

	if (!s || !f)
		return -1;
	w.c.size = f->chunk_size;
	w.c.step = f->chunk_step;
	w.seq = f->next_req;
	w.end = s->p.seq + s->p.len;
	w.off = s->p.l4 + s->p.hl + (f->next_req - s->p.seq);
	bpf_loop(BODY_READS, body_read, &w, 0);
	f->next_req = w.seq;
	f->body_left = w.left;
	f->chunk_size = w.c.size;
	f->chunk_step = w.c.step;
	if (w.c.step == CHUNK_BAD)
		return -1;
	if (w.c.step == CHUNK_DONE)
		f->flags &= ~WEIR_FLOW_CHUNKED;
	return 0;
}

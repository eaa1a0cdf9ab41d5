/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Sequence numbers are compared modulo 2^32 (RFC 9293, 3.4).
 *
 * The numbers of a spliced connection, for reference:
 *
 *	client   C0 ........ head_seq ... head_end ... next_req
 *	                        | seq_add = S0 + 1 - head_seq
 *	endpoint               S0+1 ...
 *
 *	weir     W0+1 ..... srv_nxt ....        (what the client has from us)
 *	                        | ack_add = (B0 + 1) - srv_nxt
 *	endpoint               B0+1 ...
 *
 * C0 is the client's ISN, W0 our cookie, S0 our ISN towards the endpoint and
 * B0 the endpoint's. A packet of the client's gets seq += flow.seq_add and
 * ack += flow.ack_add; one of the endpoint's gets the negatives.
 */
#pragma once

#include "pure/seam.h"

static inline s32 seq_diff(u32 a, u32 b)
{
	return (s32)(a - b);
}

static inline bool seq_before(u32 a, u32 b)
{
	return (s32)(a - b) < 0;
}

/* The window field that means `win << from` bytes with the shift `to`, never
 * more than that many bytes (RFC 7323, 2.3). Shifts are 0..14. */
static inline u16 window_rescale(u16 win, u8 from, u8 to)
{
	u32 bytes = (u32)win << (from & 15);

	bytes >>= to & 15;
	return bytes > 0xffff ? 0xffff : bytes;
}

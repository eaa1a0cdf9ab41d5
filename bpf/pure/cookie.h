/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * SYN cookies: the sequence number of our SYN-ACK carries all that the later
 * SYN to an endpoint needs, so that a SYN costs no memory (RFC 4987, 3.6).
 *
 *	31           20 19            8 7            0
 *	| mac of tuple | mac with ISN  | options      |
 *
 * The options byte (MSS class, window scale, SACK) is masked with the top
 * byte. Both macs must match to make a flow. The first alone, which does not
 * depend on the client's ISN, tells a later segment of a handshake that is
 * still under way (dropped, the first one will come) from a stranger (reset).
 */
#pragma once

#include <weir/config.h>
#include <weir/flow.h>

#include "pure/seam.h"

/* Time runs in slots of 2^36 ns = 68.7 s; the present and the one before are
 * accepted, so a cookie lives for at least 68 s and at most 137 s. */
#define COOKIE_SLOT_SHIFT 36

struct cookie_opts {
	u16 mss;   /* largest class not above the client's, payload bytes */
	u8 wscale; /* 0..14, or WEIR_WSCALE_NONE */
	bool sack;
};

enum cookie_result {
	COOKIE_VALID = 1,
	COOKIE_EARLY, /* of a handshake of ours, but not its first segment */
	COOKIE_INVALID,
};

PURE u64 siphash(const u64 key[2], const u64 *words, u32 count);

/* The ISN of the SYN-ACK for a SYN with `isn` from `t` at `now_ns`. */
PURE u32 cookie_make(const struct weir_cookie_keys *keys, const struct weir_tuple *t,
		     u32 isn, u64 now_ns, const struct cookie_opts *o);

/* Judge `cookie` (ack - 1) of a segment whose first byte is isn + 1. */
PURE enum cookie_result cookie_check(const struct weir_cookie_keys *keys,
				     const struct weir_tuple *t, u32 isn, u32 cookie,
				     u64 now_ns, struct cookie_opts *o);

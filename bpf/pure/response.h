/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The head of an HTTP/1 response: where does its body end (RFC 9112, 6.3)?
 * Resumable at every byte, so that no packet waits: the start of a line that is
 * cut is carried in struct weir_response. Content-Length and Transfer-Encoding
 * matter, other lines are skipped by words.
 *
 * Tolerant where that is without danger: a bare LF ends a line. What is not
 * understood is RESPONSE_LOST, never a guess.
 */
#pragma once

#include <weir/flow.h>

#include "pure/seam.h"

#define RESPONSE_PIECE 512u /* new bytes in one scan */
#define RESPONSE_MASK 1023u

/* State of the loops, of no use outside: the verifier follows each value of what is
 * on the stack, and knows nothing of what is in map memory (see head.h). */
struct response_work {
	u64 number;
	u32 at;	  /* where the search for the end of the line stands */
	u32 line; /* its start */
	u32 end;
	u32 digit, stop; /* within a Content-Length */
	u32 digits;
};

/* The carried bytes, then new ones. Bytes behind them have no influence. */
struct response_text {
	u8 data[RESPONSE_MASK + 1 + 8];
	struct response_work work;
};

/*
 * Read the first `len` bytes, of which the first r->carried are r->carry (at most
 * WEIR_RESPONSE_CARRY + RESPONSE_PIECE); r->state is RESPONSE_HEAD. Returns the
 * bytes used: up to behind the empty line with another state, else all of them.
 */
PURE_GLOBAL int response_scan(struct response_text *t, u32 len,
			      struct weir_response *r);

/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Eight bytes at a time. A word holds bytes in memory order, the first one
 * lowest (little endian). A mark is 0x80 in each byte for which something
 * holds. "Lowest exact": the lowest mark is right and no mark is missing below
 * it; marks above it may be wrong. BPF has no count-trailing-zeros.
 */
#pragma once

#include <weir/flow.h>

#include "pure/seam.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "words are little endian");

/* A helper of one file: inlined in BPF. */
#ifdef __bpf__
#define PURE_LOCAL static __always_inline
#define PURE_APART static __noinline
#else
#define PURE_LOCAL static inline
#define PURE_APART static __attribute__((noinline))
#endif

#define WORD_ONES 0x0101010101010101ULL
#define WORD_HIGH 0x8080808080808080ULL
#define WORD_LOW7 0x7f7f7f7f7f7f7f7fULL
#define WORD_CASE 0x2020202020202020ULL

#ifdef __bpf__
/* clang would split a packed access into bytes: maps allow unaligned words. */
PURE_LOCAL u64 word_get(const void *p)
{
	return *(const u64 *)p;
}

PURE_LOCAL void word_put(void *p, u64 w)
{
	*(u64 *)p = w;
}
#else
PURE_LOCAL u64 word_get(const void *p)
{
	u64 w;

	memcpy(&w, p, sizeof(w));
	return w;
}

PURE_LOCAL void word_put(void *p, u64 w)
{
	memcpy(p, &w, sizeof(w));
}
#endif

/* A buffer offset is masked; the slack makes the word readable. */
PURE_LOCAL u64 head_word(const struct weir_head *b, u32 off)
{
	return word_get(b->data + (off & WEIR_HEAD_MASK));
}

PURE_LOCAL u32 head_byte(const struct weir_head *b, u32 off)
{
	return b->data[off & WEIR_HEAD_MASK];
}

/* The index, 0..7, of the lowest mark; m is not 0. */
PURE_LOCAL u32 word_index(u64 m)
{
	u64 below = (m - 1) & ~m;

	return (((below >> 7) & WORD_ONES) * WORD_ONES) >> 56;
}

/* All bits of the bytes below the lowest mark (and 7 of its own byte). */
PURE_LOCAL u64 word_below(u64 m)
{
	return (m - 1) & ~m;
}

/* Marks zero bytes, lowest exact. */
PURE_LOCAL u64 word_zero(u64 w)
{
	return (w - WORD_ONES) & ~w & WORD_HIGH;
}

/* Marks bytes equal to c, lowest exact. */
PURE_LOCAL u64 word_is(u64 w, u64 c)
{
	return word_zero(w ^ (c * WORD_ONES));
}

/* Marks bytes equal to c (below 0x80), all exact. */
PURE_LOCAL u64 word_is_exact(u64 w, u64 c)
{
	u64 x = w ^ (c * WORD_ONES);

	return ~(((x & WORD_LOW7) + WORD_LOW7) | x) & WORD_HIGH;
}

/* Marks bytes below n (n <= 0x7f) and DEL, all exact. */
PURE_LOCAL u64 word_control(u64 w, u64 n)
{
	u64 x = w & WORD_LOW7;

	return (~(x + (0x80 - n) * WORD_ONES) | (x + WORD_ONES)) & ~w & WORD_HIGH;
}

/* Marks what is neither a letter nor "-", all exact. */
PURE_LOCAL u64 word_not_name(u64 w)
{
	u64 x = w & WORD_LOW7, y = x | WORD_CASE;

	return (((~(y + (0x80 - 'a') * WORD_ONES) |
		  (y + (0x80 - 'z' - 1) * WORD_ONES)) &
		 ((x ^ '-' * WORD_ONES) + WORD_LOW7)) |
		w) &
	       WORD_HIGH;
}

/* Marks ASCII letters, all exact. */
PURE_LOCAL u64 word_letters(u64 w)
{
	u64 x = (w & WORD_LOW7) | WORD_CASE;

	return (x + (0x80 - 'a') * WORD_ONES) & ~(x + (0x80 - 'z' - 1) * WORD_ONES) &
	       ~w & WORD_HIGH;
}

/* Marks bytes lo..hi (both below 0x80), all exact. */
PURE_LOCAL u64 word_range(u64 w, u64 lo, u64 hi)
{
	u64 x = w & WORD_LOW7;

	return (x + (0x80 - lo) * WORD_ONES) & ~(x + (0x80 - hi - 1) * WORD_ONES) & ~w &
	       WORD_HIGH;
}

/* ASCII lower case; other bytes stay. */
PURE_LOCAL u64 word_lower(u64 w)
{
	return w | ((word_range(w, 'A', 'Z')) >> 2);
}

/* Without a branch: the verifier would follow both sides in every step. */
PURE_LOCAL u32 byte_lower(u32 c)
{
	u32 x = c - 'A';

	return c | ((~x & (x - 26)) >> 31) << 5;
}

/* Up to eight letters as the word that memory would hold. */
#define W1(a) ((u64)(a))
#define W4(a, b, c, d) (W1(a) | W1(b) << 8 | W1(c) << 16 | W1(d) << 24)
#define W8(a, b, c, d, e, f, g, h) (W4(a, b, c, d) | W4(e, f, g, h) << 32)
#define WORD_FIRST(n) (~0ULL >> (64 - 8 * (n))) /* mask of n bytes, 1..8 */

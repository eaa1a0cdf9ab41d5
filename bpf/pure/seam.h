/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The seam between the two homes of bpf/pure: the same .c files are included
 * by the BPF programs and compiled natively for tests, fuzzers and `weir
 * explain`. Nothing in this room calls a helper, reads a map or sees an skb.
 *
 *	PURE		a function inlined in BPF, an ordinary one natively
 *	PURE_GLOBAL	a function that the verifier checks once, by itself
 *	pure_loop	call fn(i, ctx) for i = 0..n-1 until it returns 1
 *	pure_range	is *n within 1..max? In the form n - 1 < max, with *n made
 *			anew from it: 6.1 learns nothing from n != 0
 *	pure_keep	keep the range check of an integer where it stands: clang
 *			may drop or rewrite a test that it can prove and that
 *			the verifier cannot (seen with clang 14, kernels 6.1-6.18)
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <weir/types.h>

#ifdef __bpf__

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#define PURE static __always_inline
#define PURE_GLOBAL __noinline
#define pure_loop(n, fn, ctx) bpf_loop(n, fn, ctx, 0)
#define pure_keep(x) asm volatile("" : "+r"(x))

static __always_inline bool pure_range(u32 *n, u32 max)
{
	u32 less = *n - 1;

	pure_keep(less);
	if (less >= max)
		return false;
	*n = less + 1;
	return true;
}

#else

#include <string.h>

#define PURE
#define PURE_GLOBAL
#define pure_keep(x) ((void)(x))

static inline long pure_loop(u32 n, long (*fn)(u32 i, void *ctx), void *ctx)
{
	u32 i;

	for (i = 0; i < n; i++)
		if (fn(i, ctx))
			return i + 1;
	return n;
}

static inline bool pure_range(u32 *n, u32 max)
{
	return *n >= 1 && *n <= max;
}

#endif

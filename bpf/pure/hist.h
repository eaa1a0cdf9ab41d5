/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The bucket of a duration in a log2 histogram (weir/stats.h). */
#pragma once

#include <weir/stats.h>

#include "pure/seam.h"

/* floor(log2(us)), at most the last bucket. Branches by halves: BPF has no
 * count-leading-zeros. */
static inline u32 hist_bucket(u64 us)
{
	u32 v = us >> 32 ? 0xffffffff : (u32)us, i = 0;

	if (v >> 16) {
		v >>= 16;
		i += 16;
	}
	if (v >> 8) {
		v >>= 8;
		i += 8;
	}
	if (v >> 4) {
		v >>= 4;
		i += 4;
	}
	if (v >> 2) {
		v >>= 2;
		i += 2;
	}
	i += v >> 1;
	return i < WEIR_HIST_BUCKETS ? i : WEIR_HIST_BUCKETS - 1;
}

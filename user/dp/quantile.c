/* SPDX-License-Identifier: BSD-2-Clause */
#include "dp/quantile.h"

double quantile_us(const u64 bucket[WEIR_HIST_BUCKETS], double share)
{
	double all = 0, below = 0;
	unsigned int i;

	for (i = 0; i < WEIR_HIST_BUCKETS; i++)
		all += bucket[i];
	for (i = 0; i < WEIR_HIST_BUCKETS; i++) {
		double from = i ? 1u << i : 0, to = 2u << i;

		if (bucket[i] && below + bucket[i] >= share * all)
			return from + (to - from) * (share * all - below) / bucket[i];
		below += bucket[i];
	}
	return 0;
}

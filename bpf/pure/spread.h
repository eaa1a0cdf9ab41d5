/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Where a client stands among the slots of a group that goes by clients. */
#pragma once

#include <weir/types.h>

#include "pure/seam.h"

/* Every bit of the address counts everywhere, so that neighbours stand far apart: two
 * rounds of multiplying and folding. The same on every node. */
static inline u32 spread_addr(const struct weir_addr *a)
{
	u64 x = (a->d[0] ^ a->d[0] >> 32) * 0x9e3779b97f4a7c15ull ^ a->d[1];

	x = (x ^ x >> 33) * 0xff51afd7ed558ccdull;
	x = (x ^ x >> 33) * 0xc4ceb9fe1a85ec53ull;
	return (u32)(x >> 32);
}

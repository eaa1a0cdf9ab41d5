/* SPDX-License-Identifier: BSD-2-Clause */
/* First contents of maps. */
#pragma once

#include "base/err.h"

struct dp;

/* Fills the maps that this process made (dp->fresh): free head slots, fixed
 * replies, settings, cookie keys, names of the counters. Adopted ones are left
 * as they are: their head slots and keys are in use. */
int dp_init_maps(struct dp *dp, struct err *err);

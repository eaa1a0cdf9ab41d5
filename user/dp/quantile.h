/* SPDX-License-Identifier: BSD-2-Clause */
/* Quantiles of the histograms of include/weir/stats.h. */
#pragma once

#include <weir/stats.h>

/* The time below which `share` (0..1) of the counted ones stay, in microseconds, as
 * if those of a bucket were spread evenly over it. 0 when nothing was counted. */
double quantile_us(const u64 bucket[WEIR_HIST_BUCKETS], double share);

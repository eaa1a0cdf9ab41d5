/* SPDX-License-Identifier: BSD-2-Clause */
/* The counters, summed over all CPUs. */
#pragma once

#include <stdint.h>

#include <weir/outcome.h>

#include "base/err.h"

struct dp;

struct counters {
	uint64_t value[WEIR_OUTCOME_COUNT];
};

extern const char *const outcome_names[WEIR_OUTCOME_COUNT];
extern const char *const outcome_texts[WEIR_OUTCOME_COUNT];

int counters_read(const struct dp *dp, struct counters *out, struct err *err);

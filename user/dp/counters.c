/* SPDX-License-Identifier: BSD-2-Clause */
#include "dp/counters.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/mem.h"
#include "dp/dp.h"

#define OUTCOME_NAME(id, name, text) name,
const char *const outcome_names[WEIR_OUTCOME_COUNT] = {WEIR_OUTCOMES(OUTCOME_NAME)};
#undef OUTCOME_NAME

#define OUTCOME_TEXT(id, name, text) text,
const char *const outcome_texts[WEIR_OUTCOME_COUNT] = {WEIR_OUTCOMES(OUTCOME_TEXT)};
#undef OUTCOME_TEXT

int counters_read(const struct dp *dp, struct counters *out, struct err *err)
{
	int cpus = libbpf_num_possible_cpus();
	auto_free uint64_t *per_cpu = cpus > 0 ? calloc(cpus, sizeof(*per_cpu)) : NULL;
	struct counters sum = {};
	uint32_t i;
	int c;

	if (!per_cpu)
		return err_set(err, cpus < 0 ? cpus : -ENOMEM,
			       "counters cannot be read");
	for (i = 0; i < WEIR_OUTCOME_COUNT; i++) {
		/* A data path of an older weir may have fewer. */
		if (bpf_map_lookup_elem(dp->map[DP_MAP_counters], &i, per_cpu)) {
			if (errno == ENOENT)
				break;
			return err_set(err, -errno, "map counters: %s",
				       strerror(errno));
		}
		for (c = 0; c < cpus; c++)
			sum.value[i] += per_cpu[c];
	}
	*out = sum;
	return 0;
}

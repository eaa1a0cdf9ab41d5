/* SPDX-License-Identifier: BSD-2-Clause */
#include "dp/init.h"

#include <errno.h>
#include <string.h>

#include <bpf/bpf.h>

#include <weir/outcome.h>

#include "base/netns.h"
#include "dp/cookies.h"
#include "dp/dp.h"
#include "dp/replies.h"

static int init_head_free(const struct dp *dp, struct err *err)
{
	uint32_t slot;

	/* The lowest on top: few connections touch few buffers. */
	for (slot = WEIR_HEAD_SLOTS; slot-- > 0;)
		if (bpf_map_update_elem(dp->map[DP_MAP_head_free], NULL, &slot,
					BPF_ANY))
			return err_set(err, -errno, "map head_free: %s",
				       strerror(errno));
	return 0;
}

#define NAME_ROW(id, name, text) {name, text},
static const struct weir_counter_name names[] = {WEIR_OUTCOMES(NAME_ROW)};
#undef NAME_ROW

static int init_counter_names(const struct dp *dp, struct err *err)
{
	uint32_t i;

	for (i = 0; i < WEIR_OUTCOME_COUNT; i++)
		if (bpf_map_update_elem(dp->map[DP_MAP_counter_names], &i, &names[i],
					BPF_ANY))
			return err_set(err, -errno, "map counter_names: %s",
				       strerror(errno));
	return 0;
}

static int init_settings(const struct dp *dp, struct err *err)
{
	struct weir_settings s = {
		.abi = WEIR_ABI,
		.port_lo = WEIR_PORT_LO,
		.port_hi = WEIR_PORT_HI,
		.head_timeout_s = 60,
		.table_bytes = dp->table_bytes,
		.netns = netns_inode(),
		.layout = dp->layout,
		.applied = "nothing applied yet",
	};

	return dp_settings_write(dp, &s, err);
}

int dp_init_maps(struct dp *dp, struct err *err)
{
	int r = 0;

	if (dp->fresh[DP_MAP_head_free])
		r = init_head_free(dp, err);
	if (!r && dp->fresh[DP_MAP_settings])
		r = init_settings(dp, err);
	if (!r && dp->fresh[DP_MAP_cookie_keys])
		r = cookies_init(dp, dp->isn, err);
	if (!r && dp->fresh[DP_MAP_counter_names])
		r = init_counter_names(dp, err);
	/* Also when adopted: the texts may be newer than what made the maps. */
	if (!r)
		r = replies_write_fixed(dp, err);
	return r;
}

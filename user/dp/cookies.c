/* SPDX-License-Identifier: BSD-2-Clause */
#include "dp/cookies.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include <bpf/bpf.h>

#include "dp/dp.h"

static int write_keys(const struct dp *dp, const struct weir_cookie_keys *keys,
		      struct err *err)
{
	uint32_t zero = 0;

	if (bpf_map_update_elem(dp->map[DP_MAP_cookie_keys], &zero, keys, BPF_ANY))
		return err_set(err, -errno, "map cookie_keys: %s", strerror(errno));
	return 0;
}

int cookies_init(const struct dp *dp, struct err *err)
{
	struct weir_cookie_keys keys;

	if (getrandom(&keys, sizeof(keys), 0) != sizeof(keys))
		return err_set(err, -EIO, "no random bytes from the kernel");
	return write_keys(dp, &keys, err);
}

int cookies_rotate(const struct dp *dp, struct err *err)
{
	struct weir_cookie_keys keys;
	uint32_t zero = 0;

	if (bpf_map_lookup_elem(dp->map[DP_MAP_cookie_keys], &zero, &keys))
		return err_set(err, -errno, "map cookie_keys: %s", strerror(errno));
	memcpy(keys.before, keys.now, sizeof(keys.before));
	if (getrandom(keys.now, sizeof(keys.now), 0) != sizeof(keys.now))
		return err_set(err, -EIO, "no random bytes from the kernel");
	return write_keys(dp, &keys, err);
}

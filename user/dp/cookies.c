/* SPDX-License-Identifier: BSD-2-Clause */
#include "dp/cookies.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include <bpf/bpf.h>

#include "base/mem.h"
#include "dp/dp.h"
#include "dp/mapio.h"
#include "dp/pin.h"

static int write_keys(const struct dp *dp, const struct weir_cookie_keys *keys,
		      struct err *err)
{
	uint32_t zero = 0;

	if (bpf_map_update_elem(dp->map[DP_MAP_cookie_keys], &zero, keys, BPF_ANY))
		return err_set(err, -errno, "map cookie_keys: %s", strerror(errno));
	return 0;
}

static int random_bytes(void *to, size_t len, struct err *err)
{
	if (getrandom(to, len, 0) == (ssize_t)len)
		return 0;
	return err_set(err, -EIO, "no random bytes from the kernel");
}

int cookies_init(const struct dp *dp, const uint64_t isn[2], struct err *err)
{
	struct weir_cookie_keys keys;
	int r = random_bytes(&keys, sizeof(keys), err);

	if (r)
		return r;
	memcpy(keys.isn, isn, sizeof(keys.isn));
	return write_keys(dp, &keys, err);
}

int cookies_isn(const char *pin, uint64_t isn[2], struct err *err)
{
	auto_fd int fd = pin_get(pin, "maps", dp_map_names[DP_MAP_cookie_keys]);
	struct weir_cookie_keys keys;
	int r;

	if (fd < 0)
		return random_bytes(isn, sizeof(keys.isn), err);
	r = map_read_first(fd, &keys, sizeof(keys));
	if (r)
		return err_set(err, r, "map cookie_keys: %s", strerror(-r));
	memcpy(isn, keys.isn, sizeof(keys.isn));
	return 0;
}

int cookies_inherit(const struct dp *dp, struct err *err)
{
	auto_fd int fd = pin_get(dp->pin, "maps", dp_map_names[DP_MAP_cookie_keys]);
	struct weir_cookie_keys keys;
	int r = fd < 0 ? 0 : map_read_first(fd, &keys, sizeof(keys));

	if (r)
		return err_set(err, r, "map cookie_keys: %s", strerror(-r));
	return fd < 0 ? 0 : write_keys(dp, &keys, err);
}

int cookies_rotate(const struct dp *dp, struct err *err)
{
	struct weir_cookie_keys keys;
	uint32_t zero = 0;
	int r;

	if (bpf_map_lookup_elem(dp->map[DP_MAP_cookie_keys], &zero, &keys))
		return err_set(err, -errno, "map cookie_keys: %s", strerror(errno));
	memcpy(keys.before, keys.now, sizeof(keys.before));
	r = random_bytes(keys.now, sizeof(keys.now), err);
	return r ? r : write_keys(dp, &keys, err);
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/caps.h"

#include <cap-ng.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/capability.h>

#include "base/log.h"

static uint64_t caps_effective(void)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {};

	if (syscall(SYS_capget, &head, data))
		return 0;
	return data[0].effective | (uint64_t)data[1].effective << 32;
}

bool caps_has(int cap)
{
	return caps_effective() & 1ull << cap;
}

bool caps_is_admin(void)
{
	return caps_has(CAP_SYS_ADMIN);
}

int caps_check_bpf(struct err *err)
{
	static const struct {
		int cap;
		bool admin; /* CAP_SYS_ADMIN includes it */
		const char *name;
	} needed[] = {
		{CAP_BPF, true, "CAP_BPF"},
		{CAP_PERFMON, true, "CAP_PERFMON"},
		{CAP_NET_ADMIN, false, "CAP_NET_ADMIN"},
	};
	uint64_t have = caps_effective();
	bool admin = caps_is_admin();
	char missing[64] = "";
	size_t i;

	for (i = 0; i < sizeof(needed) / sizeof(needed[0]); i++) {
		size_t len = strlen(missing);

		if (have & 1ull << needed[i].cap || (admin && needed[i].admin))
			continue;
		snprintf(missing + len, sizeof(missing) - len, "%s%s", len ? ", " : "",
			 needed[i].name);
	}
	if (!missing[0])
		return 0;
	err_set(err, -EPERM, "not permitted: %s missing", missing);
	return err_hint(err, "run it as root");
}

static int try_to_read(const char *path, const struct stat *st, int type,
		       struct FTW *where)
{
	return type == FTW_DNR ||
	       (type != FTW_NS && faccessat(AT_FDCWD, path, R_OK, AT_EACCESS) &&
		errno == EACCES);
}

/* With the capabilities of now. What is missing is nothing that they would help. */
static const char *unreadable(const char *const *paths, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		if ((access(paths[i], F_OK) && errno == EACCES) ||
		    nftw(paths[i], try_to_read, 16, FTW_PHYS) > 0)
			return paths[i];
	return NULL;
}

static int keep_only(bool reading)
{
	static const int needed[] = {CAP_BPF, CAP_PERFMON, CAP_NET_ADMIN, CAP_NET_RAW,
				     CAP_DAC_READ_SEARCH};
	const capng_type_t sets = CAPNG_EFFECTIVE | CAPNG_PERMITTED;
	bool have[sizeof(needed) / sizeof(needed[0])];
	size_t i, count = sizeof(needed) / sizeof(needed[0]) - !reading;

	if (capng_get_caps_process())
		return -EIO;
	for (i = 0; i < count; i++)
		have[i] = capng_have_capability(CAPNG_PERMITTED, needed[i]);
	capng_clear(CAPNG_SELECT_BOTH);
	for (i = 0; i < count; i++)
		if (have[i])
			capng_update(CAPNG_ADD, sets, needed[i]);
	return capng_apply(CAPNG_SELECT_CAPS) ? -EPERM : 0;
}

static int effective_read_search(bool on)
{
	if (capng_get_caps_process())
		return -EIO;
	if (on && !capng_have_capability(CAPNG_PERMITTED, CAP_DAC_READ_SEARCH))
		return 0;
	capng_update(on ? CAPNG_ADD : CAPNG_DROP, CAPNG_EFFECTIVE, CAP_DAC_READ_SEARCH);
	return capng_apply(CAPNG_SELECT_CAPS) ? -EPERM : 0;
}

/* Without CAP_SETPCAP the bounding set has to stay; no_new_privs makes it harmless. */
static void drop_bounds(void)
{
	if (capng_get_caps_process() ||
	    !capng_have_capability(CAPNG_EFFECTIVE, CAP_SETPCAP))
		return;
	capng_clear(CAPNG_SELECT_BOUNDS);
	capng_apply(CAPNG_SELECT_BOUNDS);
}

int caps_drop(const char *const *paths, size_t count, struct err *err)
{
	const char *path;
	int r;

	drop_bounds();
	r = keep_only(true);
	if (!r && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		r = -errno;
	if (!r)
		r = effective_read_search(false);
	if (r)
		return err_set(err, r, "giving up capabilities: %s", strerror(-r));
	path = unreadable(paths, count);
	if (path) {
		log_debug("CAP_DAC_READ_SEARCH is kept: %s needs it", path);
		r = effective_read_search(true);
	} else {
		r = keep_only(false);
	}
	return r ? err_set(err, r, "giving up capabilities: %s", strerror(-r)) : 0;
}

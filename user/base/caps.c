/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/caps.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/capability.h>

static uint64_t caps_effective(void)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {};

	if (syscall(SYS_capget, &head, data))
		return 0;
	return data[0].effective | (uint64_t)data[1].effective << 32;
}

bool caps_is_admin(void)
{
	return caps_effective() & 1ull << CAP_SYS_ADMIN;
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

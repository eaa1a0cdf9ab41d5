/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/netns.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"

int netns_enter(const char *name, struct err *err)
{
	char path[PATH_MAX];
	auto_fd int fd = -1;

	snprintf(path, sizeof(path), "%s%s", strchr(name, '/') ? "" : "/run/netns/",
		 name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		err_set(err, -errno, "network namespace %s: %s", name, strerror(errno));
		return err_where(err, "%s", path);
	}
	if (!setns(fd, CLONE_NEWNET))
		return 0;
	if (errno == EPERM)
		return err_set(
			err, -EPERM,
			"network namespace %s: not permitted: CAP_SYS_ADMIN missing",
			name);
	err_set(err, -errno, "network namespace %s: %s", name, strerror(errno));
	return err_where(err, "%s", path);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * For LD_PRELOAD: kills the program right before its CRASH_AT-th step, or with
 * CRASH_FAILS lets that step fail with EIO. A step is
 * a call that changes something which outlives the process: pins, hooks, and, once
 * something is or was pinned, entries of maps. Steps are listed in the file CRASH_LOG,
 * one a line, so that a first run without CRASH_AT tells how many there are.
 */
#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/bpf.h>
#include <linux/rtnetlink.h>

static bool is_shared; /* maps are pinned: their entries count */

/* Is it to fail? */
static bool step(const char *what, const char *on)
{
	static long steps;
	const char *at = getenv("CRASH_AT"), *log = getenv("CRASH_LOG");
	FILE *f = log ? fopen(log, "ae") : NULL;

	steps++;
	if (f) {
		fprintf(f, "%ld %s %s\n", steps, what, on);
		fclose(f);
	}
	if (!at || strtol(at, NULL, 10) != steps)
		return false;
	if (!getenv("CRASH_FAILS"))
		raise(SIGKILL);
	errno = EIO;
	return true;
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static bool is_ours(const char *path)
{
	return !strncmp(path, "/sys/fs/bpf/", 12);
}

int mkdir(const char *path, mode_t mode)
{
	if (is_ours(path) && step("mkdir", path))
		return -1;
	return REAL(mkdir)(path, mode);
}

int rmdir(const char *path)
{
	if (is_ours(path) && step("rmdir", path))
		return -1;
	return REAL(rmdir)(path);
}

int rename(const char *from, const char *to)
{
	if (is_ours(to) && step("rename", to))
		return -1;
	return REAL(rename)(from, to);
}

int unlink(const char *path)
{
	/* Not there: no step. */
	if (is_ours(path) && !access(path, F_OK) && step("unlink", path))
		return -1;
	return REAL(unlink)(path);
}

int unlinkat(int dir, const char *path, int flags)
{
	if (step("unlinkat", path))
		return -1;
	return REAL(unlinkat)(dir, path, flags);
}

/* libbpf's way to make and remove qdiscs and filters. */
ssize_t send(int fd, const void *buf, size_t len, int flags)
{
	const struct nlmsghdr *m = buf;
	struct sockaddr sa = {};
	socklen_t size = sizeof(sa);

	if (len >= sizeof(*m) && !getsockname(fd, &sa, &size) &&
	    sa.sa_family == AF_NETLINK &&
	    (m->nlmsg_type == RTM_NEWQDISC || m->nlmsg_type == RTM_DELQDISC ||
	     m->nlmsg_type == RTM_NEWTFILTER || m->nlmsg_type == RTM_DELTFILTER) &&
	    step("netlink", m->nlmsg_type == RTM_NEWQDISC     ? "qdisc"
			    : m->nlmsg_type == RTM_DELQDISC   ? "no qdisc"
			    : m->nlmsg_type == RTM_NEWTFILTER ? "filter"
							      : "no filter"))
		return -1;
	return REAL(send)(fd, buf, len, flags);
}

static const char *bpf_step(long cmd)
{
	switch (cmd) {
	case BPF_OBJ_PIN:
		is_shared = true;
		return "pin";
	case BPF_LINK_CREATE:
		return "link";
	case BPF_LINK_UPDATE:
		return "new program";
	case BPF_LINK_DETACH:
		return "detach";
	case BPF_MAP_UPDATE_ELEM:
		return is_shared ? "update" : NULL;
	case BPF_MAP_DELETE_ELEM:
		return is_shared ? "delete" : NULL;
	case BPF_MAP_UPDATE_BATCH:
		return is_shared ? "update batch" : NULL;
	}
	return NULL;
}

/* Six words are taken from whatever the caller gave, as the C library does. */
long syscall(long number, ...)
{
	long a[6], r;
	va_list ap;
	int i;

	va_start(ap, number);
	for (i = 0; i < 6; i++)
		a[i] = va_arg(ap, long);
	va_end(ap);
	if (number == SYS_bpf && bpf_step(a[0]) && step("bpf", bpf_step(a[0])))
		return -1;
	r = REAL(syscall)(number, a[0], a[1], a[2], a[3], a[4], a[5]);
	if (number == SYS_bpf && a[0] == BPF_OBJ_GET && r >= 0)
		is_shared = true;
	return r;
}

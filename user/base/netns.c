/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/netns.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "base/word.h"

/* The one that was meant, or where they are. */
static int hint_names(const char *name, struct err *err)
{
	struct word_search near = {.given = name};
	DIR *d = opendir("/run/netns");
	struct dirent *e;

	while (d && (e = readdir(d)))
		if (e->d_name[0] != '.')
			word_try(&near, e->d_name);
	if (d)
		closedir(d);
	return *near.best
		       ? err_hint(err, "did you mean %s?", near.best)
		       : err_hint(err, "ip netns list shows them; a path is taken too");
}

int netns_enter(const char *name, struct err *err)
{
	char path[PATH_MAX];
	auto_fd int fd = -1;

	snprintf(path, sizeof(path), "%s%s", strchr(name, '/') ? "" : "/run/netns/",
		 name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		err_set(err, -errno, "network namespace %s: %s", name, strerror(errno));
		err_where(err, "%s", path);
		return strchr(name, '/') ? err->code : hint_names(name, err);
	}
	if (!setns(fd, CLONE_NEWNET))
		return 0;
	if (errno == EPERM) {
		err_set(err, -EPERM,
			"network namespace %s: not permitted: CAP_SYS_ADMIN missing",
			name);
		return err_hint(err, "run it as root");
	}
	err_set(err, -errno, "network namespace %s: %s", name, strerror(errno));
	return err_where(err, "%s", path);
}

static uint32_t inode_of(const char *path)
{
	struct stat st;

	return stat(path, &st) ? 0 : (uint32_t)st.st_ino;
}

uint32_t netns_inode(void)
{
	return inode_of("/proc/self/ns/net");
}

/* DIR/NAME/TAIL for every NAME, until one is the namespace. */
static bool find_below(const char *dir, const char *tail, uint32_t inode, char *path,
		       size_t size)
{
	DIR *d = opendir(dir);
	bool found = false;
	struct dirent *e;

	while (d && !found && (e = readdir(d))) {
		if (e->d_name[0] == '.' || (*tail && !isdigit(e->d_name[0])))
			continue;
		snprintf(path, size, "%s/%s%s", dir, e->d_name, tail);
		found = inode_of(path) == inode;
	}
	if (d)
		closedir(d);
	return found;
}

int netns_find(uint32_t inode, char *path, size_t size)
{
	if (find_below("/run/netns", "", inode, path, size) ||
	    find_below("/proc", "/ns/net", inode, path, size))
		return 0;
	return -ENOENT;
}

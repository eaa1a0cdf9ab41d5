/* SPDX-License-Identifier: BSD-2-Clause */
#include "dp/pin.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include <linux/magic.h>

#include <bpf/bpf.h>

#include "base/log.h"
#include "base/mem.h"

/* Behind the name of a pin that is about to take the place of another. A
 * crash may leave it; the next start overwrites it. */
#define PIN_NEW ":new"

#define BPFFS "/sys/fs/bpf"

/* Changes take a second at most, with 100,000 rules. */
unsigned int pin_patience_ms = 10000;
#define LOCK_AGAIN_MS 10u

static void swap_chars(char *s, char from, char to)
{
	for (; *s; s++)
		if (*s == from)
			*s = to;
}

struct pin_path pin_path(const char *pin, const char *dir, const char *name)
{
	struct pin_path p;
	char tail[NAME_MAX + 1];

	snprintf(tail, sizeof(tail), "%s", name);
	swap_chars(tail, '.', ':');
	snprintf(p.s, sizeof(p.s), "%s/%s%s%s", pin, dir, *tail ? "/" : "", tail);
	return p;
}

static int make_dir(const char *path, struct err *err)
{
	if (!mkdir(path, 0700) || errno == EEXIST)
		return 0;
	if (errno == EPERM || errno == EACCES)
		return err_set(err, -EPERM, "pin directory %s: not permitted", path);
	return err_set(err, -errno, "pin directory %s: %s", path, strerror(errno));
}

static bool is_bpffs(const char *path)
{
	struct statfs fs;

	return !statfs(path, &fs) && (unsigned long)fs.f_type == BPF_FS_MAGIC;
}

/* Below the place where everybody has it, with nothing mounted there yet. */
static bool may_mount(const char *path)
{
	return !strncmp(path, BPFFS, strlen(BPFFS)) && !is_bpffs(BPFFS);
}

static int cannot_mount(int code, struct err *err)
{
	err_set(err, -code, "no bpf filesystem at " BPFFS ", and mounting it: %s",
		code == EPERM ? "not permitted: CAP_SYS_ADMIN missing"
			      : strerror(code));
	return err_hint(err, "as root: mount -t bpf bpf " BPFFS);
}

/* Where everybody has it, the file system is mounted if need be. */
static int check_bpffs(const char *path, struct err *err)
{
	if (access(path, F_OK))
		return err_set(err, -errno, "pin directory %s: %s", path,
			       strerror(errno));
	if (is_bpffs(path))
		return 0;
	if (may_mount(path)) {
		if (mount("bpf", BPFFS, "bpf", MS_NOSUID | MS_NODEV | MS_NOEXEC,
			  "mode=0700"))
			return cannot_mount(errno, err);
		return 0;
	}
	err_set(err, -EINVAL, "pin directory %s: not on a bpf filesystem", path);
	return err_hint(err, "mount -t bpf bpf " BPFFS);
}

int pin_ground(const char *pin)
{
	char path[PATH_MAX];
	char *slash;

	snprintf(path, sizeof(path), "%s", pin);
	while (access(path, F_OK) && (slash = strrchr(path, '/')) && slash > path)
		*slash = '\0';
	if (is_bpffs(path))
		return 0;
	return may_mount(pin) ? 1 : -EINVAL;
}

int pin_mkdirs(const char *pin, struct err *err)
{
	static const char *const dirs[] = {"maps", "progs", "links"};
	char parent[PATH_MAX];
	char *slash;
	size_t i;
	int r;

	snprintf(parent, sizeof(parent), "%s", pin);
	slash = strrchr(parent, '/');
	if (pin[0] != '/' || !slash[1])
		return err_set(err, -EINVAL, "pin directory %s: not an absolute path",
			       pin);
	if (slash == parent)
		slash++;
	*slash = '\0';
	/* The parent first: no directory is left on another filesystem. */
	r = check_bpffs(access(pin, F_OK) ? parent : pin, err);
	if (!r)
		r = make_dir(pin, err);
	for (i = 0; !r && i < sizeof(dirs) / sizeof(dirs[0]); i++)
		r = make_dir(pin_path(pin, dirs[i], "").s, err);
	return r;
}

int pin_put(const char *pin, const char *dir, const char *name, int fd, struct err *err)
{
	struct pin_path to = pin_path(pin, dir, name);
	struct pin_path from;
	char temporary[NAME_MAX + 1];

	snprintf(temporary, sizeof(temporary), "%s" PIN_NEW, name);
	from = pin_path(pin, dir, temporary);
	unlink(from.s);
	if (bpf_obj_pin(fd, from.s) || rename(from.s, to.s)) {
		err_set(err, -errno, "cannot pin %s: %s", name, strerror(errno));
		unlink(from.s);
		return err_where(err, "%s", to.s);
	}
	return 0;
}

int pin_get(const char *pin, const char *dir, const char *name)
{
	int fd = bpf_obj_get(pin_path(pin, dir, name).s);

	return fd < 0 ? -errno : fd;
}

static DIR *open_dir(const char *pin, const char *dir)
{
	return opendir(pin_path(pin, dir, "").s);
}

int pin_clear(const char *pin, const char *dir)
{
	struct pin_path path = pin_path(pin, dir, "");
	DIR *d = open_dir(pin, dir);
	struct dirent *e;
	int r = 0;

	if (!d)
		return errno == ENOENT ? 0 : -errno;
	while ((e = readdir(d)))
		if (e->d_name[0] != '.' && unlinkat(dirfd(d), e->d_name, 0))
			r = -errno;
	closedir(d);
	if (!r && rmdir(path.s))
		r = -errno;
	return r;
}

static struct pin_path lock_path(const char *pin, enum pin_lock which)
{
	struct pin_path p =
		pin_path(pin, which == PIN_LOCK_MONITOR ? "progs" : "maps", "");

	if (which == PIN_LOCK_AGENT)
		snprintf(p.s, sizeof(p.s), "%s", pin);
	return p;
}

/* The holder of an flock on the file, from /proc/locks: its process id, -1 when
 * it lives in another pid namespace, 0 when there is none. */
static int lock_holder(int fd)
{
	auto_file FILE *f = fopen("/proc/locks", "re");
	struct stat st;
	char line[256];

	if (!f || fstat(fd, &st))
		return 0;
	while (fgets(line, sizeof(line), f)) {
		unsigned int dev_major, dev_minor;
		unsigned long inode;
		int pid;

		if (sscanf(line, "%*d: FLOCK %*s %*s %d %x:%x:%lu", &pid, &dev_major,
			   &dev_minor, &inode) == 4 &&
		    inode == st.st_ino && major(st.st_dev) == dev_major &&
		    minor(st.st_dev) == dev_minor)
			return pid > 0 ? pid : -1;
	}
	return 0;
}

static int say_locked(const char *pin, enum pin_lock which, int fd, struct err *err)
{
	static const char *const what[] = {
		[PIN_LOCK_AGENT] = "an agent is running already",
		[PIN_LOCK_CHANGE] = "another weir is changing the data path",
		[PIN_LOCK_MONITOR] = "another weir reads the events",
	};
	int pid = lock_holder(fd);

	err_set(err, -EBUSY, "%s", what[which]);
	if (pid > 0)
		err_where(err, "process %d, %s", pid, pin);
	else
		err_where(err, "%s", pin);
	return -EBUSY;
}

/* flock() with an end: a holder that hangs must not hang everybody. */
static int wait_for_lock(int fd, unsigned int patience_ms)
{
	const struct timespec again = {.tv_nsec = LOCK_AGAIN_MS * 1000000L};
	unsigned int waited;

	for (waited = 0; flock(fd, LOCK_EX | LOCK_NB); waited += LOCK_AGAIN_MS) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return -errno;
		if (waited >= patience_ms)
			return -EBUSY;
		if (!waited)
			log_debug("waiting for process %d", lock_holder(fd));
		nanosleep(&again, NULL);
	}
	return 0;
}

int pin_lock(const char *pin, enum pin_lock which, struct err *err)
{
	struct pin_path path = lock_path(pin, which);
	struct stat held, named;

	for (;;) {
		auto_fd int fd = open(path.s, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		int r;

		if (fd < 0)
			return err_set(err, errno == EACCES ? -EPERM : -errno,
				       "pin directory %s: %s", path.s, strerror(errno));
		r = wait_for_lock(fd, which == PIN_LOCK_CHANGE ? pin_patience_ms : 0);
		if (r == -EBUSY)
			return say_locked(pin, which, fd, err);
		if (r)
			return err_set(err, r, "lock of %s: %s", path.s, strerror(-r));
		/* The directory may have been removed, and made again by another
		 * process, before the lock was ours. */
		if (fstat(fd, &held) || stat(path.s, &named) ||
		    held.st_ino != named.st_ino || held.st_dev != named.st_dev) {
			if (access(path.s, F_OK))
				return err_set(err, -ENOENT, "pin directory %s is gone",
					       path.s);
			continue;
		}
		return take_fd(fd);
	}
}

int pin_agent(const char *pin)
{
	auto_fd int fd = open(pin, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	/* Not by trying the lock: an agent that starts just now would be refused. */
	return fd < 0 ? 0 : lock_holder(fd);
}

int pin_no_agent(const char *pin, struct err *err)
{
	int pid = pin_agent(pin);

	if (!pid)
		return 0;
	err_set(err, -EBUSY,
		"an agent is running: it decides which interfaces it uses");
	if (pid > 0)
		err_where(err, "process %d, %s", pid, pin);
	return -EBUSY;
}

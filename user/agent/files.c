/* SPDX-License-Identifier: BSD-2-Clause */
#include "agent/files.h"

#include <dirent.h>
#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

#define FILES_DEPTH 32
#define FILES_WRITTEN_MAX 64 /* more: everything is looked at */
#define FILES_EVENTS                                                            \
	(IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_CREATE | IN_DELETE | \
	 IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR)

static int watch_dir(struct files *f, const char *dir, const char *name,
		     struct err *err)
{
	struct file_watch *w;
	int wd = inotify_add_watch(f->fd, dir, FILES_EVENTS);

	if (wd < 0) {
		err_set(err, -errno, "cannot watch for changes: %s", strerror(errno));
		err_where(err, "%s", dir);
		return errno == ENOSPC ? err_hint(err, "fs.inotify.max_user_watches")
				       : err->code;
	}
	w = vec_push(&f->watches);
	if (!w)
		return err_set(err, -ENOMEM, "out of memory");
	w->wd = wd;
	w->dir = strdup(dir);
	w->name = name ? strdup(name) : NULL;
	if (!w->dir || (name && !w->name))
		return err_set(err, -ENOMEM, "out of memory");
	return 0;
}

static int watch_tree(struct files *f, const char *dir, int depth, struct err *err)
{
	int r = watch_dir(f, dir, NULL, err);
	struct dirent *e;
	DIR *d;

	if (r || depth == FILES_DEPTH)
		return r;
	d = opendir(dir);
	if (!d)
		return 0; /* gone again: its parent's watch says so */
	while (!r && (e = readdir(d))) {
		char path[PATH_MAX];
		struct stat st;

		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		if (snprintf(path, sizeof(path), "%s/%s", dir, e->d_name) >=
			    (int)sizeof(path) ||
		    stat(path, &st) || !S_ISDIR(st.st_mode))
			continue;
		r = watch_tree(f, path, depth + 1, err);
	}
	closedir(d);
	return r;
}

/* The directory that the path is in, or the nearest one above that exists. */
static int watch_parent(struct files *f, const char *path, bool only_name,
			struct err *err)
{
	char dir[PATH_MAX], base[PATH_MAX];
	const char *name;

	snprintf(base, sizeof(base), "%s", path);
	name = basename(base);
	snprintf(dir, sizeof(dir), "%s", path);
	do {
		char *up = dirname(dir);

		if (up != dir)
			snprintf(dir, sizeof(dir), "%s", up);
		if (!access(dir, X_OK))
			break;
		only_name = false;
	} while (strcmp(dir, "/") != 0 && strcmp(dir, ".") != 0);
	return watch_dir(f, dir, only_name ? name : NULL, err);
}

static int watch_path(struct files *f, const char *path, struct err *err)
{
	struct stat st, target;

	if (lstat(path, &st))
		return watch_parent(f, path, true, err);
	if (stat(path, &target))
		return watch_parent(f, path, false, err);
	if (S_ISDIR(target.st_mode)) {
		int r = watch_parent(f, path, !S_ISLNK(st.st_mode), err);

		return r ? r : watch_tree(f, path, 0, err);
	}
	/* What a link leads to changes when a link on the way does. */
	return watch_parent(f, path, !S_ISLNK(st.st_mode), err);
}

static void drop_watches(struct files *f)
{
	size_t i;

	for (i = 0; i < f->watches.len; i++) {
		free(f->watches.item[i].dir);
		free(f->watches.item[i].name);
	}
	vec_free(&f->watches);
}

int files_refresh(struct files *f, struct err *err)
{
	size_t i;
	int r = 0;

	/* Watches of the kernel stay: adding one again gives the same number. */
	drop_watches(f);
	for (i = 0; !r && i < f->count; i++)
		r = watch_path(f, f->paths[i], err);
	return r;
}

int files_init(struct files *f, const char *const *paths, size_t count, struct err *err)
{
	memset(f, 0, sizeof(*f));
	f->paths = paths;
	f->count = count;
	f->fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (f->fd < 0)
		return err_set(err, -errno, "inotify: %s", strerror(errno));
	return files_refresh(f, err);
}

static bool is_manifest_name(const char *name)
{
	static const char *const ends[] = {".yaml", ".yml", ".json"};
	size_t len = strlen(name), i;

	/* "..data" is what a volume of Kubernetes swaps. */
	if (!strncmp(name, "..", 2))
		return true;
	for (i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		if (len > strlen(ends[i]) &&
		    !strcmp(name + len - strlen(ends[i]), ends[i]))
			return name[0] != '.';
	return false;
}

/* A file that has just been made is empty: reading it now would be reading it
 * too early, and IN_CLOSE_WRITE follows. Not so for links of either kind. */
static bool is_complete(const struct file_watch *w, const struct inotify_event *e)
{
	char path[PATH_MAX];
	struct stat st;

	if (!(e->mask & IN_CREATE) || e->mask & IN_ISDIR)
		return true;
	snprintf(path, sizeof(path), "%s/%s", w->dir, e->name);
	return !lstat(path, &st) && (!S_ISREG(st.st_mode) || st.st_nlink > 1);
}

/* The watch through which an event matters. */
static const struct file_watch *find_watch(const struct files *f,
					   const struct inotify_event *e)
{
	size_t i;

	for (i = 0; i < f->watches.len; i++) {
		const struct file_watch *w = &f->watches.item[i];
		bool is_named;

		if (w->wd != e->wd || !e->len)
			continue;
		if (w->name)
			is_named = !strcmp(w->name, e->name);
		else
			is_named = e->mask & IN_ISDIR || is_manifest_name(e->name);
		if (is_named && is_complete(w, e))
			return w;
	}
	return NULL;
}

/* false: no room, or too many to be worth it. */
static bool note_written(struct files *f, const struct file_watch *w,
			 const struct inotify_event *e)
{
	char path[PATH_MAX], **slot;
	size_t i;

	if (f->written.len == FILES_WRITTEN_MAX ||
	    snprintf(path, sizeof(path), "%s/%s", w->dir, e->name) >= (int)sizeof(path))
		return false;
	for (i = 0; i < f->written.len; i++)
		if (!strcmp(f->written.item[i], path))
			return true;
	slot = vec_push(&f->written);
	if (!slot)
		return false;
	*slot = strdup(path);
	return *slot;
}

static enum files_change note_event(struct files *f, const struct inotify_event *e)
{
	const struct file_watch *w = find_watch(f, e);
	bool is_write = e->mask & (IN_CLOSE_WRITE | IN_MOVED_TO);

	if (!w && !(e->mask & (IN_Q_OVERFLOW | IN_DELETE_SELF | IN_MOVE_SELF)))
		return FILES_SAME;
	if (w && is_write && !(e->mask & IN_ISDIR) && note_written(f, w, e))
		return FILES_WRITTEN;
	f->has_moved = true;
	return FILES_MOVED;
}

enum files_change files_changed(struct files *f)
{
	char buf[16384] __attribute__((aligned(__alignof__(struct inotify_event))));
	enum files_change changed = FILES_SAME;
	ssize_t got;

	while ((got = read(f->fd, buf, sizeof(buf))) > 0) {
		const char *p = buf;

		while (p < buf + got) {
			const struct inotify_event *e = (const void *)p;

			enum files_change one = note_event(f, e);

			changed = one > changed ? one : changed;
			p += sizeof(*e) + e->len;
		}
	}
	return changed;
}

void files_taken(struct files *f)
{
	size_t i;

	for (i = 0; i < f->written.len; i++)
		free(f->written.item[i]);
	vec_free(&f->written);
	f->has_moved = false;
}

void files_fini(struct files *f)
{
	files_taken(f);
	drop_watches(f);
	mem_close_fd(&f->fd);
	f->fd = -1;
}

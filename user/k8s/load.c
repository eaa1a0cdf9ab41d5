/* SPDX-License-Identifier: BSD-2-Clause */
#include "k8s/load.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

#define DEPTH_MAX 32u /* directories within directories */

struct loader {
	struct store *store;
	struct err *err;
	const char *source;	      /* file being read */
	size_t documents;	      /* in it */
	struct stat above[DEPTH_MAX]; /* directories on the way here */
};

static int add_document(const struct node *doc, void *ctx, struct err *err)
{
	struct loader *l = ctx;

	l->documents++;
	return store_add_document(l->store, doc, l->source, err);
}

static int read_all(struct loader *l, int fd, char **out, size_t *size)
{
	size_t len = 0, cap = 65536;
	auto_free char *text = malloc(cap + 1);
	char *more;
	ssize_t n;

	for (;;) {
		if (!text)
			return err_set(l->err, -ENOMEM, "%.200s: out of memory",
				       l->source);
		n = read(fd, text + len, cap - len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_set(l->err, -errno, "%.200s: cannot read: %s",
				       l->source, strerror(errno));
		if (!n)
			break;
		len += (size_t)n;
		if (len < cap)
			continue;
		if (cap >= NODE_FILE_MAX)
			return err_set(l->err, -EFBIG, "%.200s: file too large",
				       l->source);
		cap *= 2;
		more = realloc(text, cap + 1);
		if (!more)
			return err_set(l->err, -ENOMEM, "%.200s: out of memory",
				       l->source);
		text = more;
	}
	text[len] = '\0';
	*size = len;
	*out = take(text);
	return 0;
}

static bool has_suffix(const char *name, const char *suffix)
{
	size_t n = strlen(name), s = strlen(suffix);

	return n > s && !strcmp(name + n - s, suffix);
}

/* JSON begins with { and a quoted key (or an end); YAML's flow style need not. */
static bool looks_like_json(const char *text)
{
	static const char space[] = " \t\r\n";

	text += strncmp(text, "\xef\xbb\xbf", 3) ? 0 : 3;
	text += strspn(text, space);
	if (*text != '{')
		return false;
	text += 1 + strspn(text + 1, space);
	return *text == '"' || *text == '}';
}

static int load_text(struct loader *l, const char *text, size_t len)
{
	int ret;

	l->documents = 0;
	if (has_suffix(l->source, ".json") || looks_like_json(text))
		ret = node_read_json(text, len, l->source, add_document, l, l->err);
	else
		ret = node_read_yaml(text, len, l->source, add_document, l, l->err);
	if (ret || l->documents)
		return ret;
	ret = store_warn(l->store, (struct place){.source = l->source},
			 "the file is empty");
	return ret ? err_set(l->err, ret, "out of memory") : 0;
}

static int load_fd(struct loader *l, int fd)
{
	auto_free char *text = NULL;
	size_t len = 0;
	int ret;

	ret = read_all(l, fd, &text, &len);
	return ret ? ret : load_text(l, text, len);
}

static int load_path(struct loader *l, const char *path, bool is_named,
		     unsigned int depth);

static int is_candidate(const struct dirent *d)
{
	return d->d_name[0] != '.';
}

static int compare_names(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int load_directory(struct loader *l, const char *path, unsigned int depth)
{
	struct dirent **list;
	int count, i, ret = 0;

	count = scandir(path, &list, is_candidate, compare_names);
	if (count < 0)
		return err_set(l->err, -errno, "%.200s: cannot read directory: %s",
			       path, strerror(errno));
	for (i = 0; i < count; i++) {
		auto_free char *child = NULL;

		if (!ret &&
		    asprintf(&child, "%s%s%s", path, has_suffix(path, "/") ? "" : "/",
			     list[i]->d_name) < 0) {
			child = NULL;
			ret = err_set(l->err, -ENOMEM, "out of memory");
		}
		if (!ret)
			ret = load_path(l, child, false, depth + 1);
		free(list[i]);
	}
	free(list);
	return ret;
}

/* A link to a directory that we are in would go on for ever. */
static bool is_above(const struct loader *l, const struct stat *st, unsigned int depth)
{
	unsigned int i;

	for (i = 0; i < depth; i++)
		if (l->above[i].st_dev == st->st_dev &&
		    l->above[i].st_ino == st->st_ino)
			return true;
	return false;
}

static bool is_manifest(const char *path)
{
	return has_suffix(path, ".yaml") || has_suffix(path, ".yml") ||
	       has_suffix(path, ".json");
}

/* Named on the command line: any file. Found in a directory: by its name. */
static int load_path(struct loader *l, const char *path, bool is_named,
		     unsigned int depth)
{
	auto_fd int fd = -1;
	struct stat st;

	if (!is_named && stat(path, &st) == 0 && !S_ISDIR(st.st_mode) &&
	    !(S_ISREG(st.st_mode) && is_manifest(path)))
		return 0;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_set(l->err, -errno, "%.200s: cannot open: %s", path,
			       strerror(errno));
	if (S_ISDIR(st.st_mode)) {
		if (is_above(l, &st, depth))
			return 0;
		if (depth == DEPTH_MAX)
			return err_set(l->err, -ELOOP,
				       "%.200s: directories nested too deeply", path);
		l->above[depth] = st;
		return load_directory(l, path, depth);
	}
	l->source = path;
	return load_fd(l, fd);
}

int manifests_load(struct store *store, const char *const *paths, size_t count,
		   struct err *err)
{
	struct loader l = {.store = store, .err = err};
	size_t i;
	int ret = 0;

	for (i = 0; i < count && !ret; i++) {
		if (strcmp(paths[i], "-")) {
			ret = load_path(&l, paths[i], true, 0);
			continue;
		}
		l.source = "standard input";
		ret = load_fd(&l, STDIN_FILENO);
	}
	return ret;
}

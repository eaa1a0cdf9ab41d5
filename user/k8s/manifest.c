/* SPDX-License-Identifier: BSD-2-Clause */
#include "k8s/manifest.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/mem.h"

/* A file that was written twice within a tick of its times looks unchanged: only
 * times older than this are trusted (some file systems count in 2 s). */
#define SETTLED_S 3

struct reader {
	struct manifest *file;
	const char *source; /* for messages */
	size_t documents;
	struct err *err;
};

static int add_document(const struct node *doc, void *ctx, struct err *err)
{
	struct reader *r = ctx;

	r->documents++;
	return store_add_document(&r->file->part, doc, r->source, err);
}

static int fail_size(const struct reader *r)
{
	return err_set(r->err, -EFBIG, "%.200s: more than %zu MiB", r->source,
		       NODE_FILE_MAX >> 20);
}

static int read_all(const struct reader *r, int fd, char **out, size_t *size)
{
	size_t len = 0, cap = 65536;
	auto_free char *text = NULL;
	char *more;
	ssize_t n;

	if (r->file->st.st_size > (off_t)NODE_FILE_MAX)
		return fail_size(r);
	if (r->file->st.st_size >= (off_t)cap)
		cap = (size_t)r->file->st.st_size + 1;
	for (;;) {
		more = text && len < cap ? text : realloc(text, cap + 1);
		if (!more)
			return err_set(r->err, -ENOMEM, "%.200s: out of memory",
				       r->source);
		text = more;
		n = read(fd, text + len, cap - len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_set(r->err, -errno, "%.200s: cannot read: %s",
				       r->source, strerror(errno));
		if (!n)
			break;
		len += (size_t)n;
		if (len > NODE_FILE_MAX)
			return fail_size(r);
		if (len == cap)
			cap *= 2;
	}
	text[len] = '\0';
	*size = len;
	*out = take(text);
	return 0;
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

static bool is_json_name(const char *path)
{
	size_t len = strlen(path);

	return len > 5 && !strcmp(path + len - 5, ".json");
}

static int parse(struct reader *r, const char *text, size_t len)
{
	int ret;

	if (is_json_name(r->source) || looks_like_json(text))
		ret = node_read_json(text, len, r->source, add_document, r, r->err);
	else
		ret = node_read_yaml(text, len, r->source, add_document, r, r->err);
	if (ret || r->documents)
		return ret;
	ret = store_warn(&r->file->part, (struct place){.source = r->source},
			 "the file is empty");
	return ret ? err_set(r->err, ret, "out of memory") : 0;
}

/* Pipes and standard input can be read once. */
static bool is_once(const struct manifest *f)
{
	return !strcmp(f->path, "-") || !S_ISREG(f->st.st_mode);
}

static bool same_time(struct timespec a, struct timespec b)
{
	return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

static bool is_unchanged(const struct manifest *old, const struct stat *st)
{
	return old->is_settled && st->st_dev == old->st.st_dev &&
	       st->st_ino == old->st.st_ino && st->st_size == old->st.st_size &&
	       same_time(st->st_mtim, old->st.st_mtim) &&
	       same_time(st->st_ctim, old->st.st_ctim);
}

static bool is_settled(const struct stat *st)
{
	time_t now = time(NULL);

	return st->st_mtim.tv_sec + SETTLED_S < now &&
	       st->st_ctim.tv_sec + SETTLED_S < now;
}

/* `fresh` has path and times. */
static int read_file(int fd, struct manifest *fresh, const struct manifest *old,
		     bool *is_same, struct err *err)
{
	struct reader r = {
		.file = fresh,
		.source = strcmp(fresh->path, "-") ? fresh->path : "standard input",
		.err = err,
	};
	auto_free char *text = NULL;
	size_t len = 0;
	int ret = read_all(&r, fd, &text, &len);

	if (ret)
		return ret;
	fresh->content = hash64(text, len, 0);
	*is_same = old && old->content == fresh->content;
	return *is_same ? 0 : parse(&r, text, len);
}

int manifest_read(const char *path, struct manifest *old, struct manifest **out,
		  struct err *err)
{
	bool is_stdin = !strcmp(path, "-"), is_same = false;
	struct manifest *fresh;
	auto_fd int opened = -1;
	struct stat st;
	int ret, fd = STDIN_FILENO;

	*out = old;
	if (old && (is_once(old) || (!stat(path, &st) && is_unchanged(old, &st))))
		return 0;
	if (!is_stdin)
		fd = opened = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_set(err, -errno, "%.200s: cannot open: %s", path,
			       strerror(errno));
	fresh = calloc(1, sizeof(*fresh));
	if (fresh)
		fresh->path = strdup(path);
	if (!fresh || !fresh->path) {
		manifest_free(fresh);
		return err_set(err, -ENOMEM, "out of memory");
	}
	fresh->st = st;
	fresh->is_settled = is_settled(&st);
	ret = read_file(fd, fresh, old, &is_same, err);
	if (is_same) {
		old->st = fresh->st;
		old->is_settled = fresh->is_settled;
	}
	if (ret || is_same)
		manifest_free(fresh);
	else
		*out = fresh;
	return ret;
}

void manifest_free(struct manifest *f)
{
	if (!f)
		return;
	store_free(&f->part);
	free(f->path);
	free(f);
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "k8s/load.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/strmap.h"
#include "k8s/manifest.h"

#define DEPTH_MAX 32u /* directories within directories */
#define THREADS_MAX 8u

/* ---- which files ---- */

struct job {
	char *path;
	struct manifest *old; /* of an earlier reading, or NULL */
	struct manifest *now;
	size_t place; /* in manifests.files, for manifests_read_again() */
	struct err err;
	int ret;
};

struct loader {
	struct vec_of(struct job) jobs; /* a file each, in the order of reading */
	atomic_size_t next;
	atomic_bool failed;
	struct err *err;
	struct stat above[DEPTH_MAX]; /* directories on the way here */
};

static int fail_memory(struct loader *l)
{
	return err_set(l->err, -ENOMEM, "out of memory");
}

static int add_file(struct loader *l, const char *path)
{
	struct job *j = vec_push(&l->jobs);

	if (!j)
		return fail_memory(l);
	j->path = strdup(path);
	return j->path ? 0 : fail_memory(l);
}

static bool has_suffix(const char *name, const char *suffix)
{
	size_t n = strlen(name), s = strlen(suffix);

	return n > s && !strcmp(name + n - s, suffix);
}

static bool is_manifest(const char *path)
{
	return has_suffix(path, ".yaml") || has_suffix(path, ".yml") ||
	       has_suffix(path, ".json");
}

static int is_candidate(const struct dirent *d)
{
	return d->d_name[0] != '.';
}

static int compare_names(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int add_path(struct loader *l, const char *path, bool is_named,
		    unsigned int depth);

static int add_directory(struct loader *l, const char *path, unsigned int depth)
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
			ret = fail_memory(l);
		}
		if (!ret)
			ret = add_path(l, child, false, depth + 1);
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

/* Named on the command line: any file. Found in a directory: by its name. */
static int add_path(struct loader *l, const char *path, bool is_named,
		    unsigned int depth)
{
	struct stat st;

	if (stat(path, &st))
		return err_set(l->err, -errno, "%.200s: cannot open: %s", path,
			       strerror(errno));
	if (!S_ISDIR(st.st_mode))
		return is_named || (S_ISREG(st.st_mode) && is_manifest(path))
			       ? add_file(l, path)
			       : 0;
	if (is_above(l, &st, depth))
		return 0;
	if (depth == DEPTH_MAX)
		return err_set(l->err, -ELOOP, "%.200s: directories nested too deeply",
			       path);
	l->above[depth] = st;
	return add_directory(l, path, depth);
}

/* Earlier readings of the same files; each serves once. */
static void find_old(struct loader *l, struct manifests *m)
{
	uint32_t at;
	size_t i;

	for (i = 0; i < l->jobs.len; i++) {
		struct manifest *old;

		if (!strmap_get(&m->places, l->jobs.item[i].path, &at))
			continue;
		old = m->files.item[at];
		if (old->is_kept)
			continue;
		old->is_kept = true;
		l->jobs.item[i].old = old;
	}
	for (i = 0; i < m->files.len; i++)
		m->files.item[i]->is_kept = false;
}

/* ---- reading ---- */

/* Jobs are taken in order: when one fails, all those before it come to their end
 * too, and the first failure is the one that is told. */
static void *work(void *arg)
{
	struct loader *l = arg;
	struct job *j;
	size_t i;

	while (!atomic_load(&l->failed)) {
		i = atomic_fetch_add(&l->next, 1);
		if (i >= l->jobs.len)
			break;
		j = &l->jobs.item[i];
		j->ret = manifest_read(j->path, j->old, &j->now, &j->err);
		if (j->ret)
			atomic_store(&l->failed, true);
	}
	return NULL;
}

/* Files take turns on all processors, when there is more than one to be read. */
static int read_files(struct loader *l)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	pthread_t threads[THREADS_MAX];
	size_t i, started = 0, fresh = 0;

	for (i = 0; i < l->jobs.len; i++)
		fresh += !l->jobs.item[i].old;
	while (started + 1 < fresh && (long)started + 1 < cpus &&
	       started < THREADS_MAX) {
		if (pthread_create(&threads[started], NULL, work, l))
			break;
		started++;
	}
	work(l);
	for (i = 0; i < started; i++)
		pthread_join(threads[i], NULL);
	for (i = 0; i < l->jobs.len; i++) {
		if (!l->jobs.item[i].ret)
			continue;
		*l->err = l->jobs.item[i].err;
		return l->jobs.item[i].ret;
	}
	return 0;
}

static void loader_free(struct loader *l, bool with_files)
{
	size_t i;

	for (i = 0; i < l->jobs.len; i++) {
		struct job *j = &l->jobs.item[i];

		if (with_files && j->now != j->old)
			manifest_free(j->now);
		free(j->path);
	}
	vec_free(&l->jobs);
}

/* ---- what is new ---- */

static void tell(struct manifests *m, enum manifests_news news)
{
	if (news > m->news)
		m->news = news;
}

static void tell_service(struct manifests *m, const char *ns, const char *name)
{
	struct service_name *s;

	tell(m, MANIFESTS_ENDPOINTS);
	s = vec_push(&m->services);
	if (s) {
		s->ns = pool_strdup(&m->pool, ns);
		s->name = pool_strdup(&m->pool, name);
	}
	if (!s || !s->ns || !s->name)
		tell(m, MANIFESTS_RULES); /* which takes all services */
}

static void tell_object(struct manifests *m, const struct object *o)
{
	if (o->warnings.len)
		tell(m, MANIFESTS_RULES);
	else if (o->kind == OBJECT_ENDPOINT_SLICE)
		tell_service(m, o->ns, ((const struct endpoint_slice *)o)->service);
	else if (o->kind == OBJECT_ENDPOINTS)
		tell_service(m, o->ns, o->name);
	else
		tell(m, MANIFESTS_RULES);
}

typedef void (*object_fn)(struct manifests *m, const struct object *o);

static void each_object(struct manifests *m, const struct store *part, object_fn fn)
{
	size_t kind, i;

	for (kind = 0; kind < OBJECT_KIND_COUNT; kind++)
		for (i = 0; i < part->objects[kind].len; i++)
			fn(m, part->objects[kind].item[i]);
}

static void tell_added(struct manifests *m, const struct object *o)
{
	const struct object *old = store_get(&m->store, o->kind, o->ns, o->name);

	if (old && old->content == o->content)
		return;
	if (old)
		tell_object(m, old);
	tell_object(m, o);
}

static void tell_removed(struct manifests *m, const struct object *o)
{
	if (!store_get(&m->store, o->kind, o->ns, o->name))
		tell_object(m, o);
}

static bool same_messages(const struct message *a, size_t a_len,
			  const struct message *b, size_t b_len)
{
	size_t i;

	for (i = 0; i < a_len && i < b_len; i++)
		if (strcmp(a[i].text, b[i].text))
			return false;
	return a_len == b_len;
}

static void tell_messages(struct manifests *m, const struct store *a,
			  const struct store *b)
{
	if (!same_messages(a->warnings.item, a->warnings.len, b->warnings.item,
			   b->warnings.len) ||
	    !same_messages(a->notes.item, a->notes.len, b->notes.item, b->notes.len))
		tell(m, MANIFESTS_RULES);
}

/* ---- from the files to the store ---- */

static int gather_messages(struct manifests *m, struct err *err)
{
	size_t i;
	int ret = 0;

	m->store.warnings.len = m->store.notes.len = 0;
	for (i = 0; i < m->files.len && !ret; i++)
		ret = store_lend_messages(&m->files.item[i]->part, &m->store);
	return ret ? err_set(err, ret, "out of memory") : 0;
}

/* Of objects that stand twice one is not in the store: begin again. */
static int rebuild(struct manifests *m, struct err *err)
{
	size_t i;
	int ret = 0;

	store_free(&m->store);
	m->store.borrows = true;
	for (i = 0; i < m->files.len && !ret; i++)
		ret = store_lend(&m->files.item[i]->part, &m->store, err);
	m->is_stale = ret;
	return ret ? ret : gather_messages(m, err);
}

/* Old readings that are not among the new ones. */
struct gone vec_of(struct manifest *);

static int note_places(struct loader *l, const struct manifest *const *files,
		       size_t count, struct strmap *places)
{
	size_t i;
	int ret = 0;

	for (i = count; i-- > 0 && !ret;) /* the first of a name counts */
		ret = strmap_set(places, files[i]->path, (uint32_t)i);
	return ret ? fail_memory(l) : 0;
}

/* The files are those of the jobs, all of them. */
static int replace_files(struct manifests *m, struct loader *l, struct gone *gone)
{
	struct vec_of(struct manifest *) files = {};
	struct strmap places = {};
	struct gone old = {};
	struct manifest **slot;
	size_t i;
	int ret = 0;

	for (i = 0; i < l->jobs.len && !ret; i++) {
		slot = vec_push(&files);
		if (slot)
			*slot = l->jobs.item[i].now;
		ret = slot ? 0 : fail_memory(l);
		if (l->jobs.item[i].now == l->jobs.item[i].old)
			l->jobs.item[i].old->is_kept = true;
	}
	for (i = 0; i < m->files.len && !ret; i++) {
		if (m->files.item[i]->is_kept)
			continue;
		slot = vec_push(&old);
		if (slot)
			*slot = m->files.item[i];
		ret = slot ? 0 : fail_memory(l);
	}
	for (i = 0; i < m->files.len; i++)
		m->files.item[i]->is_kept = false;
	if (!ret)
		ret = note_places(l, (const struct manifest *const *)files.item,
				  files.len, &places);
	if (ret) {
		vec_free(&files);
		vec_free(&old);
		strmap_free(&places);
		return ret;
	}
	free(m->files.item);
	m->files.item = files.item;
	m->files.len = files.len;
	m->files.cap = files.cap;
	strmap_free(&m->places);
	m->places = places;
	*gone = old;
	return 0;
}

/* The jobs are some of the files. */
static int replace_some(struct manifests *m, struct loader *l, struct gone *gone)
{
	struct manifest **slot;
	size_t i;

	for (i = 0; i < l->jobs.len; i++) {
		const struct job *j = &l->jobs.item[i];

		if (j->now == j->old)
			continue;
		slot = vec_push(gone);
		if (!slot) {
			vec_free(gone);
			return fail_memory(l);
		}
		*slot = j->old;
	}
	for (i = 0; i < l->jobs.len; i++)
		m->files.item[l->jobs.item[i].place] = l->jobs.item[i].now;
	return 0;
}

static bool has_messages(const struct manifest *f)
{
	return f->part.warnings.len || f->part.notes.len;
}

/* What it costs depends on what has changed, not on what is there; but for
 * messages, of which there are few. */
static int update_store(struct manifests *m, struct loader *l, const struct gone *gone)
{
	bool has_news = false;
	size_t i;
	int ret = 0;

	for (i = 0; i < gone->len; i++) {
		store_withdraw(&gone->item[i]->part, &m->store);
		has_news |= has_messages(gone->item[i]);
	}
	for (i = 0; i < l->jobs.len && !ret; i++) {
		struct job *j = &l->jobs.item[i];

		if (j->now == j->old)
			continue;
		ret = store_lend(&j->now->part, &m->store, l->err);
		has_news |= has_messages(j->now);
	}
	m->is_stale = ret;
	for (i = 0; i < gone->len; i++)
		each_object(m, &gone->item[i]->part, tell_removed);
	return ret || !has_news ? ret : gather_messages(m, l->err);
}

static int take_in(struct manifests *m, struct loader *l,
		   int (*replace)(struct manifests *m, struct loader *l,
				  struct gone *gone))
{
	static const struct store none;
	struct gone gone = {};
	size_t i;
	int ret = replace(m, l, &gone);

	if (ret) {
		loader_free(l, true);
		return ret;
	}
	m->parsed = 0;
	for (i = 0; i < l->jobs.len; i++) {
		const struct job *j = &l->jobs.item[i];

		if (j->now == j->old)
			continue;
		m->parsed++;
		each_object(m, &j->now->part, tell_added);
		tell_messages(m, j->old ? &j->old->part : &none, &j->now->part);
	}
	if (m->is_stale) {
		tell(m, MANIFESTS_RULES);
		ret = rebuild(m, l->err);
	} else if (m->parsed || gone.len) {
		ret = update_store(m, l, &gone);
	}
	if (ret)
		tell(m, MANIFESTS_RULES);
	for (i = 0; i < gone.len; i++)
		manifest_free(gone.item[i]);
	vec_free(&gone);
	loader_free(l, false);
	return ret;
}

int manifests_read(struct manifests *m, const char *const *paths, size_t count,
		   struct err *err)
{
	struct loader l = {.err = err};
	size_t i;
	int ret = 0;

	m->store.borrows = true;
	for (i = 0; i < count && !ret; i++)
		ret = strcmp(paths[i], "-") ? add_path(&l, paths[i], true, 0)
					    : add_file(&l, paths[i]);
	if (!ret) {
		find_old(&l, m);
		ret = read_files(&l);
	}
	if (!ret)
		return take_in(m, &l, replace_files);
	loader_free(&l, true);
	return ret;
}

static int add_again(struct loader *l, const struct manifests *m, const char *path)
{
	uint32_t at;
	struct job *j;
	int ret;

	if (!strmap_get(&m->places, path, &at))
		return -ENOENT;
	ret = add_file(l, path);
	if (ret)
		return ret;
	j = &l->jobs.item[l->jobs.len - 1];
	j->place = at;
	j->now = j->old = m->files.item[at];
	return 0;
}

int manifests_read_again(struct manifests *m, const char *const *files, size_t count,
			 struct err *err)
{
	struct loader l = {.err = err};
	size_t i;
	/* With a file that is named twice only a look at all does. */
	int ret = m->places.count == m->files.len ? 0 : -ENOENT;

	for (i = 0; i < count && !ret; i++)
		ret = add_again(&l, m, files[i]);
	if (!ret)
		ret = read_files(&l);
	if (!ret)
		return take_in(m, &l, replace_some);
	loader_free(&l, true);
	return ret;
}

void manifests_taken(struct manifests *m)
{
	m->news = MANIFESTS_SAME;
	vec_free(&m->services);
	pool_free(&m->pool);
}

void manifests_free(struct manifests *m)
{
	size_t i;

	manifests_taken(m);
	store_free(&m->store);
	for (i = 0; i < m->files.len; i++)
		manifest_free(m->files.item[i]);
	vec_free(&m->files);
	strmap_free(&m->places);
}

int manifests_load(struct store *store, const char *const *paths, size_t count,
		   struct err *err)
{
	struct manifests m = {};
	size_t i;
	int ret = manifests_read(&m, paths, count, err);

	for (i = 0; i < m.files.len && !ret; i++)
		store_give(&m.files.item[i]->part, &m.store);
	if (!ret) {
		m.store.borrows = false;
		*store = m.store;
		memset(&m.store, 0, sizeof(m.store));
	}
	manifests_free(&m);
	return ret;
}

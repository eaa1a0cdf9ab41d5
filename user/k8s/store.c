/* SPDX-License-Identifier: BSD-2-Clause */
#include "k8s/store.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* FNV-1a over kind, namespace and name. */
static size_t hash_key(enum object_kind kind, const char *ns, const char *name)
{
	uint64_t h = 14695981039346656037u ^ (uint64_t)kind;

	for (; *ns; ns++)
		h = (h ^ (unsigned char)*ns) * 1099511628211u;
	h = (h ^ '/') * 1099511628211u;
	for (; *name; name++)
		h = (h ^ (unsigned char)*name) * 1099511628211u;
	return (size_t)(h ^ h >> 32);
}

static struct object **bucket(const struct store *s, enum object_kind kind,
			      const char *ns, const char *name)
{
	return &s->buckets[hash_key(kind, ns, name) & (s->bucket_count - 1)];
}

static struct endpoint_slice **slice_bucket(const struct store *s, const char *ns,
					    const char *service)
{
	return &s->slices[hash_key(OBJECT_SERVICE, ns, service) &
			  (s->bucket_count - 1)];
}

static struct object **find(const struct store *s, enum object_kind kind,
			    const char *ns, const char *name)
{
	struct object **p;

	if (!s->bucket_count)
		return NULL;
	for (p = bucket(s, kind, ns, name); *p; p = &(*p)->next)
		if ((*p)->kind == kind && !strcmp((*p)->ns, ns) &&
		    !strcmp((*p)->name, name))
			return p;
	return NULL;
}

static void link_slice(struct store *s, struct object *o)
{
	struct endpoint_slice *slice = (struct endpoint_slice *)o, **p;

	if (o->kind != OBJECT_ENDPOINT_SLICE)
		return;
	p = slice_bucket(s, o->ns, slice->service);
	slice->next = *p;
	*p = slice;
}

static void unlink_slice(struct store *s, struct object *o)
{
	struct endpoint_slice *slice = (struct endpoint_slice *)o, **p;

	if (o->kind != OBJECT_ENDPOINT_SLICE)
		return;
	p = slice_bucket(s, o->ns, slice->service);
	while (*p != slice)
		p = &(*p)->next;
	*p = slice->next;
}

static void link_object(struct store *s, struct object *o)
{
	struct object **p = bucket(s, o->kind, o->ns, o->name);

	o->next = *p;
	*p = o;
	link_slice(s, o);
}

static int grow(struct store *s)
{
	size_t count = s->bucket_count ? s->bucket_count * 2 : 64, kind, i;
	struct endpoint_slice **slices;
	struct object **buckets;

	if (s->count < s->bucket_count)
		return 0;
	buckets = calloc(count, sizeof(struct object *));
	slices = calloc(count, sizeof(struct endpoint_slice *));
	if (!buckets || !slices) {
		free(buckets);
		free(slices);
		return -ENOMEM;
	}
	free(s->buckets);
	free(s->slices);
	s->buckets = buckets;
	s->slices = slices;
	s->bucket_count = count;
	for (kind = 0; kind < OBJECT_KIND_COUNT; kind++)
		for (i = 0; i < s->objects[kind].len; i++)
			link_object(s, s->objects[kind].item[i]);
	return 0;
}

static void drop_buckets(struct store *s)
{
	free(s->buckets);
	free(s->slices);
	s->buckets = NULL;
	s->slices = NULL;
	s->bucket_count = s->count = 0;
}

struct object *store_get(const struct store *s, enum object_kind kind, const char *ns,
			 const char *name)
{
	struct object **p = find(s, kind, ns, name);

	return p ? *p : NULL;
}

const struct endpoint_slice *store_slices(const struct store *s, const char *ns,
					  const char *service)
{
	return s->bucket_count ? *slice_bucket(s, ns, service) : NULL;
}

static int insert(struct store *s, struct object *o)
{
	struct object **slot;

	if (grow(s))
		return -ENOMEM;
	slot = vec_push(&s->objects[o->kind]);
	if (!slot)
		return -ENOMEM;
	*slot = o;
	o->index = s->objects[o->kind].len - 1;
	link_object(s, o);
	s->count++;
	return 0;
}

int store_add(struct store *s, struct object *o, struct err *err)
{
	const struct object *old = store_get(s, o->kind, o->ns, o->name);
	char what[OBJECT_TEXT], first[PLACE_TEXT], second[PLACE_TEXT];

	if (old) {
		err_set(err, -EEXIST, "%.200s: stands twice: it is already at %.200s",
			object_text(o, what), place_text(old->at, first));
		err_where(err, "%.255s", place_text(o->at, second));
		return -EEXIST;
	}
	if (insert(s, o))
		return err_set(err, -ENOMEM, "out of memory");
	return 0;
}

int store_replace(struct store *s, struct object *o)
{
	struct object **p = find(s, o->kind, o->ns, o->name), *old;

	if (!p)
		return insert(s, o);
	old = *p;
	o->next = old->next;
	o->index = old->index;
	*p = o;
	unlink_slice(s, old);
	link_slice(s, o);
	s->objects[o->kind].item[o->index] = o;
	if (!s->borrows)
		object_free(old);
	return 0;
}

bool store_remove(struct store *s, enum object_kind kind, const char *ns,
		  const char *name)
{
	struct object **p = find(s, kind, ns, name), *o, *last;

	if (!p)
		return false;
	o = *p;
	*p = o->next;
	unlink_slice(s, o);
	last = s->objects[kind].item[--s->objects[kind].len];
	last->index = o->index;
	s->objects[kind].item[o->index] = last;
	s->count--;
	if (!s->borrows)
		object_free(o);
	return true;
}

int store_lend(struct store *part, struct store *to, struct err *err)
{
	size_t kind, i;
	int ret = 0;

	/* An object is linked in one store at a time. */
	drop_buckets(part);
	for (kind = 0; kind < OBJECT_KIND_COUNT && !ret; kind++)
		for (i = 0; i < part->objects[kind].len && !ret; i++)
			ret = store_add(to, part->objects[kind].item[i], err);
	return ret;
}

static int lend(const struct messages *from, struct messages *to)
{
	size_t i;

	for (i = 0; i < from->len; i++) {
		struct message *m = vec_push(to);

		if (!m)
			return -ENOMEM;
		*m = from->item[i];
	}
	return 0;
}

int store_lend_messages(const struct store *part, struct store *to)
{
	int ret = lend(&part->warnings, &to->warnings);

	return ret ? ret : lend(&part->notes, &to->notes);
}

void store_withdraw(const struct store *part, struct store *from)
{
	size_t kind, i;

	for (kind = 0; kind < OBJECT_KIND_COUNT; kind++) {
		for (i = 0; i < part->objects[kind].len; i++) {
			const struct object *o = part->objects[kind].item[i];

			store_remove(from, kind, o->ns, o->name);
		}
	}
}

void store_give(struct store *part, struct store *to)
{
	size_t kind;

	for (kind = 0; kind < OBJECT_KIND_COUNT; kind++)
		vec_free(&part->objects[kind]);
	pool_join(&to->pool, &part->pool);
	store_free(part);
}

void store_free(struct store *s)
{
	size_t kind, i;

	for (kind = 0; kind < OBJECT_KIND_COUNT; kind++) {
		for (i = 0; i < s->objects[kind].len && !s->borrows; i++)
			object_free(s->objects[kind].item[i]);
		vec_free(&s->objects[kind]);
	}
	vec_free(&s->warnings);
	vec_free(&s->notes);
	drop_buckets(s);
	pool_free(&s->pool);
}

static int add_message(struct store *s, struct messages *to, struct place at,
		       const char *fmt, va_list ap)
{
	struct message *m = vec_push(to);
	char text[512];

	if (!m)
		return -ENOMEM;
	vsnprintf(text, sizeof(text), fmt, ap);
	m->text = pool_strdup(&s->pool, text);
	m->at = at;
	m->at.source = pool_strdup(&s->pool, at.source ? at.source : "");
	if (m->text && m->at.source)
		return 0;
	to->len--;
	return -ENOMEM;
}

int store_warn(struct store *s, struct place at, const char *fmt, ...)
{
	va_list ap;
	int ret;

	va_start(ap, fmt);
	ret = add_message(s, &s->warnings, at, fmt, ap);
	va_end(ap);
	return ret;
}

int store_note(struct store *s, struct place at, const char *fmt, ...)
{
	va_list ap;
	int ret;

	va_start(ap, fmt);
	ret = add_message(s, &s->notes, at, fmt, ap);
	va_end(ap);
	return ret;
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "dp/registry.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

/* The slot of the key, or the free one where it belongs. */
static size_t probe(const struct registry *r, const char *key, uint64_t hash)
{
	size_t i = hash & (r->slots - 1);

	while (r->slot[i]) {
		const struct registry_entry *e = &r->item[r->slot[i] - 1];

		if (e->hash == hash && !strcmp(e->key, key))
			break;
		i = (i + 1) & (r->slots - 1);
	}
	return i;
}

/* A slot for an entry that is known to be in none. */
static void place(struct registry *r, size_t entry)
{
	size_t i = r->item[entry].hash & (r->slots - 1);

	while (r->slot[i])
		i = (i + 1) & (r->slots - 1);
	r->slot[i] = entry + 1;
}

static bool rehash(struct registry *r, size_t slots)
{
	uint32_t *slot = calloc(slots, sizeof(*slot));
	size_t i;

	if (!slot)
		return false;
	free(r->slot);
	r->slot = slot;
	r->slots = slots;
	for (i = 0; i < r->len; i++)
		place(r, i);
	return true;
}

static struct registry_entry *add(struct registry *r, const char *key, uint64_t hash,
				  uint32_t id)
{
	struct registry_entry *e;

	if ((r->len + 1) * 2 > r->slots && !rehash(r, r->slots ? r->slots * 2 : 64))
		return NULL;
	if (r->len == r->cap) {
		size_t cap = r->cap ? r->cap * 2 : 32;
		void *p = realloc(r->item, cap * sizeof(*r->item));

		if (!p)
			return NULL;
		r->item = p;
		r->cap = cap;
	}
	e = &r->item[r->len];
	*e = (struct registry_entry){.key = strdup(key), .hash = hash, .id = id};
	if (!e->key)
		return NULL;
	place(r, r->len++);
	if (id >= r->next)
		r->next = id + 1;
	return e;
}

static struct registry_entry *find(const struct registry *r, const char *key,
				   uint64_t hash)
{
	uint32_t at = r->slots ? r->slot[probe(r, key, hash)] : 0;

	return at ? &r->item[at - 1] : NULL;
}

struct registry_entry *registry_learn(struct registry *r, const char *key, uint32_t id)
{
	uint64_t hash = hash64_str(key, 0);

	return find(r, key, hash) ? NULL : add(r, key, hash, id);
}

struct registry_entry *registry_take(struct registry *r, const char *key,
				     bool *was_wanted)
{
	uint64_t hash = hash64_str(key, 0);
	struct registry_entry *e = find(r, key, hash);

	if (!e)
		e = add(r, key, hash, r->next);
	if (e && was_wanted)
		*was_wanted = e->wanted;
	if (e)
		e->wanted = true;
	return e;
}

void registry_begin(struct registry *r)
{
	size_t i;

	for (i = 0; i < r->len; i++)
		r->item[i].wanted = false;
}

void registry_drop(struct registry *r,
		   bool (*drop)(const struct registry_entry *e, void *arg), void *arg)
{
	size_t i, kept = 0;

	for (i = 0; i < r->len; i++) {
		if (drop(&r->item[i], arg))
			free(r->item[i].key);
		else
			r->item[kept++] = r->item[i];
	}
	if (kept == r->len)
		return;
	r->len = kept;
	/* In place: the slots are large enough, and this must not fail. */
	memset(r->slot, 0, r->slots * sizeof(*r->slot));
	for (i = 0; i < r->len; i++)
		place(r, i);
}

void registry_free(struct registry *r)
{
	size_t i;

	for (i = 0; i < r->len; i++)
		free(r->item[i].key);
	free(r->item);
	free(r->slot);
	memset(r, 0, sizeof(*r));
}

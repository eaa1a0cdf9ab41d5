/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/strmap.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* FNV-1a */
static uint32_t hash_text(const char *s)
{
	uint64_t h = 14695981039346656037u;

	for (; *s; s++)
		h = (h ^ (unsigned char)*s) * 1099511628211u;
	return (uint32_t)(h ^ h >> 32);
}

/* The key's entry, or the free one where it belongs. */
static struct strmap_entry *probe(const struct strmap *m, const char *key,
				  uint32_t hash)
{
	size_t i = hash & (m->size - 1);

	while (m->entries[i].key &&
	       (m->entries[i].hash != hash || strcmp(m->entries[i].key, key)))
		i = (i + 1) & (m->size - 1);
	return &m->entries[i];
}

/* Where an entry goes in a map that does not have its key. */
static struct strmap_entry *probe_free(const struct strmap *m, uint32_t hash)
{
	size_t i = hash & (m->size - 1);

	while (m->entries[i].key)
		i = (i + 1) & (m->size - 1);
	return &m->entries[i];
}

static int grow(struct strmap *m)
{
	struct strmap bigger = {.size = m->size ? m->size * 2 : 16, .count = m->count};
	size_t i;

	if (m->count * 2 < m->size)
		return 0;
	bigger.entries = calloc(bigger.size, sizeof(*bigger.entries));
	if (!bigger.entries)
		return -ENOMEM;
	for (i = 0; i < m->size; i++)
		if (m->entries[i].key)
			*probe_free(&bigger, m->entries[i].hash) = m->entries[i];
	free(m->entries);
	*m = bigger;
	return 0;
}

int strmap_set(struct strmap *m, const char *key, uint32_t value)
{
	uint32_t hash = hash_text(key);
	struct strmap_entry *e;

	if (grow(m))
		return -ENOMEM;
	e = probe(m, key, hash);
	if (!e->key) {
		e->key = strdup(key);
		if (!e->key)
			return -ENOMEM;
		e->hash = hash;
		m->count++;
	}
	e->value = value;
	return 0;
}

bool strmap_get(const struct strmap *m, const char *key, uint32_t *value)
{
	const struct strmap_entry *e;

	if (!m->size)
		return false;
	e = probe(m, key, hash_text(key));
	if (!e->key)
		return false;
	*value = e->value;
	return true;
}

void strmap_free(struct strmap *m)
{
	size_t i;

	for (i = 0; i < m->size; i++)
		free(m->entries[i].key);
	free(m->entries);
	m->entries = NULL;
	m->size = m->count = 0;
}

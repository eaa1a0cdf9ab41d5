/* SPDX-License-Identifier: BSD-2-Clause */
#include "route/table_hosts.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "pure/walk.h"

int hosts_add(struct host_names *h, const char *name)
{
	struct weir_table_host *r = vec_push(&h->records);
	size_t len = name ? strlen(name) : 0, i;

	if (!r)
		return -ENOMEM;
	if (!len)
		return 0;
	r->name = h->text.len;
	r->name_len = len;
	for (i = 0; i < ((len + 7) & ~7ul); i++) {
		uint8_t *byte = vec_push(&h->text);

		if (!byte)
			return -ENOMEM;
		*byte = i < len ? name[i] : 0;
		if (*byte >= 'A' && *byte <= 'Z')
			*byte |= 0x20;
	}
	return 0;
}

static uint64_t hash_of(const struct host_names *h, const struct weir_table_host *r)
{
	uint64_t hash = h->seed, word;
	uint32_t i;

	for (i = 0; i < r->name_len; i += 8) {
		memcpy(&word, h->text.item + r->name + i, sizeof(word));
		hash = table_mix(hash, word);
	}
	return table_mix(hash, r->name_len);
}

/* false: too far from its place, or behind a name with the same hash. */
static bool place(struct host_names *h, uint32_t number)
{
	uint64_t hash = hash_of(h, &h->records.item[number]);
	uint32_t slot = hash >> 32, i;

	for (i = 0; i < TABLE_PROBES; i++) {
		struct weir_table_bucket *b =
			&h->buckets[(slot + i) & (h->bucket_count - 1)];

		if (!b->host) {
			b->hash = hash;
			b->host = number + 1;
			return true;
		}
		if (b->hash == (uint32_t)hash)
			return false;
	}
	return false;
}

static bool place_all(struct host_names *h)
{
	uint32_t i;

	for (i = 0; i < h->records.len; i++) {
		uint32_t len = h->records.item[i].name_len;

		/* a longer name is never found */
		if (len && len <= TABLE_HOST_MAX && !place(h, i))
			return false;
	}
	return true;
}

int hosts_hash(struct host_names *h)
{
	uint32_t want = 8;

	while (want < 2 * h->records.len)
		want *= 2;
	/* another seed when a name does not fit, and more room now and then */
	for (h->seed = 1;; h->seed++) {
		if (h->seed % 16 == 0)
			want *= 2;
		free(h->buckets);
		h->buckets = calloc(want, sizeof(*h->buckets));
		if (!h->buckets)
			return -ENOMEM;
		h->bucket_count = want;
		if (place_all(h))
			return 0;
	}
}

void hosts_write(struct host_names *h, void *blob, uint32_t records, uint32_t buckets,
		 uint32_t names)
{
	struct weir_table_host *host = (void *)((char *)blob + records);
	struct weir_table_bucket *bucket = (void *)((char *)blob + buckets);
	uint32_t i;

	for (i = 0; i < h->records.len; i++) {
		host[i] = h->records.item[i];
		host[i].name += names;
	}
	for (i = 0; i < h->bucket_count; i++) {
		bucket[i] = h->buckets[i];
		if (bucket[i].host)
			bucket[i].host =
				(records + (bucket[i].host - 1) * sizeof(*host)) |
				TABLE_REF;
	}
	if (h->text.len)
		memcpy((char *)blob + names, h->text.item, h->text.len);
}

void hosts_free(struct host_names *h)
{
	vec_free(&h->records);
	vec_free(&h->text);
	free(h->buckets);
}

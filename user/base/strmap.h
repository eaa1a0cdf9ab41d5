/* SPDX-License-Identifier: BSD-2-Clause */
/* Text -> number, for lookups among many names. A zeroed map is an empty one. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct strmap_entry {
	char *key;
	uint32_t hash;
	uint32_t value;
};

struct strmap {
	struct strmap_entry *entries;
	size_t size, count;
};

/* Copies the key; an old value is replaced. 0 or -ENOMEM. */
int strmap_set(struct strmap *m, const char *key, uint32_t value);
bool strmap_get(const struct strmap *m, const char *key, uint32_t *value);
void strmap_free(struct strmap *m);

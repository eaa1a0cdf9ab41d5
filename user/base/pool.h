/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory that is released all at once: what belongs to one parsed document or
 * to one object. Blocks double, so a small object costs a small block.
 */
#pragma once

#include <stddef.h>

struct pool_block;

struct pool {
	struct pool_block *blocks;
	size_t used; /* of the newest block */
	size_t size;
};

/* Zeroed and aligned for any type; NULL when out of memory. */
void *pool_alloc(struct pool *p, size_t size);

/* `count` zeroed elements; a count of 0 gives a pointer that is not NULL. */
void *pool_array(struct pool *p, size_t count, size_t size);

/* Texts are not aligned, and stand close together. */
char *pool_strndup(struct pool *p, const char *s, size_t len);
char *pool_strdup(struct pool *p, const char *s);

/* The texts one behind the other; of pool_concat_all() up to a NULL. */
#define pool_concat(p, ...) pool_concat_all(p, (const char *const[]){__VA_ARGS__, NULL})
char *pool_concat_all(struct pool *p, const char *const *parts);
char *pool_printf(struct pool *p, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* What is in `from` lives as long as `to` from now on; `from` is empty then. */
void pool_join(struct pool *to, struct pool *from);

void pool_free(struct pool *p);

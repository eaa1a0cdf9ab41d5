/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/pool.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define POOL_ALIGN 16u
#define POOL_FIRST 512u
#define POOL_LARGEST (1u << 20)

struct pool_block {
	struct pool_block *next;
	_Alignas(POOL_ALIGN) char data[];
};

void *pool_alloc(struct pool *p, size_t size)
{
	struct pool_block *b;
	size_t want;
	void *at;

	if (size > SIZE_MAX / 2)
		return NULL;
	size = (size + POOL_ALIGN - 1) & ~(size_t)(POOL_ALIGN - 1);
	if (!p->blocks || size > p->size - p->used) {
		want = p->size ? p->size * 2 : POOL_FIRST;
		if (want > POOL_LARGEST)
			want = POOL_LARGEST;
		if (want < size)
			want = size;
		b = malloc(sizeof(*b) + want);
		if (!b)
			return NULL;
		b->next = p->blocks;
		p->blocks = b;
		p->size = want;
		p->used = 0;
	}
	at = p->blocks->data + p->used;
	p->used += size;
	return memset(at, 0, size);
}

void *pool_array(struct pool *p, size_t count, size_t size)
{
	if (size && count > SIZE_MAX / 4 / size)
		return NULL;
	return pool_alloc(p, count ? count * size : 1);
}

char *pool_strndup(struct pool *p, const char *s, size_t len)
{
	char *copy = pool_alloc(p, len + 1);

	if (copy)
		memcpy(copy, s, len);
	return copy;
}

char *pool_strdup(struct pool *p, const char *s)
{
	return pool_strndup(p, s, strlen(s));
}

char *pool_printf(struct pool *p, const char *fmt, ...)
{
	char most[256], *text;
	va_list ap;
	int len;

	va_start(ap, fmt);
	len = vsnprintf(most, sizeof(most), fmt, ap);
	va_end(ap);
	if (len < 0)
		return NULL;
	text = pool_alloc(p, (size_t)len + 1);
	if (!text)
		return NULL;
	if ((size_t)len < sizeof(most))
		return memcpy(text, most, (size_t)len + 1);
	va_start(ap, fmt);
	vsnprintf(text, (size_t)len + 1, fmt, ap);
	va_end(ap);
	return text;
}

void pool_free(struct pool *p)
{
	while (p->blocks) {
		struct pool_block *next = p->blocks->next;

		free(p->blocks);
		p->blocks = next;
	}
	p->used = p->size = 0;
}

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

/* Room at the end of the newest block, or of a new one. */
static void *reserve(struct pool *p, size_t size, size_t align)
{
	size_t at = (p->used + align - 1) & ~(align - 1), want;
	struct pool_block *b;

	if (size > SIZE_MAX / 2)
		return NULL;
	if (!p->blocks || at > p->size || size > p->size - at) {
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
		at = 0;
	}
	p->used = at + size;
	return p->blocks->data + at;
}

void *pool_alloc(struct pool *p, size_t size)
{
	void *at = reserve(p, size, POOL_ALIGN);

	return at ? memset(at, 0, size) : NULL;
}

void *pool_array(struct pool *p, size_t count, size_t size)
{
	if (size && count > SIZE_MAX / 4 / size)
		return NULL;
	return pool_alloc(p, count ? count * size : 1);
}

char *pool_strndup(struct pool *p, const char *s, size_t len)
{
	char *copy = reserve(p, len + 1, 1);

	if (!copy)
		return NULL;
	memcpy(copy, s, len);
	copy[len] = '\0';
	return copy;
}

char *pool_strdup(struct pool *p, const char *s)
{
	return pool_strndup(p, s, strlen(s));
}

char *pool_concat_all(struct pool *p, const char *const *parts)
{
	const char *const *part;
	size_t len = 0;
	char *text, *to;

	for (part = parts; *part; part++)
		len += strlen(*part);
	text = to = reserve(p, len + 1, 1);
	if (!text)
		return NULL;
	*to = '\0';
	for (part = parts; *part; part++)
		to = stpcpy(to, *part);
	return text;
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
	text = reserve(p, (size_t)len + 1, 1);
	if (!text)
		return NULL;
	if ((size_t)len < sizeof(most))
		return memcpy(text, most, (size_t)len + 1);
	va_start(ap, fmt);
	vsnprintf(text, (size_t)len + 1, fmt, ap);
	va_end(ap);
	return text;
}

void pool_join(struct pool *to, struct pool *from)
{
	struct pool_block **end = &to->blocks;

	if (!to->blocks) { /* whose newest block is what `used` is about */
		*to = *from;
	} else {
		while (*end)
			end = &(*end)->next;
		*end = from->blocks;
	}
	*from = (struct pool){};
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

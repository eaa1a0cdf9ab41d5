/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A growing array of any element type:
 *
 *	struct vec_of(struct ir_route) routes = {};
 *	struct ir_route *r = vec_push(&routes);	// zeroed, NULL when out of memory
 *	vec_free(&routes);
 *
 * Pointers into it are valid until the next push.
 */
#pragma once

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define vec_of(type)        \
	{                   \
		type *item; \
		size_t len; \
		size_t cap; \
	}

static inline void *vec_grow(void **item, size_t *len, size_t *cap, size_t size)
{
	if (*len == *cap) {
		size_t want = *cap ? *cap * 2 : 8;
		void *p = realloc(*item, want * size);

		if (!p)
			return NULL;
		*item = p;
		*cap = want;
	}
	return memset((char *)*item + (*len)++ * size, 0, size);
}

#define vec_push(v)                                                                 \
	((__typeof__((v)->item))vec_grow((void **)&(v)->item, &(v)->len, &(v)->cap, \
					 sizeof(*(v)->item)))

#define vec_free(v)                      \
	do {                             \
		free((v)->item);         \
		(v)->item = NULL;        \
		(v)->len = (v)->cap = 0; \
	} while (0)

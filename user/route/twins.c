/* SPDX-License-Identifier: BSD-2-Clause */
#include "route/twins.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

static bool same_header(const struct ir_header *a, const struct ir_header *b)
{
	size_t i;

	if (a->values.len != b->values.len || a->patterns.len != b->patterns.len ||
	    strcmp(a->name, b->name))
		return false;
	for (i = 0; i < a->values.len; i++)
		if (strcmp(a->values.item[i], b->values.item[i]))
			return false;
	for (i = 0; i < a->patterns.len; i++)
		if (strcmp(a->patterns.item[i], b->patterns.item[i]))
			return false;
	return true;
}

bool twins_are(const struct ir_route *a, const struct ir_route *b)
{
	size_t i;

	if (a->type != b->type || strcmp(a->match, b->match) ||
	    a->host_kind != b->host_kind || strcmp(a->host, b->host) ||
	    a->methods.len != b->methods.len || a->headers.len != b->headers.len)
		return false;
	for (i = 0; i < a->methods.len; i++)
		if (strcmp(a->methods.item[i], b->methods.item[i]))
			return false;
	for (i = 0; i < a->headers.len; i++)
		if (!same_header(&a->headers.item[i], &b->headers.item[i]))
			return false;
	return true;
}

/* Twins have the same one; that others differ in their conditions is seen later. */
static uint32_t hash(const struct ir_route *r)
{
	uint64_t h = hash64_str(r->match, hash64_str(r->host, r->type));
	size_t i;

	for (i = 0; i < r->methods.len; i++)
		h = hash64_str(r->methods.item[i], h);
	for (i = 0; i < r->headers.len; i++)
		h = hash64_str(r->headers.item[i].name, h);
	return (uint32_t)(h ^ h >> 32);
}

/* The slot of a twin, or the free one where the route belongs. */
static struct twin_slot *probe(const struct twins *t, const struct ir *ir,
			       const struct ir_route *r, uint32_t hash)
{
	size_t i = hash & (t->slots - 1);

	while (t->slot[i].route &&
	       (t->slot[i].hash != hash ||
		!twins_are(&ir->routes.item[t->slot[i].route - 1], r)))
		i = (i + 1) & (t->slots - 1);
	return &t->slot[i];
}

static int grow(struct twins *t)
{
	struct twins bigger = {.slots = t->slots ? t->slots * 2 : 64,
			       .count = t->count};
	size_t i, k;

	if (t->count * 2 < t->slots)
		return 0;
	bigger.slot = calloc(bigger.slots, sizeof(*bigger.slot));
	if (!bigger.slot)
		return -ENOMEM;
	for (i = 0; i < t->slots; i++) {
		if (!t->slot[i].route)
			continue;
		k = t->slot[i].hash & (bigger.slots - 1);
		while (bigger.slot[k].route)
			k = (k + 1) & (bigger.slots - 1);
		bigger.slot[k] = t->slot[i];
	}
	free(t->slot);
	*t = bigger;
	return 0;
}

int twins_add(struct twins *t, const struct ir *ir, const struct ir_route **twin)
{
	const struct ir_route *newest = &ir->routes.item[ir->routes.len - 1];
	struct twin_slot *slot;
	uint32_t h;

	*twin = NULL;
	if (grow(t))
		return -ENOMEM;
	h = hash(newest);
	slot = probe(t, ir, newest, h);
	if (slot->route) {
		*twin = &ir->routes.item[slot->route - 1];
		return 0;
	}
	*slot = (struct twin_slot){(uint32_t)ir->routes.len, h};
	t->count++;
	return 0;
}

/* What stands behind it moves up, so that probing still finds it. */
static void empty(struct twins *t, size_t i)
{
	size_t mask = t->slots - 1, k;

	for (k = (i + 1) & mask; t->slot[k].route; k = (k + 1) & mask) {
		size_t home = t->slot[k].hash & mask;

		if (((k - home) & mask) < ((k - i) & mask))
			continue;
		t->slot[i] = t->slot[k];
		i = k;
	}
	t->slot[i].route = 0;
	t->count--;
}

void twins_forget(struct twins *t, const struct ir *ir, size_t count)
{
	size_t i;

	for (i = ir->routes.len; t->slots && i-- > count;) {
		const struct ir_route *r = &ir->routes.item[i];
		struct twin_slot *slot = probe(t, ir, r, hash(r));

		if (slot->route == i + 1)
			empty(t, slot - t->slot);
	}
}

void twins_free(struct twins *t)
{
	free(t->slot);
	*t = (struct twins){};
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "dp/maglev.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/mem.h"

static bool is_prime(size_t n)
{
	size_t i;

	for (i = 2; i * i <= n; i++)
		if (n % i == 0)
			return false;
	return n >= 2;
}

size_t maglev_size(size_t most)
{
	while (most && !is_prime(most))
		most--;
	return most;
}

/* An endpoint at the deal. Steps of a size that the number of slots, a prime, is no
 * multiple of lead to every slot. */
struct taker {
	uint32_t id;
	uint32_t weight;
	uint64_t credit;
	size_t at, step;
};

static int by_name(const void *x, const void *y)
{
	const struct slot_want *a = x, *b = y;

	if (a->name != b->name)
		return a->name < b->name ? -1 : 1;
	return (a->id > b->id) - (a->id < b->id);
}

/* The first slot in its order that is free. */
static void take_free(struct taker *t, uint32_t *slot, bool *taken, size_t size)
{
	while (taken[t->at])
		t->at = (t->at + t->step) % size;
	taken[t->at] = true;
	slot[t->at] = t->id;
}

int maglev_fill(struct slot_want *want, size_t count, uint32_t *slot, size_t size)
{
	auto_free struct taker *takers = calloc(count + 1, sizeof(*takers));
	auto_free bool *taken = calloc(size + 1, sizeof(*taken));
	uint32_t heaviest = 1;
	size_t i, left = size;

	if (!takers || !taken)
		return -ENOMEM;
	qsort(want, count, sizeof(*want), by_name);
	for (i = 0; i < count; i++) {
		takers[i] = (struct taker){
			.id = want[i].id,
			.weight = want[i].weight,
			.at = (want[i].name & 0xffffffff) % size,
			.step = size > 2 ? (want[i].name >> 32) % (size - 1) + 1 : 1,
		};
		if (want[i].weight > heaviest)
			heaviest = want[i].weight;
	}
	/* who is half as heavy comes to take at every other turn */
	while (left && count) {
		for (i = 0; i < count && left; i++) {
			struct taker *t = &takers[i];

			t->credit += t->weight;
			if (t->credit < heaviest)
				continue;
			t->credit -= heaviest;
			take_free(t, slot, taken, size);
			left--;
		}
	}
	return 0;
}

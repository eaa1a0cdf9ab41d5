/* SPDX-License-Identifier: BSD-2-Clause */
#include "dp/slots.h"

#include <errno.h>
#include <stdlib.h>

#include "base/mem.h"

static uint64_t sum_weights(const struct slot_want *want, size_t count)
{
	uint64_t sum = 0;
	size_t i;

	for (i = 0; i < count; i++)
		sum += want[i].weight;
	return sum;
}

static void divide_by_common(struct slot_want *want, size_t count)
{
	uint32_t divisor = 0;
	size_t i;

	for (i = 0; i < count; i++) {
		uint32_t a = want[i].weight, b = divisor;

		while (b) {
			uint32_t rest = a % b;

			a = b;
			b = rest;
		}
		divisor = a;
	}
	for (i = 0; i < count; i++)
		want[i].weight /= divisor;
}

size_t slots_shrink(struct slot_want *want, size_t count, size_t most)
{
	uint64_t sum, now = 0;
	size_t i;

	if (!count)
		return 0;
	divide_by_common(want, count);
	sum = sum_weights(want, count);
	if (sum <= most)
		return sum;
	/* One each, and the rest by weight, rounded down: never more than most. */
	for (i = 0; i < count; i++) {
		want[i].weight = 1 + want[i].weight * (most - count) / sum;
		now += want[i].weight;
	}
	return now;
}

/* Smooth weighted round robin, unrolled: at each slot everybody's credit grows by
 * his weight, the richest is taken and pays the sum. */
int slots_fill(const struct slot_want *want, size_t count, uint32_t *slot)
{
	int64_t sum = sum_weights(want, count);
	auto_free int64_t *credit = NULL;
	int64_t n;
	size_t i;

	if (sum == (int64_t)count) {
		for (i = 0; i < count; i++)
			slot[i] = want[i].id;
		return 0;
	}
	credit = calloc(count, sizeof(*credit));
	if (!credit)
		return -ENOMEM;
	for (n = 0; n < sum; n++) {
		size_t richest = 0;

		for (i = 0; i < count; i++) {
			credit[i] += want[i].weight;
			if (credit[i] > credit[richest])
				richest = i;
		}
		credit[richest] -= sum;
		slot[n] = want[richest].id;
	}
	return 0;
}

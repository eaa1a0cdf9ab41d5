/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The slots of a group (struct weir_group): each endpoint as often as its weight
 * wants, as far apart as can be, so that a heavy one gets no burst. The kernel takes
 * slots in turn and needs to know nothing of weights.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct slot_want {
	uint32_t id;
	uint32_t weight; /* 1 or more */
	uint64_t name;	 /* hash of the endpoint's address and port */
};

/* Slots that these endpoints need: their weights by the common divisor, made
 * smaller to fit `most` (at least count); nobody gets less than one. On return
 * weight is the number of slots of each. */
size_t slots_shrink(struct slot_want *want, size_t count, size_t most);

/* Fills slot[] with as many as slots_shrink() said. -ENOMEM. */
int slots_fill(const struct slot_want *want, size_t count, uint32_t *slot);

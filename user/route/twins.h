/* SPDX-License-Identifier: BSD-2-Clause */
/* Routes that match the same requests. Private to user/route. */
#pragma once

#include "route/ir.h"

/* Routes of one ir by what they match. A zeroed one is empty. */
struct twins {
	struct twin_slot {
		uint32_t route; /* its index + 1, 0 free */
		uint32_t hash;
	} * slot;
	size_t slots, count;
};

/* The newest route of the ir goes in, unless it has a twin there: *twin is that one,
 * or NULL. 0 or -ENOMEM. */
int twins_add(struct twins *t, const struct ir *ir, const struct ir_route **twin);

/* The routes behind the first `count` will go. */
void twins_forget(struct twins *t, const struct ir *ir, size_t count);
void twins_free(struct twins *t);

bool twins_are(const struct ir_route *a, const struct ir_route *b);

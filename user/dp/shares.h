/* SPDX-License-Identifier: BSD-2-Clause */
/* The endpoints that share the connections of a group, and the slots they get. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weir/config.h>

#include "base/err.h"
#include "dp/slots.h"

struct shares {
	struct share_list {
		struct slot_want want[WEIR_FAMILIES][WEIR_GROUP_ENDPOINTS];
		size_t count[WEIR_FAMILIES];
	} ready, unhealthy;
	size_t taken;
	bool has[WEIR_FAMILIES]; /* endpoints, in whatever state */
};

/* Empty; not by zeroing all of it, which takes longer than the rest of a group. */
void shares_init(struct shares *s);

/* Adds one that may get connections by its state, and no other. False when there
 * is no room for it. */
bool shares_add(struct shares *s, uint32_t id, const struct weir_endpoint *ep);

/* Sets share[] and slot[] of the group, as its flags want them. Changes `s`. */
int shares_fill(struct shares *s, struct weir_group *g, struct err *err);

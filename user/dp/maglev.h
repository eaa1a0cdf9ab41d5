/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Slots for a group that goes by clients: a client's hash picks a slot, and the slots
 * are dealt to the endpoints so that each has its share, and that few of them change
 * hands when an endpoint comes or goes. The way of Maglev (Eisenbud et al., NSDI 2016,
 * 3.4): each endpoint has an order of its own in which it would take the slots, from
 * its name alone, and they take turns. Nodes that know the same endpoints agree.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "dp/slots.h"

/* Number of slots that may be used of `most`: the largest prime. 0 below 2. */
size_t maglev_size(size_t most);

/* Fills slot[], as many as maglev_size() said; the order of want[] does not count, and
 * changes. With more endpoints than slots some get none. -ENOMEM. */
int maglev_fill(struct slot_want *want, size_t count, uint32_t *slot, size_t size);

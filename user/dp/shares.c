/* SPDX-License-Identifier: BSD-2-Clause */
#include "dp/shares.h"

#include <errno.h>

#include "base/addr.h"

bool shares_add(struct shares *s, uint32_t id, const struct weir_endpoint *ep)
{
	int family = addr_is_v4(&ep->addr) ? WEIR_IPV4 : WEIR_IPV6;
	struct share_list *to;

	if (ep->state != WEIR_ENDPOINT_READY && ep->state != WEIR_ENDPOINT_UNHEALTHY)
		return true;
	if (s->taken == WEIR_GROUP_ENDPOINTS)
		return false;
	s->taken++;
	to = ep->state == WEIR_ENDPOINT_READY ? &s->ready : &s->unhealthy;
	to->want[family][to->count[family]++] = (struct slot_want){id, ep->weight};
	return true;
}

/* Families share the slots by the number of their endpoints. */
int shares_fill(struct shares *s, struct weir_group *g, struct err *err)
{
	struct share_list *of[WEIR_FAMILIES];
	size_t all = 0, first = 0;
	int f;

	for (f = 0; f < WEIR_FAMILIES; f++) {
		/* better a doubtful endpoint than none */
		of[f] = s->ready.count[f] ? &s->ready : &s->unhealthy;
		all += of[f]->count[f];
	}
	for (f = 0; f < WEIR_FAMILIES; f++) {
		struct slot_want *want = of[f]->want[f];
		size_t count = of[f]->count[f], slots;

		if (!count)
			continue;
		slots = slots_shrink(want, count, WEIR_GROUP_SLOTS * count / all);
		if (slots_fill(want, count, &g->slot[first]))
			return err_set(err, -ENOMEM, "out of memory");
		g->share[f] = (struct weir_share){count, first, slots};
		first += slots;
	}
	return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "dp/shares.h"

#include <errno.h>

#include "base/addr.h"
#include "base/hash.h"
#include "dp/maglev.h"

void shares_init(struct shares *s)
{
	int f;

	for (f = 0; f < WEIR_FAMILIES; f++) {
		s->ready.count[f] = s->unhealthy.count[f] = 0;
		s->has[f] = false;
	}
	s->taken = 0;
}

bool shares_add(struct shares *s, uint32_t id, const struct weir_endpoint *ep)
{
	int family = addr_is_v4(&ep->addr) ? WEIR_IPV4 : WEIR_IPV6;
	struct share_list *to;

	if (ep->state != WEIR_ENDPOINT_GONE)
		s->has[family] = true;
	if (ep->state != WEIR_ENDPOINT_READY && ep->state != WEIR_ENDPOINT_UNHEALTHY)
		return true;
	if (s->taken == WEIR_GROUP_ENDPOINTS)
		return false;
	s->taken++;
	to = ep->state == WEIR_ENDPOINT_READY ? &s->ready : &s->unhealthy;
	to->want[family][to->count[family]++] = (struct slot_want){
		.id = id,
		.weight = ep->weight,
		.name = hash64_str(ep->text, 0),
	};
	return true;
}

static int lay_out(const struct shares *s, struct weir_group *g, struct slot_want *want,
		   size_t count, size_t all, uint32_t *slot, size_t *slots)
{
	if (!(g->flags & WEIR_GROUP_BY_CLIENT)) {
		*slots = slots_shrink(want, count, WEIR_GROUP_SLOTS * count / all);
		return slots_fill(want, count, slot);
	}
	/* Half for each family, however many endpoints it has: with another number of
	 * slots most clients would move. */
	*slots = maglev_size(s->has[WEIR_IPV4] && s->has[WEIR_IPV6]
				     ? WEIR_GROUP_SLOTS / 2
				     : WEIR_GROUP_SLOTS);
	return maglev_fill(want, count, slot, *slots);
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
		if (lay_out(s, g, want, count, all, &g->slot[first], &slots))
			return err_set(err, -ENOMEM, "out of memory");
		g->share[f] = (struct weir_share){count, first, slots};
		first += slots;
	}
	return 0;
}

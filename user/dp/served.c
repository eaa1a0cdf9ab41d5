/* SPDX-License-Identifier: BSD-2-Clause */
#include "dp/served.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "dp/dp.h"
#include "dp/mapio.h"

static int add_group(const void *key, const void *value, void *arg)
{
	const struct weir_group *from = value;
	struct served *s = arg;
	struct served_group *g = vec_push(&s->groups);

	if (!g)
		return -ENOMEM;
	memcpy(&g->id, key, sizeof(g->id));
	g->flags = from->flags;
	memcpy(g->name, from->name, sizeof(g->name));
	return 0;
}

static int add_endpoint(const void *key, const void *value, void *arg)
{
	const struct weir_endpoint *from = value;
	uint32_t state = from->held ? from->held : from->state;
	struct served *s = arg;
	struct served_endpoint *e;

	if (from->state == WEIR_ENDPOINT_GONE)
		return 0;
	e = vec_push(&s->endpoints);
	if (!e)
		return -ENOMEM;
	memcpy(&e->id, key, sizeof(e->id));
	memcpy(e->group, from->service, sizeof(e->group));
	e->addr = from->addr;
	e->port = ntohs(from->port);
	e->weight = from->weight;
	e->ready = state != WEIR_ENDPOINT_DRAINING;
	return 0;
}

static int by_id(const void *x, const void *y)
{
	uint32_t a, b; /* the first member of either kind */

	memcpy(&a, x, sizeof(a));
	memcpy(&b, y, sizeof(b));
	return (a > b) - (a < b);
}

int served_read(const struct dp *dp, struct served *out, struct err *err)
{
	struct served s = {};
	int r = map_each(dp->map[DP_MAP_groups], add_group, &s, err);

	if (!r)
		r = map_each(dp->map[DP_MAP_endpoints], add_endpoint, &s, err);
	if (r) {
		served_free(&s);
		return r == -ENOMEM ? err_set(err, r, "out of memory") : r;
	}
	if (s.groups.len)
		qsort(s.groups.item, s.groups.len, sizeof(*s.groups.item), by_id);
	if (s.endpoints.len)
		qsort(s.endpoints.item, s.endpoints.len, sizeof(*s.endpoints.item),
		      by_id);
	*out = s;
	return 0;
}

void served_free(struct served *s)
{
	vec_free(&s->groups);
	vec_free(&s->endpoints);
}

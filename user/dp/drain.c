/* SPDX-License-Identifier: BSD-2-Clause */
#include "dp/drain.h"

#include <errno.h>
#include <string.h>

#include <bpf/bpf.h>

#include "base/mem.h"
#include "base/vec.h"
#include "dp/dp.h"
#include "dp/mapio.h"
#include "dp/shares.h"

bool drain_is_named(const char *name, const char *given)
{
	const char *colon = strrchr(name, ':');

	return !strcmp(name, given) ||
	       (colon && strlen(given) == (size_t)(colon - name) &&
		!memcmp(name, given, colon - name));
}

struct numbered_endpoint {
	uint32_t id;
	struct weir_endpoint ep;
};

struct numbered_group {
	uint32_t id;
	char name[WEIR_NAME_MAX];
};

struct drain {
	struct vec_of(struct numbered_endpoint) endpoints;
	struct vec_of(struct numbered_group) groups;
};

static int add_endpoint(const void *key, const void *value, void *arg)
{
	struct drain *d = arg;
	struct numbered_endpoint *e = vec_push(&d->endpoints);

	if (!e)
		return -ENOMEM;
	memcpy(&e->id, key, sizeof(e->id));
	memcpy(&e->ep, value, sizeof(e->ep));
	return 0;
}

static int add_group(const void *key, const void *value, void *arg)
{
	const struct weir_group *g = value;
	struct drain *d = arg;
	struct numbered_group *n = vec_push(&d->groups);

	if (!n)
		return -ENOMEM;
	memcpy(&n->id, key, sizeof(n->id));
	memcpy(n->name, g->name, sizeof(n->name));
	return 0;
}

static int write_value(const struct dp *dp, enum dp_map map, uint32_t id,
		       const void *value, struct err *err)
{
	if (bpf_map_update_elem(dp->map[map], &id, value, BPF_EXIST))
		return err_set(err, -errno, "map %s: %s", dp_map_names[map],
			       strerror(errno));
	return 0;
}

/* Not one that is gone; that one only loses the mark. */
static void change(struct weir_endpoint *ep, bool drain)
{
	if (drain && !ep->held && ep->state != WEIR_ENDPOINT_GONE) {
		ep->held = ep->state;
		ep->state = WEIR_ENDPOINT_DRAINING;
	} else if (!drain && ep->held) {
		if (ep->state != WEIR_ENDPOINT_GONE)
			ep->state = ep->held;
		ep->held = 0;
	}
}

/* Lays out the groups of that name anew. */
static int write_groups(const struct dp *dp, const struct drain *d, const char *name,
			struct err *err)
{
	size_t i, k;

	for (i = 0; i < d->groups.len; i++) {
		const struct numbered_group *n = &d->groups.item[i];
		struct weir_group g = {}, old;
		struct shares shares;
		int r;

		if (strcmp(n->name, name) != 0 ||
		    bpf_map_lookup_elem(dp->map[DP_MAP_groups], &n->id, &old))
			continue;
		shares_init(&shares);
		for (k = 0; k < d->endpoints.len; k++)
			if (!strcmp(d->endpoints.item[k].ep.service, name))
				shares_add(&shares, d->endpoints.item[k].id,
					   &d->endpoints.item[k].ep);
		g.flags = old.flags;
		r = shares_fill(&shares, &g, err);
		if (r)
			return r;
		memcpy(g.name, old.name, sizeof(g.name));
		g.turn = old.turn;
		r = write_value(dp, DP_MAP_groups, n->id, &g, err);
		if (r)
			return r;
	}
	return 0;
}

static int set_all(const struct dp *dp, struct drain *d, const char *what, bool drain,
		   size_t *found, struct err *err)
{
	size_t i;
	int r;

	for (i = 0; i < d->endpoints.len; i++) {
		struct numbered_endpoint *e = &d->endpoints.item[i];
		struct weir_endpoint before = e->ep;

		if (strcmp(e->ep.text, what) != 0 &&
		    !drain_is_named(e->ep.service, what))
			continue;
		++*found;
		change(&e->ep, drain);
		if (!memcmp(&before, &e->ep, sizeof(before)))
			continue;
		r = write_value(dp, DP_MAP_endpoints, e->id, &e->ep, err);
		if (!r)
			r = write_groups(dp, d, e->ep.service, err);
		if (r)
			return r;
	}
	return 0;
}

int drain_set(const struct dp *dp, const char *what, bool drain, size_t *found,
	      struct err *err)
{
	struct drain d = {};
	int r = map_each(dp->map[DP_MAP_endpoints], add_endpoint, &d, err);

	*found = 0;
	if (!r)
		r = map_each(dp->map[DP_MAP_groups], add_group, &d, err);
	if (r == -ENOMEM)
		err_set(err, r, "out of memory");
	if (!r)
		r = set_all(dp, &d, what, drain, found, err);
	vec_free(&d.endpoints);
	vec_free(&d.groups);
	return r;
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "dp/group_flags.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dp/dp.h"
#include "dp/mapio.h"

static int add(const void *key, const void *value, void *arg)
{
	const struct weir_group *g = value;
	struct named_flags *n = vec_push((struct group_flags *)arg);

	if (!n)
		return -ENOMEM;
	memcpy(n->name, g->name, sizeof(n->name));
	n->flags = g->flags;
	return 0;
}

static int by_name(const void *a, const void *b)
{
	const struct named_flags *x = a, *y = b;

	return strcmp(x->name, y->name);
}

int group_flags_read(const struct dp *dp, struct group_flags *out, struct err *err)
{
	const uint32_t both = WEIR_GROUP_KEEP_CLIENT | WEIR_GROUP_NODE;
	struct weir_settings s;
	size_t i;
	int r = dp_settings_read(dp, &s, err);

	if (!r)
		r = map_each(dp->map[DP_MAP_groups], add, out, err);
	if (r)
		return r == -ENOMEM ? err_set(err, r, "out of memory") : r;
	for (i = 0; i < out->len; i++)
		if (!(out->item[i].flags & both))
			out->item[i].flags |= s.keep_client ? WEIR_GROUP_KEEP_CLIENT
							    : WEIR_GROUP_NODE;
	if (out->len)
		qsort(out->item, out->len, sizeof(*out->item), by_name);
	return 0;
}

uint32_t group_flags_of(const struct group_flags *all, const char *name)
{
	struct named_flags like = {};
	const struct named_flags *n = NULL;

	snprintf(like.name, sizeof(like.name), "%s", name);
	if (all->len)
		n = bsearch(&like, all->item, all->len, sizeof(like), by_name);
	return n ? n->flags : 0;
}

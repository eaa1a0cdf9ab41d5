/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What both twins do with one head. */
#pragma once

#include "pure/walk.h"

struct twin {
	u32 len;     /* of the input in `head` */
	s32 scanned; /* what head_scan said, and the others after it */
	s32 normal;
	s32 found;
	s32 stripped;
	u32 pad;
	struct http_head h;
	struct route_match m;
	struct weir_head head;
};

#ifdef __bpf__
static __always_inline
#else
static inline
#endif
	void
	twin_run(struct twin *t, const void *table, u32 mask)
{
	t->normal = 0;
	t->found = 0;
	t->stripped = 0;
	t->scanned = head_scan(&t->head, t->len, &t->h);
	if (t->scanned != HEAD_DONE)
		return;
	if (!(t->h.flags & HEAD_NORMAL)) {
		t->normal = head_rewrite(&t->head, &t->h, 0);
		if (t->normal < 0)
			return;
	}
	t->found = table_find(table, mask, &t->head, &t->h, &t->m);
	if (t->found == TABLE_FOUND && t->m.strip_len)
		t->stripped = head_rewrite(&t->head, &t->h, t->m.strip_len);
}

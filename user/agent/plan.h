/* SPDX-License-Identifier: BSD-2-Clause */
/* What an ir asks of the maps, before it is written: the parts of apply.c. Private
 * to user/agent. */
#pragma once

#include <weir/reply.h>

#include "agent/apply.h"

/* apply_groups.c: endpoints, and the groups that they make up. */
struct group_plan {
	struct group_want *groups;
	struct endpoint_want *endpoints;
	size_t count;
};

/* Sets the ids of these groups. The plan is to be freed, also after an error. */
int group_plan_make(struct applier *a, struct ir_group *const *of, size_t count,
		    struct group_plan *out, struct err *err);
int group_plan_all(struct applier *a, struct ir *ir, struct group_plan *out,
		   struct err *err);

/* With `ways` all ways to the endpoints are looked for, not only those to new ones.
 * *mss becomes what fits all of these. */
int group_plan_write(struct applier *a, const struct group_plan *p, bool ways,
		     uint16_t *mss, struct err *err);
void group_plan_free(struct group_plan *p);

/* apply_replies.c: an id stays with its bytes. */
struct reply_plan {
	struct reply_write {
		uint32_t id;
		struct weir_reply reply;
	} * write;
	size_t count;
};

/* Reads what the map holds. */
void replies_read(struct applier *a);

/* Puts ir.replies into the order of their ids, with holes: the compiler counts from
 * WEIR_REPLY_FIRST_FREE. The plan is to be freed, also after an error. */
int reply_plan_make(const struct applier *a, struct ir *ir, struct reply_plan *out,
		    struct err *err);
int reply_plan_write(struct applier *a, const struct reply_plan *p, struct err *err);
void reply_plan_free(struct reply_plan *p);

/* apply.c: the maps may have been changed by another process since the last time. */
int applier_refresh(struct applier *a, struct weir_settings *s, struct err *err);

/* The last change was taken, now. */
int settings_write_ok(const struct dp *dp, struct weir_settings *s, struct err *err);

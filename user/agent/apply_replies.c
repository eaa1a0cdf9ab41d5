/* SPDX-License-Identifier: BSD-2-Clause */
#include "agent/plan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "dp/replies.h"

static uint64_t reply_hash(const struct weir_reply *reply)
{
	uint64_t h = hash64(reply, sizeof(*reply), 0);

	return h ? h : 1;
}

void replies_read(struct applier *a)
{
	uint32_t id;

	for (id = WEIR_REPLY_FIRST_FREE; id < WEIR_MAX_REPLIES; id++) {
		struct weir_reply reply;

		a->reply_content[id] = 0;
		if (!reply_read(a->dp, id, &reply) && reply.status)
			a->reply_content[id] = reply_hash(&reply);
	}
}

/* One that has these bytes; else one never used; else one not wanted now. */
static uint32_t reply_slot(const struct applier *a, uint64_t content, const bool *taken)
{
	uint32_t id, unused = 0, old = 0;

	for (id = WEIR_REPLY_FIRST_FREE; id < WEIR_MAX_REPLIES; id++) {
		if (a->reply_content[id] == content)
			return id;
		if (!unused && !a->reply_content[id] && !taken[id])
			unused = id;
		if (!old && !taken[id])
			old = id;
	}
	return unused ? unused : old;
}

static int render(const struct ir_reply *from, struct weir_reply *to, struct err *err)
{
	const struct reply_want want = {
		.status = from->status,
		.content_type = from->content_type,
		.body = from->body,
		.location = from->location,
		.to_https =
			from->location && !strcmp(from->location, IR_LOCATION_HTTPS),
	};

	if (!reply_render(&want, to))
		return 0;
	return err_set(err, -E2BIG,
		       "a reply with status %u is longer than the %u bytes that the "
		       "kernel sends",
		       from->status, WEIR_REPLY_BYTES);
}

/* Ids of bytes that are there first, so that no other takes them. */
static int give_ids(const struct applier *a, struct reply_plan *p, struct err *err)
{
	bool taken[WEIR_MAX_REPLIES] = {};
	size_t i;

	for (i = 0; i < p->count; i++) {
		struct reply_write *w = &p->write[i];
		uint64_t content = reply_hash(&w->reply);
		uint32_t id = reply_slot(a, content, taken);

		if (id && a->reply_content[id] == content) {
			w->id = id;
			taken[id] = true;
		}
	}
	for (i = 0; i < p->count; i++) {
		struct reply_write *w = &p->write[i];

		if (!w->id)
			w->id = reply_slot(a, reply_hash(&w->reply), taken);
		if (!w->id)
			return err_set(err, -E2BIG, "more than %u different replies",
				       WEIR_MAX_REPLIES - WEIR_REPLY_FIRST_FREE);
		taken[w->id] = true;
	}
	return 0;
}

/* Where the compiler looks for it. */
static size_t place_of(const struct reply_write *w)
{
	return w->id - WEIR_REPLY_FIRST_FREE;
}

static int reorder(const struct reply_plan *p, struct ir *ir, struct err *err)
{
	struct ir_reply *moved;
	size_t i, top = 0;

	for (i = 0; i < p->count; i++)
		if (place_of(&p->write[i]) >= top)
			top = place_of(&p->write[i]) + 1;
	moved = calloc(top, sizeof(*moved));
	if (!moved)
		return err_set(err, -ENOMEM, "out of memory");
	for (i = 0; i < ir->routes.len; i++)
		if (ir->routes.item[i].reply >= 0)
			ir->routes.item[i].reply =
				place_of(&p->write[ir->routes.item[i].reply]);
	for (i = 0; i < p->count; i++) {
		struct ir_reply *from = &ir->replies.item[i];
		struct ir_reply *to = &moved[place_of(&p->write[i])];

		/* Two rules with the same bytes share an id. */
		if (to->status) {
			free(from->content_type);
			free(from->body);
			free(from->location);
		} else {
			*to = *from;
		}
	}
	vec_free(&ir->replies);
	ir->replies.item = moved;
	ir->replies.len = ir->replies.cap = top;
	return 0;
}

int reply_plan_make(const struct applier *a, struct ir *ir, struct reply_plan *out,
		    struct err *err)
{
	size_t count = ir->replies.len, i;
	int r = 0;

	*out = (struct reply_plan){};
	if (!count)
		return 0;
	out->write = calloc(count, sizeof(*out->write));
	if (!out->write)
		return err_set(err, -ENOMEM, "out of memory");
	out->count = count;
	for (i = 0; i < count && !r; i++)
		r = render(&ir->replies.item[i], &out->write[i].reply, err);
	if (!r)
		r = give_ids(a, out, err);
	return r ? r : reorder(out, ir, err);
}

int reply_plan_write(struct applier *a, const struct reply_plan *p, struct err *err)
{
	size_t i;
	int r = 0;

	for (i = 0; !r && i < p->count; i++) {
		const struct reply_write *w = &p->write[i];
		uint64_t content = reply_hash(&w->reply);

		if (a->reply_content[w->id] == content)
			continue;
		r = reply_write(a->dp, w->id, &w->reply, err);
		if (!r)
			a->reply_content[w->id] = content;
	}
	return r;
}

void reply_plan_free(struct reply_plan *p)
{
	free(p->write);
}

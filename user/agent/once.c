/* SPDX-License-Identifier: BSD-2-Clause */
/* weir apply: manifests into the data path that is there, once. */
#include <errno.h>

#include "agent/agent.h"
#include "agent/apply.h"
#include "base/log.h"
#include "base/mem.h"
#include "dp/home.h"
#include "dp/pin.h"

/* The settings are told too, when there are any. */
static int refuse(const char *pin, struct err *err)
{
	struct err ignored = {};
	struct dp dp;

	if (!dp_open(&dp, pin, &ignored)) {
		apply_refused(&dp, err);
		dp_close(&dp);
	}
	return err->code;
}

/* An agent that is there has marked them, and goes on checking. */
static bool is_marked(const struct ir_endpoint *e, void *arg)
{
	return book_says_unhealthy(arg, &e->addr, e->port);
}

static int apply_locked(const char *pin, struct ir *ir, struct applied *done,
			struct err *err)
{
	struct applier applier = {};
	struct dp dp;
	int r = dp_open(&dp, pin, err);

	if (r)
		return r;
	r = home_check(&dp, err);
	if (!r) {
		applier.dp = &dp;
		if (pin_agent(pin)) {
			applier.is_down = is_marked;
			applier.is_down_arg = &applier.book;
		}
		r = apply_ir(&applier, ir, done, err);
	}
	applier_free(&applier);
	dp_close(&dp);
	return r;
}

int agent_apply_once(const char *pin, const struct source *source, struct served *out,
		     struct err *err)
{
	auto_fd int lock = -1;
	struct applied done;
	struct store store;
	struct ir ir;
	int r = source_compile(source, &store, &ir, err);

	if (r)
		return refuse(pin, err);
	if (dp_exists(pin)) {
		lock = pin_lock(pin, PIN_LOCK_CHANGE, err);
		r = lock < 0 ? lock : 0;
	}
	if (!r)
		r = apply_locked(pin, &ir, &done, err);
	if (!r) {
		*out = (struct served){ir.routes.len, ir_count_endpoints(&ir),
				       done.generation, done.swapped};
		if (pin_agent(pin))
			log_warn(
				"an agent is running; its own manifests come back with "
				"its next change");
	} else {
		refuse(pin, err);
	}
	ir_free(&ir);
	store_free(&store);
	return r;
}

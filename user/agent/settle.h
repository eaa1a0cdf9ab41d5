/* SPDX-License-Identifier: BSD-2-Clause */
/* Hooks and listeners as the options want them, on the interfaces that there are. */
#pragma once

#include <stdint.h>

#include "agent/agent.h"
#include "base/err.h"
#include "dp/iface.h"

struct dp;

/* Do they name an interface, and addresses that can be had? Touches nothing. */
int settle_check(const struct agent_options *opt, struct err *err);

/* These listeners and no others, which offer clients this MSS. */
int settle_listeners(struct dp *dp, const struct agent_options *opt, uint16_t mss,
		     const struct names *ifaces, struct err *err);

/* Listeners, and hooks on the interfaces that match now and on no others. No
 * interface is no error: they may be gone for a while, and come back. */
int settle(struct dp *dp, const struct agent_options *opt, uint16_t mss,
	   struct err *err);

/* SPDX-License-Identifier: BSD-2-Clause */
/* The program as a filter of the clsact qdisc: kernels before 6.6. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <weir/config.h>

#include "base/err.h"

/* Fills made_qdisc, handle and priority of *at. Calls before(at, arg) before
 * qdisc and filter are made, so that both can be remembered; once more when somebody
 * else turns out to have made the qdisc. */
int clsact_attach(uint32_t ifindex, int prog, struct weir_attachment *at,
		  int (*before)(const struct weir_attachment *at, void *arg), void *arg,
		  struct err *err);
int clsact_replace(uint32_t ifindex, int prog, const struct weir_attachment *at,
		   struct err *err);
int clsact_detach(uint32_t ifindex, const struct weir_attachment *at, struct err *err);
bool clsact_is_live(uint32_t ifindex, const struct weir_attachment *at);

/* Filters on ingress and egress, or -errno. */
int clsact_filters(uint32_t ifindex, bool egress_too);

/* SPDX-License-Identifier: BSD-2-Clause */
/* What holds for the endpoints of each Service: weir_group.flags, by names. */
#pragma once

#include <stdint.h>

#include <weir/config.h>

#include "base/err.h"
#include "base/vec.h"

struct dp;

struct named_flags {
	char name[WEIR_NAME_MAX];
	uint32_t flags;
};

struct group_flags vec_of(struct named_flags);

/* To be freed (vec_free()), also when it fails. Whose address endpoints see is decided:
 * one of WEIR_GROUP_KEEP_CLIENT and WEIR_GROUP_NODE is set. */
int group_flags_read(const struct dp *dp, struct group_flags *out, struct err *err);

/* 0 when there is no such group (an endpoint's `service`). */
uint32_t group_flags_of(const struct group_flags *all, const char *name);

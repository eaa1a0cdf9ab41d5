/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The network namespace in which a data path lives: that of its interfaces.
 * Interface numbers and ways to endpoints mean nothing in any other.
 */
#pragma once

#include "base/err.h"

struct dp;
struct weir_settings;

/* -EXDEV and the sentence when the data path lives, and elsewhere than here. When
 * its namespace is gone, its hooks are forgotten and it moves here. */
int home_check(const struct dp *dp, struct err *err);

/* For a data path that takes the place of an older one of another layout: the hooks
 * of its map of attachments, unless they went with their namespace. */
int home_inherit(const struct dp *dp, const struct weir_settings *old, int attachments,
		 struct err *err);

/* Enters the namespace of the data path under PIN, if there is one and its
 * namespace can be found; else stays where it is. */
void home_enter(const char *pin);

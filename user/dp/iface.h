/* SPDX-License-Identifier: BSD-2-Clause */
/* Interfaces by name and by pattern. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/vec.h"

struct names vec_of(char *);

void names_free(struct names *n);

/* 0 for a device whose packets begin with an Ethernet header, which is what the
 * program reads; -EOPNOTSUPP and the sentence for others. */
int iface_check(const char *name, struct err *err);

/* Every interface that one of the patterns (fnmatch: "eth*") means, once each; a
 * pattern means neither the loopback nor a device without Ethernet headers. With `all_must_exist` a plain name that
 * does not exist is an error, and so is no interface at all. */
int iface_find(const char *const *patterns, size_t count, bool all_must_exist,
	       struct names *out, struct err *err);

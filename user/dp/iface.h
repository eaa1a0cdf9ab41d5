/* SPDX-License-Identifier: BSD-2-Clause */
/* Interfaces by name and by pattern. */
#pragma once

#include <stddef.h>

#include "base/err.h"
#include "base/vec.h"

struct names vec_of(char *);

void names_free(struct names *n);

/* Every interface that one of the patterns (fnmatch: "eth*") means, once each,
 * never the loopback unless it is named. A plain name that does not exist is
 * an error, and so is no interface at all. */
int iface_find(const char *const *patterns, size_t count, struct names *out,
	       struct err *err);

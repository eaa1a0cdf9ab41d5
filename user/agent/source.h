/* SPDX-License-Identifier: BSD-2-Clause */
/* Where the rules come from, and the way from there to an ir. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "k8s/store.h"
#include "route/build.h"
#include "route/ir.h"

struct source {
	const char *const *paths;
	size_t path_count;
	struct route_options route;
	bool strict; /* warnings are errors */
};

/* Files -> store -> ir. Warnings are logged, and are an error with `strict`.
 * On failure store and ir are empty; else the caller frees both. */
int source_compile(const struct source *src, struct store *store, struct ir *ir,
		   struct err *err);

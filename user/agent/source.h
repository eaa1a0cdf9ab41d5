/* SPDX-License-Identifier: BSD-2-Clause */
/* Where the rules come from, and the way from there to an ir. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "k8s/load.h"
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

/* The same in steps, for whoever follows the files. What is new stands in `m`. */
int source_read(const struct source *src, struct manifests *m, struct err *err);
int source_read_again(struct manifests *m, const char *const *files, size_t count,
		      struct err *err); /* manifests_read_again() */

/* All rules. On failure the ir is empty. */
int source_rules(const struct source *src, const struct manifests *m, struct ir *ir,
		 struct err *err);

/* The groups of `ir` whose endpoints are news, as they are now, into `fresh`: for
 * MANIFESTS_ENDPOINTS. On failure it is empty. */
int source_endpoints(const struct source *src, const struct manifests *m,
		     const struct ir *ir, struct ir *fresh, struct err *err);

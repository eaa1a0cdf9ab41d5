/* SPDX-License-Identifier: BSD-2-Clause */
/* Manifests from files, directories or standard input into a store. */
#pragma once

#include "base/err.h"
#include "k8s/store.h"

/* Reads every path ("-" is standard input; directories recursively: .yaml,
 * .yml, .json, in name order). YAML streams, JSON, kind: List. Returns 0, or
 * -errno with file:line:column in err; the store is then to be thrown away. */
int manifests_load(struct store *store, const char *const *paths, size_t count,
		   struct err *err);

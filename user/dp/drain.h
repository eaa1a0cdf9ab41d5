/* SPDX-License-Identifier: BSD-2-Clause */
/* Draining by hand: no new connections for an endpoint, whatever the rules say. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct dp;

/* Drains the endpoints of that address ("10.0.0.1:8080", whatever their Service) or
 * of that Service ("namespace/service" or "namespace/service:port"), or ends that.
 * The caller holds the change lock. It lasts until it is ended, or until the
 * endpoint is gone and forgotten; whoever applies rules meanwhile keeps it.
 * *found is their number. When a map cannot be written an endpoint may be left in a
 * group without getting anything. */
int drain_set(const struct dp *dp, const char *what, bool drain, size_t *found,
	      struct err *err);

/* The name, or the name without the port at its end. */
bool drain_is_named(const char *name, const char *given);

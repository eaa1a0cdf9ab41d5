/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pairs of rules that one request could match, by host and path. Found through
 * hashes, without looking at each pair: the time depends on how many there are.
 * Private to user/route.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "route/ir.h"

/* A host and what the paths that match begin with, or are (is_whole). */
struct rival {
	const struct ir_route *route;
	const char *text;
	bool is_whole;
};

/* Calls fn for each pair, once, by their places in `all`, until it returns false: 1
 * then, else 0; or -ENOMEM. */
typedef bool (*rivals_fn)(void *arg, size_t a, size_t b);
int rivals_each(const struct rival *all, size_t count, rivals_fn fn, void *arg);

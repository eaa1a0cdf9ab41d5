/* SPDX-License-Identifier: BSD-2-Clause */
/* --watch: a command's output again and again, until a signal or an error. */
#pragma once

#include "cmd/options.h"

struct ctx;

struct watch_options {
	const char *seconds; /* NULL: once; empty: as often as is usual */
};

extern const struct option_row options_watch[];

/* Prints once, or with --watch until `print` returns something else than
 * EXIT_DONE: on a terminal each time from its top, as JSON one document a line.
 * Returns an exit code. */
int watch_run(const struct ctx *ctx, const struct watch_options *opt,
	      int (*print)(const struct ctx *ctx, void *arg), void *arg);

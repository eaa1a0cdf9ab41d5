/* SPDX-License-Identifier: BSD-2-Clause */
/* Messages of the agent on stderr, one line each, "weir: " in front. */
#pragma once

#include <stdbool.h>

/* -1 with -q (errors only), 0 by default, 1 and more with -v. */
extern int log_level;

/* Each line is a JSON object: time, level, message, and where and hint of errors. */
extern bool log_is_json;

void log_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* One line of JSON; `where` and `hint` may be NULL or empty. */
void log_json(const char *level, const char *message, const char *where,
	      const char *hint);

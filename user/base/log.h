/* SPDX-License-Identifier: BSD-2-Clause */
/* Messages of the agent on stderr, one line each, "weir: " in front. */
#pragma once

/* -1 with -q (errors only), 0 by default, 1 and more with -v. */
extern int log_level;

void log_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Errors of userspace: functions return 0 or -errno and, where they can say
 * more, fill a struct err with one sentence and the place it is about.
 * Whoever can write the sentence sets it; callers pass it on; only cmd/ prints.
 */
#pragma once

#include <stdarg.h>
#include <stddef.h>

struct err {
	int code;	 /* -errno of the failure, 0 when unset */
	char what[512];	 /* "WHAT: WHY" without the final stop */
	char where[256]; /* "file:line:column", an interface, an object; or "" */
	char hint[256];	 /* what to do about it; or "" */
};

/* Set the sentence; returns `code` so that it can be returned at once. */
int err_set(struct err *e, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Add the place ("file:line:column") or the hint to a set error. Return its code. */
int err_where(struct err *e, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
int err_hint(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* "weir: WHAT (WHERE)" and "weir: hint: ..." on stderr, or one line of JSON there. */
void err_print(const struct err *e);

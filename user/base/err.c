/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/err.h"

#include <stdio.h>

#include "base/log.h"

int err_set(struct err *e, int code, const char *fmt, ...)
{
	va_list ap;

	if (!e)
		return code;
	e->code = code;
	e->where[0] = '\0';
	e->hint[0] = '\0';
	va_start(ap, fmt);
	vsnprintf(e->what, sizeof(e->what), fmt, ap);
	va_end(ap);
	return code;
}

int err_where(struct err *e, const char *fmt, ...)
{
	va_list ap;

	if (!e)
		return 0;
	va_start(ap, fmt);
	vsnprintf(e->where, sizeof(e->where), fmt, ap);
	va_end(ap);
	return e->code;
}

int err_hint(struct err *e, const char *fmt, ...)
{
	va_list ap;

	if (!e)
		return 0;
	va_start(ap, fmt);
	vsnprintf(e->hint, sizeof(e->hint), fmt, ap);
	va_end(ap);
	return e->code;
}

void err_print(const struct err *e)
{
	if (log_is_json) {
		log_json("error", e->what, e->where, e->hint);
		return;
	}
	fprintf(stderr, "weir: %s", e->what);
	if (e->where[0])
		fprintf(stderr, " (%s)", e->where);
	fputc('\n', stderr);
	if (e->hint[0])
		fprintf(stderr, "weir: hint: %s\n", e->hint);
}

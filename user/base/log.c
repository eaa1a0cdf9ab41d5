/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>

int log_level;

static void log_line(const char *kind, const char *fmt, va_list ap)
{
	fprintf(stderr, "weir: %s", kind);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
}

#define LOG_FUNCTION(name, least, kind)  \
	void name(const char *fmt, ...)  \
	{                                \
		va_list ap;              \
                                         \
		if (log_level < (least)) \
			return;          \
		va_start(ap, fmt);       \
		log_line(kind, fmt, ap); \
		va_end(ap);              \
	}

LOG_FUNCTION(log_error, -1, "")
LOG_FUNCTION(log_warn, 0, "warning: ")
LOG_FUNCTION(log_info, 0, "")
LOG_FUNCTION(log_debug, 1, "debug: ")

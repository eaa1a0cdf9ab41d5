/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>

#include <jansson.h>

#include "base/clock.h"

int log_level;
bool log_is_json;

void log_json(const char *level, const char *message, const char *where,
	      const char *hint)
{
	char now[CLOCK_TEXT];
	json_t *doc =
		json_pack("{s:s, s:s, s:s}", "time", clock_text(clock_wall_ns(), now),
			  "level", level, "message", message);

	if (where && *where)
		json_object_set_new(doc, "where", json_string(where));
	if (hint && *hint)
		json_object_set_new(doc, "hint", json_string(hint));
	json_dumpf(doc, stderr, JSON_COMPACT);
	json_decref(doc);
	fputc('\n', stderr);
}

static void log_line(const char *level, const char *kind, const char *fmt, va_list ap)
{
	char message[1024];

	vsnprintf(message, sizeof(message), fmt, ap);
	if (log_is_json)
		log_json(level, message, NULL, NULL);
	else
		fprintf(stderr, "weir: %s%s\n", kind, message);
}

#define LOG_FUNCTION(name, least, level, kind)  \
	void name(const char *fmt, ...)         \
	{                                       \
		va_list ap;                     \
                                                \
		if (log_level < (least))        \
			return;                 \
		va_start(ap, fmt);              \
		log_line(level, kind, fmt, ap); \
		va_end(ap);                     \
	}

LOG_FUNCTION(log_error, -1, "error", "")
LOG_FUNCTION(log_warn, 0, "warning", "warning: ")
LOG_FUNCTION(log_info, 0, "info", "")
LOG_FUNCTION(log_debug, 1, "debug", "debug: ")

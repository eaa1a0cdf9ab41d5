/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/place.h"

#include <stdio.h>

const char *place_text(struct place p, char *text)
{
	const char *source = p.source ? p.source : "";

	if (p.line)
		snprintf(text, PLACE_TEXT, "%s:%u:%u", source, p.line, p.column);
	else
		snprintf(text, PLACE_TEXT, "%s", source);
	return text;
}

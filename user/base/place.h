/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdint.h>

/* Where something stands; line 0: the source (an object's name) is all. */
struct place {
	const char *source;
	uint32_t line, column;
};

#define PLACE_TEXT 320u

/* "file:line:column" into text[PLACE_TEXT]; returns text. */
const char *place_text(struct place p, char *text);

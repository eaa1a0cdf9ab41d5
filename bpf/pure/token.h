/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Character classes of HTTP: one bit for each byte below 0x80. */
#pragma once

#include "pure/seam.h"

/* Token characters (RFC 9110, 5.6.2). */
#define TOKEN_0 0x03ff6cfa00000000ULL /* !#$%&'*+-. 0-9 */
#define TOKEN_1 0x57ffffffc7fffffeULL /* A-Z^_`a-z|~ */

static inline bool is_token(u32 c)
{
	u64 set = c < 64 ? TOKEN_0 : c < 128 ? TOKEN_1 : 0;

	return (set >> (c & 63)) & 1;
}

/* What may stand in a field value or an extension: no controls but TAB. */
static inline bool is_text(u32 c)
{
	return c == '\t' || (c >= 0x20 && c != 0x7f);
}

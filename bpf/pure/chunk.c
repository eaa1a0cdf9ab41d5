/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include "pure/chunk.h"

#include "pure/token.h"

/* The value of a hexadecimal digit, or 16. */
static inline u32 chunk_digit(u32 c)
{
	if (c - '0' < 10)
		return c - '0';
	c |= 0x20;
	return c - 'a' < 6 ? c - 'a' + 10 : 16;
}

static inline u32 chunk_behind_size(u32 c)
{
	if (c == '\r')
		return CHUNK_SIZE_LF;
	if (c == ';')
		return CHUNK_EXTENSION;
	return c == ' ' || c == '\t' ? CHUNK_SPACE : CHUNK_BAD;
}

static inline u32 chunk_size_digit(struct chunk *c, u32 byte)
{
	u32 digit = chunk_digit(byte);

	if (digit > 15)
		return c->step == CHUNK_SIZE ? chunk_behind_size(byte) : CHUNK_BAD;
	if (c->size >> 59)
		return CHUNK_BAD;
	c->size = c->size << 4 | digit;
	return CHUNK_SIZE;
}

PURE u64 chunk_take(struct chunk *c, u32 byte)
{
	u64 skip = 0;

	switch (c->step) {
	case CHUNK_SIZE_FIRST:
	case CHUNK_SIZE:
		c->step = chunk_size_digit(c, byte);
		break;
	case CHUNK_SPACE:
		c->step = byte == '\r' ? CHUNK_BAD : chunk_behind_size(byte);
		break;
	case CHUNK_EXTENSION:
		c->step = byte == '\r'	  ? CHUNK_SIZE_LF
			  : is_text(byte) ? CHUNK_EXTENSION
					  : CHUNK_BAD;
		break;
	case CHUNK_SIZE_LF:
		if (byte != '\n') {
			c->step = CHUNK_BAD;
			break;
		}
		skip = c->size;
		c->size = 0;
		c->step = skip ? CHUNK_DATA_CR : CHUNK_FIELD_FIRST;
		break;
	case CHUNK_DATA_CR:
		c->step = byte == '\r' ? CHUNK_DATA_LF : CHUNK_BAD;
		break;
	case CHUNK_DATA_LF:
		c->step = byte == '\n' ? CHUNK_SIZE_FIRST : CHUNK_BAD;
		break;
	case CHUNK_FIELD_FIRST:
		c->step = byte == '\r'	   ? CHUNK_END_LF
			  : is_token(byte) ? CHUNK_FIELD_NAME
					   : CHUNK_BAD;
		break;
	case CHUNK_FIELD_NAME:
		c->step = byte == ':'	   ? CHUNK_FIELD_VALUE
			  : is_token(byte) ? CHUNK_FIELD_NAME
					   : CHUNK_BAD;
		break;
	case CHUNK_FIELD_VALUE:
		c->step = byte == '\r'	  ? CHUNK_FIELD_LF
			  : is_text(byte) ? CHUNK_FIELD_VALUE
					  : CHUNK_BAD;
		break;
	case CHUNK_FIELD_LF:
		c->step = byte == '\n' ? CHUNK_FIELD_FIRST : CHUNK_BAD;
		break;
	case CHUNK_END_LF:
		c->step = byte == '\n' ? CHUNK_DONE : CHUNK_BAD;
		break;
	default:
		c->step = CHUNK_BAD;
	}
	return skip;
}

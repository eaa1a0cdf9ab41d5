/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Chunked bodies (RFC 9112, 7.1), byte by byte and resumable at every byte: the
 * state fits a flow. Chunk data is not looked at, the caller skips it.
 *
 * Strict where endpoints differ: lines end with CR LF, a size is below 2^63 and
 * has no space before its CR.
 */
#pragma once

#include "pure/seam.h"

enum chunk_step {
	CHUNK_SIZE_FIRST, /* first digit of a chunk-size */
	CHUNK_SIZE,
	CHUNK_SPACE, /* white space behind the size, an extension must follow */
	CHUNK_EXTENSION,
	CHUNK_SIZE_LF,
	CHUNK_DATA_CR, /* behind the data */
	CHUNK_DATA_LF,
	CHUNK_FIELD_FIRST, /* of a trailer field, or the empty line */
	CHUNK_FIELD_NAME,
	CHUNK_FIELD_VALUE,
	CHUNK_FIELD_LF,
	CHUNK_END_LF,
	CHUNK_DONE, /* behind the body */
	CHUNK_BAD,
};

struct chunk {
	u64 size; /* of the chunk being read */
	u32 step; /* enum chunk_step */
	u32 pad;
};

/*
 * Take one byte. Returns the number of data bytes that follow it and are to be
 * skipped (0: none); the step is then CHUNK_DATA_CR already. Not to be called
 * with CHUNK_DONE or CHUNK_BAD.
 */
PURE u64 chunk_take(struct chunk *c, u32 byte);

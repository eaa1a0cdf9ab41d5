/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any bytes as a response head. The first byte is the size of the pieces it comes
 * in, the second the flags. Cut anywhere it means what it means whole, or is lost.
 */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "pure/response.h"

static struct response_text text;

/* Reads the head in pieces; returns the bytes of it that were used. */
static size_t feed(struct weir_response *r, const uint8_t *data, size_t size,
		   size_t piece)
{
	size_t at = 0;

	while (at < size && r->state == WEIR_RESPONSE_HEAD) {
		size_t n = size - at < piece ? size - at : piece;
		u32 carried = r->carried;
		int used;

		assert(carried <= WEIR_RESPONSE_CARRY);
		memcpy(text.data, r->carry, WEIR_RESPONSE_CARRY);
		memcpy(text.data + carried, data + at, n);
		used = response_scan(&text, carried + n, r);
		assert(used >= (int)carried && used <= (int)(carried + n));
		at += used - carried;
	}
	return at;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct weir_response whole = {}, cut;
	size_t used, used_cut;

	if (size < 3 || size > RESPONSE_PIECE)
		return 0;
	whole.state = WEIR_RESPONSE_HEAD;
	whole.flags = data[1] & WEIR_RESPONSE_BODYLESS;
	cut = whole;
	used = feed(&whole, data + 2, size - 2, RESPONSE_PIECE);
	used_cut = feed(&cut, data + 2, size - 2, data[0] + 1);
	assert(whole.state != WEIR_RESPONSE_OVER || whole.status >= 200);
	if (cut.state == WEIR_RESPONSE_LOST)
		return 0;
	assert(cut.state == whole.state && cut.status == whole.status);
	assert(used_cut == used);
	if (whole.state == WEIR_RESPONSE_BODY)
		assert(cut.left == whole.left);
	return 0;
}

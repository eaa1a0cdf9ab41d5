/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any bytes as a request head, and as a stream of requests. The first byte is
 * how much of the path to strip. A scan of a prefix never contradicts the scan
 * of the whole, a rewritten head is a head with the same meaning, and what is
 * in normal form stays as it is.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "pure/head.h"
#include "route/explain.h"

static struct weir_head head, copy;

static void check_rewritten(const struct http_head *h, u32 len)
{
	struct http_head again;

	copy = head;
	assert(head_scan(&copy, len, &again) == HEAD_DONE);
	assert(again.flags & HEAD_NORMAL || h->flags & HEAD_ESCAPED ||
	       memchr(head.data + h->path_off, '.', h->path_len));
	assert(again.head_len == h->head_len && again.target_len == h->target_len);
	assert(again.path_off == h->path_off && again.path_len == h->path_len);
	assert(again.host_off == h->host_off && again.host_len == h->host_len);
	assert(again.content_length == h->content_length);
	assert(again.colon_end == h->colon_end && again.fields == h->fields);
	assert(!((again.flags ^ h->flags) & (HEAD_CHUNKED | HEAD_CLOSE | HEAD_LENGTH)));
	if (!(again.flags & HEAD_NORMAL)) {
		assert(head_rewrite(&copy, &again, 0) == 0);
		assert(!memcmp(copy.data, head.data, len));
	}
}

static void check_head(const uint8_t *data, size_t size, u32 strip)
{
	u32 len = size < WEIR_HEAD_MAX ? size : WEIR_HEAD_MAX, half = len / 2;
	struct http_head h, early;
	int r, before;

	memcpy(head.data, data, len);
	before = head_scan(&head, half, &early);
	r = head_scan(&head, len, &h);
	assert(before == HEAD_MORE || before == r);
	if (before == HEAD_DONE)
		assert(!memcmp(&early, &h, offsetof(struct http_head, work)));
	if (r != HEAD_DONE)
		return;
	assert(h.head_len <= len && h.path_off + h.path_len <= h.head_len);
	if (!(h.flags & HEAD_NORMAL) && head_rewrite(&head, &h, 0) < 0)
		return;
	check_rewritten(&h, h.head_len);
	if (strip > h.path_len || head_rewrite(&head, &h, strip) < 0)
		return;
	assert(head.data[h.path_off] == '/');
	check_rewritten(&h, h.head_len);
	assert(!memcmp(head.data + h.changed, data + h.changed, len - h.changed));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tls_hello hello;
	size_t end;

	if (!size)
		return 0;
	check_head(data + 1, size - 1, data[0]);
	if (body_chunked(data + 1, size - 1, &end) == BODY_DONE)
		assert(end < size);
	hello_read(data + 1, size - 1, &hello);
	return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "pure/chunk.h"
#include "route/explain.h"

enum body_status body_chunked(const void *bytes, size_t len, size_t *end)
{
	const unsigned char *b = bytes;
	struct chunk c = {};
	size_t at = 0;

	while (at < len) {
		uint64_t skip = chunk_take(&c, b[at++]);

		if (c.step == CHUNK_BAD)
			return BODY_BAD;
		if (c.step == CHUNK_DONE) {
			*end = at;
			return BODY_DONE;
		}
		if (skip > len - at)
			return BODY_MORE;
		at += skip;
	}
	return BODY_MORE;
}

/* Sets out->end; BODY_MORE: unfinished, or without an end that can be known. */
static enum body_status find_end(const struct http_head *h, const unsigned char *bytes,
				 size_t len, struct explain_request *out)
{
	uint64_t left = len - out->offset - h->head_len;
	enum body_status r;
	size_t end;

	if (h->flags & HEAD_UPGRADE)
		return BODY_MORE;
	if (h->flags & HEAD_CHUNKED) {
		r = body_chunked(bytes + out->offset + h->head_len, left, &end);
		if (!r)
			out->end = out->offset + h->head_len + end;
		return r;
	}
	if (h->flags & HEAD_LENGTH && h->content_length > left)
		return BODY_MORE;
	out->end = out->offset + h->head_len + h->content_length;
	return BODY_DONE;
}

static char *copy(const void *bytes, size_t len)
{
	char *p = malloc(len + 1);

	if (p) {
		memcpy(p, bytes, len);
		p[len] = '\0';
	}
	return p;
}

/* What the first head said, before it is gone from the buffer. */
static int keep_first(struct explainer *e, const struct explain_answer *a,
		      struct explain_stream *s)
{
	s->first = *a;
	s->first.target = NULL;
	s->head = e->received;
	if (!a->target)
		return 0;
	s->first_target = copy(a->target, a->target_len);
	s->first_target_len = a->target_len;
	return s->first_target ? 0 : -ENOMEM;
}

static bool is_blank(const unsigned char *bytes, size_t len)
{
	while (len && (*bytes == '\r' || *bytes == '\n')) {
		bytes++;
		len--;
	}
	return !len;
}

int explain_stream(struct explainer *e, const void *stream, size_t len,
		   struct explain_stream *out)
{
	const unsigned char *bytes = stream;
	uint64_t at = 0;

	memset(out, 0, sizeof(*out));
	if (!len) {
		explain_head(e, bytes, 0, &out->first);
		return 0;
	}
	do {
		struct explain_request *q = vec_push(&out->requests);
		struct explain_answer a;
		enum body_status body = BODY_MORE;

		if (!q)
			return -ENOMEM;
		q->offset = at;
		explain_head(e, bytes + at, len - at, &a);
		q->verdict = a.verdict;
		q->head_bytes = e->received.head_len;
		if (q->head_bytes)
			body = find_end(&e->received, bytes, len, q);
		if (body == BODY_BAD)
			q->verdict = EXPLAIN_REJECT;
		if (!at && keep_first(e, &a, out))
			return -ENOMEM;
		/* behind a refused request nothing is read */
		if (body != BODY_DONE || a.verdict == EXPLAIN_REJECT)
			break;
		at = q->end;
	} while (!is_blank(bytes + at, len - at));
	return 0;
}

void explain_stream_free(struct explain_stream *s)
{
	free(s->first_target);
	vec_free(&s->requests);
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "route/explain.h"

struct cursor {
	const unsigned char *at, *end;
};

/* A line without its CR LF; BODY_BAD when a control stands in it. */
static enum body_status take_line(struct cursor *c, const unsigned char **line,
				  size_t *len)
{
	const unsigned char *p;

	for (p = c->at; p < c->end; p++) {
		if (*p == '\r') {
			if (p + 1 == c->end)
				return BODY_MORE;
			if (p[1] != '\n')
				return BODY_BAD;
			*line = c->at;
			*len = p - c->at;
			c->at = p + 2;
			return BODY_DONE;
		}
		if ((*p < 0x20 && *p != '\t') || *p == 0x7f)
			return BODY_BAD;
	}
	return BODY_MORE;
}

/* chunk-size, and extensions that are passed over. */
static bool read_size(const unsigned char *line, size_t len, uint64_t *size)
{
	size_t i;

	*size = 0;
	for (i = 0; i < len && isxdigit(line[i]); i++) {
		unsigned int digit =
			isdigit(line[i]) ? line[i] - '0' : (line[i] | 0x20) - 'a' + 10;

		if (*size >> 59)
			return false;
		*size = *size << 4 | digit;
	}
	if (!i)
		return false;
	while (i < len && (line[i] == ' ' || line[i] == '\t') && i + 1 < len)
		i++;
	return i == len || line[i] == ';';
}

static bool is_field(const unsigned char *line, size_t len)
{
	size_t i;

	for (i = 0; i < len && line[i] != ':'; i++)
		if (!isalnum(line[i]) && !memchr("!#$%&'*+-.^_`|~", line[i], 15))
			return false;
	return i && i < len;
}

enum body_status body_chunked(const void *bytes, size_t len, size_t *end)
{
	struct cursor c = {.at = bytes, .end = c.at + len};
	const unsigned char *line;
	enum body_status r;
	uint64_t size;
	size_t n;

	do {
		r = take_line(&c, &line, &n);
		if (r)
			return r;
		if (!read_size(line, n, &size))
			return BODY_BAD;
		if (!size)
			break;
		if ((uint64_t)(c.end - c.at) < size)
			return BODY_MORE;
		c.at += size;
		if (c.at < c.end && *c.at != '\r')
			return BODY_BAD; /* data longer than its size */
		r = take_line(&c, &line, &n);
		if (r)
			return r;
	} while (size);
	for (;;) {
		r = take_line(&c, &line, &n);
		if (r)
			return r;
		if (!n)
			break;
		if (!is_field(line, n))
			return BODY_BAD;
	}
	*end = c.at - (const unsigned char *)bytes;
	return BODY_DONE;
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
static int keep_first(struct explainer *e, const unsigned char *bytes,
		      const struct explain_answer *a, struct explain_stream *s)
{
	const struct http_head *h = &e->received;
	size_t i;

	s->first = *a;
	s->first.target = NULL;
	if (a->target) {
		s->first_target = copy(a->target, a->target_len);
		s->first_target_len = a->target_len;
		if (!s->first_target)
			return -ENOMEM;
	}
	if (!s->is_http)
		return 0;
	s->head = *h;
	s->method_len = h->method_len;
	s->target_len = h->target_len;
	s->method = copy(bytes + h->method_off, h->method_len);
	s->target = copy(bytes + h->target_off, h->target_len);
	if (h->host_off) {
		s->host = copy(bytes + h->host_off, h->host_len);
		for (i = 0; s->host && i < h->host_len; i++)
			s->host[i] = tolower((unsigned char)s->host[i]);
	}
	return s->method && s->target && (s->host || !h->host_off) ? 0 : -ENOMEM;
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
	do {
		struct explain_request *q = vec_push(&out->requests);
		struct explain_answer a;
		enum body_status body = BODY_MORE;

		if (!q)
			return -ENOMEM;
		q->offset = at;
		memset(&e->received, 0, sizeof(e->received));
		explain_head(e, bytes + at, len - at, &a);
		q->verdict = a.verdict;
		q->head_bytes = e->received.head_len;
		if (q->head_bytes)
			body = find_end(&e->received, bytes, len, q);
		if (body == BODY_BAD)
			q->verdict = EXPLAIN_REJECT;
		if (!at) {
			out->is_http = q->head_bytes != 0;
			if (keep_first(e, bytes, &a, out))
				return -ENOMEM;
		}
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
	free(s->method);
	free(s->target);
	free(s->host);
	vec_free(&s->requests);
}

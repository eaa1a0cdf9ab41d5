/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * JSON texts (RFC 8259) -> node trees. jansson does not say where a value
 * stands, and a manifest's errors must. Several texts in a row are accepted,
 * as kubectl does.
 */
#include "k8s/node.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/vec.h"

struct reader {
	const char *at, *end;
	const char *counted; /* up to here `column` has counted */
	uint32_t line, column;
	uint32_t nodes; /* of the document */
	const char *source;
	struct pool pool;
	struct err *err;
};

/* Columns count characters, as libyaml's do. An API server's answer is one
 * line of megabytes, hence the memory of what was counted. */
static uint32_t column_of(struct reader *r)
{
	for (; r->counted < r->at; r->counted++)
		r->column += ((unsigned char)*r->counted & 0xc0) != 0x80;
	return r->column;
}

static int fail(struct reader *r, const char *what)
{
	err_set(r->err, -EINVAL, "not valid JSON: %s", what);
	return err_where(r->err, "%s:%u:%u", r->source, r->line, column_of(r));
}

static int fail_memory(struct reader *r)
{
	return err_set(r->err, -ENOMEM, "%s: out of memory", r->source);
}

static void skip_space(struct reader *r)
{
	for (; r->at < r->end; r->at++) {
		if (*r->at == '\n') {
			r->line++;
			r->column = 1;
			r->counted = r->at + 1;
		} else if (*r->at != ' ' && *r->at != '\t' && *r->at != '\r') {
			return;
		}
	}
}

static int peek(const struct reader *r)
{
	return r->at < r->end ? (unsigned char)*r->at : -1;
}

static bool take_char(struct reader *r, char c)
{
	if (peek(r) != c)
		return false;
	r->at++;
	return true;
}

static int hex4(const struct reader *r, const char *p)
{
	int value = 0, i;

	if (r->end - p < 4)
		return -1;
	for (i = 0; i < 4; i++) {
		char c = p[i];

		value <<= 4;
		if (c >= '0' && c <= '9')
			value |= c - '0';
		else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
			value |= (c | 0x20) - 'a' + 10;
		else
			return -1;
	}
	return value;
}

static char *put_utf8(char *out, unsigned int c)
{
	if (c < 0x80) {
		*out++ = (char)c;
	} else if (c < 0x800) {
		*out++ = (char)(0xc0 | c >> 6);
		*out++ = (char)(0x80 | (c & 0x3f));
	} else if (c < 0x10000) {
		*out++ = (char)(0xe0 | c >> 12);
		*out++ = (char)(0x80 | (c >> 6 & 0x3f));
		*out++ = (char)(0x80 | (c & 0x3f));
	} else {
		*out++ = (char)(0xf0 | c >> 18);
		*out++ = (char)(0x80 | (c >> 12 & 0x3f));
		*out++ = (char)(0x80 | (c >> 6 & 0x3f));
		*out++ = (char)(0x80 | (c & 0x3f));
	}
	return out;
}

/* \uXXXX at r->at, behind the u; two of them for a surrogate pair. */
static int read_unicode(struct reader *r, char **out)
{
	int high = hex4(r, r->at), low;

	if (high < 0)
		return fail(r, "\\u without four hexadecimal digits");
	r->at += 4;
	if (high >= 0xd800 && high < 0xdc00) {
		low = r->end - r->at > 2 && r->at[0] == '\\' && r->at[1] == 'u'
			      ? hex4(r, r->at + 2)
			      : -1;
		if (low < 0xdc00 || low > 0xdfff)
			return fail(r, "half of a surrogate pair");
		r->at += 6;
		high = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
	} else if (high >= 0xdc00 && high < 0xe000) {
		return fail(r, "half of a surrogate pair");
	}
	if (!high)
		return fail(r, "a NUL character in a string");
	*out = put_utf8(*out, (unsigned int)high);
	return 0;
}

static int read_escape(struct reader *r, char **out)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	const char *p;

	if (r->at == r->end)
		return fail(r, "an unfinished string");
	if (*r->at == 'u') {
		r->at++;
		return read_unicode(r, out);
	}
	p = *r->at ? strchr(from, *r->at) : NULL;
	if (!p)
		return fail(r, "an unknown escape in a string");
	r->at++;
	*(*out)++ = to[p - from];
	return 0;
}

/* Length of the well-formed UTF-8 sequence at p (RFC 3629), or 0. */
static size_t utf8_len(const char *p, const char *end)
{
	const unsigned char *s = (const unsigned char *)p;
	size_t len = s[0] < 0x80   ? 1
		     : s[0] < 0xc2 ? 0
		     : s[0] < 0xe0 ? 2
		     : s[0] < 0xf0 ? 3
		     : s[0] < 0xf5 ? 4
				   : 0;
	size_t i;

	if (!len || (size_t)(end - p) < len)
		return 0;
	for (i = 1; i < len; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
	    (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
		return 0;
	return len;
}

static const char *closing_quote(const struct reader *r)
{
	const char *p;

	for (p = r->at; p < r->end && *p != '"'; p++)
		if (*p == '\\')
			p++;
	return p < r->end ? p : NULL;
}

/* An escape is never shorter than what it stands for. */
static int read_string(struct reader *r, struct node *n)
{
	const char *close;
	char *text, *out;
	size_t len;
	int ret;

	r->at++;
	close = closing_quote(r);
	if (!close)
		return fail(r, "an unfinished string");
	out = text = pool_alloc(&r->pool, (size_t)(close - r->at) + 1);
	if (!text)
		return fail_memory(r);
	while (r->at < close) {
		if (*r->at == '\\') {
			r->at++;
			ret = read_escape(r, &out);
			if (ret)
				return ret;
			continue;
		}
		if ((unsigned char)*r->at < 0x20)
			return fail(r, "a control character in a string");
		len = utf8_len(r->at, close);
		if (!len)
			return fail(r, "a string that is not UTF-8");
		memcpy(out, r->at, len);
		out += len;
		r->at += len;
	}
	r->at++;
	n->type = NODE_STRING;
	n->text = text;
	return 0;
}

static size_t digits(const struct reader *r)
{
	const char *p = r->at;

	while (p < r->end && *p >= '0' && *p <= '9')
		p++;
	return (size_t)(p - r->at);
}

static int read_number(struct reader *r, struct node *n)
{
	const char *start = r->at;
	size_t len;

	take_char(r, '-');
	len = digits(r);
	if (!len || (len > 1 && *r->at == '0'))
		return fail(r, "a wrong number");
	r->at += len;
	if (take_char(r, '.')) {
		len = digits(r);
		if (!len)
			return fail(r, "a wrong number");
		r->at += len;
	}
	if (take_char(r, 'e') || take_char(r, 'E')) {
		if (!take_char(r, '+'))
			take_char(r, '-');
		len = digits(r);
		if (!len)
			return fail(r, "a wrong number");
		r->at += len;
	}
	n->text = pool_strndup(&r->pool, start, (size_t)(r->at - start));
	if (!n->text)
		return fail_memory(r);
	node_resolve(n);
	return 0;
}

static int read_word(struct reader *r, struct node *n)
{
	static const char *const words[] = {"true", "false", "null"};
	size_t i, len;

	for (i = 0; i < 3; i++) {
		len = strlen(words[i]);
		if ((size_t)(r->end - r->at) < len || memcmp(r->at, words[i], len))
			continue;
		r->at += len;
		n->text = words[i];
		node_resolve(n);
		return 0;
	}
	return fail(r, "a value is missing");
}

static int read_value(struct reader *r, unsigned int depth, struct node **out);

static int read_list(struct reader *r, unsigned int depth, struct node *n)
{
	struct vec_of(struct node *) items = {};
	struct node **slot;
	int ret = 0;

	n->type = NODE_SEQ;
	r->at++;
	skip_space(r);
	if (take_char(r, ']'))
		return 0;
	for (;;) {
		slot = vec_push(&items);
		ret = slot ? read_value(r, depth, slot) : fail_memory(r);
		if (ret)
			break;
		skip_space(r);
		if (take_char(r, ']'))
			break;
		if (!take_char(r, ',')) {
			ret = fail(r, "expected , or ] in a list");
			break;
		}
	}
	n->count = (uint32_t)items.len;
	n->item = ret ? NULL : pool_array(&r->pool, items.len, sizeof(*n->item));
	if (n->item)
		memcpy(n->item, items.item, items.len * sizeof(*n->item));
	else if (!ret)
		ret = fail_memory(r);
	vec_free(&items);
	return ret;
}

static int read_pair(struct reader *r, unsigned int depth, struct node_pair *pair)
{
	int ret;

	skip_space(r);
	if (peek(r) != '"')
		return fail(r, "expected a key in quotes");
	ret = read_value(r, depth, &pair->key);
	if (ret)
		return ret;
	skip_space(r);
	if (!take_char(r, ':'))
		return fail(r, "expected : behind a key");
	return read_value(r, depth, &pair->value);
}

static int read_object(struct reader *r, unsigned int depth, struct node *n)
{
	struct vec_of(struct node_pair) pairs = {};
	struct node_pair *slot;
	int ret = 0;

	n->type = NODE_MAP;
	r->at++;
	skip_space(r);
	if (take_char(r, '}'))
		return 0;
	for (;;) {
		slot = vec_push(&pairs);
		ret = slot ? read_pair(r, depth, slot) : fail_memory(r);
		if (ret)
			break;
		skip_space(r);
		if (take_char(r, '}'))
			break;
		if (!take_char(r, ',')) {
			ret = fail(r, "expected , or } in a mapping");
			break;
		}
	}
	n->count = (uint32_t)pairs.len;
	n->pair = ret ? NULL : pool_array(&r->pool, pairs.len, sizeof(*n->pair));
	if (n->pair)
		memcpy(n->pair, pairs.item, pairs.len * sizeof(*n->pair));
	else if (!ret)
		ret = fail_memory(r);
	vec_free(&pairs);
	return ret ? ret : node_check_keys(n, r->source, r->err);
}

static int read_value(struct reader *r, unsigned int depth, struct node **out)
{
	struct node *n;

	skip_space(r);
	if (++r->nodes > NODE_COUNT_MAX)
		return fail(r, NODE_COUNT_TEXT);
	n = pool_alloc(&r->pool, sizeof(*n));
	if (!n)
		return fail_memory(r);
	*out = n;
	n->line = r->line;
	n->column = column_of(r);
	if (peek(r) == '"')
		return read_string(r, n);
	if (peek(r) == '-' || (peek(r) >= '0' && peek(r) <= '9'))
		return read_number(r, n);
	if (peek(r) != '{' && peek(r) != '[')
		return read_word(r, n);
	if (depth >= NODE_DEPTH_MAX)
		return fail(r, "nested too deeply");
	if (peek(r) == '[')
		return read_list(r, depth + 1, n);
	return read_object(r, depth + 1, n);
}

int node_read_json(const char *text, size_t len, const char *source, node_fn fn,
		   void *ctx, struct err *err)
{
	struct reader r = {.at = text,
			   .end = text + len,
			   .counted = text,
			   .line = 1,
			   .column = 1,
			   .source = source,
			   .err = err};
	struct node *doc;
	int ret = 0;

	if (len >= 3 && !memcmp(text, "\xef\xbb\xbf", 3))
		r.at = r.counted = text + 3;
	for (skip_space(&r); !ret && r.at < r.end; skip_space(&r)) {
		r.nodes = 0;
		ret = read_value(&r, 0, &doc);
		if (!ret && doc->type != NODE_NULL)
			ret = fn(doc, ctx, err);
		pool_free(&r.pool);
	}
	pool_free(&r.pool);
	return ret;
}

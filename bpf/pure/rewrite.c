/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include "pure/head.h"

#include "pure/word.h"

/* A-Z a-z 0-9 - . _ ~ (RFC 3986, 2.3) */
#define UNRESERVED_0 0x03ff600000000000ULL
#define UNRESERVED_1 0x47fffffe87fffffeULL

struct rewrite_ctx {
	struct weir_head *b;
	struct http_head *h;
};

PURE_LOCAL void rewrite_put(struct weir_head *b, u32 off, u32 c)
{
	b->data[off & WEIR_HEAD_MASK] = c;
}

/* 0..15, or 16 */
PURE_LOCAL u32 rewrite_hex(u32 c)
{
	if (c - '0' <= 9)
		return c - '0';
	c = (c | 0x20) - 'a';
	return c < 6 ? c + 10 : 16;
}

PURE_LOCAL u32 rewrite_digit(u32 v)
{
	return v < 10 ? '0' + v : 'A' - 10 + v;
}

/*
 * One step of the normal form, in place: k->at reads, k->next writes behind
 * it. k->host is the start of the segment being written and k->value the first
 * byte behind the root's slash. k->count counts the dots of a segment that has
 * nothing else (3: it has). k->gap: on the way back over a segment that ".."
 * removes. k->prev: an escape was put into upper case. k->result: done.
 */
static long rewrite_step_cb(u32 i, void *ctx)
{
	struct rewrite_ctx *c = ctx;
	struct weir_head *b = c->b;
	struct head_work *k = &c->h->work;
	u32 r = k->at, w = k->next, ch, v;
	bool over = r >= k->end;

	if (k->gap) {
		if (head_byte(b, w - 1) == '/') {
			k->gap = 0;
			k->host = w;
			return 0;
		}
		k->next = w - 1;
		return 0;
	}

	ch = head_byte(b, r);
	if (over || ch == '/') {
		u32 dots = k->count;

		k->at = r + 1;
		k->count = 0;
		k->result = over;
		if (w == k->host)
			return over; /* "//" */
		if (dots == 1 || dots == 2) {
			w = k->host;
			k->next = w;
			if (dots == 1)
				return over;
			if (w == k->value) {
				k->bad = 1; /* above the root */
				return 1;
			}
			k->next = w - 1;
			k->gap = 1;
			k->at = r + !over; /* the end is met again */
			k->result = 0;
			return 0;
		}
		if (over)
			return 1;
		rewrite_put(b, w, '/');
		k->next = w + 1;
		k->host = w + 1;
		return 0;
	}
	if (ch == '%') {
		u32 hi = rewrite_hex(head_byte(b, r + 1));
		u32 lo = rewrite_hex(head_byte(b, r + 2));
		u64 set;

		v = (hi << 4 | lo) & 0xff;
		if (r + 2 >= k->end || (hi | lo) > 15 || !v) {
			k->bad = 1;
			return 1;
		}
		k->at = r + 3;
		set = v < 64 ? UNRESERVED_0 : v < 128 ? UNRESERVED_1 : 0;
		if (!((set >> (v & 63)) & 1)) {
			if (head_byte(b, r + 1) != rewrite_digit(hi) ||
			    head_byte(b, r + 2) != rewrite_digit(lo))
				k->prev = 1;
			rewrite_put(b, w, '%');
			rewrite_put(b, w + 1, rewrite_digit(hi));
			rewrite_put(b, w + 2, rewrite_digit(lo));
			k->next = w + 3;
			k->count = 3;
			c->h->flags |= HEAD_ESCAPED;
			return 0;
		}
		ch = v;
	} else {
		k->at = r + 1;
	}
	rewrite_put(b, w, ch);
	k->next = w + 1;
	k->count = ch == '.' && k->count < 2 ? k->count + 1 : 3;
	return 0;
}

/* Moves words from k->at to k->next, up to k->end. */
static long rewrite_move_cb(u32 n, void *ctx)
{
	struct rewrite_ctx *c = ctx;
	struct head_work *k = &c->h->work;
	u32 r = k->at, w = k->next, end = k->end, i;

	for (i = 0; i < 8; i++) {
		if (r + 8 > end)
			break;
		word_put(c->b->data + (w & WEIR_HEAD_MASK), head_word(c->b, r));
		r += 8;
		w += 8;
	}
	k->at = r;
	k->next = w;
	return r + 8 > end;
}

/* Spaces from k->next to k->end, words of them. */
static long rewrite_blank_cb(u32 n, void *ctx)
{
	struct rewrite_ctx *c = ctx;
	struct head_work *k = &c->h->work;
	u32 w = k->next, i;

	for (i = 0; i < 8; i++) {
		if (w + 8 > k->end)
			break;
		word_put(c->b->data + (w & WEIR_HEAD_MASK), ' ' * WORD_ONES);
		w += 8;
	}
	k->next = w;
	return w + 8 > k->end;
}

/* The shortest header line: "X:" and its end. */
#define LINE_MIN 4u

/*
 * Take out the bytes to..from-1: what follows, up to the first header's colon,
 * moves down and as many spaces follow it. A head without header lines gets
 * one, "X:", when there is room. Returns 0, or -1 when there is not.
 */
PURE_APART int rewrite_cut(struct rewrite_ctx *c, u32 to, u32 from)
{
	struct http_head *h = c->h;
	struct head_work *k = &h->work;
	u32 end = h->colon_end, i;
	bool is_bare = !end;

	if (is_bare) {
		if (from - to < LINE_MIN)
			return -1;
		end = h->fields;
	}
	k->at = from;
	k->next = to;
	k->end = end;
	pure_loop(WEIR_HEAD_MAX / 64 + 1, rewrite_move_cb, c);
	for (i = 0; i < 7; i++) {
		if (k->at >= k->end)
			break;
		rewrite_put(c->b, k->next++, head_byte(c->b, k->at++));
	}
	if (is_bare) {
		rewrite_put(c->b, k->next++, 'X');
		rewrite_put(c->b, k->next++, ':');
		rewrite_put(c->b, end - 2, '\r');
		rewrite_put(c->b, end - 1, '\n');
		k->end = end - 2;
	}
	h->colon_end = k->next;
	pure_loop(WEIR_HEAD_MAX / 64 + 1, rewrite_blank_cb, c);
	for (i = 0; i < 7; i++) {
		if (k->next >= k->end)
			break;
		rewrite_put(c->b, k->next++, ' ');
	}
	h->fields -= from - to;
	if (h->changed < end)
		h->changed = end;
	return 0;
}

/* Origin-form and normal form. Returns 0, or -1. */
PURE_APART int rewrite_normal(struct rewrite_ctx *c)
{
	struct http_head *h = c->h;
	struct head_work *k = &h->work;
	u32 start = h->target_off, path = h->path_off, path_len = h->path_len;
	u32 query_len = h->target_len - (path - start) - path_len;
	u32 end = path + path_len, w;

	/* an empty path is "/" (RFC 9112, 3.2.1); one starts with a slash */
	rewrite_put(c->b, start, '/');
	k->value = start + 1;
	k->host = start + 1;
	k->next = start + 1;
	k->at = path_len ? path + 1 : path;
	k->end = end;
	k->count = 0;
	k->gap = 0;
	k->prev = 0;
	k->bad = 0;
	k->result = 0;
	/* each byte is read once, and written and taken back at most once */
	pure_loop(WEIR_HEAD_MAX * 3, rewrite_step_cb, c);
	if (k->bad || !k->result)
		return -1;
	w = k->next;
	if (k->prev && h->changed < w)
		h->changed = w;
	h->path_off = start;
	h->path_len = w - start;
	h->target_len = w - start + query_len;
	h->flags |= HEAD_NORMAL;
	return w < end ? rewrite_cut(c, w, end) : 0;
}

/* Strip n bytes of a normal path; semantics of Kong's strip-path. */
PURE_APART int rewrite_strip(struct rewrite_ctx *c, u32 n)
{
	struct weir_head *b = c->b;
	struct http_head *h = c->h;
	u32 start = h->target_off, len = h->path_len, left;

	if (n > len)
		return -1;
	left = len - n;
	/* What is left of a segment must not become a dot segment: "/foo../x"
	 * less "/foo" is "/x". */
	if (left && head_byte(b, start + n) == '.') {
		u32 dots = 1;

		if (left > 1 && head_byte(b, start + n + 1) == '.')
			dots = 2;
		if (left == dots)
			n += dots;
		else if (head_byte(b, start + n + dots) == '/')
			n += dots + 1;
	}
	if (n == len || head_byte(b, start + n) != '/') {
		n--;
	}
	if (!n)
		return 0; /* it was the root's slash */
	rewrite_put(b, start + n, '/');
	h->path_len = len - n;
	h->target_len -= n;
	return rewrite_cut(c, start, start + n);
}

PURE_GLOBAL int head_rewrite(struct weir_head *b, struct http_head *h, u32 strip_len)
{
	struct rewrite_ctx c = {.b = b, .h = h};

	if (!b || !h)
		return -1;
	if (!(h->flags & HEAD_NORMAL) && rewrite_normal(&c))
		return -1;
	if (strip_len && rewrite_strip(&c, strip_len))
		return -1;
	return h->changed;
}

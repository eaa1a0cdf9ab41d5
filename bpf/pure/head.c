/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include "pure/head.h"

#include "pure/token.h"
#include "pure/word.h"

/* Host characters: unreserved, sub-delims, "%" (RFC 3986, 3.2.2) */
#define HOST_0 0x2bff7ff200000000ULL
#define HOST_1 0x47fffffe87fffffeULL

enum head_field_kind {
	FIELD_OTHER,
	FIELD_HOST,
	FIELD_LENGTH,
	FIELD_CODING,
	FIELD_CONNECTION,
	FIELD_UPGRADE,
	FIELD_EXPECT,
};

/* head_ctx.seen */
#define SEEN_HOST 0x01u
#define SEEN_CODING 0x02u
#define SEEN_CLOSE 0x04u
#define SEEN_KEEP_ALIVE 0x08u
#define SEEN_UPGRADE_OPTION 0x10u
#define SEEN_UPGRADE_FIELD 0x20u

struct head_ctx {
	const struct weir_head *b;
	struct http_head *h;
	u32 len;
};

/* The same value, of which the verifier has forgotten how it came about: paths
 * that meet here are one from here on. */
PURE_LOCAL u32 head_forget(struct http_head *h, u32 v)
{
	*(volatile u32 *)&h->work.known = v;
	return *(volatile u32 *)&h->work.known;
}

static long head_token_cb(u32 i, void *ctx)
{
	struct head_ctx *c = ctx;
	struct head_work *k = &c->h->work;

	if (k->next >= c->len || !is_token(head_byte(c->b, k->next)))
		return 1;
	k->next++;
	return 0;
}

/* The first byte from pos that is no token character; for names that hold
 * more than letters and "-". */
PURE_APART u32 head_token_slow(struct head_ctx *c, u32 pos)
{
	c->h->work.next = pos;
	pure_loop(WEIR_HEAD_MAX, head_token_cb, c);
	return c->h->work.next;
}

/* The end of the token at pos, which is `len` or more when it is cut off.
 * `stop` is what should follow it. */
PURE_LOCAL u32 head_token_end(struct head_ctx *c, u32 pos, u32 stop)
{
	const struct weir_head *b = c->b;
	u32 p = pos, i;

	for (i = 0; i < 4; i++) {
		u64 w = head_word(b, p);
		u64 m = word_not_name(w);

		if (m) {
			p += word_index(m);
			if (p >= c->len || head_byte(b, p) == stop)
				return p;
			break;
		}
		p += 8;
	}
	return head_token_slow(c, pos);
}

#define KIND_LENGTHS (1u << 4 | 1u << 6 | 1u << 7 | 1u << 10 | 1u << 14 | 1u << 17)

/* Which header line is it? `n` bytes of name, all of them token characters,
 * so that setting the case bit makes no other byte a letter or "-". */
PURE_LOCAL u32 head_field_kind(const struct weir_head *b, u32 pos, u32 n)
{
	u64 w, next;

	/* few names have one of these lengths */
	if (n > 17 || !((1u << n) & KIND_LENGTHS))
		return FIELD_OTHER;
	w = head_word(b, pos) | WORD_CASE;
	next = head_word(b, pos + 8) | WORD_CASE;
	if (n == 4)
		return (u32)w == W4('h', 'o', 's', 't') ? FIELD_HOST : FIELD_OTHER;
	if (n == 10)
		return w == W8('c', 'o', 'n', 'n', 'e', 'c', 't', 'i') &&
				       (u16)next == (u16)W4('o', 'n', 0, 0)
			       ? FIELD_CONNECTION
			       : FIELD_OTHER;
	if (n == 14)
		return w == W8('c', 'o', 'n', 't', 'e', 'n', 't', '-') &&
				       (next & WORD_FIRST(6)) ==
					       W8('l', 'e', 'n', 'g', 't', 'h', 0, 0)
			       ? FIELD_LENGTH
			       : FIELD_OTHER;
	if (n == 17)
		return w == W8('t', 'r', 'a', 'n', 's', 'f', 'e', 'r') &&
				       next == W8('-', 'e', 'n', 'c', 'o', 'd', 'i',
						  'n') &&
				       (head_byte(b, pos + 16) | 0x20) == 'g'
			       ? FIELD_CODING
			       : FIELD_OTHER;
	if (n == 7)
		return (w & WORD_FIRST(7)) == W8('u', 'p', 'g', 'r', 'a', 'd', 'e', 0)
			       ? FIELD_UPGRADE
			       : FIELD_OTHER;
	if (n == 6)
		return (w & WORD_FIRST(6)) == W8('e', 'x', 'p', 'e', 'c', 't', 0, 0)
			       ? FIELD_EXPECT
			       : FIELD_OTHER;
	return FIELD_OTHER;
}

/* ---- values that are lists: tokens, codings, lengths ---- */

/* An element of the list ends: word[] is it in lower case, its first 16 bytes,
 * count its length, gap 1 with white space behind it and 2 with more behind. */
PURE_LOCAL void head_list_element(struct http_head *h)
{
	struct head_work *k = &h->work;
	u32 n = k->gap > 1 ? 0 : k->count;

	if (k->kind == FIELD_LENGTH) {
		if (!n || ((h->flags & HEAD_LENGTH) && h->content_length != k->number))
			k->bad = 1;
		h->flags |= HEAD_LENGTH;
		h->content_length = k->number;
	} else if (k->kind == FIELD_CODING) {
		/* one coding, and it is "chunked" (RFC 9112, 6.1) */
		if (n != 7 || k->word[0] != W8('c', 'h', 'u', 'n', 'k', 'e', 'd', 0) ||
		    (h->flags & HEAD_CHUNKED))
			k->bad = 1;
		h->flags |= HEAD_CHUNKED;
	} else if (k->kind == FIELD_EXPECT) {
		if (n == 12 &&
		    k->word[0] == W8('1', '0', '0', '-', 'c', 'o', 'n', 't') &&
		    k->word[1] == W4('i', 'n', 'u', 'e'))
			h->flags |= HEAD_EXPECT;
	} else if (n == 5 && k->word[0] == W8('c', 'l', 'o', 's', 'e', 0, 0, 0)) {
		k->seen |= SEEN_CLOSE;
	} else if (n == 7 && k->word[0] == W8('u', 'p', 'g', 'r', 'a', 'd', 'e', 0)) {
		k->seen |= SEEN_UPGRADE_OPTION;
	} else if (n == 10 &&
		   k->word[0] == W8('k', 'e', 'e', 'p', '-', 'a', 'l', 'i') &&
		   k->word[1] == W4('v', 'e', 0, 0)) {
		k->seen |= SEEN_KEEP_ALIVE;
	}
	k->word[0] = 0;
	k->word[1] = 0;
	k->number = 0;
	k->count = 0;
	k->gap = 0;
}

static long head_list_cb(u32 i, void *ctx)
{
	struct head_ctx *c = ctx;
	struct head_work *k = &c->h->work;
	u32 pos = k->next;
	u32 ch = head_byte(c->b, pos);

	if (pos >= k->stop || ch == ',') {
		head_list_element(c->h);
		k->next = pos + 1;
		return k->bad || pos >= k->stop;
	}
	k->next = pos + 1;
	if (ch == ' ' || ch == '\t') {
		if (k->count && !k->gap)
			k->gap = 1;
		return 0;
	}
	if (k->gap)
		k->gap = 2;
	if (k->kind == FIELD_LENGTH) {
		u64 digit = ch - '0';

		if (digit > 9 || k->number > (0x7fffffffffffffffULL - digit) / 10) {
			k->bad = 1;
			return 1;
		}
		k->number = k->number * 10 + digit;
	} else {
		u64 lower = byte_lower(ch);

		if (k->count < 8)
			k->word[0] |= lower << ((k->count & 7) * 8);
		else if (k->count < 16)
			k->word[1] |= lower << ((k->count & 7) * 8);
	}
	k->count++;
	return 0;
}

/* The value of the header line at hand, which ends at `end`. */
PURE_APART u32 head_field(struct head_ctx *c, u32 end)
{
	struct head_work *k = &c->h->work;
	u32 kind = k->kind, value = k->value;

	if (kind == FIELD_UPGRADE) {
		k->seen |= SEEN_UPGRADE_FIELD;
		return 0;
	}
	if (kind == FIELD_CONNECTION && end - value == 11) {
		u64 a = head_word(c->b, value + 1) | WORD_CASE;
		u64 z = head_word(c->b, value + 3) | WORD_CASE;

		if (a == W8('k', 'e', 'e', 'p', '-', 'a', 'l', 'i') &&
		    z == W8('e', 'p', '-', 'a', 'l', 'i', 'v', 'e') &&
		    head_byte(c->b, value) == ' ') {
			k->seen |= SEEN_KEEP_ALIVE;
			return 0;
		}
	}
	if (kind == FIELD_CODING)
		k->seen |= SEEN_CODING;
	k->next = value;
	k->stop = end;
	pure_loop(WEIR_HEAD_MAX + 1, head_list_cb, c);
	return k->bad ? HEAD_BAD : 0;
}

/* ---- lines ---- */

/* One step at *at: the name of a header line and its value, 128 bytes of both,
 * or more of a value. Returns 0, or what ends the scan. The end of the line is
 * looked for from its start, name and all, so that a CPU can read the name at the
 * same time: what the next line waits for is this end alone. */
PURE_LOCAL u32 head_line(struct head_ctx *c, u32 *at)
{
	const struct weir_head *b = c->b;
	struct head_work *k = &c->h->work;
	u32 line = *at, pos = line, len = c->len, end, i;
	u64 m = 0;

	for (i = 0; i < 8; i++) {
		const u8 *p = b->data + (pos & WEIR_HEAD_MASK);

		m = word_control(word_get(p), 0x20);
		if (m)
			break;
		m = word_control(word_get(p + 8), 0x20);
		pos += 8;
		if (m)
			break;
		pos += 8;
	}
	if (m)
		pos += word_index(m);
	pos = head_forget(c->h, pos);
	*at = pos;
	if (!k->value) {
		if (line >= len)
			return HEAD_MORE;
		if (head_byte(b, line) == '\r') {
			if (line + 1 >= len)
				return HEAD_MORE;
			*at = line + 2;
			return head_byte(b, line + 1) == '\n' ? HEAD_DONE : HEAD_BAD;
		}
		end = head_token_end(c, line, ':');
		if (end >= len)
			return HEAD_MORE;
		if (end == line || head_byte(b, end) != ':')
			return HEAD_BAD;
		k->kind = head_field_kind(b, line, end - line);
		k->value = end + 1;
		if (!c->h->colon_end)
			c->h->colon_end = end + 1;
	}
	if (pos >= len)
		return HEAD_MORE;
	if (!m)
		return 0;
	if (head_byte(b, pos) == '\t') {
		*at = head_forget(c->h, pos + 1);
		return 0;
	}
	if (head_byte(b, pos) != '\r')
		return HEAD_BAD;
	if (pos + 1 >= len)
		return HEAD_MORE;
	if (head_byte(b, pos + 1) != '\n')
		return HEAD_BAD;
	*at = pos + 2;
	if (k->kind == FIELD_HOST) {
		if (k->seen & SEEN_HOST)
			return HEAD_BAD;
		k->seen |= SEEN_HOST;
		k->host = k->value;
		k->host_end = pos;
	} else if (k->kind != FIELD_OTHER && head_field(c, pos)) {
		return HEAD_BAD;
	}
	k->value = 0;
	return 0;
}

static long head_line_cb(u32 n, void *ctx)
{
	struct head_ctx *c = ctx;
	struct head_work *k = &c->h->work;
	u32 pos = k->at, r = head_line(c, &pos);

	/* No loop: clang 14 lets its end fall through into its first instruction,
	 * a back-edge that the 6.1 verifier refuses. */
	if (!r)
		r = head_line(c, &pos);
	if (!r)
		r = head_line(c, &pos);
	if (!r)
		r = head_line(c, &pos);
	k->at = pos;
	k->result = r;
	return r != 0;
}

/* ---- host ---- */

PURE_LOCAL bool head_is_blank(u32 c)
{
	return c == ' ' || c == '\t';
}

static long head_trim_cb(u32 i, void *ctx)
{
	struct head_ctx *c = ctx;
	struct head_work *k = &c->h->work;

	if (k->at >= k->end)
		return 1;
	if (head_is_blank(head_byte(c->b, k->at)))
		k->at++;
	else if (head_is_blank(head_byte(c->b, k->end - 1)))
		k->end--;
	else
		return 1;
	return 0;
}

/* A host byte by byte, up to its end or ":". k->count is 1 within [ ] and 2
 * behind it. */
static long head_host_cb(u32 i, void *ctx)
{
	struct head_ctx *c = ctx;
	struct head_work *k = &c->h->work;
	u32 ch = head_byte(c->b, k->at);
	u64 set = ch < 64 ? HOST_0 : ch < 128 ? HOST_1 : 0;

	if (k->at >= k->end)
		return 1;
	if (k->count == 1) {
		if (ch == ']')
			k->count = 2;
		else if ((ch | 0x20) - 'a' > 5 && ch - '0' > 9 && ch != ':' &&
			 ch != '.')
			k->bad = 1;
	} else if (ch == ':') {
		return 1;
	} else if (ch == '[' && !k->prev) {
		k->count = 1;
	} else if (k->count || !((set >> (ch & 63)) & 1) ||
		   (ch == '.' && k->prev == '.')) {
		k->bad = 1;
	}
	k->prev = ch;
	k->at++;
	return k->bad != 0;
}

/* The end of a host in [pos, end), or 0 when it is not valid. */
PURE_APART u32 head_host_slow(struct head_ctx *c, u32 pos, u32 end)
{
	struct head_work *k = &c->h->work;

	k->at = pos;
	k->end = end;
	k->prev = 0;
	k->count = 0;
	k->bad = 0;
	pure_loop(WEIR_HEAD_MAX, head_host_cb, c);
	return k->bad || k->count == 1 ? 0 : k->at;
}

/* The end of a host of letters, digits, "-" and single dots of at most 64
 * bytes in [pos, end), or 0 when it needs a closer look. */
PURE_LOCAL u32 head_host_quick(const struct weir_head *b, u32 pos, u32 end)
{
	u64 stop = 0;
	u32 p = pos, i;

	for (i = 0; i < 8; i++) {
		u64 w = head_word(b, p);
		u64 dots = word_is_exact(w, '.');
		u64 pair = dots & word_is_exact(head_word(b, p + 1), '.');

		stop = ~(word_letters(w) | word_range(w, '0', '9') | dots |
			 word_is_exact(w, '-')) &
		       WORD_HIGH;
		if (stop)
			pair &= word_below(stop);
		if (pair)
			return 0;
		if (stop)
			break;
		p += 8;
	}
	if (!stop)
		return 0;
	p += word_index(stop);
	if (p < end)
		return head_byte(b, p) == ':' ? p : 0;
	return end;
}

/* Split "host:port" in [pos, end) into h->host_*. Returns 0, or HEAD_BAD. */
PURE_LOCAL u32 head_authority(struct head_ctx *c, u32 pos, u32 end)
{
	const struct weir_head *b = c->b;
	struct http_head *h = c->h;
	u32 stop, port = 0, i;

	stop = head_host_quick(b, pos, end);
	if (!stop)
		stop = head_host_slow(c, pos, end);
	stop = head_forget(h, stop);
	if (stop <= pos)
		return HEAD_BAD;
	if (stop < end) {
		/* ":" and up to five digits, or none */
		u32 p = stop + 1;

		if (head_byte(b, stop) != ':' || end - p > 5)
			return HEAD_BAD;
		for (i = 0; i < 5; i++) {
			u32 digit;

			if (p + i >= end)
				break;
			digit = head_byte(b, p + i) - '0';
			if (digit > 9)
				return HEAD_BAD;
			port = port * 10 + digit;
		}
		if (port > 65535)
			return HEAD_BAD;
	}
	if (head_byte(b, stop - 1) == '.')
		stop--;
	if (stop <= pos)
		return HEAD_BAD;
	h->host_off = pos;
	h->host_len = stop - pos;
	h->host_port = port;
	return 0;
}

/* The Host field's value, white space around it allowed. */
PURE_LOCAL u32 head_host_value(struct head_ctx *c)
{
	const struct weir_head *b = c->b;
	struct head_work *k = &c->h->work;
	u32 pos = k->host, end = k->host_end;

	if (pos < end && head_byte(b, pos) == ' ')
		pos++;
	if (pos < end && (head_is_blank(head_byte(b, pos)) ||
			  head_is_blank(head_byte(b, end - 1)))) {
		k->at = pos;
		k->end = end;
		pure_loop(WEIR_HEAD_MAX, head_trim_cb, c);
		pos = k->at;
		end = k->end;
	}
	if (pos >= end)
		return HEAD_BAD;
	return head_authority(c, pos, end);
}

/* ---- request line ---- */

/* To the end of a path: a control, space, DEL or "?". k->bad: something in it
 * that is not, or may not be, in normal form. */
PURE_LOCAL u32 head_path(struct head_ctx *c)
{
	struct head_work *k = &c->h->work;
	u32 p = k->at, i;
	u64 odd = 0, stop = 0;

	for (i = 0; i < 8; i++) {
		u64 w = head_word(c->b, p);
		u64 next = head_word(c->b, p + 1);
		/* "." and "/" differ in the lowest bit only */
		u64 m = word_is(w, '%') |
			(word_is(w, '/') & word_is(next | WORD_ONES, '/'));

		stop = word_control(w, 0x21) | word_is(w, '?');
		if (stop) {
			odd |= m & word_below(stop);
			p += word_index(stop);
			break;
		}
		odd |= m;
		p += 8;
	}
	if (odd)
		k->bad = 1;
	k->at = p;
	return stop || p >= c->len;
}

static long head_path_cb(u32 n, void *ctx)
{
	return head_path(ctx);
}

static long head_query_cb(u32 n, void *ctx)
{
	struct head_ctx *c = ctx;
	u32 p = c->h->work.at, i;
	u64 stop = 0;

	for (i = 0; i < 8; i++) {
		stop = word_control(head_word(c->b, p), 0x21);
		if (stop) {
			p += word_index(stop);
			break;
		}
		p += 8;
	}
	c->h->work.at = p;
	return stop || p >= c->len;
}

/* From the authority's first byte to "/", "?" or the end. */
static long head_authority_cb(u32 i, void *ctx)
{
	struct head_ctx *c = ctx;
	struct head_work *k = &c->h->work;
	u32 ch = head_byte(c->b, k->at);

	if (k->at >= k->end || ch == '/' || ch == '?')
		return 1;
	k->at++;
	return 0;
}

/* Do the hosts at k->at and k->next agree up to k->stop? */
static long head_compare_cb(u32 i, void *ctx)
{
	struct head_ctx *c = ctx;
	struct head_work *k = &c->h->work;

	if (k->at >= k->stop)
		return 1;
	if (byte_lower(head_byte(c->b, k->at++)) !=
	    byte_lower(head_byte(c->b, k->next++)))
		k->bad = 1;
	return k->bad != 0;
}

/*
 * Absolute-form (RFC 9112, 3.2.2): the authority must be what Host says. What
 * Host said is put aside in k->word: the stack is short here.
 */
PURE_APART u32 head_absolute(struct head_ctx *c)
{
	const struct weir_head *b = c->b;
	struct http_head *h = c->h;
	struct head_work *k = &h->work;
	u64 w = head_word(b, h->target_off) | WORD_CASE;

	k->value = h->target_off;
	/* setting the case bit lets a control pass for "/", but there is none */
	if ((w & WORD_FIRST(7)) == W8('h', 't', 't', 'p', ':', '/', '/', 0)) {
		k->value += 7;
		k->number = 80;
	} else if (w == W8('h', 't', 't', 'p', 's', ':', '/', '/')) {
		k->value += 8;
		k->number = 443;
	} else {
		return HEAD_BAD;
	}
	k->at = k->value;
	k->end = h->target_off + h->target_len;
	pure_loop(WEIR_HEAD_MAX, head_authority_cb, c);
	h->path_off = k->at;
	k->word[0] = h->host_off;
	k->word[1] = (u64)h->host_len << 32 | h->host_port;
	/* without Host the origin-form would lose the name */
	if (k->value >= h->path_off || head_authority(c, k->value, h->path_off) ||
	    !(k->seen & SEEN_HOST))
		return HEAD_BAD;
	if (!h->host_port)
		h->host_port = k->number;
	if (h->host_len != k->word[1] >> 32 ||
	    h->host_port != ((u32)k->word[1] ? (u32)k->word[1] : k->number))
		return HEAD_BAD;
	k->at = h->host_off;
	k->stop = k->at + h->host_len;
	k->next = k->word[0];
	k->bad = 0;
	pure_loop(WEIR_HEAD_MAX, head_compare_cb, c);
	if (k->bad)
		return HEAD_BAD;
	/* the target is going to be rewritten: keep to the Host field */
	h->host_off = k->word[0];
	h->host_port = k->word[1];
	k->at = h->path_off;
	pure_loop(WEIR_HEAD_MAX / 64 + 1, head_path_cb, c);
	h->path_len = k->at - h->path_off;
	h->flags = (h->flags | HEAD_ABSOLUTE) & ~HEAD_NORMAL;
	return HEAD_DONE;
}

/*
 * The request line: sets the method, target and path of *h, and k->at behind
 * the line. Returns 0, or the verdict.
 */
PURE_LOCAL u32 head_request_line(struct head_ctx *c)
{
	const struct weir_head *b = c->b;
	struct http_head *h = c->h;
	struct head_work *k = &h->work;
	u32 pos = k->at, len = c->len, flags = 0, end, i;
	u64 w;

	/* empty lines before it (RFC 9112, 2.2) */
	for (i = 0; i < 4; i++) {
		if (pos >= len)
			return HEAD_MORE;
		if (head_byte(b, pos) != '\r')
			break;
		if (pos + 1 >= len)
			return HEAD_MORE;
		if (head_byte(b, pos + 1) != '\n')
			return HEAD_BAD;
		pos += 2;
	}
	pos = head_forget(h, pos);

	end = head_token_end(c, pos, ' ');
	if (end >= len)
		return HEAD_MORE;
	if (end == pos || head_byte(b, end) != ' ')
		return HEAD_BAD;
	h->method_off = pos;
	h->method_len = end - pos;
	w = head_word(b, pos);
	if ((w & WORD_FIRST(5)) == W8('H', 'E', 'A', 'D', ' ', 0, 0, 0))
		flags = HEAD_METHOD_HEAD;
	else if (w == W8('O', 'P', 'T', 'I', 'O', 'N', 'S', ' '))
		flags = HEAD_METHOD_OPTIONS;
	else if (w == W8('C', 'O', 'N', 'N', 'E', 'C', 'T', ' '))
		flags = HEAD_METHOD_CONNECT;

	pos = end + 1;
	k->at = pos;
	k->bad = 0;
	if (!head_path(c))
		pure_loop(WEIR_HEAD_MAX / 64 + 1, head_path_cb, c);
	end = k->at;
	h->path_off = pos;
	h->path_len = end - pos;
	if (!k->bad)
		flags |= HEAD_NORMAL;
	if (end < len && head_byte(b, end) == '?') {
		pure_loop(WEIR_HEAD_MAX / 64 + 1, head_query_cb, c);
		end = k->at;
	}
	if (end >= len)
		return HEAD_MORE;
	if (end == pos || head_byte(b, end) != ' ')
		return HEAD_BAD;
	h->target_off = pos;
	h->target_len = end - pos;

	pos = end + 1;
	if (pos + 8 > len)
		return HEAD_MORE;
	w = head_word(b, pos);
	if (w == W8('H', 'T', 'T', 'P', '/', '1', '.', '0')) {
		flags |= HEAD_HTTP10;
	} else if (w != W8('H', 'T', 'T', 'P', '/', '1', '.', '1')) {
		u32 major = head_byte(b, pos + 5) - '0',
		    minor = head_byte(b, pos + 7) - '0';

		if ((w & WORD_FIRST(5)) == W8('H', 'T', 'T', 'P', '/', 0, 0, 0) &&
		    major <= 9 && minor <= 9 && head_byte(b, pos + 6) == '.')
			return HEAD_VERSION;
		return HEAD_BAD;
	}
	pos += 8;
	if (pos < len && head_byte(b, pos) != '\r')
		return HEAD_BAD;
	if (pos + 1 >= len)
		return HEAD_MORE;
	if (head_byte(b, pos + 1) != '\n' || (flags & HEAD_METHOD_CONNECT))
		return HEAD_BAD;
	k->at = pos + 2;
	h->fields = pos + 2;
	h->flags = flags;
	return 0;
}

/* What the head as a whole must satisfy. Returns HEAD_DONE or HEAD_BAD. */
PURE_LOCAL u32 head_finish(struct head_ctx *c)
{
	struct http_head *h = c->h;
	u32 seen = h->work.seen, flags = h->flags;

	h->head_len = h->work.at;
	if (seen & SEEN_HOST) {
		if (head_host_value(c))
			return HEAD_BAD;
	} else if (!(flags & HEAD_HTTP10)) {
		return HEAD_BAD; /* RFC 9112, 3.2 */
	}
	if (seen & SEEN_CODING) {
		/* RFC 9112, 6.1: with a length it is ambiguous, in HTTP/1.0 faulty */
		if ((flags & (HEAD_LENGTH | HEAD_HTTP10)) || !(flags & HEAD_CHUNKED))
			return HEAD_BAD;
	}
	if ((seen & SEEN_CLOSE) || ((flags & HEAD_HTTP10) && !(seen & SEEN_KEEP_ALIVE)))
		flags |= HEAD_CLOSE;
	/* RFC 9110, 7.8 and 10.1.1: HTTP/1.0 knows neither */
	if (flags & HEAD_HTTP10)
		flags &= ~HEAD_EXPECT;
	else if ((seen & SEEN_UPGRADE_OPTION) && (seen & SEEN_UPGRADE_FIELD))
		flags |= HEAD_UPGRADE;
	h->flags = flags;
	if (head_byte(c->b, h->target_off) != '/')
		return head_absolute(c);
	return HEAD_DONE;
}

PURE_GLOBAL int head_scan_from(const struct weir_head *b, u32 from, u32 len,
			       struct http_head *h)
{
	struct head_ctx c = {.b = b, .h = h, .len = len};
	u32 r;

	if (!b || !h)
		return HEAD_BAD;
	if (len > WEIR_HEAD_MAX)
		return HEAD_LONG;
	__builtin_memset(h, 0, sizeof(*h));
	h->work.at = from;
	r = head_request_line(&c);
	if (!r) {
		h->work.bad = 0;
		/* a step takes at least one byte */
		pure_loop(WEIR_HEAD_MAX / 4 + 1, head_line_cb, &c);
		r = h->work.result;
	}
	if (r == HEAD_MORE && len >= WEIR_HEAD_MAX)
		return HEAD_LONG;
	if (r != HEAD_DONE)
		return r ? r : HEAD_BAD;
	return head_finish(&c);
}

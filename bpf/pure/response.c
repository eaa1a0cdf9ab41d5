// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "pure/response.h"

#include "pure/word.h"

struct response_walk {
	struct response_text *t;
	struct weir_response *r;
};

PURE_LOCAL u64 text_word(const struct response_text *t, u32 off)
{
	return word_get(t->data + (off & RESPONSE_MASK));
}

PURE_LOCAL u32 text_byte(const struct response_text *t, u32 off)
{
	return t->data[off & RESPONSE_MASK];
}

enum response_field {
	RESPONSE_OTHER,
	RESPONSE_LENGTH,
	RESPONSE_CODING,
};

/* Is the line at `line` one that matters? It may be cut: the caller sees to its
 * length. */
PURE_LOCAL u32 response_field(const struct response_text *t, u32 line)
{
	u64 a = text_word(t, line) | WORD_CASE, b = text_word(t, line + 8);

	if (a == W8('c', 'o', 'n', 't', 'e', 'n', 't', '-'))
		return ((b | WORD_CASE) & WORD_FIRST(6)) ==
					       W8('l', 'e', 'n', 'g', 't', 'h', 0, 0) &&
				       (u8)(b >> 48) == ':'
			       ? RESPONSE_LENGTH
			       : RESPONSE_OTHER;
	if (a == W8('t', 'r', 'a', 'n', 's', 'f', 'e', 'r'))
		return (b | WORD_CASE) == W8('-', 'e', 'n', 'c', 'o', 'd', 'i', 'n') &&
				       (text_byte(t, line + 16) | 0x20) == 'g' &&
				       text_byte(t, line + 17) == ':'
			       ? RESPONSE_CODING
			       : RESPONSE_OTHER;
	return RESPONSE_OTHER;
}

/* Spaces, digits, spaces; digits is 1 within the number, 2 behind it, 3 when bad. */
static long response_digit(u32 i, void *ctx)
{
	struct response_walk *w = ctx;
	struct response_work *k = &w->t->work;
	u32 c;

	if (k->digit >= k->stop)
		return 1;
	c = text_byte(w->t, k->digit++);
	if (c == ' ' || c == '\t') {
		if (k->digits == 1)
			k->digits = 2;
		return 0;
	}
	c -= '0';
	if (c > 9 || k->digits > 1 || k->number >> 59) {
		k->digits = 3;
		return 1;
	}
	k->digits = 1;
	k->number = k->number * 10 + c;
	return 0;
}

PURE_APART int response_length(struct response_walk *w)
{
	struct response_work *k = &w->t->work;
	struct weir_response *r = w->r;

	k->number = 0;
	k->digits = 0;
	pure_loop(RESPONSE_PIECE, response_digit, w);
	if (k->digits != 1 && k->digits != 2)
		return -1;
	if (r->flags & WEIR_RESPONSE_LENGTH && r->left != k->number)
		return -1;
	r->left = k->number;
	r->flags |= WEIR_RESPONSE_LENGTH;
	return 0;
}

/* "HTTP/1.1 200": the reason may be missing with its space. */
PURE_LOCAL u32 response_status(const struct response_text *t, u32 line, u32 len)
{
	u64 a = text_word(t, line);
	u32 h, z, e;

	if (len < 12 ||
	    (a & WORD_FIRST(7)) != W8('H', 'T', 'T', 'P', '/', '1', '.', 0) ||
	    text_byte(t, line + 8) != ' ')
		return 0;
	h = text_byte(t, line + 9) - '0';
	z = text_byte(t, line + 10) - '0';
	e = text_byte(t, line + 11) - '0';
	if (h - 1 > 4 || z > 9 || e > 9)
		return 0;
	return h * 100 + z * 10 + e;
}

/* The empty line has come (RFC 9112, 6.3). */
PURE_LOCAL u32 response_end(const struct weir_response *r)
{
	if (r->status == 101)
		return WEIR_RESPONSE_TUNNEL;
	if (r->status < 200)
		return WEIR_RESPONSE_INTERIM;
	if (r->flags & WEIR_RESPONSE_BODYLESS || r->status == 204 || r->status == 304)
		return WEIR_RESPONSE_OVER;
	if (r->flags & WEIR_RESPONSE_CHUNKED)
		return WEIR_RESPONSE_CHUNKS;
	return r->flags & WEIR_RESPONSE_LENGTH ? WEIR_RESPONSE_BODY : WEIR_RESPONSE_FIN;
}

/* A whole line of `len` bytes without its end. Returns the state after it. */
PURE_LOCAL u32 response_line(struct response_walk *w, u32 len)
{
	struct response_work *k = &w->t->work;
	struct weir_response *r = w->r;
	u32 field;

	if (r->flags & WEIR_RESPONSE_SKIP) {
		r->flags &= ~WEIR_RESPONSE_SKIP;
		return WEIR_RESPONSE_HEAD;
	}
	if (!r->status) {
		r->status = response_status(w->t, k->line, len);
		return r->status ? WEIR_RESPONSE_HEAD : WEIR_RESPONSE_LOST;
	}
	if (!len)
		return response_end(r);
	if (len < 15)
		return WEIR_RESPONSE_HEAD;
	field = response_field(w->t, k->line);
	if (field == RESPONSE_LENGTH) {
		k->digit = k->line + 15;
		k->stop = k->line + len;
		return response_length(w) ? WEIR_RESPONSE_LOST : WEIR_RESPONSE_HEAD;
	}
	if (field == RESPONSE_CODING && len >= 25) {
		u64 last = text_word(w->t, k->line + len - 8);
		u8 before = last;

		/* one chunked coding, the last one */
		if ((last >> 8 | WORD_CASE >> 8) !=
			    W8('c', 'h', 'u', 'n', 'k', 'e', 'd', 0) ||
		    (before != ' ' && before != ',' && before != '\t' &&
		     len != 25) || /* right behind the field's colon */
		    r->flags & WEIR_RESPONSE_CHUNKED)
			return WEIR_RESPONSE_LOST;
		r->flags |= WEIR_RESPONSE_CHUNKED;
		return WEIR_RESPONSE_HEAD;
	}
	return field == RESPONSE_CODING ? WEIR_RESPONSE_LOST : WEIR_RESPONSE_HEAD;
}

/* Words searched for the end of a line at a time: most lines have fewer. */
#define RESPONSE_WORDS 6

static long response_walk_step(u32 i, void *ctx)
{
	struct response_walk *w = ctx;
	struct response_work *k = &w->t->work;
	u32 at = k->at, lf, len, j;
	u64 m = 0;

	if (at >= k->end)
		return 1;
	/* several words, since a call of a callback costs more than a word; what
	 * is behind the end is masked away or found to be there below */
	for (j = 0; j < RESPONSE_WORDS; j++) {
		m = word_is(text_word(w->t, at), '\n');
		if (m)
			break;
		at += 8;
	}
	if (!m) {
		k->at = at;
		return 0;
	}
	lf = at + word_index(m);
	if (lf >= k->end) {
		k->at = k->end;
		return 1;
	}
	len = lf - k->line;
	if (len && text_byte(w->t, lf - 1) == '\r')
		len--;
	w->r->state = response_line(w, len);
	k->line = lf + 1;
	k->at = lf + 1;
	return w->r->state != WEIR_RESPONSE_HEAD;
}

/* The line at k->line is cut: carry it, unless it does not matter. */
PURE_LOCAL void response_carry(struct response_walk *w)
{
	struct response_work *k = &w->t->work;
	struct weir_response *r = w->r;
	u32 n = k->end - k->line, i;

	r->carried = 0;
	if (r->flags & WEIR_RESPONSE_SKIP)
		return;
	if (n > WEIR_RESPONSE_CARRY) {
		/* the status line matters in its first bytes only */
		if (!r->status) {
			r->status = response_status(w->t, k->line, n);
			if (!r->status) {
				r->state = WEIR_RESPONSE_LOST;
				return;
			}
		} else if (response_field(w->t, k->line) != RESPONSE_OTHER) {
			r->state = WEIR_RESPONSE_LOST;
			return;
		}
		r->flags |= WEIR_RESPONSE_SKIP;
		return;
	}
	for (i = 0; i < WEIR_RESPONSE_CARRY; i += 8)
		word_put(r->carry + i, text_word(w->t, k->line + i));
	r->carried = n;
}

PURE_GLOBAL int response_scan(struct response_text *t, u32 len, struct weir_response *r)
{
	struct response_walk w = {.t = t, .r = r};
	struct response_work *k;

	if (!t || !r)
		return 0;
	k = &t->work;
	k->at = 0;
	k->line = 0;
	k->end = len;
	if (k->end > WEIR_RESPONSE_CARRY + RESPONSE_PIECE)
		k->end = WEIR_RESPONSE_CARRY + RESPONSE_PIECE;
	pure_loop(WEIR_RESPONSE_CARRY + RESPONSE_PIECE, response_walk_step, &w);
	if (r->state == WEIR_RESPONSE_HEAD) {
		response_carry(&w);
		return k->end;
	}
	r->carried = 0;
	return k->line;
}

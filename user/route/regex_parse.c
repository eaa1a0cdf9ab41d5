/* SPDX-License-Identifier: BSD-2-Clause */
/* Pattern -> tree: sequences, literals, repeats. */
#include "route/regex.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "route/regex_parser.h"

bool parser_take(struct regex_parser *p, const char *word)
{
	size_t len = strlen(word);

	if (len > p->len - p->pos || memcmp(p->text + p->pos, word, len))
		return false;
	p->pos += len;
	return true;
}

int parser_fail(struct regex_parser *p, int code, size_t at, const char *fmt, ...)
{
	char what[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	*p->at = at;
	return err_set(p->err, code, "%s", what);
}

int parser_memory(struct regex_parser *p)
{
	return err_set(p->err, -ENOMEM, "out of memory");
}

void parser_refuse(struct regex_parser *p, size_t at, const char *fmt, ...)
{
	va_list ap;

	if (p->refused)
		return;
	p->refused = true;
	p->refused_at = at;
	va_start(ap, fmt);
	vsnprintf(p->refusal, sizeof(p->refusal), fmt, ap);
	va_end(ap);
}

struct regex_node *parser_node(struct regex_parser *p, enum regex_op op)
{
	struct regex_node *n = pool_alloc(p->pool, sizeof(*n));

	if (n)
		n->op = op;
	return n;
}

/* ---- sequences ---- */

struct sequence {
	struct regex_node *last; /* the one before it is its `next` */
	bool can_repeat;	 /* a repeat may follow, and is about `last` */
};

static int sequence_add(struct regex_parser *p, struct sequence *s,
			struct regex_node *n)
{
	if (!n)
		return parser_memory(p);
	n->next = s->last;
	s->last = n;
	s->can_repeat = true;
	return 0;
}

static struct regex_node *sequence_node(struct regex_parser *p,
					const struct sequence *s)
{
	struct regex_node *n, *c;

	if (s->last && !s->last->next)
		return s->last;
	n = parser_node(p, s->last ? REGEX_CAT : REGEX_EMPTY);
	if (!n)
		return NULL;
	n->child = s->last;
	n->nullable = true;
	for (c = n->child; c; c = c->next)
		n->nullable &= c->nullable;
	return n;
}

static int add_set(struct regex_parser *p, struct sequence *s,
		   const struct byte_set *set)
{
	struct regex_node *n = parser_node(p, REGEX_SET);

	if (n)
		n->set = *set;
	return sequence_add(p, s, n);
}

static int add_byte(struct regex_parser *p, struct sequence *s, u32 byte)
{
	struct byte_set set = {};

	byte_set_add(&set, byte);
	if (p->flags & FLAG_FOLD)
		byte_set_fold(&set);
	return add_set(p, s, &set);
}

static int add_look(struct regex_parser *p, struct sequence *s, enum regex_look look)
{
	struct regex_node *n = parser_node(p, REGEX_LOOK);
	int ret;

	if (n) {
		n->look = look;
		n->nullable = true;
	}
	ret = sequence_add(p, s, n);
	s->can_repeat = false;
	return ret;
}

/* Bytes of the character that stands next, 1 for what is not UTF-8 (RFC 3629). */
static size_t character_length(const struct regex_parser *p)
{
	int c = parser_peek(p, 0), second = parser_peek(p, 1);
	size_t len, i;

	if (c < 0xc2 || c > 0xf4)
		return 1;
	len = c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
	if ((c == 0xe0 && second < 0xa0) || (c == 0xed && second > 0x9f) ||
	    (c == 0xf0 && second < 0x90) || (c == 0xf4 && second > 0x8f))
		return 1;
	for (i = 1; i < len; i++) {
		if (parser_peek(p, i) < 0x80 || parser_peek(p, i) > 0xbf)
			return 1;
	}
	return len;
}

static int add_literal(struct regex_parser *p, struct sequence *s)
{
	size_t len = character_length(p);
	struct sequence bytes = {};
	int ret;

	if (parser_peek(p, 0) >= 0x80 && p->flags & FLAG_FOLD)
		parser_refuse(p, p->pos, "a character beyond ASCII under (?i)");
	if (len == 1)
		return add_byte(p, s, (unsigned char)p->text[p->pos++]);
	for (; len; len--) {
		ret = add_byte(p, &bytes, (unsigned char)p->text[p->pos++]);
		if (ret)
			return ret;
	}
	return sequence_add(p, s, sequence_node(p, &bytes));
}

/* \Q has been taken: everything up to \E or the end stands for itself. */
static int add_quoted(struct regex_parser *p, struct sequence *s)
{
	int ret = 0;

	while (!ret && p->pos < p->len && !parser_take(p, "\\E"))
		ret = add_literal(p, s);
	return ret;
}

static int add_escape(struct regex_parser *p, struct sequence *s)
{
	struct escape e;
	int ret = parse_escape(p, false, &e);

	if (ret)
		return ret;
	switch (e.kind) {
	case ESCAPE_BYTE:
		return add_byte(p, s, e.byte);
	case ESCAPE_SET:
		return add_set(p, s, &e.set);
	case ESCAPE_LOOK:
		return add_look(p, s, e.look);
	case ESCAPE_QUOTE:
		return add_quoted(p, s);
	case ESCAPE_NONE:
		s->can_repeat = !!s->last;
		return 0;
	case ESCAPE_EMPTY:
		return sequence_add(p, s, sequence_node(p, &(struct sequence){}));
	}
	return 0;
}

static int add_group(struct regex_parser *p, struct sequence *s)
{
	struct regex_node *n;
	int ret;

	ret = parse_group(p, &n);
	if (ret)
		return ret;
	s->can_repeat = false;
	return n ? sequence_add(p, s, n) : 0;
}

static int add_class(struct regex_parser *p, struct sequence *s)
{
	struct byte_set set;
	int ret = parse_class(p, &set);

	return ret ? ret : add_set(p, s, &set);
}

static int add_dot(struct regex_parser *p, struct sequence *s)
{
	struct byte_set set = {{~0ull, ~0ull, ~0ull, ~0ull}};

	if (!(p->flags & FLAG_DOT))
		set.w[0] &= ~(1ull << '\n');
	p->pos++;
	return add_set(p, s, &set);
}

/* ---- repeats ---- */

/* Decimal digits from `ahead` on; returns how many. */
static size_t read_count(const struct regex_parser *p, size_t ahead, u32 *out)
{
	size_t i;
	int c;

	*out = 0;
	for (i = 0;; i++) {
		c = parser_peek(p, ahead + i);
		if (c < '0' || c > '9')
			return i;
		if (*out < 1000000)
			*out = *out * 10 + (u32)(c - '0');
	}
}

/* Is the "{" that stands next a repeat? Its length, else 0: it is literal. */
static size_t count_length(const struct regex_parser *p, u32 *min, u32 *max)
{
	size_t digits = read_count(p, 1, min), len = 1 + digits;

	*max = *min;
	if (!digits && parser_peek(p, 1) != ',')
		return 0;
	if (parser_peek(p, len) == ',') {
		size_t more = read_count(p, len + 1, max);

		if (!digits && !more)
			return 0;
		if (!more)
			*max = REGEX_FOREVER;
		len += 1 + more;
	}
	return parser_peek(p, len) == '}' ? len + 1 : 0;
}

static size_t repeat_length(const struct regex_parser *p, u32 *min, u32 *max)
{
	switch (parser_peek(p, 0)) {
	case '*':
		*min = 0;
		*max = REGEX_FOREVER;
		return 1;
	case '+':
		*min = 1;
		*max = REGEX_FOREVER;
		return 1;
	case '?':
		*min = 0;
		*max = 1;
		return 1;
	case '{':
		return count_length(p, min, max);
	default:
		return 0;
	}
}

static int check_count(struct regex_parser *p, size_t at, size_t len, u32 min, u32 max)
{
	const char *text = p->text + at;

	if (len > 40)
		len = 40;
	if (max < min)
		return parser_fail(p, -EINVAL, at, "\"%.*s\" is out of order", (int)len,
				   text);
	if (min > REGEX_REPEAT_MAX || (max != REGEX_FOREVER && max > REGEX_REPEAT_MAX))
		return parser_fail(p, -E2BIG, at, "\"%.*s\" is over the limit of %u",
				   (int)len, text, REGEX_REPEAT_MAX);
	return 0;
}

/* 1: no repeat stands next */
static int take_repeat(struct regex_parser *p, struct sequence *s)
{
	size_t at = p->pos, len;
	struct regex_node *n;
	u32 min, max;
	bool lazy;
	int ret;

	len = repeat_length(p, &min, &max);
	if (!len)
		return 1;
	if (p->text[at] == '{' && p->text[at + 1] == ',') {
		parser_fail(p, -EINVAL, at, "\"%.*s\" is read in different ways",
			    (int)(len > 40 ? 40 : len), p->text + at);
		err_hint(p->err, "write {0,N}, or \\{ for the brace itself");
		return -EINVAL;
	}
	if (!s->can_repeat)
		return parser_fail(p, -EINVAL, at, "nothing to repeat before \"%.*s\"",
				   (int)(len > 40 ? 40 : len), p->text + at);
	ret = check_count(p, at, len, min, max);
	if (ret)
		return ret;
	p->pos += len;
	n = parser_node(p, REGEX_REPEAT);
	if (!n)
		return parser_memory(p);
	n->min = min;
	n->max = max;
	lazy = parser_take(p, "?");
	n->lazy = lazy != !!(p->flags & FLAG_SWAP);
	if (!lazy && parser_take(p, "+"))
		parser_refuse(p, at, "possessive repeat \"%.*s\"",
			      (int)(p->pos - at > 40 ? 40 : p->pos - at), p->text + at);
	n->child = s->last;
	n->next = s->last->next;
	n->child->next = NULL;
	n->nullable = !min || n->child->nullable;
	s->last = n;
	s->can_repeat = false;
	return 0;
}

static int parse_item(struct regex_parser *p, struct sequence *s)
{
	int ret = take_repeat(p, s);

	if (ret <= 0)
		return ret;
	switch (parser_peek(p, 0)) {
	case '(':
		return add_group(p, s);
	case '[':
		return add_class(p, s);
	case '\\':
		return add_escape(p, s);
	case '.':
		return add_dot(p, s);
	case '^':
		p->pos++;
		return add_look(p, s,
				p->flags & FLAG_LINES ? LOOK_LINE_START
						      : LOOK_TEXT_START);
	case '$':
		p->pos++;
		return add_look(p, s,
				p->flags & FLAG_LINES ? LOOK_LINE_END : LOOK_TEXT_END);
	default:
		return add_literal(p, s);
	}
}

static int parse_sequence(struct regex_parser *p, struct regex_node **out)
{
	struct sequence s = {};
	int c, ret;

	for (;;) {
		c = parser_peek(p, 0);
		if (c < 0 || c == '|' || c == ')')
			break;
		ret = parse_item(p, &s);
		if (ret)
			return ret;
	}
	*out = sequence_node(p, &s);
	return *out ? 0 : parser_memory(p);
}

int parse_alternatives(struct regex_parser *p, struct regex_node **out)
{
	struct regex_node *first, **end = &first, *n;
	int ret;

	do {
		ret = parse_sequence(p, end);
		if (ret)
			return ret;
		end = &(*end)->next;
	} while (parser_take(p, "|"));
	*out = first;
	if (!first->next)
		return 0;
	n = parser_node(p, REGEX_ALT);
	if (!n)
		return parser_memory(p);
	n->child = first;
	for (; first; first = first->next)
		n->nullable |= first->nullable;
	*out = n;
	return 0;
}

static int parse_all(struct regex_parser *p, struct regex_node **out)
{
	int ret;

	if (p->len > REGEX_TEXT_MAX)
		return parser_fail(p, -E2BIG, REGEX_TEXT_MAX,
				   "%zu bytes, over the limit of %u", p->len,
				   REGEX_TEXT_MAX);
	ret = parse_alternatives(p, out);
	if (ret)
		return ret;
	if (p->pos < p->len)
		return parser_fail(p, -EINVAL, p->pos, "\")\" without its \"(\"");
	if (p->reference > p->groups)
		return parser_fail(p, -EINVAL, p->referrer,
				   "backreference to group %u, which is not there",
				   p->reference);
	if (p->refused)
		return parser_fail(p, -EOPNOTSUPP, p->refused_at, "%s", p->refusal);
	return 0;
}

int regex_parse(const char *text, size_t len, struct regex **out, size_t *at,
		struct err *err)
{
	struct regex *re = calloc(1, sizeof(*re));
	size_t ignored = 0;
	struct regex_parser p = {
		.text = text,
		.len = len,
		.at = at ? at : &ignored,
		.err = err,
	};
	int ret;

	if (!re)
		return parser_memory(&p);
	p.pool = &re->pool;
	ret = parse_all(&p, &re->root);
	if (ret) {
		regex_free(re);
		return ret;
	}
	*out = re;
	return 0;
}

void regex_free(struct regex *re)
{
	if (!re)
		return;
	pool_free(&re->pool);
	free(re);
}

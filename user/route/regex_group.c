/* SPDX-License-Identifier: BSD-2-Clause */
/* What stands in parentheses: groups, flags, and all that PCRE has there. */
#include <string.h>

#include "route/regex_parser.h"

struct name {
	struct name *next;
	const char *text;
	size_t len;
};

static bool is_name(int c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
	       (c >= 'a' && c <= 'z') || c == '_';
}

/* Alternatives and the ")"; flags set within end there. */
static int group_body(struct regex_parser *p, size_t at, u32 flags,
		      struct regex_node **out)
{
	u32 outer = p->flags;
	int ret;

	p->flags = flags;
	ret = parse_alternatives(p, out);
	p->flags = outer;
	if (ret)
		return ret;
	if (!parser_take(p, ")"))
		return parser_fail(p, -EINVAL, at, "\"(\" without its \")\"");
	return 0;
}

static int group_name(struct regex_parser *p, size_t at, const char *close)
{
	size_t start = p->pos, len;
	struct name *n;

	while (is_name(parser_peek(p, 0)))
		p->pos++;
	len = p->pos - start;
	if (!len || (p->text[start] >= '0' && p->text[start] <= '9') ||
	    !parser_take(p, close))
		return parser_fail(p, -EINVAL, at,
				   "a group's name is missing or wrong");
	for (n = p->names; n; n = n->next) {
		if (n->len == len && !memcmp(n->text, p->text + start, len))
			return parser_fail(p, -EINVAL, at, "second group \"%.*s\"",
					   (int)(len > 40 ? 40 : len), n->text);
	}
	n = pool_alloc(p->pool, sizeof(*n));
	if (!n)
		return parser_memory(p);
	n->text = p->text + start;
	n->len = len;
	n->next = p->names;
	p->names = n;
	return 0;
}

/* Up to the ")" that ends what has no groups in it; such things are refused. */
static int skip_group(struct regex_parser *p, size_t at, struct regex_node **out)
{
	const char *end = memchr(p->text + p->pos, ')', p->len - p->pos);

	if (!end)
		return parser_fail(p, -EINVAL, at, "\"(\" without its \")\"");
	p->pos = (size_t)(end - p->text) + 1;
	*out = parser_node(p, REGEX_EMPTY);
	return *out ? 0 : parser_memory(p);
}

static int refuse_conditional(struct regex_parser *p, size_t at,
			      struct regex_node **out)
{
	int ret;

	parser_refuse(p, at, "conditional \"(?(\"");
	parser_reference(p, at, 1);
	if (parser_peek(p, 1) == '?')
		ret = parse_group(p, out);
	else
		ret = skip_group(p, at, out);
	return ret ? ret : group_body(p, at, p->flags, out);
}

static u32 flag_of(int c)
{
	switch (c) {
	case 'i':
		return FLAG_FOLD;
	case 'm':
		return FLAG_LINES;
	case 's':
		return FLAG_DOT;
	case 'U':
		return FLAG_SWAP;
	default:
		return 0;
	}
}

/* "(?" has been taken. */
static int parse_flags(struct regex_parser *p, size_t at, struct regex_node **out)
{
	u32 flags = p->flags;
	bool off = false, reset = parser_take(p, "^");
	int c;

	if (reset)
		flags &= FLAG_SWAP;
	for (;; p->pos++) {
		c = parser_peek(p, 0);
		if (c == '-' && !off && !reset)
			off = true;
		else if (!flag_of(c))
			break;
		else if (off)
			flags &= ~flag_of(c);
		else
			flags |= flag_of(c);
	}
	if (parser_take(p, ")")) {
		p->flags = flags;
		return 0;
	}
	if (parser_take(p, ":"))
		return group_body(p, at, flags, out);
	if (c < 0)
		return parser_fail(p, -EINVAL, at, "\"(\" without its \")\"");
	/* These change how the rest is read: it cannot be looked at. */
	if (c == 'x' || c == 'n' || c == 'J' || c == 'C')
		return parser_fail(p, -EOPNOTSUPP, at, "flag \"(?%c\"", c);
	return parser_fail(p, -EINVAL, p->pos, "unknown group \"%.*s\"",
			   (int)(p->pos + 1 - at), p->text + at);
}

static const struct refused_group {
	const char *mark;
	const char *name;
	bool has_body;
} refused_groups[] = {
	{"(?=", "lookahead", true},	  {"(?!", "lookahead", true},
	{"(?<=", "lookbehind", true},	  {"(?<!", "lookbehind", true},
	{"(?*", "lookahead", true},	  {"(?<*", "lookbehind", true},
	{"(?>", "atomic group", true},	  {"(?|", "branch reset", true},
	{"(?P=", "backreference", false}, {"(?P>", "recursion", false},
	{"(?&", "recursion", false},	  {"(?R", "recursion", false},
	{"(?#", "comment", false},
};

/* 1: none of those */
static int refuse_group(struct regex_parser *p, size_t at, struct regex_node **out)
{
	const struct refused_group *g = refused_groups;
	size_t i;
	bool is_relative;
	int c;

	for (i = 0; i < sizeof(refused_groups) / sizeof(*refused_groups); i++, g++) {
		if (!parser_take(p, g->mark))
			continue;
		parser_refuse(p, at, "%s \"%s\"", g->name, g->mark);
		return g->has_body ? group_body(p, at, p->flags, out)
				   : skip_group(p, at, out);
	}
	c = parser_peek(p, 2);
	is_relative = c == '+' || c == '-';
	if (is_relative)
		c = parser_peek(p, 3);
	if (parser_peek(p, 1) != '?' || c < '0' || c > '9')
		return 1;
	if (!is_relative)
		parser_reference(p, at, 2);
	parser_refuse(p, at, "recursion \"(?%c\"", c);
	return skip_group(p, at, out);
}

static int parse_group_within(struct regex_parser *p, struct regex_node **out)
{
	size_t at = p->pos;
	int c, ret;

	ret = refuse_group(p, at, out);
	if (ret <= 0)
		return ret;
	if (parser_take(p, "(?P<") || parser_take(p, "(?<"))
		ret = group_name(p, at, ">");
	else if (parser_take(p, "(?'"))
		ret = group_name(p, at, "'");
	else
		ret = 1;
	if (ret <= 0) {
		p->groups++;
		return ret ? ret : group_body(p, at, p->flags, out);
	}
	if (parser_take(p, "(?")) {
		if (parser_peek(p, 0) == '(')
			return refuse_conditional(p, at, out);
		return parse_flags(p, at, out);
	}
	p->pos++;
	c = parser_peek(p, 1);
	if (parser_peek(p, 0) == '*' && (c == ':' || (c >= 'A' && is_name(c))))
		return parser_fail(p, -EOPNOTSUPP, at, "verb \"(*\"");
	p->groups++;
	return group_body(p, at, p->flags, out);
}

int parse_group(struct regex_parser *p, struct regex_node **out)
{
	int ret;

	*out = NULL;
	if (p->depth == REGEX_NESTING_MAX)
		return parser_fail(p, -E2BIG, p->pos, "groups nested deeper than %u",
				   REGEX_NESTING_MAX);
	p->depth++;
	ret = parse_group_within(p, out);
	p->depth--;
	return ret;
}

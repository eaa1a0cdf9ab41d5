/* SPDX-License-Identifier: BSD-2-Clause */
/* Escapes and classes in brackets. */
#include <stdbool.h>
#include <string.h>

#include "route/regex_parser.h"

static bool is_octal(int c)
{
	return c >= '0' && c <= '7';
}

static bool is_digit(int c)
{
	return c >= '0' && c <= '9';
}

static bool is_lower(int c)
{
	return c >= 'a' && c <= 'z';
}

static bool is_alpha(int c)
{
	return c >= 0 && is_lower(c | 0x20);
}

static int hex_of(int c)
{
	if (is_digit(c))
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static void set_range(struct byte_set *s, u32 from, u32 to)
{
	for (; from <= to; from++)
		byte_set_add(s, from);
}

static void set_union(struct byte_set *s, const struct byte_set *with)
{
	u32 i;

	for (i = 0; i < 4; i++)
		s->w[i] |= with->w[i];
}

static void set_invert(struct byte_set *s)
{
	u32 i;

	for (i = 0; i < 4; i++)
		s->w[i] = ~s->w[i];
}

void byte_set_fold(struct byte_set *s)
{
	u32 c;

	for (c = 'a'; c <= 'z'; c++) {
		if (byte_set_has(s, c) || byte_set_has(s, c - 32)) {
			byte_set_add(s, c);
			byte_set_add(s, c - 32);
		}
	}
}

/* Pairs of first and last byte. \d, \w and \s are the classes of that letter. */
static const struct named_set {
	const char *name;
	const char *ranges;
} named_sets[] = {
	{"d", "09"},	     {"w", "09AZaz__"},	    {"s", "\t\r  "},
	{"alnum", "09AZaz"}, {"alpha", "AZaz"},	    {"blank", "\t\t  "},
	{"digit", "09"},     {"graph", "!~"},	    {"lower", "az"},
	{"print", " ~"},     {"punct", "!/:@[`{~"}, {"space", "\t\r  "},
	{"upper", "AZ"},     {"word", "09AZaz__"},  {"xdigit", "09AFaf"},
};

static bool set_named(const char *name, size_t len, struct byte_set *out)
{
	const char *c;
	size_t i;

	*out = (struct byte_set){};
	if (len == 5 && !memcmp(name, "ascii", 5)) {
		set_range(out, 0, 127);
		return true;
	}
	if (len == 5 && !memcmp(name, "cntrl", 5)) {
		set_range(out, 0, 31);
		byte_set_add(out, 127);
		return true;
	}
	for (i = 0; i < sizeof(named_sets) / sizeof(*named_sets); i++) {
		if (strlen(named_sets[i].name) != len ||
		    memcmp(named_sets[i].name, name, len))
			continue;
		for (c = named_sets[i].ranges; *c; c += 2)
			set_range(out, (unsigned char)c[0], (unsigned char)c[1]);
		return true;
	}
	return false;
}

/* ---- escapes ---- */

/* Up to a closing delimiter; the opening one stands next. */
static int skip_enclosed(struct regex_parser *p, size_t at, char close)
{
	const char *end = memchr(p->text + p->pos, close, p->len - p->pos);

	if (!end || end == p->text + p->pos + 1)
		return parser_fail(p, -EINVAL, at, "escape without its \"%c\"", close);
	p->pos = (size_t)(end - p->text) + 1;
	return 0;
}

static int parse_hex(struct regex_parser *p, size_t at, struct escape *out)
{
	int high = hex_of(parser_peek(p, 0)), low = hex_of(parser_peek(p, 1));
	u32 value = 0;
	size_t i;

	if (parser_peek(p, 0) != '{') {
		if (high < 0 || low < 0) {
			parser_refuse(p, at, "\"\\x\" without two digits");
			p->pos += high >= 0;
			out->kind = ESCAPE_EMPTY;
			return 0;
		}
		out->byte = (u32)(high << 4 | low);
		p->pos += 2;
		return 0;
	}
	for (i = 1; hex_of(parser_peek(p, i)) >= 0; i++) {
		value = value << 4 | (u32)hex_of(parser_peek(p, i));
		if (value > 0x10ffff)
			return parser_fail(p, -EINVAL, at, "\"\\x{\" beyond 10ffff");
	}
	if (i == 1 || parser_peek(p, i) != '}')
		return parser_fail(p, -EINVAL, at, "\"\\x{\" without digits and \"}\"");
	p->pos += i + 1;
	out->byte = value;
	if (value > 0xff) {
		parser_refuse(p, at, "a character beyond \\xff as \"\\x{%x}\"", value);
		out->kind = ESCAPE_EMPTY;
	}
	return 0;
}

static int parse_octal(struct regex_parser *p, size_t at, u32 digits,
		       struct escape *out)
{
	out->byte = 0;
	for (; digits && is_octal(parser_peek(p, 0)); digits--, p->pos++)
		out->byte = out->byte << 3 | (u32)(p->text[p->pos] - '0');
	if (out->byte > 0xff)
		return parser_fail(p, -EINVAL, at, "octal escape beyond \\377");
	return 0;
}

u32 parser_reference(struct regex_parser *p, size_t at, size_t ahead)
{
	u32 number = 0;

	for (; is_digit(parser_peek(p, ahead)) && number < 100000; ahead++)
		number = number * 10 + (u32)(parser_peek(p, ahead) - '0');
	if (number > p->reference) {
		p->reference = number;
		p->referrer = at;
	}
	return number;
}

/* \1 ... outside a class. Of two digits and more it is octal if it may be and
 * there are not that many groups before it. */
static int parse_reference(struct regex_parser *p, size_t at, struct escape *out)
{
	u32 before = p->reference, number = parser_reference(p, at, 0);

	if (number >= 10 && number > p->groups && is_octal(parser_peek(p, 0))) {
		p->reference = before;
		return parse_octal(p, at, 3, out);
	}
	while (is_digit(parser_peek(p, 0)))
		p->pos++;
	parser_refuse(p, at, "backreference \"%.*s\"", (int)(p->pos - at),
		      p->text + at);
	out->kind = ESCAPE_EMPTY;
	return 0;
}

/* \p{..}, \pL, \o{..}, \g.., \k.. */
static int refuse_with_name(struct regex_parser *p, size_t at, int c,
			    struct escape *out)
{
	const char *what = c == 'o' ? "octal escape" : "backreference";
	int open = parser_peek(p, 0), ret = 0;

	if (c == 'p' || c == 'P')
		what = "Unicode property";
	out->kind = ESCAPE_EMPTY;
	if (c == 'g')
		parser_reference(p, at, open == '{');
	if (open == '{')
		ret = skip_enclosed(p, at, '}');
	else if ((c == 'g' || c == 'k') && open == '<')
		ret = skip_enclosed(p, at, '>');
	else if ((c == 'g' || c == 'k') && open == '\'')
		ret = skip_enclosed(p, at, '\'');
	else if ((c == 'p' || c == 'P') && is_alpha(open))
		p->pos++;
	else if (c == 'g' && (is_digit(open) || open == '-' || open == '+'))
		for (p->pos++; is_digit(parser_peek(p, 0)); p->pos++)
			;
	else
		ret = parser_fail(p, -EINVAL, at, "\"\\%c\" without a name", c);
	if (!ret)
		parser_refuse(p, at, "%s \"%.*s\"", what,
			      (int)(p->pos - at > 40 ? 40 : p->pos - at), p->text + at);
	return ret;
}

static const char *refused_escape(int c)
{
	switch (c) {
	case 'Z':
		return "end before a final newline";
	case 'G':
	case 'K':
		return "moving the start of a match";
	case 'h':
	case 'H':
	case 'V':
	case 'R':
	case 'X':
	case 'N':
	case 'C':
		return "an escape of PCRE alone";
	default:
		return NULL;
	}
}

static void escape_set(int c, struct escape *out)
{
	char name = (char)(c | 0x20);

	out->kind = ESCAPE_SET;
	set_named(&name, 1, &out->set);
	if (name != c)
		set_invert(&out->set);
}

static int escape_look(struct regex_parser *p, size_t at, bool in_class, int c,
		       struct escape *out)
{
	if (in_class && c == 'b') {
		out->byte = '\b';
		return 0;
	}
	if (in_class)
		return parser_fail(p, -EINVAL, at, "\"\\%c\" in a class", c);
	out->kind = ESCAPE_LOOK;
	out->look = c == 'b'   ? LOOK_WORD
		    : c == 'B' ? LOOK_NOT_WORD
		    : c == 'A' ? LOOK_TEXT_START
			       : LOOK_TEXT_END;
	return 0;
}

static int escape_control(struct regex_parser *p, size_t at, struct escape *out)
{
	int c = parser_peek(p, 0);

	if (c < ' ' || c > '~')
		return parser_fail(p, -EINVAL, at, "\"\\c\" without a letter");
	out->byte = (u32)(is_lower(c) ? c - 32 : c) ^ 64;
	p->pos++;
	return 0;
}

int parse_escape(struct regex_parser *p, bool in_class, struct escape *out)
{
	static const char letters[] = "tnrfvae", bytes[] = "\t\n\r\f\v\a\033";
	int c = parser_peek(p, 1);
	size_t at = p->pos;
	const char *letter;

	if (c < 0)
		return parser_fail(p, -EINVAL, at, "\"\\\" at the end");
	p->pos += 2;
	*out = (struct escape){.kind = ESCAPE_BYTE, .byte = (u32)c};
	if (!is_alpha(c) && !is_digit(c))
		return 0;
	letter = strchr(letters, c);
	if (letter) {
		out->byte = (u32)bytes[letter - letters];
		return 0;
	}
	switch (c) {
	case 'd':
	case 'D':
	case 'w':
	case 'W':
	case 's':
	case 'S':
		escape_set(c, out);
		return 0;
	case 'b':
	case 'B':
	case 'A':
	case 'z':
		return escape_look(p, at, in_class, c, out);
	case 'x':
		return parse_hex(p, at, out);
	case 'c':
		return escape_control(p, at, out);
	case 'Q':
		out->kind = ESCAPE_QUOTE;
		if (in_class) /* what follows cannot be read without knowing it */
			return parser_fail(p, -EOPNOTSUPP, at, "\"\\Q\" in a class");
		return 0;
	case 'E': /* passed over, but engines differ in what it parts */
		parser_refuse(p, at, "\"\\E\" without \"\\Q\"");
		out->kind = ESCAPE_NONE;
		return 0;
	case 'p':
	case 'P':
	case 'o':
	case 'g':
	case 'k':
		if (in_class && c == 'k')
			break;
		if (in_class && c == 'g') {
			parser_refuse(p, at, "\"\\g\" in a class");
			out->kind = ESCAPE_EMPTY;
			return 0;
		}
		return refuse_with_name(p, at, c, out);
	}
	if (is_digit(c)) {
		p->pos--;
		if (c == '0' || (in_class && is_octal(c)))
			return parse_octal(p, at, 3, out);
		if (!in_class)
			return parse_reference(p, at, out);
		parser_refuse(p, at, "\"\\%c\" in a class", c);
		p->pos++;
		out->kind = ESCAPE_EMPTY;
		return 0;
	}
	if (!refused_escape(c) || (in_class && !strchr("hHV", c)))
		return parser_fail(p, -EINVAL, at, "unknown escape \"\\%c\"%s", c,
				   in_class ? " in a class" : "");
	if (c == 'N' && parser_peek(p, 0) == '{' && !is_digit(parser_peek(p, 1)) &&
	    skip_enclosed(p, at, '}'))
		return -EINVAL;
	parser_refuse(p, at, "%s \"\\%c\"", refused_escape(c), c);
	out->kind = ESCAPE_EMPTY;
	return 0;
}

/* ---- classes ---- */

/* [:name:] and its kin: its length if one stands `ahead`, else 0. */
static size_t posix_length(const struct regex_parser *p, size_t ahead)
{
	int kind = parser_peek(p, ahead + 1);
	size_t i;

	if (parser_peek(p, ahead) != '[' || (kind != ':' && kind != '.' && kind != '='))
		return 0;
	for (i = ahead + 2;; i++) {
		int c = parser_peek(p, i);

		if (c == kind && parser_peek(p, i + 1) == ']')
			return i + 2 - ahead;
		if (c < 0 || c == ']' || (c == '[' && parser_peek(p, i + 1) == kind))
			return 0;
		i += c == '\\' &&
		     (parser_peek(p, i + 1) == ']' || parser_peek(p, i + 1) == '\\');
	}
}

static int parse_posix(struct regex_parser *p, size_t len, struct byte_set *out)
{
	const char *text = p->text + p->pos;
	bool inverted = text[2] == '^';
	const char *name = text + 2 + inverted;
	size_t name_len = len - 4 - inverted;
	size_t at = p->pos;

	p->pos += len;
	*out = (struct byte_set){};
	if (text[1] == ':' &&
	    (!memcmp(text, "[:<:]", 5) || !memcmp(text, "[:>:]", 5))) {
		parser_refuse(p, at, "word boundary \"%.*s\"", (int)len, text);
		return 0;
	}
	if (text[1] != ':' || name_len < 4 || !set_named(name, name_len, out))
		return parser_fail(p, -EINVAL, at, "unknown class \"%.*s\"",
				   (int)(len > 40 ? 40 : len), text);
	if (p->flags & FLAG_FOLD)
		byte_set_fold(out);
	if (inverted)
		set_invert(out);
	return 0;
}

/* One byte (*byte) or a set of them (*byte is -1, and *set); -2 is nothing. */
static int class_item(struct regex_parser *p, int *byte, struct byte_set *set)
{
	size_t posix = posix_length(p, 0);
	int c = parser_peek(p, 0), ret;
	struct escape e;

	*byte = -1;
	if (posix)
		return parse_posix(p, posix, set);
	if (c != '\\') {
		if (c >= 0x80)
			parser_refuse(p, p->pos, "a character beyond ASCII in a class");
		*byte = c;
		p->pos++;
		return 0;
	}
	ret = parse_escape(p, true, &e);
	if (ret)
		return ret;
	if (e.kind == ESCAPE_SET)
		*set = e.set;
	else
		*byte = e.kind == ESCAPE_BYTE ? (int)e.byte : -2;
	return 0;
}

int parse_class(struct regex_parser *p, struct byte_set *out)
{
	size_t start = p->pos, from;
	struct byte_set set = {}, part = {};
	bool inverted, first = true;
	int byte, last, ret;

	if (posix_length(p, 0))
		return parser_fail(p, -EINVAL, start,
				   "\"%.*s\" stands only within a class",
				   (int)posix_length(p, 0), p->text + start);
	p->pos++;
	inverted = parser_take(p, "^");
	for (;; first = false) {
		from = p->pos;
		if (from == p->len)
			return parser_fail(p, -EINVAL, start,
					   "\"[\" without its \"]\"");
		if (!first && parser_take(p, "]"))
			break;
		if (parser_peek(p, 0) == '&' && parser_peek(p, 1) == '&')
			parser_refuse(p, from, "\"&&\" in a class");
		ret = class_item(p, &byte, &part);
		if (ret)
			return ret;
		if (byte == -1)
			set_union(&set, &part);
		else if (byte >= 0)
			byte_set_add(&set, (u32)byte);
		if (parser_peek(p, 0) != '-' || parser_peek(p, 1) == ']' ||
		    parser_peek(p, 1) < 0)
			continue;
		p->pos++;
		ret = class_item(p, &last, &part);
		if (ret)
			return ret;
		if (byte == -1 || last == -1)
			return parser_fail(p, -EINVAL, from, "a range of classes");
		if (byte >= 0 && last >= 0) {
			if (byte > last)
				return parser_fail(
					p, -EINVAL, from, "range out of order \"%.*s\"",
					(int)(p->pos - from), p->text + from);
			set_range(&set, (u32)byte, (u32)last);
		}
	}
	if (p->flags & FLAG_FOLD)
		byte_set_fold(&set);
	if (inverted)
		set_invert(&set);
	*out = set;
	return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random patterns and inputs through our automata and through PCRE2, which
 * backtracks: does it parse, does it match, how long is the match.
 *
 *	pcre2_diff [SEED [ROUNDS]]
 *
 * Differences that are meant: what our parser refuses by name, limits, {,n},
 * and the counterpart of a look behind a final newline, which ALT_CIRCUMFLEX
 * and DOLLAR_ENDONLY switch off in PCRE2.
 */
#define PCRE2_CODE_UNIT_WIDTH 8

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pcre2.h>

#include "route/regex.h"

#define PATTERN_BYTES 256
#define INPUTS 12
#define TOGETHER 5

static uint64_t seed_state;

static u32 below(u32 n)
{
	seed_state = seed_state * 6364136223846793005ull + 1442695040888963407ull;
	return (u32)(seed_state >> 33) % n;
}

/* ---- patterns ---- */

struct text {
	char byte[PATTERN_BYTES];
	size_t len;
	bool full; /* not all of it fitted */
};

__attribute__((format(printf, 2, 3))) static void put(struct text *t, const char *fmt,
						      ...)
{
	size_t room = sizeof(t->byte) - t->len;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(t->byte + t->len, room, fmt, ap);
	va_end(ap);
	if (n > 0 && (size_t)n < room)
		t->len += (size_t)n;
	else
		t->full = true;
}

static void put_atom(struct text *t)
{
	static const char *const more[] = {
		".",
		"\\d",
		"\\w",
		"\\s",
		"\\W",
		"\\D",
		"\\S",
		"[ab]",
		"[^a]",
		"[a-c/]",
		"[^/]",
		"[\\d_-]",
		"[[:alpha:]]",
		"[^[:digit:]]",
		"[]a]",
		"[^]b]",
		"[a\\-c]",
		"\\x61",
		"\\x{62}",
		"\\.",
		"\\Qa+\\E",
		"\\n",
		"[[:^upper:]]",
		"(?i:a)",
		"(?s:.)",
		"[A-c]",
		"(?i:[b-d])",
		"\\/",
		"[\\n/]",
		"a{,x",
		"{",
		"}",
		"]",
		"\\101",
	};

	if (below(4))
		put(t, "%c", "aabbc/A1_\n"[below(10)]);
	else
		put(t, "%s", more[below(sizeof(more) / sizeof(*more))]);
}

static void put_repeat(struct text *t)
{
	switch (below(12)) {
	case 0:
		put(t, "*");
		break;
	case 1:
		put(t, "+");
		break;
	case 2:
		put(t, "?");
		break;
	case 3:
		put(t, "{%u}", below(4));
		break;
	case 4:
		put(t, "{%u,}", below(3));
		break;
	case 5:
		put(t, "{%u,%u}", below(2), 1 + below(4));
		break;
	default:
		return;
	}
	if (!below(3))
		put(t, "?");
}

static void put_alternatives(struct text *t, u32 depth);

static void put_item(struct text *t, u32 depth, bool looks)
{
	static const char *const open[] = {
		"(",	"(",	"(?:",	"(?:",	  "(?P<n%u>", "(?<m%u>",
		"(?i:", "(?s:", "(?U:", "(?i-s:", "(?^m:",
	};
	static const char *const flags[] = {"(?i)", "(?s)", "(?U)", "(?-i)", "(?^m)"};
	static const char *const look[] = {"^", "$", "\\A", "\\z", "\\b", "\\B"};

	if (depth && !below(3)) {
		const char *o = open[below(11)];

		if (strchr(o, '%'))
			put(t, "(?%s%c%zu>", below(2) ? "P<" : "<", 'n', t->len);
		else
			put(t, "%s", o);
		put_alternatives(t, depth - 1);
		put(t, ")");
	} else if (looks && !below(6)) {
		put(t, below(8) ? "%s" : "(?:%s)", look[below(6)]);
		if (t->byte[t->len - 1] != ')')
			return;
	} else if (!below(30)) {
		put(t, "%s", flags[below(5)]);
		return;
	} else {
		put_atom(t);
	}
	put_repeat(t);
}

static void put_alternatives(struct text *t, u32 depth)
{
	u32 n = below(4) ? 1 : 2 + below(2), items;
	bool looks = !below(3);

	while (n--) {
		for (items = below(10) ? 1 + below(4) : 0; items; items--)
			put_item(t, depth, looks);
		if (n)
			put(t, "|");
	}
}

static void make_pattern(struct text *t)
{
	do {
		*t = (struct text){};
		put_alternatives(t, 3);
	} while (t->full);
}

/* Mostly nonsense, out of what patterns are made of. */
static void make_syntax(struct text *t)
{
	static const char *const part[] = {
		"(",	  "(?",	 "(?:",	 ")",	  "[",	    "]",	 "[^",
		"{",	  "}",	 "{2}",	 "{1,2}", "{2,1}",  "{,2}",	 ",",
		"*",	  "+",	 "?",	 "\\",	  "^",	    "$",	 "|",
		"-",	  ":",	 "a",	 "b",	  "1",	    "[:alpha:]", "[:",
		":]",	  "=",	 "!",	 "<",	  ">",	    "P<",	 "'",
		"\\Q",	  "\\E", "\\x",	 "\\x{",  "\\p{L}", "\\1",	 "\\k<",
		"\\g{1}", "\\c", "\\d",	 "\\b",	  "i",	    "m",	 "s",
		"U",	  "#",	 "&",	 "R",	  "[.",	    ".]",	 "\\K",
		"(?<n",	  "(?=", "(?<!", "(?>",	  "(?|",    "(?(1)",	 "(?1)",
		"\\Z",	  "\\R", "\\X",	 "\\pL",  "\\0",    "\\8",	 "\\o{7}",
		"\\N",	  "\\z",
	};
	u32 n = 1 + below(7);

	t->len = 0;
	while (n--)
		put(t, "%s", part[below(sizeof(part) / sizeof(*part))]);
}

static size_t make_input(char *out, size_t max)
{
	size_t len = below((u32)max), i;

	for (i = 0; i < len; i++)
		out[i] = "aaabbbcc//A1_ \n.+\xc3"[below(18)];
	return len;
}

/* ---- comparing ---- */

static u32 failures;

__attribute__((format(printf, 3, 4))) static void
report(const struct text *pattern, const char *input, const char *fmt, ...)
{
	va_list ap;

	failures++;
	printf("FAIL /%.*s/", (int)pattern->len, pattern->byte);
	if (input)
		printf(" on \"%s\"", input);
	printf(": ");
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
}

static pcre2_compile_context *compile_ctx;
static pcre2_match_context *match_ctx;
static pcre2_match_data *match_data;

static pcre2_code *theirs(const struct text *t, int *code)
{
	PCRE2_SIZE at;

	return pcre2_compile((PCRE2_SPTR)t->byte, t->len,
			     PCRE2_ANCHORED | PCRE2_DOLLAR_ENDONLY |
				     PCRE2_ALT_CIRCUMFLEX | PCRE2_NO_START_OPTIMIZE,
			     code, &at, compile_ctx);
}

/* Length of a match, -1 none, -2 given up. */
static long match_theirs(const pcre2_code *code, const char *input, size_t len)
{
	int n = pcre2_match(code, (PCRE2_SPTR)input, len, 0, 0, match_data, match_ctx);

	if (n == PCRE2_ERROR_NOMATCH)
		return -1;
	if (n < 0)
		return -2;
	return (long)pcre2_get_ovector_pointer(match_data)[1];
}

static long match_ours(const struct dfa *d, const char *input, size_t len, u32 *rank)
{
	struct dfa_match m;

	if (!dfa_find(d, input, len, &m))
		return -1;
	*rank = m.rank;
	return (long)m.length;
}

static const char *show(const char *input, size_t len)
{
	static char out[4 * 64 + 1];
	size_t i, at = 0;

	for (i = 0; i < len && at + 5 < sizeof(out); i++) {
		u8 c = (u8)input[i];

		at += (size_t)snprintf(out + at, sizeof(out) - at,
				       c >= ' ' && c < 127 ? "%c" : "\\x%02x", c);
	}
	out[at] = '\0';
	return out;
}

struct pair {
	struct text text;
	struct regex *re;
	pcre2_code *code;
};

static u64 compared, matched, given_up, too_big;

static void compare_one(const struct pair *p)
{
	struct dfa_pattern with = {.re = p->re, .rank = 7, .length = true};
	struct dfa_pattern without = {.re = p->re, .rank = 7};
	struct dfa length, plain;
	struct err err = {};
	u32 i, rank = 0;
	int ret;

	ret = dfa_build(&with, 1, NULL, &length, &err);
	if (!ret && dfa_build(&without, 1, NULL, &plain, &err)) {
		dfa_free(&length);
		ret = -E2BIG;
	}
	if (ret == -E2BIG) {
		too_big++;
		return;
	}
	if (ret) {
		report(&p->text, NULL, "%s", err.what);
		return;
	}
	for (i = 0; i < INPUTS; i++) {
		char input[16];
		size_t len = make_input(input, sizeof(input));
		long want = match_theirs(p->code, input, len);
		long got = match_ours(&length, input, len, &rank);
		long is = match_ours(&plain, input, len, &rank);

		if (want == -2) {
			given_up++;
			continue;
		}
		compared++;
		matched += want >= 0;
		if (got != want)
			report(&p->text, show(input, len), "%ld instead of %ld", got,
			       want);
		if ((is < 0) != (want < 0))
			report(&p->text, show(input, len), "%s without lengths",
			       is < 0 ? "no match" : "match");
	}
	dfa_free(&length);
	dfa_free(&plain);
}

/* Several at once: the first in order that matches, and its length. */
static void compare_together(const struct pair *p, u32 n)
{
	struct dfa_pattern patterns[TOGETHER];
	struct err err = {};
	struct dfa d;
	u32 i, k;
	int ret;

	for (i = 0; i < n; i++)
		patterns[n - 1 - i] = (struct dfa_pattern){
			.re = p[i].re, .rank = 10 * i, .length = i % 3 != 1};
	ret = dfa_build(patterns, n, NULL, &d, &err);
	if (ret == -E2BIG) {
		too_big++;
		return;
	}
	if (ret) {
		report(&p->text, NULL, "with others: %s", err.what);
		return;
	}
	for (i = 0; i < INPUTS; i++) {
		char input[16];
		size_t len = make_input(input, sizeof(input));
		long want = -1, got;
		u32 rank = 0;

		for (k = 0; k < n && want == -1; k++)
			want = match_theirs(p[k].code, input, len);
		if (want == -2)
			continue;
		compared++;
		got = match_ours(&d, input, len, &rank);
		k--;
		if (want < 0 ? got >= 0 : got < 0 || rank != 10 * k)
			report(&p->text, show(input, len),
			       "together: rank %u length %ld instead of %u %ld", rank,
			       got, 10 * k, want);
		else if (want >= 0 && k % 3 != 1 && got != want)
			report(&p->text, show(input, len),
			       "together: length %ld instead of %ld", got, want);
	}
	dfa_free(&d);
}

static bool make_pair(struct pair *p)
{
	struct err err = {};
	int code, ret;

	make_pattern(&p->text);
	p->code = theirs(&p->text, &code);
	ret = regex_parse(p->text.byte, p->text.len, &p->re, NULL, &err);
	if (p->code && !ret)
		return true;
	if (p->code)
		report(&p->text, NULL, "theirs takes it, ours: %s", err.what);
	else if (!ret)
		report(&p->text, NULL, "ours takes it, theirs error %d", code);
	pcre2_code_free(p->code);
	if (!ret)
		regex_free(p->re);
	return false;
}

static void free_pair(struct pair *p)
{
	regex_free(p->re);
	pcre2_code_free(p->code);
}

/* Faults within what our parser passes over: a name that is not there, a
 * property that nobody knows, what may not be repeated. And where it stops at
 * once, anything may come. */
static bool is_within_refused(int error, const char *refusal)
{
	static const int known[] = {106, 108, 109, 115, 125, 137, 142, 144, 147, 148,
				    150, 155, 158, 160, 162, 164, 193, 195, 199};
	size_t i;

	for (i = 0; i < sizeof(known) / sizeof(*known); i++) {
		if (known[i] == error)
			return true;
	}
	return strstr(refusal, "\\Q") || strstr(refusal, "verb");
}

static void compare_syntax(void)
{
	struct err err = {};
	struct regex *re = NULL;
	pcre2_code *code;
	struct text t;
	int error, ret;

	make_syntax(&t);
	code = theirs(&t, &error);
	ret = regex_parse(t.byte, t.len, &re, NULL, &err);
	if (code && ret == -EINVAL && !strstr(err.what, "read in different ways"))
		report(&t, NULL, "theirs takes it, ours: %s", err.what);
	if (!code && ret != -EINVAL &&
	    !(ret == -EOPNOTSUPP && is_within_refused(error, err.what))) {
		PCRE2_UCHAR text[200] = "";

		pcre2_get_error_message(error, text, sizeof(text));
		report(&t, NULL, "ours %s, theirs %d: %s", ret ? err.what : "takes it",
		       error, (char *)text);
	}
	if (!ret)
		regex_free(re);
	pcre2_code_free(code);
}

int main(int argc, char **argv)
{
	u64 seed = argc > 1 ? strtoull(argv[1], NULL, 0) : 1;
	u32 rounds = argc > 2 ? (u32)strtoul(argv[2], NULL, 0) : 4000, i, k;
	u32 before;

	seed_state = seed;
	compile_ctx = pcre2_compile_context_create(NULL);
	pcre2_set_newline(compile_ctx, PCRE2_NEWLINE_LF);
	match_ctx = pcre2_match_context_create(NULL);
	pcre2_set_match_limit(match_ctx, 100000);
	match_data = pcre2_match_data_create(64, NULL);
	for (i = 0; i < rounds && failures < 40; i++) {
		struct pair p[TOGETHER];
		u32 n = 0;

		for (k = 0; k < TOGETHER; k++) {
			if (make_pair(&p[n]))
				n++;
		}
		for (k = 0; k < n; k++)
			compare_one(&p[k]);
		if (n)
			compare_together(p, n);
		for (k = 0; k < n; k++)
			free_pair(&p[k]);
	}
	if (!failures)
		printf("PASS %llu pairs, %llu match, PCRE2 gave up %llu, we %llu "
		       "patterns\n",
		       (unsigned long long)compared, (unsigned long long)matched,
		       (unsigned long long)given_up, (unsigned long long)too_big);
	before = failures;
	for (i = 0; i < rounds * 10 && failures < before + 40; i++)
		compare_syntax();
	if (failures == before)
		printf("PASS %u strings of syntax\n", rounds * 10);
	pcre2_match_data_free(match_data);
	pcre2_match_context_free(match_ctx);
	pcre2_compile_context_free(compile_ctx);
	return failures != 0;
}

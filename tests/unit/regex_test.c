/* SPDX-License-Identifier: BSD-2-Clause */
/* Regular expressions: what parses, what matches and how much, what is bounded. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "regex/moore.h"
#include "route/regex.h"

static struct regex *parse(const char *text)
{
	struct regex *re = NULL;
	struct err err = {};

	if (regex_parse(text, strlen(text), &re, NULL, &err))
		fail_msg("/%s/: %s", text, err.what);
	return re;
}

static void build_one(const char *text, bool length, struct dfa *d)
{
	struct regex *re = parse(text);
	struct dfa_pattern p = {.re = re, .rank = 1, .length = length};
	struct err err = {};

	if (dfa_build(&p, 1, NULL, d, &err))
		fail_msg("/%s/: %s", text, err.what);
	moore_check(d);
	regex_free(re);
}

/* ---- matches ---- */

#define NONE -1

static const struct vector {
	const char *pattern;
	const char *input;
	int length;
} vectors[] = {
	/* anchored at its start as a whole, not at its end */
	{"/foo", "/foo/bar", 4},
	{"/foo", "/fo", NONE},
	{"foo", "/foo", NONE},
	{"/a|/b", "/x/b", NONE},
	{"/a|/b", "/b/x", 2},
	{"/foo/\\d{3}", "/foo/1234/x", 8},
	{"/foo/\\d{3}$", "/foo/1234", NONE},
	{"/foo/\\d{3}$", "/foo/123", 8},
	{"^/a", "/a", 2},
	{"", "anything", 0},
	{"", "", 0},
	/* the end is the very end */
	{"/a$", "/a\n", NONE},
	{"/a\\z", "/a\n", NONE},
	{"(?m)/a$", "/a\n", 2},
	{"(?m)/a\n^b", "/a\nb", 4},
	{"/a\n^b", "/a\nb", NONE},
	{"a\\Ab", "ab", NONE},
	{"$", "", 0},
	{"$", "a", NONE},
	{"a$|a", "ab", 1},
	{"ab$|a", "abc", 1},
	{"ab$|a", "ab", 2},
	/* the first alternative that leads to a match, not the longest */
	{"/a|/ab", "/abc", 2},
	{"/ab|/a", "/abc", 3},
	{"/a(|b|bc)", "/abcd", 2},
	{"/a(|b|bc)$", "/abc", 4},
	{"(a|ab)(c|bcd)", "abcd", 4},
	/* greedy and lazy */
	{"/.*", "/abc", 4},
	{"/.*?", "/abc", 1},
	{"/.*?/", "/ab/c/", 4},
	{"/.*/", "/ab/c/", 6},
	{"a{2,3}", "aaaa", 3},
	{"a{2,3}?", "aaaa", 2},
	{"a{2,}", "aaaa", 4},
	{"a{2,}?", "aaaa", 2},
	{"a{2}", "aaaa", 2},
	{"a{0}b", "b", 1},
	{"(?U)a+", "aaa", 1},
	{"(?U)a+?", "aaa", 3},
	{"a?\?b", "ab", 2},
	/* loops of what may be empty are left when it was */
	{"(a*)*b", "aaab", 4},
	{"(a*)+", "aab", 2},
	{"(|a)*", "aaa", 0},
	{"(|a)+", "aaa", 0},
	{"(a|b?)*", "abc", 2},
	{"(a?\?b*)*", "ab", 0},
	{"(?:(?:a?\?)*b?)*", "ab", 0},
	{"(?:a?\?b?)*", "ba", 1},
	{"(?:a?\?b?)+", "ba", 1},
	{"(?:a?\?(?:b?\?a?\?)*)*b", "abb", 2},
	{"(){1000}a", "a", 1},
	{"(?:a{,x)", "a{,x", 4},
	/* what a byte is */
	{".", "\n", NONE},
	{"(?s).", "\n", 1},
	{"..", "\xc3\xa9", 2},
	{"\xc3\xa9+/", "\xc3\xa9\xc3\xa9/", 5},
	{"\\d\\D\\w\\W\\s\\S", "1a_- x", 6},
	{"\\s+", " \t\n\v\f\rx", 6},
	{"\\t\\n\\r\\f\\v\\a\\e", "\t\n\r\f\v\a\033", 7},
	{"\\x41\\x{42}\\103\\0?", "ABC", 3},
	{"\\cA", "\001", 1},
	{"\\.\\*\\/\\{\\-", ".*/{-", 5},
	{"\\Qa.b*\\E+", "a.b**", 5},
	{"\\Qa.b", "a.b", 3},
	{"x\\Q\\Ey", "xy", 2},
	{"[a-c]+", "abcd", 3},
	{"[^a-c]+", "xy\na", 3},
	{"[]a]+", "]a]b", 3},
	{"[^]a]+", "bc]", 2},
	{"[a\\-c]+", "a-c", 3},
	{"[a-]+", "a-b", 2},
	{"[-a]+", "a-b", 2},
	{"[\\d_]+", "12_a", 3},
	{"[\\b]", "\b", 1},
	{"[\\x30-\\x39]+", "0189a", 4},
	{"[[:alpha:]_]+", "aZ_1", 3},
	{"[[:^alpha:]]+", "12a", 2},
	{"[[:word:]]+", "a1_-", 3},
	{"[[:xdigit:]]+", "09afAFg", 6},
	{"[[:punct:]]+", "!/:@[`{~a", 8},
	{"[[:cntrl:]]+", "\001\177 ", 2},
	{"[[:ascii:]]+", "a\177\xc3", 2},
	{"[[:blank:][:upper:]]+", "A \tb", 3},
	{"[a[b]+", "a[bc", 3},
	{"{id}", "{id}", 4},
	{"a{b}", "a{b}", 4},
	{"a{1", "a{1", 3},
	{"a]}", "a]}", 3},
	/* flags */
	{"(?i)/Api", "/aPI", 4},
	{"/(?i:Api)/x", "/API/X", NONE},
	{"/(?i:Api)/x", "/API/x", 6},
	{"(?i)[a-c]+", "aBC", 3},
	{"(?i)[^a]+", "bA", 1},
	{"(?i)\\x61", "A", 1},
	{"(?i)a(?-i)b", "Ab", 2},
	{"(?i)a(?-i)b", "AB", NONE},
	{"(a(?i)b|c)d", "Cd", 2},
	{"(a(?i)b|c)d", "CD", NONE},
	{"(?is-m:a.)b", "A\nb", 3},
	{"(?^:a)", "a", 1},
	{"(?P<x>a)(?<y>b)(?'z'c)(?:d)", "abcd", 4},
	/* word boundaries */
	{"/foo\\b", "/foo", 4},
	{"/foo\\b", "/foo/x", 4},
	{"/foo\\b", "/foobar", NONE},
	{"/foo\\B", "/foobar", 4},
	{"/foo\\B", "/foo", NONE},
	{"\\bfoo", "foo", 3},
	{"\\b/foo", "/foo", NONE},
	{"/a*\\b/", "/aa/", 4},
	{"/.*\\b", "/ab-c-", 5},
	{"/\\w+?\\b", "/ab-c", 3},
	{"a\\b|ab", "ab", 2},
	{"a/$|a\\b", "a/", 2},
	{"a/$|a\\b", "a/b", 1},
};

static void test_vectors(void **state)
{
	struct dfa_match m;
	size_t i, len;
	struct dfa d;

	for (i = 0; i < sizeof(vectors) / sizeof(*vectors); i++) {
		const struct vector *v = &vectors[i];
		int got = NONE;

		len = strlen(v->input);
		build_one(v->pattern, true, &d);
		if (dfa_find(&d, v->input, len, &m))
			got = (int)m.length;
		dfa_free(&d);
		if (got != v->length)
			fail_msg("/%s/ on \"%s\": %d instead of %d", v->pattern,
				 v->input, got, v->length);
		build_one(v->pattern, false, &d);
		if (dfa_find(&d, v->input, len, &m) != (v->length != NONE))
			fail_msg("/%s/ on \"%s\" without length", v->pattern, v->input);
		assert_false(d.has_back);
		dfa_free(&d);
	}
}

/* ---- what does not parse, and what is not for us ---- */

static const struct fault {
	const char *pattern;
	int code;
	size_t at;
	const char *word;
} faults[] = {
	{"/a(b", -EINVAL, 2, "without its \")\""},
	{"/a)b", -EINVAL, 2, "without its \"(\""},
	{"/[a", -EINVAL, 1, "without its \"]\""},
	{"/[]", -EINVAL, 1, "without its \"]\""},
	{"/a\\", -EINVAL, 2, "\"\\\" at the end"},
	{"*", -EINVAL, 0, "nothing to repeat"},
	{"a|+", -EINVAL, 2, "nothing to repeat"},
	{"a**", -EINVAL, 2, "nothing to repeat"},
	{"a{2}{3}", -EINVAL, 4, "nothing to repeat"},
	{"(?i)*", -EINVAL, 4, "nothing to repeat"},
	{"^*", -EINVAL, 1, "nothing to repeat"},
	{"a{3,2}", -EINVAL, 1, "out of order"},
	{"a{,3}", -EINVAL, 1, "different ways"},
	{"[z-a]", -EINVAL, 1, "out of order"},
	{"[a-\\d]", -EINVAL, 1, "range of classes"},
	{"[[:foo:]]", -EINVAL, 1, "unknown class"},
	{"[[.a.]]", -EINVAL, 1, "unknown class"},
	{"[:alpha:]", -EINVAL, 0, "only within a class"},
	{"\\y", -EINVAL, 0, "unknown escape"},
	{"[\\z]", -EINVAL, 1, "in a class"},
	{"\\x{110000}", -EINVAL, 0, "beyond 10ffff"},
	{"\\x{4", -EINVAL, 0, "digits"},
	{"\\p", -EINVAL, 0, "without a name"},
	{"\\p{L", -EINVAL, 0, "without its \"}\""},
	{"(?P<1>a)", -EINVAL, 0, "name"},
	{"(?P<a>a)(?P<a>b)", -EINVAL, 8, "second group"},
	{"(?z)", -EINVAL, 2, "unknown group"},
	{"(?i", -EINVAL, 0, "without its \")\""},
	{"(a)\\2", -EINVAL, 3, "group 2, which is not there"},
	{"(?1)", -EINVAL, 0, "group 1, which is not there"},

	{"/a(?=b)", -EOPNOTSUPP, 2, "lookahead \"(?=\""},
	{"/(?!b)a", -EOPNOTSUPP, 1, "lookahead \"(?!\""},
	{"(?<=b)a", -EOPNOTSUPP, 0, "lookbehind \"(?<=\""},
	{"(?<!b)a", -EOPNOTSUPP, 0, "lookbehind \"(?<!\""},
	{"(?>a)", -EOPNOTSUPP, 0, "atomic group \"(?>\""},
	{"(?|a|b)", -EOPNOTSUPP, 0, "branch reset"},
	{"(a)\\1", -EOPNOTSUPP, 3, "backreference \"\\1\""},
	{"(a)\\g{1}", -EOPNOTSUPP, 3, "backreference \"\\g{1}\""},
	{"(?P<n>a)(?P=n)", -EOPNOTSUPP, 8, "backreference \"(?P=\""},
	{"(?<n>a)\\k<n>", -EOPNOTSUPP, 7, "backreference \"\\k<n>\""},
	{"a*+", -EOPNOTSUPP, 1, "possessive repeat \"*+\""},
	{"a{1,2}+", -EOPNOTSUPP, 1, "possessive repeat \"{1,2}+\""},
	{"(a)(?(1)b|c)", -EOPNOTSUPP, 3, "conditional"},
	{"(?(?=a)b|c)", -EOPNOTSUPP, 0, "conditional"},
	{"(?R)", -EOPNOTSUPP, 0, "recursion"},
	{"(a)(?1)", -EOPNOTSUPP, 3, "recursion"},
	{"(?<n>a)(?&n)", -EOPNOTSUPP, 7, "recursion"},
	{"\\p{Greek}a", -EOPNOTSUPP, 0, "Unicode property \"\\p{Greek}\""},
	{"[\\PL]", -EOPNOTSUPP, 1, "Unicode property \"\\PL\""},
	{"\\x{263a}", -EOPNOTSUPP, 0, "beyond \\xff"},
	{"[\xc3\xa9]", -EOPNOTSUPP, 1, "beyond ASCII"},
	{"[a-z&&[^b]]", -EOPNOTSUPP, 4, "\"&&\" in a class"},
	{"(?i)\xc3\xa9", -EOPNOTSUPP, 4, "beyond ASCII"},
	{"a\\Z", -EOPNOTSUPP, 1, "\"\\Z\""},
	{"a\\Kb", -EOPNOTSUPP, 1, "\"\\K\""},
	{"(?x)a b", -EOPNOTSUPP, 0, "flag \"(?x\""},
	{"(?#note)a", -EOPNOTSUPP, 0, "comment"},
	{"(*UTF)a", -EOPNOTSUPP, 0, "verb"},
	{"\\R", -EOPNOTSUPP, 0, "\"\\R\""},
	/* what no engine takes goes before what we do not */
	{"(?=a)(", -EINVAL, 5, "without its \")\""},
	{"\\p{L}[", -EINVAL, 5, "without its \"]\""},

	{"a{1001}", -E2BIG, 1, "limit of 1000"},
	{"a{0,1001}", -E2BIG, 1, "limit of 1000"},
	{"a{99999999999}", -E2BIG, 1, "limit of 1000"},
};

static void test_faults(void **state)
{
	struct regex *re = (void *)1;
	struct err err;
	size_t i, at;
	int ret;

	for (i = 0; i < sizeof(faults) / sizeof(*faults); i++) {
		const struct fault *f = &faults[i];

		err = (struct err){};
		at = 999;
		ret = regex_parse(f->pattern, strlen(f->pattern), &re, &at, &err);
		if (ret != f->code || at != f->at || !strstr(err.what, f->word))
			fail_msg("/%s/: %d at %zu, %s", f->pattern, ret, at, err.what);
		assert_int_equal(err.code, f->code);
		assert_true(re == (void *)1);
		ret = regex_parse(f->pattern, strlen(f->pattern), &re, NULL, NULL);
		assert_int_equal(ret, f->code);
	}
}

static void test_text_limits(void **state)
{
	char text[REGEX_TEXT_MAX + 2];
	struct regex *re;
	struct err err = {};
	size_t at;
	u32 i;

	memset(text, 'a', sizeof(text));
	assert_int_equal(regex_parse(text, REGEX_TEXT_MAX, &re, &at, &err), 0);
	regex_free(re);
	assert_int_equal(regex_parse(text, REGEX_TEXT_MAX + 1, &re, &at, &err), -E2BIG);
	assert_non_null(strstr(err.what, "4097 bytes, over the limit of 4096"));

	for (i = 0; i < REGEX_NESTING_MAX; i++) {
		text[i] = '(';
		text[REGEX_NESTING_MAX + 1 + i] = ')';
	}
	assert_int_equal(regex_parse(text, 2 * REGEX_NESTING_MAX + 1, &re, &at, &err),
			 0);
	regex_free(re);
	memset(text, '(', sizeof(text));
	assert_int_equal(regex_parse(text, 1000, &re, &at, &err), -E2BIG);
	assert_int_equal(at, REGEX_NESTING_MAX);

	/* a NUL is a byte */
	assert_int_equal(regex_parse("a\0b", 3, &re, &at, &err), 0);
	regex_free(re);
}

/* ---- several patterns ---- */

struct together {
	struct regex *re[4];
	struct dfa d;
};

static void build_together(struct together *t, const char *const *text, const u32 *rank,
			   const bool *length, size_t n)
{
	struct dfa_pattern p[4] = {};
	struct err err = {};
	size_t i;

	*t = (struct together){};
	for (i = 0; i < n; i++) {
		t->re[i] = parse(text[i]);
		p[i] = (struct dfa_pattern){t->re[i], rank[i], length && length[i]};
	}
	assert_int_equal(dfa_build(p, n, NULL, &t->d, &err), 0);
	moore_check(&t->d);
}

static void free_together(struct together *t)
{
	size_t i;

	for (i = 0; i < 4; i++)
		regex_free(t->re[i]);
	dfa_free(&t->d);
}

static void expect(struct together *t, const char *input, u32 rank, size_t length)
{
	struct dfa_match m = {.rank = DFA_NO_RANK};

	if (dfa_find(&t->d, input, strlen(input), &m) != (rank != DFA_NO_RANK) ||
	    m.rank != rank || (length && m.length != length))
		fail_msg("\"%s\": rank %u length %zu", input, m.rank, m.length);
}

static void test_ranks(void **state)
{
	static const char *const text[] = {"/a", "/a/b/c", "/a/b$", "/x|/a/b"};
	static const u32 rank[] = {40, 10, 20, 30};
	static const bool length[] = {true, true, true, true};
	struct together t;

	build_together(&t, text, rank, length, 4);
	expect(&t, "/", DFA_NO_RANK, 0);
	expect(&t, "/a", 40, 2);
	expect(&t, "/a/", 40, 2);
	expect(&t, "/a/b", 20, 4);
	expect(&t, "/a/b/", 30, 4);
	expect(&t, "/a/bc", 30, 4);
	expect(&t, "/a/b/c", 10, 6);
	expect(&t, "/a/b/cde", 10, 6);
	expect(&t, "/xy", 30, 2);
	free_together(&t);

	/* of equal ranks the first in the list */
	build_together(&t, (const char *const[]){"/a+?", "/a+"}, (const u32[]){5, 5},
		       length, 2);
	expect(&t, "/aaa", 5, 2);
	free_together(&t);

	/* length of one, only whether of the other */
	build_together(&t, (const char *const[]){"/a.*", "/b.*"}, (const u32[]){1, 2},
		       (const bool[]){true, false}, 2);
	expect(&t, "/abc", 1, 4);
	expect(&t, "/bcd", 2, 2);
	free_together(&t);

	build_together(&t, NULL, NULL, NULL, 0);
	assert_int_equal(t.d.start, DFA_DEAD);
	expect(&t, "", DFA_NO_RANK, 0);
	free_together(&t);
}

/* ---- size ---- */

static void test_minimal(void **state)
{
	static const struct {
		const char *pattern;
		bool length;
		u32 states; /* DFA_DEAD included */
	} sizes[] = {
		{"(a|b)*abb$", false, 5},
		{"/foo/.*", false, 7},
		{"/foo/.*", true, 7},
		{"/a|/b|/c|/d", false, 4},
		{"abc|xbc|ybc", false, 5},
		{"a[^\\x00-\\xff]", false, 1},
		{"a[^\\x00-\\xff]|b", false, 3},
		{"(?:a|ab|abc|abcd){0,3}", false, 2},
		{"x*", false, 2},
		{"x*y*$", false, 3},
	};
	struct dfa d;
	size_t i;

	for (i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		build_one(sizes[i].pattern, sizes[i].length, &d);
		if (d.states != sizes[i].states)
			fail_msg("/%s/: %u states", sizes[i].pattern, d.states);
		dfa_free(&d);
	}
}

static void test_back(void **state)
{
	static const struct {
		const char *pattern;
		bool has_back;
	} backs[] = {
		{"/foo\\b", true},	 {"/foo\\b/", false},
		{"/foo$", false},	 {"(?m)/foo$", true},
		{"/\\bfoo", false},	 {"\\b\\Bfoo", false},
		{"/foo(?:\\b|/)", true}, {"/foo(?:\\b|)", false},
		{"/foo(?:|\\b)", false},
	};
	struct dfa d;
	size_t i;

	for (i = 0; i < sizeof(backs) / sizeof(*backs); i++) {
		build_one(backs[i].pattern, true, &d);
		if (d.has_back != backs[i].has_back)
			fail_msg("/%s/", backs[i].pattern);
		dfa_free(&d);
	}
}

/* ---- bounds ---- */

static int build_limited(const char *text, bool length, const struct dfa_limits *limits,
			 struct dfa *d, struct err *err)
{
	struct regex *re = parse(text);
	struct dfa_pattern p = {.re = re, .rank = 1, .length = length};
	int ret;

	*d = (struct dfa){};
	if (err)
		*err = (struct err){};
	ret = dfa_build(&p, 1, limits, d, err);
	regex_free(re);
	return ret;
}

/* What takes a backtracking engine for ever is but an automaton. */
static void test_catastrophic(void **state)
{
	static const char *const texts[] = {
		"(a*)*b",	 "(a|a)*b",	    "(a+)+$",	       "(a|aa)+$",
		"(.*a){12}b",	 "(a?){200}a{200}", "((a*)*)*b",       "(x+x+)+y",
		"(([a-z])+.)+A", "(a{0,50}){20}b",  "((a?){10}){10}b", "(\\w+\\s?)*$",
	};
	char input[20000];
	struct dfa_match m;
	struct dfa d;
	size_t i;

	memset(input, 'a', sizeof(input));
	for (i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		build_one(texts[i], true, &d);
		dfa_find(&d, input, sizeof(input), &m);
		if (d.states > 1100)
			fail_msg("/%s/: %u states", texts[i], d.states);
		dfa_free(&d);
	}
}

static void test_explosions(void **state)
{
	static const struct {
		const char *pattern;
		const char *word;
	} texts[] = {
		{"(a|b)*a(a|b){20}c", "states of its automaton"},
		{".*a.{30}b", "states of its automaton"},
		{"((a{1000}){1000}){1000}", "400000 NFA nodes"},
		{"(((){1000}){1000}){1000}", "repeats in repeats"},
		{"(((|){1000}){1000}){1000}", "400000 NFA nodes"},
		{"(((a?){100}){100}){20}", "limit of"},
		{"((((a*)*)*){1000}){1000}", "limit of"},
	};
	struct err err;
	struct dfa d;
	size_t i;

	for (i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		int ret = build_limited(texts[i].pattern, true, NULL, &d, &err);

		if (ret != -E2BIG || !strstr(err.what, texts[i].word))
			fail_msg("/%s/: %d, %s", texts[i].pattern, ret, err.what);
		assert_null(d.next);
	}
}

static void test_limits(void **state)
{
	struct dfa_limits limits = {.states = 6};
	struct err err;
	struct dfa d;

	/* DFA_DEAD, the start, and one for each byte */
	assert_int_equal(build_limited("abcd", false, &limits, &d, &err), 0);
	dfa_free(&d);
	limits.states = 5;
	assert_int_equal(build_limited("abcd", false, &limits, &d, &err), -E2BIG);
	assert_non_null(strstr(err.what, "limit of 5 states"));
	limits = (struct dfa_limits){.nodes = 5};
	assert_int_equal(build_limited("abcd", false, &limits, &d, &err), 0);
	dfa_free(&d);
	assert_int_equal(build_limited("abcde", false, &limits, &d, &err), -E2BIG);
	assert_non_null(strstr(err.what, "limit of 5 NFA nodes"));
	limits = (struct dfa_limits){.work = 20};
	assert_int_equal(build_limited("(a|b)*c(a|b)*d", true, &limits, &d, &err),
			 -E2BIG);
	assert_non_null(strstr(err.what, "limit of 20 steps"));
	/* without length the order of ways through a pattern makes no state */
	limits = (struct dfa_limits){.states = 6};
	assert_int_equal(build_limited("(.*a|.*b){3}c", true, &limits, &d, &err),
			 -E2BIG);
	assert_int_equal(build_limited("(.*a|.*b){3}c", false, &limits, &d, &err), 0);
	dfa_free(&d);
	limits = (struct dfa_limits){.states = 1};
	assert_int_equal(build_limited("(a|b)*c", true, &limits, &d, NULL), -E2BIG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors),	     cmocka_unit_test(test_faults),
		cmocka_unit_test(test_text_limits),  cmocka_unit_test(test_ranks),
		cmocka_unit_test(test_minimal),	     cmocka_unit_test(test_back),
		cmocka_unit_test(test_catastrophic), cmocka_unit_test(test_explosions),
		cmocka_unit_test(test_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Command lines, and tables that fit a terminal. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* The commands are no library: what is under test is built in. */
#include "base/number.h"
#include "cmd/cmd.c"
#include "cmd/columns.c"
#include "cmd/options.c"

struct own {
	struct words hosts;
	bool dry;
	const char *name;
	int colour;
	const char *often;
};

static const struct option_row rows_own[] = {
	{'H', "host", "NAME", "h", OPTION_LIST, offsetof(struct own, hosts)},
	{'n', "dry-run", NULL, "n", OPTION_FLAG, offsetof(struct own, dry)},
	{0, "name", "NAME", "x", OPTION_STRING, offsetof(struct own, name)},
	{0, "colour", "red|green", "c", OPTION_CHOICE, offsetof(struct own, colour)},
	{'w', "often", "[=N]", "o", OPTION_MAYBE, offsetof(struct own, often)},
	{},
};

const struct command commands[] = {
	{"paint", "Paint", NULL, NULL, {rows_own}, 0, NULL},
	{},
};

#define ARGS_MAX 16
#define LINE_MAX_BYTES 256

struct line {
	struct ctx ctx;
	struct own own;
	char *argv[ARGS_MAX];
	int argc;
};

/* Parses "paint" and the words of `text`. */
static int parse(struct line *l, const char *text, char *buf)
{
	void *const to[] = {&l->own};
	char *p = buf;

	memset(l, 0, sizeof(*l));
	l->ctx.command = &commands[0];
	l->ctx.pin = "/sys/fs/bpf/test";
	snprintf(buf, LINE_MAX_BYTES, "%s", text);
	l->argv[l->argc++] = "paint";
	while (*p && l->argc < ARGS_MAX - 1) {
		char *space = strchrnul(p, ' ');

		l->argv[l->argc++] = p;
		p = *space ? space + 1 : space;
		*space = '\0';
	}
	return options_parse(&l->ctx, to, &l->argc, l->argv);
}

static void test_forms(void **state)
{
	struct line l;
	char buf[LINE_MAX_BYTES];

	assert_int_equal(parse(&l, "a -H x --host=y -Hz b --name n -nvv -o json", buf),
			 0);
	assert_int_equal(l.argc, 3);
	assert_string_equal(l.argv[1], "a");
	assert_string_equal(l.argv[2], "b");
	assert_int_equal(l.own.hosts.len, 3);
	assert_string_equal(l.own.hosts.item[0], "x");
	assert_string_equal(l.own.hosts.item[1], "y");
	assert_string_equal(l.own.hosts.item[2], "z");
	assert_string_equal(l.own.name, "n");
	assert_true(l.own.dry);
	assert_int_equal(l.ctx.verbose, 2);
	assert_int_equal(l.ctx.output, OUTPUT_JSON);
	vec_free(&l.own.hosts);
}

static void test_operands(void **state)
{
	struct line l;
	char buf[LINE_MAX_BYTES];

	/* "-" is a file, "--" ends the options. */
	assert_int_equal(parse(&l, "- -n -- -n --name", buf), 0);
	assert_int_equal(l.argc, 4);
	assert_string_equal(l.argv[1], "-");
	assert_string_equal(l.argv[2], "-n");
	assert_string_equal(l.argv[3], "--name");
	assert_null(l.own.name);
}

static void test_choice(void **state)
{
	struct line l;
	char buf[LINE_MAX_BYTES];

	assert_int_equal(parse(&l, "--colour green", buf), 0);
	assert_int_equal(l.own.colour, 1);
	assert_int_equal(parse(&l, "--colour gree", buf), EXIT_USAGE);
	assert_int_equal(parse(&l, "--colour red|green", buf), EXIT_USAGE);
}

/* A value that may be left out never is the next word. */
static void test_maybe(void **state)
{
	struct line l;
	char buf[LINE_MAX_BYTES];

	assert_int_equal(parse(&l, "--often 5", buf), 0);
	assert_string_equal(l.own.often, "");
	assert_int_equal(l.argc, 2);
	assert_int_equal(parse(&l, "--often=5", buf), 0);
	assert_string_equal(l.own.often, "5");
	assert_int_equal(parse(&l, "-nw", buf), 0);
	assert_string_equal(l.own.often, "");
	assert_int_equal(parse(&l, "-w0.5", buf), 0);
	assert_string_equal(l.own.often, "0.5");
}

static void test_usage_errors(void **state)
{
	static const char *const bad[] = {
		"--nosuch", "-z", "--name", "-H", "--dry-run=yes", "-nz", "--nam=x",
	};
	struct line l;
	char buf[LINE_MAX_BYTES];
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(parse(&l, bad[i], buf), EXIT_USAGE);
}

static void test_distance(void **state)
{
	assert_int_equal(word_distance("check", "check"), 0);
	assert_int_equal(word_distance("chek", "check"), 1);
	assert_int_equal(word_distance("", "abc"), 3);
	assert_int_equal(word_distance("stats", "status"), 1);
}

static void test_split(void **state)
{
	const char *items[] = {"a,b", "c", ",,d,"};
	struct words in = {items, 3, 3}, out = {};

	assert_int_equal(words_split(&in, &out), 0);
	assert_int_equal(out.len, 4);
	assert_string_equal(out.item[1], "b");
	assert_string_equal(out.item[3], "d");
	words_free(&out);
}

static void test_numbers(void **state)
{
	uint64_t n = 7;

	assert_int_equal(number_parse("0", 10, &n), 0);
	assert_int_equal(n, 0);
	assert_int_equal(number_parse("10", 10, &n), 0);
	assert_int_equal(number_parse("11", 10, &n), -ERANGE);
	assert_int_equal(number_parse("5", 3, &n), -ERANGE);
	assert_int_equal(number_parse("18446744073709551615", UINT64_MAX, &n), 0);
	assert_true(n == UINT64_MAX);
	assert_int_equal(number_parse("18446744073709551616", UINT64_MAX, &n), -ERANGE);
	assert_int_equal(number_parse("", 10, &n), -EINVAL);
	assert_int_equal(number_parse("-1", 10, &n), -EINVAL);
	assert_int_equal(number_parse(" 1", 10, &n), -EINVAL);
	assert_int_equal(number_parse_ms("1.5", &n), 0);
	assert_int_equal(n, 1500);
	assert_int_equal(number_parse_ms(".25", &n), 0);
	assert_int_equal(n, 250);
	assert_int_equal(number_parse_ms("2", &n), 0);
	assert_int_equal(n, 2000);
	assert_int_equal(number_parse_ms("2.", &n), -EINVAL);
	assert_int_equal(number_parse_ms(".", &n), -EINVAL);
	assert_int_equal(number_parse_ms("1.2345", &n), -EINVAL);
}

static void test_pin(void **state)
{
	struct line l;
	char buf[LINE_MAX_BYTES];

	assert_int_equal(parse(&l, "--pin /sys/fs/bpf.d/weir", buf), 0);
	assert_int_equal(parse(&l, "--pin /sys/fs/bpf/weir.old", buf), EXIT_USAGE);
	assert_int_equal(parse(&l, "--pin weir.old", buf), EXIT_USAGE);
}

static void test_exit_codes(void **state)
{
	struct err err = {};

	err_set(&err, -EPERM, "x");
	assert_int_equal(cmd_fail(&err), EXIT_REFUSED);
	err_set(&err, -EOPNOTSUPP, "x");
	assert_int_equal(cmd_fail(&err), EXIT_REFUSED);
	err_set(&err, -ENOENT, "x");
	assert_int_equal(cmd_fail(&err), EXIT_FAILED);
}

static void test_widths(void **state)
{
	static const struct column heads[] = {
		{"A", COLUMN_LEFT, false},
		{"B", COLUMN_FLEX, false},
		{"C", COLUMN_RIGHT, true},
		{},
	};
	struct columns t;

	/* Characters, not bytes. */
	assert_int_equal(width_of("h\xc3\xa9"), 2);
	assert_int_equal(bytes_of("h\xc3\xa9llo", 2), 3);
	columns_init(&t, heads, false);
	assert_int_equal(t.count, 3);
	assert_true(is_shown(&t, 1));
	assert_false(is_shown(&t, 2));
	columns_row(&t, "x", NULL, "");
	assert_string_equal(t.rows.item[0][1].text, "-");
	vec_free(&t.rows);
	pool_free(&t.pool);
}

/* The widest texts give way first, then all of them; numbers never do. */
static void test_fit(void **state)
{
	static const struct column heads[] = {
		{"A", COLUMN_LEFT, false},
		{"B", COLUMN_FLEX, false},
		{"C", COLUMN_FLEX, false},
		{"D", COLUMN_RIGHT, false},
		{},
	};
	unsigned int wide[4] = {10, 12, 30, 6}, narrow[4] = {10, 12, 30, 6};
	unsigned int whole[4] = {10, 12, 30, 6};
	struct columns t;

	columns_init(&t, heads, false);
	setenv("COLUMNS", "46", 1); /* with three gaps of two: 40 for 58 */
	fit(&t, wide);
	assert_int_equal(wide[0], 10);
	assert_int_equal(wide[1], 12);
	assert_int_equal(wide[2], 12);
	assert_int_equal(wide[3], 6);
	setenv("COLUMNS", "10", 1);
	fit(&t, narrow);
	assert_int_equal(narrow[0], LEFT_LEAST);
	assert_int_equal(narrow[1], LEFT_LEAST);
	assert_int_equal(narrow[3], 6);
	columns_init(&t, heads, true);
	fit(&t, whole);
	assert_int_equal(whole[2], 30);
	unsetenv("COLUMNS");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_forms),	 cmocka_unit_test(test_operands),
		cmocka_unit_test(test_choice),	 cmocka_unit_test(test_usage_errors),
		cmocka_unit_test(test_distance), cmocka_unit_test(test_split),
		cmocka_unit_test(test_numbers),	 cmocka_unit_test(test_exit_codes),
		cmocka_unit_test(test_widths),	 cmocka_unit_test(test_maybe),
		cmocka_unit_test(test_fit),	 cmocka_unit_test(test_pin),
	};

	return cmocka_run_group_tests_name("cmd_options", tests, NULL, NULL);
}

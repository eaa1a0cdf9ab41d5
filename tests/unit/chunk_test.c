/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "pure/chunk.h"

/* Walks a body; returns the offset behind it, 0 when more is needed, -1 when bad. */
static int walk(const char *body, size_t len)
{
	struct chunk c = {};
	size_t at = 0;

	while (at < len) {
		u64 skip = chunk_take(&c, (u8)body[at++]);

		if (c.step == CHUNK_BAD)
			return -1;
		if (c.step == CHUNK_DONE)
			return at;
		if (skip > len - at)
			return 0;
		at += skip;
	}
	return 0;
}

#define WALK(literal) walk(literal, sizeof(literal) - 1)
#define WHOLE(literal) assert_int_equal(WALK(literal), sizeof(literal) - 1)

static void whole_bodies(void **state)
{
	WHOLE("0\r\n\r\n");
	WHOLE("5\r\nhello\r\n0\r\n\r\n");
	WHOLE("A\r\n0123456789\r\na\r\n0123456789\r\n0\r\n\r\n");
	WHOLE("0005\r\nhello\r\n00\r\n\r\n");
	WHOLE("5;a=b;c=\"d e\"\r\nhello\r\n0;x\r\n\r\n");
	WHOLE("5 \t;a\r\nhello\r\n0\r\n\r\n");
	WHOLE("5\r\nhello\r\n0\r\nX-Sum: 1\r\nY:\r\n\r\n");
	/* data may look like anything */
	WHOLE("7\r\n0\r\n\r\nGE\r\n0\r\n\r\n");
	/* what follows is not touched */
	assert_int_equal(WALK("0\r\n\r\nGET / HTTP/1.1\r\n"), 5);
}

static void bad_bodies(void **state)
{
	static const char *const bad[] = {
		"\r\n",
		"x\r\n",
		"-1\r\n",
		"+5\r\nhello",
		"0x5\r\n",
		" 5\r\n",
		"5 \r\nhello",
		"5\nhello",
		"5\r\rhello",
		"5\r\nhello!\r\n",
		"5\r\nhello\n",
		"5\r\nhelloX",
		"5;a\001\r\n",
		"5;a\nhello",
		"0\r\n :x\r\n",
		"0\r\nA B: c\r\n",
		"0\r\n: c\r\n",
		"0\r\nA: b\n",
		"0\r\nA: b\001\r\n",
		"0\r\n\rX",
		"8000000000000000\r\n",
		"10000000000000000\r\n",
	};
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		if (walk(bad[i], strlen(bad[i])) != -1)
			fail_msg("accepted: %s", bad[i]);
}

static void every_beginning_needs_more(void **state)
{
	static const char body[] = "5;e=1\r\nhello\r\n0\r\nA: b\r\n\r\n";
	size_t n;

	for (n = 0; n < sizeof(body) - 1; n++)
		assert_int_equal(walk(body, n), 0);
}

static void the_largest_chunk(void **state)
{
	static const char line[] = "7fffffffffffffff\r\n";
	struct chunk c = {};
	u64 skip = 0;
	size_t i;

	for (i = 0; i < sizeof(line) - 1; i++)
		skip = chunk_take(&c, (u8)line[i]);
	assert_true(skip == 0x7fffffffffffffffULL);
	assert_int_equal(c.step, CHUNK_DATA_CR);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_bodies),
		cmocka_unit_test(bad_bodies),
		cmocka_unit_test(every_beginning_needs_more),
		cmocka_unit_test(the_largest_chunk),
	};

	return cmocka_run_group_tests_name("unit.pure.chunk", tests, NULL, NULL);
}

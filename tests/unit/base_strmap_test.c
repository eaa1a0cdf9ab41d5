/* SPDX-License-Identifier: BSD-2-Clause */
/* Pools and the map from text to number. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/pool.h"
#include "base/strmap.h"

static void test_strmap(void **state)
{
	struct strmap m = {};
	uint32_t value = 7, i;
	char key[32];

	assert_false(strmap_get(&m, "a", &value));
	for (i = 0; i < 5000; i++) {
		snprintf(key, sizeof(key), "key %u", i);
		assert_int_equal(strmap_set(&m, key, i), 0);
	}
	assert_int_equal(m.count, 5000);
	assert_int_equal(strmap_set(&m, "key 17", 1), 0);
	assert_int_equal(m.count, 5000);
	for (i = 0; i < 5000; i++) {
		snprintf(key, sizeof(key), "key %u", i);
		assert_true(strmap_get(&m, key, &value));
		assert_int_equal(value, i == 17 ? 1 : i);
	}
	assert_false(strmap_get(&m, "key", &value));
	strmap_free(&m);
	assert_false(strmap_get(&m, "key 1", &value));
}

static void test_pool(void **state)
{
	char long_text[1000];
	struct pool p = {};
	char *small[100];
	int i;

	memset(long_text, 'x', sizeof(long_text) - 1);
	long_text[sizeof(long_text) - 1] = '\0';
	for (i = 0; i < 100; i++) {
		small[i] = pool_printf(&p, "%d:%d", i, i * i);
		assert_int_equal((uintptr_t)pool_alloc(&p, 1 + i) % 16, 0);
	}
	assert_string_equal(pool_printf(&p, "<%s>", long_text) + 999, "x>");
	assert_string_equal(pool_strndup(&p, "abc", 2), "ab");
	assert_non_null(pool_array(&p, 0, 8));
	assert_null(pool_array(&p, SIZE_MAX / 4, 8));
	for (i = 0; i < 100; i++) {
		char expected[32];

		snprintf(expected, sizeof(expected), "%d:%d", i, i * i);
		assert_string_equal(small[i], expected);
	}
	pool_free(&p);
	pool_free(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_strmap),
		cmocka_unit_test(test_pool),
	};

	return cmocka_run_group_tests_name("base.strmap", tests, NULL, NULL);
}

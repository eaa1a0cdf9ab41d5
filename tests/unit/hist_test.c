/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "pure/hist.h"

static void buckets_are_powers_of_two(void **state)
{
	u32 i;

	assert_int_equal(hist_bucket(0), 0);
	for (i = 0; i < WEIR_HIST_BUCKETS; i++) {
		assert_int_equal(hist_bucket(1ULL << i), i);
		assert_int_equal(hist_bucket((2ULL << i) - 1), i);
	}
}

static void the_last_bucket_takes_the_rest(void **state)
{
	assert_int_equal(hist_bucket(1ULL << 40), WEIR_HIST_BUCKETS - 1);
	assert_int_equal(hist_bucket(UINT64_MAX), WEIR_HIST_BUCKETS - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(buckets_are_powers_of_two),
		cmocka_unit_test(the_last_bucket_takes_the_rest),
	};

	return cmocka_run_group_tests_name("unit.pure.hist", tests, NULL, NULL);
}

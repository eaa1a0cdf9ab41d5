/* SPDX-License-Identifier: BSD-2-Clause */
/* Weights -> slots: the right shares, and no bursts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "dp/slots.h"

#define MOST 960

static uint32_t slot[MOST];

static size_t lay_out(struct slot_want *want, size_t count)
{
	size_t n = slots_shrink(want, count, MOST);

	assert_true(n <= MOST);
	assert_int_equal(slots_fill(want, count, slot), 0);
	return n;
}

static size_t times(uint32_t id, size_t slots)
{
	size_t i, n = 0;

	for (i = 0; i < slots; i++)
		n += slot[i] == id;
	return n;
}

/* The longest run of slots without `id`, around the end as well. */
static size_t longest_gap(uint32_t id, size_t slots)
{
	size_t i, run = 0, longest = 0;

	for (i = 0; i < 2 * slots; i++) {
		run = slot[i % slots] == id ? 0 : run + 1;
		if (run > longest)
			longest = run;
	}
	return longest;
}

static void test_even(void **state)
{
	struct slot_want want[] = {{7, 5, 0}, {8, 5, 0}, {9, 5, 0}};
	const uint32_t wanted[] = {7, 8, 9};

	assert_int_equal(lay_out(want, 3), 3);
	assert_memory_equal(slot, wanted, sizeof(wanted));
}

static void test_none(void **state)
{
	assert_int_equal(slots_shrink(NULL, 0, MOST), 0);
}

static void test_weighted(void **state)
{
	struct slot_want want[] = {{1, 50, 0}, {2, 10, 0}, {3, 10, 0}};
	const uint32_t wanted[] = {1, 1, 2, 1, 3, 1, 1};

	assert_int_equal(lay_out(want, 3), 7);
	assert_memory_equal(slot, wanted, sizeof(wanted));
}

/* Nobody waits for longer than two of his own intervals. */
static void test_no_bursts(void **state)
{
	struct slot_want want[] = {{1, 100, 0}, {2, 30, 0}, {3, 7, 0}, {4, 1, 0}};
	size_t n = lay_out(want, 4), i;

	assert_int_equal(n, 138);
	for (i = 0; i < 4; i++) {
		size_t mine = times(want[i].id, n);

		assert_int_equal(mine, want[i].weight);
		assert_true(longest_gap(want[i].id, n) <= 2 * n / mine);
	}
}

static void test_too_heavy(void **state)
{
	struct slot_want want[] = {{1, 65535, 0}, {2, 1, 0}, {3, 32768, 0}};
	size_t n = lay_out(want, 3), light;

	light = times(2, n);
	assert_int_equal(light, 1);
	assert_true(times(1, n) > 630 && times(1, n) < 645);
	assert_true(times(3, n) > 315 && times(3, n) < 325);
}

static void test_full(void **state)
{
	static struct slot_want want[MOST];
	size_t i;

	for (i = 0; i < MOST; i++)
		want[i] = (struct slot_want){i, 1 + i % 3, 0};
	assert_int_equal(lay_out(want, MOST), MOST);
	for (i = 0; i < MOST; i++)
		assert_int_equal(times(i, MOST), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_even),	  cmocka_unit_test(test_none),
		cmocka_unit_test(test_weighted),  cmocka_unit_test(test_no_bursts),
		cmocka_unit_test(test_too_heavy), cmocka_unit_test(test_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/term.h"
#include "base/units.h"

static void counts_and_rates(void **state)
{
	char t[UNITS_TEXT];

	assert_string_equal(units_count(0, t), "0");
	assert_string_equal(units_count(7, t), "7");
	assert_string_equal(units_count(999, t), "999");
	assert_string_equal(units_count(1000, t), "1.0k");
	assert_string_equal(units_count(1249, t), "1.2k");
	assert_string_equal(units_count(9949, t), "9.9k");
	assert_string_equal(units_count(9950, t), "10k");
	assert_string_equal(units_count(999499, t), "999k");
	assert_string_equal(units_count(999500, t), "1.0M");
	assert_string_equal(units_count(UINT64_MAX, t), "18446744T");
	assert_string_equal(units_rate(0, t), "0");
	assert_string_equal(units_rate(.25, t), "0.2");
	assert_string_equal(units_rate(9.96, t), "10");
	assert_string_equal(units_rate(1234, t), "1.2k");
}

static void bytes(void **state)
{
	char t[UNITS_TEXT];

	assert_string_equal(units_bytes(1023, t), "1023B");
	assert_string_equal(units_bytes(1024, t), "1.0KiB");
	assert_string_equal(units_bytes(1048575, t), "1.0MiB");
	assert_string_equal(units_bytes(3565158, t), "3.4MiB");
	assert_string_equal(units_bytes(1ull << 50, t), "1024TiB");
}

static void times(void **state)
{
	char t[UNITS_TEXT];

	assert_string_equal(units_us(210, t),
			    term_is_utf8() ? "210\xc2\xb5s" : "210us");
	assert_string_equal(units_us(3400, t), "3.4ms");
	assert_string_equal(units_us(8400000, t), "8.4s");
	assert_string_equal(units_age(0, t), "0s");
	assert_string_equal(units_age(119, t), "119s");
	assert_string_equal(units_age(192, t), "3m12s");
	assert_string_equal(units_age(600, t), "10m");
	assert_string_equal(units_age(3 * 3600 + 300, t), "3h5m");
	assert_string_equal(units_age(26 * 3600, t), "26h");
	assert_string_equal(units_age(3 * 86400 + 4 * 3600, t), "3d4h");
	assert_string_equal(units_age(30 * 86400, t), "30d");
}

/* COLUMNS is for everything; a value that is no number is none. */
static void width(void **state)
{
	setenv("COLUMNS", "77", 1);
	assert_int_equal(term_width(), 77);
	setenv("COLUMNS", "0", 1);
	assert_int_not_equal(term_width(), 77);
	unsetenv("COLUMNS");
}

static void characters(void **state)
{
	setenv("LC_ALL", "C.UTF-8", 1);
	assert_true(term_is_utf8());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counts_and_rates),
		cmocka_unit_test(bytes),
		cmocka_unit_test(width),
		cmocka_unit_test(characters),
		cmocka_unit_test(times),
	};

	return cmocka_run_group_tests_name("unit.base.units", tests, NULL, NULL);
}

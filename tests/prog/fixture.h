/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A data path of its own for each test: loaded and pinned, in a network
 * namespace that has only a loopback.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/err.h"
#include "dp/dp.h"

#define SECOND 1000000000ull
/* A time of its own: the machine may have been up for less than an idle flow. */
#define NOW (1000000 * SECOND)

extern char pin[64];
extern struct dp dp;
extern struct err err;

#define assert_ok(call)                                             \
	do {                                                        \
		int r_ = (call);                                    \
		if (r_)                                             \
			fail_msg("%s: %d %s", #call, r_, err.what); \
	} while (0)

int fixture_setup(void **state);
int fixture_teardown(void **state);

#define FIXTURE_TEST(fn) \
	cmocka_unit_test_setup_teardown(fn, fixture_setup, fixture_teardown)

/* Into the namespace; 77, the code of a skipped test, when that cannot be. */
int fixture_enter(const char *name);

/* As the next process does. */
void fixture_adopt(size_t table);

bool pop_slot(uint32_t *slot);

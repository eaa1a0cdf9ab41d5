/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "pure/cookie.h"

static const struct weir_cookie_keys keys = {
	.now = {0x0123456789abcdef, 0xfedcba9876543210},
	.before = {0x1111111111111111, 0x2222222222222222},
};
static const u64 slot_ns = 1ULL << COOKIE_SLOT_SHIFT;

static struct weir_tuple tuple(u16 port)
{
	struct weir_tuple t = {.sport = port, .dport = 80};

	t.src.b[15] = 2;
	t.dst.b[15] = 1;
	return t;
}

/* Reference vectors of SipHash-2-4 with key 00..0f and input 00, 01, ...:
 * appendix A of the paper, and the table of the reference implementation. */
static void siphash_matches_the_reference(void **state)
{
	const u64 key[2] = {0x0706050403020100, 0x0f0e0d0c0b0a0908};
	const u64 in[2] = {0x0706050403020100, 0x0f0e0d0c0b0a0908};

	assert_int_equal(siphash(key, in, 0), 0x726fdb47dd0e0e31);
	assert_int_equal(siphash(key, in, 1), 0x93f5f5799a932462);
	assert_int_equal(siphash(key, in, 2), 0x3f2acc7f57c29bdb);
}

static void options_come_back_rounded_down(void **state)
{
	static const struct {
		u16 in, out;
	} mss[] = {{0, 64},	 {1, 64},      {535, 64},    {536, 536},   {1219, 536},
		   {1220, 1220}, {1399, 1380}, {1447, 1428}, {1448, 1448}, {1460, 1448},
		   {8947, 1448}, {8960, 8948}, {65535, 8948}};
	struct weir_tuple t = tuple(1000);
	u32 scale, sack, i;

	for (i = 0; i < sizeof(mss) / sizeof(*mss); i++)
		for (scale = 0; scale <= WEIR_WSCALE_NONE; scale++)
			for (sack = 0; sack < 2; sack++) {
				struct cookie_opts in = {mss[i].in, scale, sack}, out;
				u32 c = cookie_make(&keys, &t, 77, 5 * slot_ns, &in);

				assert_int_equal(cookie_check(&keys, &t, 77, c,
							      5 * slot_ns, &out),
						 COOKIE_VALID);
				assert_int_equal(out.mss, mss[i].out);
				assert_int_equal(out.wscale, scale);
				assert_int_equal(out.sack, sack);
			}
}

static void lives_for_two_slots(void **state)
{
	struct cookie_opts o = {1448, 7, true}, out;
	struct weir_tuple t = tuple(1000);
	u32 c = cookie_make(&keys, &t, 1, 9 * slot_ns, &o);

	assert_int_equal(cookie_check(&keys, &t, 1, c, 10 * slot_ns - 1, &out),
			 COOKIE_VALID);
	assert_int_equal(cookie_check(&keys, &t, 1, c, 11 * slot_ns - 1, &out),
			 COOKIE_VALID);
	assert_int_equal(cookie_check(&keys, &t, 1, c, 11 * slot_ns, &out),
			 COOKIE_INVALID);
	assert_int_equal(cookie_check(&keys, &t, 1, c, 9 * slot_ns - 1, &out),
			 COOKIE_INVALID);
}

static void survives_one_rotation(void **state)
{
	struct cookie_opts o = {1448, 7, true}, out;
	struct weir_cookie_keys next = {.now = {5, 6},
					.before = {keys.now[0], keys.now[1]}};
	struct weir_cookie_keys after = {.now = {7, 8}, .before = {5, 6}};
	struct weir_tuple t = tuple(1000);
	u32 c = cookie_make(&keys, &t, 1, 0, &o);

	assert_int_equal(cookie_check(&next, &t, 1, c, 0, &out), COOKIE_VALID);
	assert_int_equal(cookie_check(&after, &t, 1, c, 0, &out), COOKIE_INVALID);
}

static void binds_tuple_and_isn(void **state)
{
	struct cookie_opts o = {1448, 7, true}, out;
	struct weir_tuple t = tuple(1000), other = tuple(1001);
	u32 c = cookie_make(&keys, &t, 1, 0, &o);

	assert_int_equal(cookie_check(&keys, &other, 1, c, 0, &out), COOKIE_INVALID);
	/* a later segment of the same handshake is told from a stranger */
	assert_int_equal(cookie_check(&keys, &t, 1449, c, 0, &out), COOKIE_EARLY);
}

/* A forged number passes with 2^-24 per slot and key; of 100,000 none should,
 * and the 12 bits that only tell early from stranger let a few dozen through. */
static void forged_numbers_fail(void **state)
{
	struct weir_tuple t = tuple(1000);
	u32 valid = 0, early = 0, i, c = 12345;
	struct cookie_opts out;

	for (i = 0; i < 100000; i++) {
		c = c * 1664525 + 1013904223;
		switch (cookie_check(&keys, &t, 1, c, 3 * slot_ns, &out)) {
		case COOKIE_VALID:
			valid++;
			break;
		case COOKIE_EARLY:
			early++;
			break;
		default:
			break;
		}
	}
	assert_int_equal(valid, 0);
	assert_in_range(early, 1, 300);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(siphash_matches_the_reference),
		cmocka_unit_test(options_come_back_rounded_down),
		cmocka_unit_test(lives_for_two_slots),
		cmocka_unit_test(survives_one_rotation),
		cmocka_unit_test(binds_tuple_and_isn),
		cmocka_unit_test(forged_numbers_fail),
	};

	return cmocka_run_group_tests_name("unit.pure.cookie", tests, NULL, NULL);
}

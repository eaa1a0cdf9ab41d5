/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <arpa/inet.h>
#include <cmocka.h>

#include "pure/seq.h"
#include "pure/tcpopt.h"

static struct tcpopt parse(const char *bytes, u32 len)
{
	struct tcpopt_bytes o;
	struct tcpopt out;

	memset(&o, 0xee, sizeof(o));
	memcpy(o.b, bytes, len);
	tcpopt_read(&o, len, 536, &out);
	return out;
}

#define PARSE(literal) parse(literal, sizeof(literal) - 1)

static void a_usual_syn(void **state)
{
	struct tcpopt o = PARSE(
		"\x02\x04\x05\xb4\x04\x02\x08\x0a\0\0\0\1\0\0\0\0\x01\x03\x03\x07");

	assert_int_equal(o.mss, 1460);
	assert_int_equal(o.wscale, 7);
	assert_true(o.sack);
	assert_false(o.signature);
	assert_int_equal(o.sack_off, 0);
}

static void nothing_offered(void **state)
{
	struct tcpopt o = PARSE("");

	assert_int_equal(o.mss, 536);
	assert_int_equal(o.wscale, WEIR_WSCALE_NONE);
	assert_false(o.sack);
}

/* RFC 7323, 2.3: a shift above 14 is used as 14. */
static void shift_is_capped(void **state)
{
	struct tcpopt o = PARSE("\x03\x03\x0f");

	assert_int_equal(o.wscale, 14);
}

static void malformed_options_end_the_walk(void **state)
{
	struct tcpopt o = PARSE("\x02\x00\x03\x03\x07");

	assert_int_equal(o.wscale, WEIR_WSCALE_NONE);
	o = PARSE("\x02\x01\x03\x03\x07");
	assert_int_equal(o.wscale, WEIR_WSCALE_NONE);
	/* longer than what is there */
	o = PARSE("\x01\x02\x04\x05");
	assert_int_equal(o.mss, 536);
	/* the kind alone at the very end */
	o = PARSE("\x01\x01\x01\x02");
	assert_int_equal(o.mss, 536);
	/* end of list before the rest */
	o = PARSE("\x00\x03\x03\x07");
	assert_int_equal(o.wscale, WEIR_WSCALE_NONE);
	/* a known kind of the wrong size is passed over */
	o = PARSE("\x02\x03\x05\x03\x03\x07");
	assert_int_equal(o.mss, 536);
	assert_int_equal(o.wscale, 7);
}

static void forty_bytes(void **state)
{
	char nops[40];
	struct tcpopt o;

	memset(nops, 1, sizeof(nops));
	memcpy(nops + 37, "\x03\x03\x05", 3);
	o = parse(nops, 40);
	assert_int_equal(o.wscale, 5);
}

static void signatures_are_seen(void **state)
{
	assert_true(PARSE("\x13\x12"
			  "0123456789abcdef")
			    .signature);
	assert_true(PARSE("\x1d\x04\0\0").signature);
}

static void sack_blocks_are_found(void **state)
{
	struct tcpopt o = PARSE("\x01\x01\x05\x12"
				"aaaabbbbccccdddd");

	assert_int_equal(o.sack_off, 4);
	assert_int_equal(o.sack_edges, 4);
	/* behind an unknown option, at an odd offset */
	o = PARSE("\x1e\x03\x00\x05\x0a"
		  "aaaabbbb");
	assert_int_equal(o.sack_off, 5);
	assert_int_equal(o.sack_edges, 2);
	/* not a whole number of blocks */
	o = PARSE("\x05\x0b"
		  "aaaabbbbc");
	assert_int_equal(o.sack_off, 0);
}

/* What is written for a SYN reads back the same. */
static void written_options_read_back(void **state)
{
	u32 words[TCPOPT_SYN_WORDS], scale, sack;

	for (scale = 0; scale <= WEIR_WSCALE_NONE; scale++)
		for (sack = 0; sack < 2; sack++) {
			struct tcpopt o;

			tcpopt_write_syn(words, 1448, scale, sack);
			o = parse((char *)words, sizeof(words));
			assert_int_equal(o.mss, 1448);
			assert_int_equal(o.wscale, scale == 15	? 15
						   : scale > 14 ? 14
								: scale);
			assert_int_equal(o.sack, sack);
		}
}

static void sequence_numbers_wrap(void **state)
{
	assert_true(seq_before(0xffffffff, 0));
	assert_false(seq_before(0, 0xffffffff));
	assert_false(seq_before(5, 5));
	assert_true(seq_before(0x7fffffff, 0x80000000));
	assert_int_equal(seq_diff(3, 0xfffffffe), 5);
}

/* RFC 7323: never more bytes than were meant. */
static void windows_are_never_rounded_up(void **state)
{
	assert_int_equal(window_rescale(1000, 0, 7), 7);
	assert_int_equal(window_rescale(127, 0, 7), 0);
	assert_int_equal(window_rescale(100, 9, 7), 400);
	assert_int_equal(window_rescale(0xffff, 14, 0), 0xffff);
	assert_int_equal(window_rescale(0xffff, 0, 14), 3);
	assert_int_equal(window_rescale(0, 14, 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_usual_syn),
		cmocka_unit_test(nothing_offered),
		cmocka_unit_test(shift_is_capped),
		cmocka_unit_test(malformed_options_end_the_walk),
		cmocka_unit_test(forty_bytes),
		cmocka_unit_test(signatures_are_seen),
		cmocka_unit_test(sack_blocks_are_found),
		cmocka_unit_test(written_options_read_back),
		cmocka_unit_test(sequence_numbers_wrap),
		cmocka_unit_test(windows_are_never_rounded_up),
	};

	return cmocka_run_group_tests_name("unit.pure.tcpopt", tests, NULL, NULL);
}

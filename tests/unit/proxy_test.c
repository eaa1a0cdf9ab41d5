/* SPDX-License-Identifier: BSD-2-Clause */
/* The PROXY protocol's header, byte by byte. */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/addr.h"
#include "pure/proxy.h"

#define SIGNATURE 0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a

static struct weir_tuple tuple(const char *from, const char *to)
{
	struct weir_tuple t = {.sport = htons(0x1234), .dport = htons(80)};

	assert_int_equal(addr_parse(from, &t.src), 0);
	assert_int_equal(addr_parse(to, &t.dst), 0);
	return t;
}

static void test_v4(void **state)
{
	static const uint8_t wanted[] = {SIGNATURE, 0x21, 0x11, 0,    12,  10,
					 1,	    2,	  3,	192,  0,   2,
					 200,	    0x12, 0x34, 0x00, 0x50};
	struct weir_tuple t = tuple("10.1.2.3", "192.0.2.200");
	uint32_t w[PROXY_WORDS_V6] = {};

	proxy_write(w, &t, false);
	assert_int_equal(proxy_len(false), sizeof(wanted));
	assert_memory_equal(w, wanted, sizeof(wanted));
}

static void test_v6(void **state)
{
	static const uint8_t wanted[] = {
		SIGNATURE, 0x21, 0x21, 0,    36,   0x20, 0x01, 0x0d, 0xb8, 0,	 0,
		0,	   0,	 0,    0,    0,	   0,	 0,    0,    0,	   0x01, 0x20,
		0x01,	   0x0d, 0xb8, 0,    0,	   0,	 0,    0,    0,	   0,	 0,
		0,	   0,	 0xab, 0xcd, 0x12, 0x34, 0x00, 0x50};
	struct weir_tuple t = tuple("2001:db8::1", "2001:db8::abcd");
	uint32_t w[PROXY_WORDS_V6] = {};

	proxy_write(w, &t, true);
	assert_int_equal(proxy_len(true), sizeof(wanted));
	assert_memory_equal(w, wanted, sizeof(wanted));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_v4),
		cmocka_unit_test(test_v6),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

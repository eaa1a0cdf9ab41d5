/* SPDX-License-Identifier: BSD-2-Clause */
/* Slots for groups that go by clients: shares, and who moves when endpoints change. */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "base/addr.h"
#include "base/hash.h"
#include "dp/maglev.h"
#include "dp/shares.h"
#include "pure/spread.h"

#define MOST 960
#define SIZE 953

/* Endpoint n of weight 1. */
static struct slot_want endpoint(uint32_t n)
{
	char text[32];

	snprintf(text, sizeof(text), "10.0.%u.%u:8080", n >> 8, n & 255);
	return (struct slot_want){n, 1, hash64_str(text, 0)};
}

static void deal(const uint32_t *ids, size_t count, uint32_t *slot)
{
	static struct slot_want want[MOST];
	size_t i;

	for (i = 0; i < count; i++)
		want[i] = endpoint(ids[i]);
	memset(slot, 0xff, SIZE * sizeof(*slot));
	assert_int_equal(maglev_fill(want, count, slot, SIZE), 0);
}

static size_t times(const uint32_t *slot, uint32_t id)
{
	size_t i, n = 0;

	for (i = 0; i < SIZE; i++)
		n += slot[i] == id;
	return n;
}

static void test_sizes(void **state)
{
	assert_int_equal(maglev_size(MOST), SIZE);
	assert_int_equal(maglev_size(MOST / 2), 479);
	assert_int_equal(maglev_size(2), 2);
	assert_int_equal(maglev_size(1), 0);
	assert_int_equal(maglev_size(0), 0);
}

/* Everybody has his share but for 2 %, or one slot; no slot is left out. */
static void test_even(void **state)
{
	static const size_t counts[] = {1, 2, 3, 5, 10, 30, 100, 900};
	static uint32_t ids[MOST], slot[SIZE];
	size_t i, k;

	for (i = 0; i < MOST; i++)
		ids[i] = i;
	for (k = 0; k < sizeof(counts) / sizeof(*counts); k++) {
		size_t share = SIZE / counts[k], all = 0;

		deal(ids, counts[k], slot);
		for (i = 0; i < counts[k]; i++) {
			size_t n = times(slot, i);

			assert_in_range(n, share - share / 50, share + 1 + share / 50);
			all += n;
		}
		assert_int_equal(all, SIZE);
	}
}

/* In whatever order they are known. */
static void test_same_everywhere(void **state)
{
	const uint32_t ids[] = {1, 2, 3, 4, 5}, other[] = {4, 2, 5, 1, 3};
	static uint32_t slot[SIZE], slot2[SIZE];

	deal(ids, 5, slot);
	deal(other, 5, slot2);
	assert_memory_equal(slot, slot2, sizeof(slot));
}

/* Slots that were an endpoint's which is in both, and are not any more. */
static size_t moved(const uint32_t *before, const uint32_t *after, uint32_t but)
{
	size_t i, n = 0;

	for (i = 0; i < SIZE; i++)
		n += before[i] != after[i] && before[i] != but && after[i] != but;
	return n;
}

static void test_few_move(void **state)
{
	static const size_t counts[] = {2, 3, 5, 10, 30, 100};
	static uint32_t ids[MOST], slot[SIZE], less[SIZE];
	size_t i, k;

	for (k = 0; k < sizeof(counts) / sizeof(*counts); k++) {
		uint32_t last = counts[k];

		for (i = 0; i <= last; i++)
			ids[i] = i;
		deal(ids, last + 1, slot);
		deal(ids, last, less);
		/* one goes, or comes: beyond its own share less than 6 % move */
		assert_int_equal(times(less, last), 0);
		assert_true(moved(slot, less, last) < SIZE * 6 / 100);
	}
}

static void test_weights(void **state)
{
	struct slot_want want[] = {endpoint(1), endpoint(2), endpoint(3)};
	static uint32_t slot[SIZE];

	want[0].weight = 600;
	want[1].weight = 200;
	want[2].weight = 153;
	assert_int_equal(maglev_fill(want, 3, slot, SIZE), 0);
	assert_in_range(times(slot, 1), 595, 605);
	assert_in_range(times(slot, 2), 197, 203);
	assert_in_range(times(slot, 3), 150, 156);
}

/* ---- through the shares of a group ---- */

static void add(struct shares *s, uint32_t id, const char *addr, uint8_t state)
{
	struct weir_endpoint ep = {.weight = 1, .state = state};

	assert_int_equal(addr_parse(addr, &ep.addr), 0);
	addr_format_port(&ep.addr, 80, ep.text);
	assert_true(shares_add(s, id, &ep));
}

static struct weir_group group_of(struct shares *s)
{
	struct weir_group g = {.flags = WEIR_GROUP_BY_CLIENT};
	struct err err = {};

	assert_int_equal(shares_fill(s, &g, &err), 0);
	return g;
}

/* An endpoint that drains, fails or is gone gives its slots to others; the slots of
 * the others stay, and it gets its own back. */
static void test_states(void **state)
{
	static const uint8_t states[] = {WEIR_ENDPOINT_DRAINING,
					 WEIR_ENDPOINT_UNHEALTHY,
					 WEIR_ENDPOINT_UNREACHABLE, WEIR_ENDPOINT_GONE};
	static struct shares s, t, u;
	struct weir_group was, now, again;
	size_t i, k;

	for (k = 0; k < sizeof(states); k++) {
		size_t own = 0, others = 0;

		shares_init(&s);
		shares_init(&t);
		shares_init(&u);
		add(&s, 1, "10.0.0.1", WEIR_ENDPOINT_READY);
		add(&s, 2, "10.0.0.2", WEIR_ENDPOINT_READY);
		add(&s, 3, "10.0.0.3", WEIR_ENDPOINT_READY);
		was = group_of(&s);
		add(&t, 1, "10.0.0.1", states[k]);
		add(&t, 2, "10.0.0.2", WEIR_ENDPOINT_READY);
		add(&t, 3, "10.0.0.3", WEIR_ENDPOINT_READY);
		now = group_of(&t);
		assert_int_equal(now.share[WEIR_IPV4].count, 2);
		assert_int_equal(now.share[WEIR_IPV4].slots, SIZE);
		for (i = 0; i < SIZE; i++) {
			assert_int_not_equal(now.slot[i], 1);
			if (was.slot[i] == 1)
				own++;
			else if (was.slot[i] != now.slot[i])
				others++;
		}
		assert_in_range(own, SIZE / 3 - 2, SIZE / 3 + 2);
		assert_true(others < SIZE * 6 / 100);
		add(&u, 3, "10.0.0.3", WEIR_ENDPOINT_READY);
		add(&u, 2, "10.0.0.2", WEIR_ENDPOINT_READY);
		add(&u, 1, "10.0.0.1", WEIR_ENDPOINT_READY);
		again = group_of(&u);
		assert_memory_equal(was.slot, again.slot, sizeof(was.slot));
	}
}

/* Half of the slots for each family, whatever happens in the other one. */
static void test_families(void **state)
{
	static struct shares s, t;
	struct weir_group was, now;
	size_t i;

	shares_init(&s);
	shares_init(&t);
	add(&s, 1, "10.0.0.1", WEIR_ENDPOINT_READY);
	add(&s, 2, "10.0.0.2", WEIR_ENDPOINT_READY);
	add(&s, 3, "fd00::3", WEIR_ENDPOINT_READY);
	was = group_of(&s);
	add(&t, 1, "10.0.0.1", WEIR_ENDPOINT_READY);
	add(&t, 2, "10.0.0.2", WEIR_ENDPOINT_READY);
	add(&t, 3, "fd00::3", WEIR_ENDPOINT_DRAINING);
	now = group_of(&t);
	assert_int_equal(was.share[WEIR_IPV4].slots, 479);
	assert_int_equal(was.share[WEIR_IPV6].slots, 479);
	assert_int_equal(now.share[WEIR_IPV6].count, 0);
	for (i = 0; i < 479; i++)
		assert_int_equal(was.slot[i], now.slot[i]);
	for (i = 479; i < 2 * 479; i++)
		assert_int_equal(was.slot[i], 3);
}

/* ---- clients ---- */

/* Addresses side by side, and IPv6 networks side by side, get even shares. */
static void test_clients(void **state)
{
	size_t four[10] = {}, six[10] = {}, i;

	for (i = 0; i < 10000; i++) {
		struct weir_addr a, b = {.b = {0x20, 0x01, 0x0d, 0xb8}};

		addr_from_v4(htonl(0x0a000000 + i), &a);
		four[spread_addr(&a) % SIZE % 10]++;
		b.b[6] = i >> 8;
		b.b[7] = i;
		b.b[15] = 1;
		six[spread_addr(&b) % SIZE % 10]++;
	}
	for (i = 0; i < 10; i++) {
		assert_in_range(four[i], 850, 1150);
		assert_in_range(six[i], 850, 1150);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sizes),		cmocka_unit_test(test_even),
		cmocka_unit_test(test_same_everywhere), cmocka_unit_test(test_few_move),
		cmocka_unit_test(test_weights),		cmocka_unit_test(test_states),
		cmocka_unit_test(test_families),	cmocka_unit_test(test_clients),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Joining the kernel's records of requests and responses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dp/exchange.h"

static struct exchange seen[16384];
static size_t n_seen;
static int answer;

static int on_exchange(const struct exchange *x, void *arg)
{
	seen[n_seen++] = *x;
	return answer;
}

static struct exchanges *begin(void)
{
	struct exchanges *all = exchanges_new(on_exchange, NULL);

	assert_non_null(all);
	n_seen = 0;
	answer = 0;
	return all;
}

static struct weir_event event(uint32_t kind, uint16_t port, uint32_t number)
{
	struct weir_event e = {.kind = kind, .number = number, .client_port = port};

	e.time_ns = 1000 - number;
	return e;
}

static int request(struct exchanges *all, uint16_t port, uint32_t number)
{
	struct weir_event_request r = {.e = event(WEIR_EVENT_REQUEST, port, number)};

	return exchanges_add(all, &r, sizeof(r));
}

static int response(struct exchanges *all, uint16_t port, uint32_t number)
{
	struct weir_event_response r = {.e = event(WEIR_EVENT_RESPONSE, port, number),
					.status = 200};

	return exchanges_add(all, &r, sizeof(r));
}

static void test_joined(void **state)
{
	struct exchanges *all = begin();

	request(all, 1, 1);
	request(all, 2, 1);
	assert_int_equal(n_seen, 0);
	response(all, 2, 1);
	response(all, 1, 1);
	assert_int_equal(n_seen, 2);
	assert_true(seen[0].has_request && seen[0].has_response);
	assert_int_equal(seen[0].request.e.client_port, 2);
	assert_int_equal(seen[1].request.e.client_port, 1);
	assert_int_equal(seen[1].response.status, 200);
	exchanges_flush(all);
	assert_int_equal(n_seen, 2);
	exchanges_free(all);
}

static void test_response_alone(void **state)
{
	struct exchanges *all = begin();

	request(all, 1, 1);
	response(all, 1, 2); /* another request of that connection */
	assert_int_equal(n_seen, 1);
	assert_false(seen[0].has_request);
	assert_true(seen[0].has_response);
	exchanges_free(all);
}

static void test_no_response(void **state)
{
	struct exchanges *all = begin();

	request(all, 1, 1);
	request(all, 1, 2);
	exchanges_flush(all);
	assert_int_equal(n_seen, 2);
	assert_false(seen[0].has_response);
	/* the earlier one by its time */
	assert_int_equal(seen[0].request.e.number, 2);
	assert_int_equal(seen[1].request.e.number, 1);
	exchanges_free(all);
}

/* More than it can hold: older ones are given up, none is forgotten. */
static void test_bounded(void **state)
{
	struct exchanges *all = begin();
	uint32_t i;

	for (i = 0; i < 12000; i++)
		request(all, 7, i);
	assert_in_range(n_seen, 12000 - 8192, 11999);
	for (i = 0; i < n_seen; i++)
		assert_false(seen[i].has_response);
	exchanges_flush(all);
	assert_int_equal(n_seen, 12000);
	exchanges_free(all);
}

static void test_ends_when_told(void **state)
{
	struct exchanges *all = begin();

	answer = -5;
	assert_int_equal(request(all, 1, 1), 0);
	assert_int_equal(response(all, 1, 1), -5);
	exchanges_free(all);
}

static void test_strange_records(void **state)
{
	struct exchanges *all = begin();
	struct weir_event_response r = {.e = event(7, 1, 1)};

	assert_int_equal(exchanges_add(all, &r, sizeof(r)), 0);
	r.e.kind = WEIR_EVENT_RESPONSE;
	assert_int_equal(exchanges_add(all, &r, sizeof(r) - 1), 0);
	assert_int_equal(exchanges_add(all, &r, 3), 0);
	assert_int_equal(n_seen, 0);
	exchanges_free(all);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_joined),
		cmocka_unit_test(test_response_alone),
		cmocka_unit_test(test_no_response),
		cmocka_unit_test(test_bounded),
		cmocka_unit_test(test_ends_when_told),
		cmocka_unit_test(test_strange_records),
	};

	return cmocka_run_group_tests_name("exchange", tests, NULL, NULL);
}

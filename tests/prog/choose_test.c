/* SPDX-License-Identifier: BSD-2-Clause */
/* Which endpoint: slots in turn, what was tried, ejection and its end. */
#include <time.h>

#include "conn.h"
#include "pure/spread.h"

#define SECOND 1000000000ull

static uint16_t next_port;

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * SECOND + ts.tv_nsec;
}

static void open_request(struct conn *c)
{
	conn_init(c, next_port++, 1000000);
	conn_handshake(c);
	conn_request(c, GET("/a"));
}

/* The endpoint of a new connection, which is given up. */
static uint32_t chosen(void)
{
	struct segment s;
	struct conn c;

	open_request(&c);
	s = from_client(&c, RST, NULL);
	bench_send(&s);
	bench_nothing();
	return c.endpoint;
}

static void slots(const uint32_t *slot, uint32_t n, uint32_t count)
{
	next_port = 40000;
	bench_group(GROUP_A, slot, n, count);
}

static void refuse(const struct conn *c, enum weir_outcome o)
{
	struct segment s = conn_refusal(c);

	bench_send(&s);
	bench_outcome(o);
}

static void test_in_turn(void **state)
{
	const uint32_t slot[] = {0, 1, 2};
	int i;

	slots(slot, 3, 3);
	for (i = 0; i < 9; i++)
		assert_int_equal(chosen(), i % 3);
}

static void test_slots_are_weights(void **state)
{
	const uint32_t slot[] = {0, 0, 1, 0, 2};
	uint32_t got[3] = {}, i;

	slots(slot, 5, 3);
	for (i = 0; i < 10; i++)
		got[chosen()]++;
	assert_int_equal(got[0], 6);
	assert_int_equal(got[1], 2);
	assert_int_equal(got[2], 2);
}

/* T073: what this request has tried it does not try again, wherever it stands */
static void test_tried_once(void **state)
{
	const uint32_t slot[] = {0, 0, 0, 1, 0, 0, 1, 0, 2};
	struct segment want;
	struct conn c;

	slots(slot, 9, 3);
	open_request(&c);
	assert_int_equal(c.endpoint, 0);
	refuse(&c, WEIR_CONNECT_NEXT);
	conn_take_syn(&c);
	assert_int_equal(c.endpoint, 1);
	refuse(&c, WEIR_CONNECT_NEXT);
	conn_take_syn(&c);
	assert_int_equal(c.endpoint, 2);
	refuse(&c, WEIR_CONNECT_REFUSED);
	want = conn_reply(&c, WEIR_REPLY_BAD_GATEWAY, false, false);
	bench_expect(&want);
}

/* A client of this family needs an endpoint of it. */
static void test_other_family(void **state)
{
	const uint32_t slot[] = {0, 1};
	struct segment s, want;
	struct conn c;

	bench_group_other(GROUP_A, slot, 2, 2);
	conn_init(&c, 40000, 1);
	conn_handshake(&c);
	s = from_client(&c, PSH | ACK, GET("/a"));
	bench_send(&s);
	bench_outcome(WEIR_REQ_NO_FAMILY);
	c.cseq += s.len;
	want = conn_reply(&c, WEIR_REPLY_NO_ENDPOINT, false, false);
	bench_expect(&want);
}

/* Endpoint 0 refuses until it is ejected; endpoint 1 takes over each time. */
static void eject(void)
{
	struct conn c;
	uint32_t i;

	for (i = 1; i <= WEIR_EJECT_FAILURES; i++) {
		bench_turn(GROUP_A, 0);
		open_request(&c);
		assert_int_equal(c.endpoint, 0);
		refuse(&c, i < WEIR_EJECT_FAILURES ? WEIR_CONNECT_NEXT : WEIR_EJECTED);
		conn_take_syn(&c);
		assert_int_equal(c.endpoint, 1);
		conn_accept(&c, GET("/a"));
	}
}

static void test_ejected(void **state)
{
	const uint32_t slot[] = {0, 1};
	uint64_t before = now_ns();
	struct weir_health h;
	int i;

	slots(slot, 2, 2);
	eject();
	assert_true(bench_health(0, &h));
	assert_int_equal(h.failures, WEIR_EJECT_FAILURES);
	assert_int_equal(h.ejections, 1);
	assert_true(h.until_ns >= before + WEIR_EJECT_MIN_S * SECOND);
	assert_false(bench_health(1, &h));
	h.until_ns = now_ns() + 3600 * SECOND;
	bench_health_put(0, &h);
	for (i = 0; i < 4; i++)
		assert_int_equal(chosen(), 1);
}

/* When its time is over, one connection finds out. */
static void test_back_again(void **state)
{
	const struct weir_health over = {
		.until_ns = 1, .failures = WEIR_EJECT_FAILURES, .ejections = 1};
	const uint32_t slot[] = {0, 1};
	struct weir_health h;
	struct conn c;

	slots(slot, 2, 2);
	bench_health_put(0, &over);
	open_request(&c);
	assert_int_equal(c.endpoint, 0);
	assert_true(bench_health(0, &h));
	assert_int_equal(h.on_trial, 1);
	h.until_ns = now_ns() + 3600 * SECOND;
	bench_health_put(0, &h);
	assert_int_equal(chosen(), 1);
	assert_int_equal(chosen(), 1);
	conn_accept(&c, GET("/a"));
	assert_false(bench_health(0, &h));
	bench_turn(GROUP_A, 0);
	assert_int_equal(chosen(), 0);
}

static void check_span(uint16_t ejections, uint64_t span_s)
{
	const struct weir_health over = {
		.until_ns = 1, .failures = WEIR_EJECT_FAILURES, .ejections = ejections};
	uint64_t before = now_ns();
	struct weir_health h;
	struct conn c;

	bench_turn(GROUP_A, 0);
	bench_health_put(0, &over);
	open_request(&c);
	assert_int_equal(c.endpoint, 0);
	refuse(&c, WEIR_EJECTED);
	conn_take_syn(&c);
	assert_true(bench_health(0, &h));
	assert_int_equal(h.ejections, ejections + 1);
	assert_int_equal(h.on_trial, 0);
	assert_true(h.until_ns >= before + span_s * SECOND);
	assert_true(h.until_ns <= now_ns() + span_s * SECOND);
}

/* Each time twice as long, up to a minute. */
static void test_back_off(void **state)
{
	const uint32_t slot[] = {0, 1};

	slots(slot, 2, 2);
	check_span(1, 2);
	check_span(2, 4);
	check_span(5, 32);
	check_span(6, 60);
	check_span(500, 60);
}

/* A SYN that left before the ejection does not lengthen it. */
static void test_late_failure(void **state)
{
	const uint32_t slot[] = {0, 1};
	struct weir_health h, ejected;
	struct conn c;

	slots(slot, 2, 2);
	open_request(&c);
	ejected = (struct weir_health){.until_ns = now_ns() + 3600 * SECOND,
				       .failures = WEIR_EJECT_FAILURES,
				       .ejections = 1};
	bench_health_put(0, &ejected);
	refuse(&c, WEIR_CONNECT_NEXT);
	conn_take_syn(&c);
	assert_true(bench_health(0, &h));
	assert_int_equal(h.until_ns, ejected.until_ns);
	assert_int_equal(h.ejections, 1);
}

/* Never to nothing: when all are ejected, all are used. */
static void test_all_ejected(void **state)
{
	const struct weir_health ejected = {.until_ns = now_ns() + 3600 * SECOND,
					    .failures = WEIR_EJECT_FAILURES,
					    .ejections = 1};
	const uint32_t slot[] = {0, 1};
	uint32_t got[2] = {}, i;
	struct conn c;

	slots(slot, 2, 2);
	bench_health_put(0, &ejected);
	bench_health_put(1, &ejected);
	for (i = 0; i < 4; i++) {
		bench_turn(GROUP_A, i);
		open_request(&c);
		bench_outcome(WEIR_ALL_EJECTED);
		got[c.endpoint]++;
	}
	assert_int_equal(got[0], 2);
	assert_int_equal(got[1], 2);
}

/* What the agent's checks say counts like an ejection. */
static void test_unhealthy(void **state)
{
	const uint32_t slot[] = {0, 1};
	struct conn c;

	slots(slot, 2, 2);
	bench_endpoint(0, ENDPOINT_IP(0), WEIR_ENDPOINT_UNHEALTHY);
	assert_int_equal(chosen(), 1);
	assert_int_equal(chosen(), 1);
	bench_endpoint(1, ENDPOINT_IP(1), WEIR_ENDPOINT_UNHEALTHY);
	bench_turn(GROUP_A, 0);
	open_request(&c);
	bench_outcome(WEIR_ALL_EJECTED);
	assert_int_equal(c.endpoint, 0);
}

/* A request that stays with the connection's endpoint. */
static void send_same(struct conn *c)
{
	struct segment s = conn_next(c, GET("/a")), want = at_endpoint(c, &s);

	bench_send(&s);
	bench_outcome(WEIR_TO_ENDPOINT);
	bench_expect(&want);
	c->eack += s.len;
}

/* T138: the next request leaves an endpoint that is draining or gone. */
static void leaves(enum weir_endpoint_state state)
{
	const uint32_t slot[] = {1};
	struct conn c;

	bench_turn(GROUP_A, 0);
	conn_open_idle(&c);
	assert_int_equal(c.endpoint, 0);
	bench_endpoint(0, ENDPOINT_IP(0), state);
	slots(slot, 1, 1);
	conn_switch(&c, GET("/a"));
	assert_int_equal(c.endpoint, 1);
	conn_respond(&c, OK_RESPONSE);
	/* and stays where it is now */
	send_same(&c);
	conn_respond(&c, OK_RESPONSE);
}

static void test_leaves_draining(void **state)
{
	leaves(WEIR_ENDPOINT_DRAINING);
}

static void test_leaves_gone(void **state)
{
	leaves(WEIR_ENDPOINT_GONE);
}

/* A response that runs is finished first. */
static void test_draining_finishes(void **state)
{
	const uint32_t slot[] = {1};
	struct segment s, want;
	struct conn c;

	bench_turn(GROUP_A, 0);
	conn_open(&c, 40000, GET("/a"));
	bench_endpoint(0, ENDPOINT_IP(0), WEIR_ENDPOINT_DRAINING);
	slots(slot, 1, 1);
	conn_down(&c, ACK, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nab");
	conn_up(&c, ACK, NULL);
	conn_down(&c, PSH | ACK, "cd");
	s = conn_next(&c, GET("/a"));
	s.ack -= 2;
	bench_send(&s);
	bench_nothing();
	bench_outcome(WEIR_REQ_HELD);
	s = from_client(&c, ACK, NULL);
	bench_send(&s);
	bench_outcome(WEIR_SWITCHED);
	bench_take(&want);
	assert_int_equal(want.flags, FIN | ACK);
	conn_take_syn(&c);
	assert_int_equal(c.endpoint, 1);
}

/* One that is draining and alone keeps what it has. */
static void test_last_drains(void **state)
{
	struct conn c;

	bench_turn(GROUP_A, 0);
	conn_open_idle(&c);
	bench_endpoint(0, ENDPOINT_IP(0), WEIR_ENDPOINT_DRAINING);
	slots(NULL, 0, 0);
	send_same(&c);
	conn_respond(&c, OK_RESPONSE);
}

/* ---- by the client ---- */

/* The client's own among so many slots. */
static uint32_t own_slot(uint32_t slots)
{
	struct weir_addr a;

	bench_addr(CLIENT_IP, &a);
	return spread_addr(&a) % slots;
}

/* Three endpoints in seven slots; the client's own is `first`, the next one `second`. */
static void by_client(uint32_t first, uint32_t second)
{
	uint32_t slot[] = {0, 1, 2, 0, 1, 2, 0}, own = own_slot(7);

	slot[own] = first;
	slot[(own + 1) % 7] = first;
	slot[(own + 2) % 7] = second;
	slots(slot, 7, 3);
	bench_group_flags(GROUP_A, WEIR_GROUP_BY_CLIENT);
}

/* Whatever its port, and whatever the turn. */
static void test_by_client(void **state)
{
	uint32_t first, i;

	for (first = 0; first < 3; first++) {
		by_client(first, (first + 1) % 3);
		next_port += 100 * first;
		for (i = 0; i < 5; i++)
			assert_int_equal(chosen(), first);
	}
}

/* One that refuses: the client's next slots, until it is back. */
static void test_by_client_refused(void **state)
{
	struct weir_health h;
	struct conn c;

	by_client(1, 2);
	open_request(&c);
	assert_int_equal(c.endpoint, 1);
	refuse(&c, WEIR_CONNECT_NEXT);
	conn_take_syn(&c);
	assert_int_equal(c.endpoint, 2);
	conn_accept(&c, GET("/a"));
	h = (struct weir_health){.until_ns = now_ns() + 3600 * SECOND,
				 .failures = WEIR_EJECT_FAILURES,
				 .ejections = 1};
	bench_health_put(1, &h);
	assert_int_equal(chosen(), 2);
	assert_int_equal(chosen(), 2);
	h.until_ns = 1;
	bench_health_put(1, &h);
	open_request(&c);
	assert_int_equal(c.endpoint, 1);
	conn_accept(&c, GET("/a"));
	assert_int_equal(chosen(), 1);
}

/* From Service to Service and back: to where it was. */
static void test_by_client_again(void **state)
{
	struct conn c;

	by_client(1, 0);
	open_request(&c);
	assert_int_equal(c.endpoint, 1);
	conn_accept(&c, GET("/a"));
	conn_respond(&c, OK_RESPONSE);
	conn_switch(&c, GET("/b"));
	conn_respond(&c, OK_RESPONSE);
	conn_switch(&c, GET("/a"));
	assert_int_equal(c.endpoint, 1);
}

/* All ejected: still the client's own. */
static void test_by_client_all_ejected(void **state)
{
	const struct weir_health ejected = {.until_ns = now_ns() + 3600 * SECOND,
					    .failures = WEIR_EJECT_FAILURES,
					    .ejections = 1};
	struct conn c;
	uint32_t i;

	by_client(2, 1);
	for (i = 0; i < 3; i++)
		bench_health_put(i, &ejected);
	open_request(&c);
	bench_outcome(WEIR_ALL_EJECTED);
	assert_int_equal(c.endpoint, 2);
}

static const struct CMUnitTest tests[] = {
	BENCH_TEST(test_in_turn),	    BENCH_TEST(test_slots_are_weights),
	BENCH_TEST(test_tried_once),	    BENCH_TEST(test_other_family),
	BENCH_TEST(test_ejected),	    BENCH_TEST(test_back_again),
	BENCH_TEST(test_back_off),	    BENCH_TEST(test_late_failure),
	BENCH_TEST(test_all_ejected),	    BENCH_TEST(test_unhealthy),
	BENCH_TEST(test_leaves_draining),   BENCH_TEST(test_leaves_gone),
	BENCH_TEST(test_draining_finishes), BENCH_TEST(test_last_drains),
	BENCH_TEST(test_by_client),	    BENCH_TEST(test_by_client_refused),
	BENCH_TEST(test_by_client_again),   BENCH_TEST(test_by_client_all_ejected),
};

BENCH_MAIN(tests)

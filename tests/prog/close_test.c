/* SPDX-License-Identifier: BSD-2-Clause */
/* How connections end: FINs, RSTs, port reuse, and flows that have gone. */
#include "conn.h"

static void open_flow(struct conn *c)
{
	conn_open(c, 40000, GET("/a"));
	conn_respond(c, OK_RESPONSE);
}

static uint16_t flags_of(const struct conn *c)
{
	struct weir_flow f;

	assert_true(bench_flow(c->port, &f));
	return f.flags;
}

static bool is_done(const struct conn *c)
{
	return flags_of(c) & WEIR_FLOW_DONE;
}

/* T090 */
static void test_client_half_closes(void **state)
{
	struct conn c;
	int i;

	open_flow(&c);
	conn_up(&c, FIN | ACK, NULL);
	for (i = 0; i < 5; i++)
		conn_respond(&c, "more of a long response");
	assert_false(is_done(&c));
	conn_down(&c, FIN | PSH | ACK, "end");
	conn_up(&c, ACK, NULL);
	assert_true(is_done(&c));
}

/* T091 */
static void test_endpoint_half_closes(void **state)
{
	struct conn c;

	open_flow(&c);
	conn_up(&c, PSH | ACK,
		"POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n");
	conn_respond(&c, OK_RESPONSE);
	conn_down(&c, FIN | ACK, NULL);
	conn_up(&c, PSH | ACK, "0123456789");
	conn_down(&c, ACK, NULL);
	assert_false(is_done(&c));
	conn_up(&c, FIN | ACK, NULL);
	conn_down(&c, ACK, NULL);
	assert_true(is_done(&c));
}

/* A buffer of the lower half stays with the connection, one of the upper half goes back
 * with the endpoint's acknowledgement; at the end all are free. */
static void test_buffers_stay(void **state)
{
	uint32_t kept = bench_mode()->kfunc ? 1 : 0;
	struct conn c;
	int i;

	open_flow(&c);
	for (i = 0; i < 3; i++) {
		assert_int_equal(bench_slots_free(), BENCH_SLOTS - kept);
		conn_up(&c, PSH | ACK, GET("/a"));
		assert_int_equal(bench_slots_held(), 1);
		assert_int_equal(bench_slots_free(), BENCH_SLOTS - 1);
		conn_respond(&c, OK_RESPONSE);
		assert_int_equal(bench_slots_held(), 0);
	}
	conn_down(&c, FIN | ACK, NULL);
	conn_up(&c, FIN | ACK, NULL);
	conn_down(&c, ACK, NULL);
	assert_true(is_done(&c));
	assert_int_equal(bench_slots_free(), BENCH_SLOTS);
}

/* T092 */
static void test_simultaneous_close(void **state)
{
	struct segment f, g, want;
	struct conn c;

	open_flow(&c);
	f = from_client(&c, FIN | ACK, NULL);
	g = from_endpoint(&c, FIN | ACK, NULL);
	want = at_endpoint(&c, &f);
	bench_send(&f);
	bench_expect(&want);
	want = at_client(&c, &g);
	bench_send(&g);
	bench_expect(&want);
	c.cseq++;
	c.eack++;
	c.eseq++;
	c.cack++;
	conn_up(&c, ACK, NULL);
	conn_down(&c, ACK, NULL);
}

/* T093, T094 */
static void test_lost_last_packets(void **state)
{
	struct segment f, g, want;
	struct conn c;
	int i;

	open_flow(&c);
	g = from_endpoint(&c, FIN | PSH | ACK, "last");
	conn_down(&c, FIN | PSH | ACK, "last");
	f = from_client(&c, FIN | ACK, NULL);
	conn_up(&c, FIN | ACK, NULL);
	conn_down(&c, ACK, NULL);
	assert_true(is_done(&c));
	for (i = 0; i < 3; i++) {
		want = at_endpoint(&c, &f);
		bench_send(&f);
		bench_expect(&want);
		want = at_client(&c, &g);
		bench_send(&g);
		bench_expect(&want);
		conn_up(&c, ACK, NULL);
		conn_down(&c, ACK, NULL);
	}
}

/* T086 */
static void test_endpoint_resets(void **state)
{
	struct segment s, want;
	struct conn c;

	open_flow(&c);
	conn_up(&c, PSH | ACK, GET("/a"));
	s = from_endpoint(&c, RST | ACK, NULL);
	s.win = 0;
	want = at_client(&c, &s);
	bench_send(&s);
	bench_outcome(WEIR_RST_ENDPOINT);
	bench_expect(&want);
	assert_true(is_done(&c));
	assert_int_equal(bench_slots_held(), 0);
	/* without ACK as well */
	s = from_endpoint(&c, RST, NULL);
	s.ack = 0;
	want = at_client(&c, &s);
	bench_send(&s);
	bench_expect(&want);
}

/* T087, T088 */
static void test_client_resets(void **state)
{
	struct segment s, want;
	struct conn c;

	open_flow(&c);
	/* a blind one is for the endpoint to judge; here nothing ends */
	s = from_client(&c, RST, NULL);
	s.ack = 0;
	s.seq += 0x40000000;
	want = at_endpoint(&c, &s);
	bench_send(&s);
	bench_expect(&want);
	assert_false(is_done(&c));
	s = from_endpoint(&c, RST, NULL);
	s.seq += 0x40000000;
	want = at_client(&c, &s);
	bench_send(&s);
	bench_expect(&want);
	assert_false(is_done(&c));
	/* T089: the challenge that follows is translated like any ACK */
	conn_down(&c, ACK, NULL);
	conn_up(&c, PSH | ACK, GET("/a"));
	conn_respond(&c, OK_RESPONSE);

	s = from_client(&c, RST, NULL);
	s.ack = 0;
	want = at_endpoint(&c, &s);
	bench_send(&s);
	bench_outcome(WEIR_RST_CLIENT);
	bench_expect(&want);
	assert_true(is_done(&c));
}

/* T101: a broken RST ends nothing */
static void test_wrong_checksum(void **state)
{
	struct segment s;
	struct conn c;

	open_flow(&c);
	s = from_client(&c, RST, NULL);
	s.wrong = 1;
	bench_send(&s);
	bench_nothing();
	s = from_endpoint(&c, RST | ACK, NULL);
	s.wrong = 1;
	bench_send(&s);
	bench_nothing();
	assert_false(is_done(&c));
	conn_up(&c, PSH | ACK, GET("/a"));
	conn_respond(&c, OK_RESPONSE);
}

/* T030, T031: the endpoint challenges; the client that knows nothing resets */
static void test_syn_in_connection(void **state)
{
	struct segment s, want;
	struct conn c, again;

	open_flow(&c);
	conn_init(&again, 40000, 77);
	s = conn_syn(&again);
	want = at_endpoint(&c, &s);
	bench_send(&s);
	bench_outcome(WEIR_SYN_CHALLENGE);
	bench_expect(&want);
	assert_false(is_done(&c));
	conn_down(&c, ACK, NULL);
	s = from_client(&c, RST, NULL);
	s.ack = 0;
	want = at_endpoint(&c, &s);
	bench_send(&s);
	bench_expect(&want);
	conn_handshake(&again);
	conn_request(&again, GET("/b"));
	conn_accept(&again, GET("/b"));
	conn_respond(&again, OK_RESPONSE);
}

/* The first segment carries a valid cookie still: a copy of it that comes when
 * all is over must not be taken for a new connection and served twice. */
static void test_late_copy_of_the_first_request(void **state)
{
	struct segment first, want;
	struct weir_flow f;
	struct conn c;

	conn_init(&c, 40000, 1000000);
	conn_handshake(&c);
	first = from_client(&c, PSH | ACK, GET("/a"));
	conn_request(&c, GET("/a"));
	conn_accept(&c, GET("/a"));
	conn_respond(&c, OK_RESPONSE);
	conn_down(&c, FIN | ACK, NULL);
	conn_up(&c, FIN | ACK, NULL);
	assert_true(is_done(&c));
	want = at_endpoint(&c, &first);
	bench_send(&first);
	bench_outcome(WEIR_TO_ENDPOINT);
	bench_expect(&want);
	assert_true(bench_flow(c.port, &f));
	assert_int_equal(f.requests, 1);
}

/* T032: the port again after a full close, at once; nothing is left over */
static void test_port_again(bool bare_ack)
{
	struct segment s, got, want;
	struct conn c, again;

	open_flow(&c);
	conn_down(&c, FIN | ACK, NULL);
	conn_up(&c, FIN | ACK, NULL);
	conn_down(&c, ACK, NULL);
	conn_init(&again, 40000, c.cseq + 50000);
	if (bare_ack) {
		conn_handshake(&again);
	} else {
		s = conn_syn(&again);
		bench_send(&s);
		bench_take(&got);
		again.cseq++;
		again.cack = got.seq + 1;
		/* the old connection is still translated, T093 */
		s = from_endpoint(&c, FIN | ACK, NULL);
		s.seq--;
		want = at_client(&c, &s);
		bench_send(&s);
		bench_expect(&want);
	}
	conn_request(&again, GET("/b"));
	conn_accept(&again, GET("/b"));
	conn_respond(&again, OK_RESPONSE);
	/* the old endpoint's late packets reach nobody */
	s = from_endpoint(&c, FIN | ACK, NULL);
	s.seq--;
	bench_send(&s);
	bench_take(&got);
	assert_int_equal(got.side, ENDPOINT);
	conn_up(&again, PSH | ACK, GET("/b"));
	conn_respond(&again, OK_RESPONSE);
	bench_fresh(NULL);
}

static void test_port_again_at_once(void **state)
{
	test_port_again(true);
	test_port_again(false);
}

/* Invariant 13: both ends are told of a flow that is gone. */
static void test_flow_gone(void **state)
{
	struct segment s, want;
	struct conn c;

	open_flow(&c);
	bench_flow_drop(40000);
	/* what only goes on needs the leg alone; the client's answer finds nothing */
	s = from_endpoint(&c, ACK, NULL);
	want = at_client(&c, &s);
	bench_send(&s);
	bench_expect(&want);
	s = from_endpoint(&c, ACK, "data");
	want = at_client(&c, &s);
	bench_send(&s);
	bench_expect(&want);
	c.eseq += s.len;
	c.cack += s.len;
	s = from_client(&c, ACK, NULL);
	bench_send(&s);
	bench_outcome(WEIR_COOKIE_BAD);
	want = made_for_client(&c, RST, NULL);
	want.ack = 0;
	want.win = 0;
	bench_expect(&want);
	/* whatever else comes ends the leg */
	s = from_endpoint(&c, FIN | ACK, NULL);
	bench_send(&s);
	bench_outcome(WEIR_FLOW_GONE);
	want = made_for_endpoint(&c, RST, NULL);
	want.ack = 0;
	want.win = 0;
	bench_expect(&want);
	s = from_endpoint(&c, ACK, "data");
	bench_send(&s);
	bench_outcome(WEIR_ORPHAN_RST);
	bench_expect(&want);
}

/* Another CPU has the flow: the packet waits for its retransmission. */
static void test_claimed(void **state)
{
	struct weir_flow f;
	struct segment s;
	struct conn c;

	conn_init(&c, 40000, 1000);
	conn_handshake(&c);
	assert_true(bench_flow(40000, &f));
	f.claim = 1;
	bench_flow_put(40000, &f);
	s = from_client(&c, PSH | ACK, GET("/a"));
	bench_send(&s);
	bench_nothing();
	bench_outcome(WEIR_CONTENDED);
	f.claim = 0;
	bench_flow_put(40000, &f);
	conn_request(&c, GET("/a"));
}

/* T029: flags that make no sense change nothing */
static void test_odd_flags(void **state)
{
	static const uint8_t flags[] = {0, FIN, PSH, URG, SYN | ACK, SYN | FIN | ACK};
	struct segment s;
	struct conn c;
	uint32_t i;

	open_flow(&c);
	for (i = 0; i < sizeof(flags); i++) {
		s = from_client(&c, flags[i], NULL);
		bench_send(&s);
		bench_nothing();
		bench_outcome(WEIR_FLAGS_BAD);
	}
	assert_false(is_done(&c));
	conn_up(&c, PSH | ACK, GET("/a"));
}

static const struct CMUnitTest tests[] = {
	BENCH_TEST(test_client_half_closes),
	BENCH_TEST(test_late_copy_of_the_first_request),
	BENCH_TEST(test_endpoint_half_closes),
	BENCH_TEST(test_buffers_stay),
	BENCH_TEST(test_simultaneous_close),
	BENCH_TEST(test_lost_last_packets),
	BENCH_TEST(test_endpoint_resets),
	BENCH_TEST(test_client_resets),
	BENCH_TEST(test_wrong_checksum),
	BENCH_TEST(test_syn_in_connection),
	BENCH_TEST(test_port_again_at_once),
	BENCH_TEST(test_flow_gone),
	BENCH_TEST(test_claimed),
	BENCH_TEST(test_odd_flags),
};

BENCH_MAIN(tests)

/* SPDX-License-Identifier: BSD-2-Clause */
/* Whose address endpoints see: the client's own, and where it cannot be kept. */
#include "conn.h"

#define PORT 40000

static void start(struct conn *c)
{
	bench_keep_client(true);
	conn_init(c, PORT, 1000000);
	c->ours = CLIENT_IP;
	conn_handshake(c);
}

static void open_idle(struct conn *c)
{
	start(c);
	bench_turn(GROUP_A, 0);
	conn_request(c, GET("/a"));
	conn_accept(c, GET("/a"));
	conn_respond(c, OK_RESPONSE);
}

static void test_kept(void **state)
{
	struct conn c;

	open_idle(&c);
	assert_int_equal(c.leg_port, PORT);
	/* FIN from the endpoint, FIN from the client */
	conn_down(&c, FIN | ACK, NULL);
	conn_up(&c, FIN | ACK, NULL);
	conn_down(&c, ACK, NULL);
}

/* The same client port again, at once: the endpoint has the old one in TIME_WAIT. */
static void test_port_again(void **state)
{
	struct conn c;

	test_kept(state);
	conn_init(&c, PORT, 90000000);
	c.ours = CLIENT_IP;
	conn_handshake(&c);
	bench_turn(GROUP_A, 0);
	conn_request(&c, GET("/a"));
	assert_int_equal(c.leg_port, PORT);
	conn_accept(&c, GET("/a"));
	conn_respond(&c, OK_RESPONSE);
}

/* A Service may say otherwise than the settings, either way. */
static void test_group_decides(void **state)
{
	struct conn c;

	bench_group_flags(GROUP_A, WEIR_GROUP_KEEP_CLIENT);
	conn_init(&c, PORT, 1000000);
	c.ours = CLIENT_IP;
	conn_handshake(&c);
	conn_request(&c, GET("/a"));
	conn_accept(&c, GET("/a"));
	conn_respond(&c, OK_RESPONSE);
	/* B does not say: the node's address */
	c.ours = SOURCE_IP;
	{
		struct conn old = c;
		struct segment s = conn_next(&c, GET("/b"));

		old.ours = CLIENT_IP;
		bench_send(&s);
		conn_expect_leave(&old);
		conn_take_syn(&c);
		assert_in_range(c.leg_port, 20000, 20999);
		conn_accept(&c, GET("/b"));
	}
	bench_keep_client(true);
	bench_group_flags(GROUP_B, WEIR_GROUP_NODE);
	conn_init(&c, PORT + 1, 1000000);
	conn_handshake(&c);
	conn_request(&c, GET("/b"));
	conn_accept(&c, GET("/b"));
}

/* From Service to Service and back: the first leg is not over yet. */
static void test_back_again(void **state)
{
	struct segment s, want;
	struct conn c, first;

	open_idle(&c);
	first = c;
	conn_switch(&c, GET("/b"));
	assert_int_equal(c.leg_port, PORT);
	conn_respond(&c, OK_RESPONSE);
	bench_turn(GROUP_A, 0);
	conn_switch(&c, GET("/a"));
	bench_outcome(WEIR_CONNECTED);
	assert_int_equal(c.endpoint, first.endpoint);
	assert_in_range(c.leg_port, 20000, 20999);
	conn_respond(&c, OK_RESPONSE);
	/* when the endpoint has closed the first one, that port is free */
	first.eack++;
	s = from_endpoint(&first, FIN | ACK, NULL);
	want = made_for_endpoint(&first, ACK, NULL);
	want.ack++;
	want.win = 0xffff;
	bench_send(&s);
	bench_expect(&want);
	conn_switch(&c, GET("/b"));
	conn_respond(&c, OK_RESPONSE);
	bench_turn(GROUP_A, 0);
	conn_switch(&c, GET("/a"));
	assert_int_equal(c.leg_port, PORT);
}

/* The client is the endpoint, or on its side. */
static void test_hairpin(void **state)
{
	struct segment s;
	struct conn c;

	start(&c);
	bench_turn(GROUP_A, 0);
	bench_endpoint(0, CLIENT_IP, WEIR_ENDPOINT_READY);
	s = from_client(&c, PSH | ACK, GET("/a"));
	bench_send(&s);
	bench_outcome(WEIR_KEEP_HAIRPIN);
	bench_take(&s);
	assert_int_equal(s.side, CLIENT);
	assert_int_equal(s.flags, SYN);
	assert_int_equal(s.src, SOURCE_IP);
	assert_in_range(s.sport, 20000, 20999);
}

static void leg_is_old(const struct conn *c)
{
	struct weir_leg l;

	assert_true(bench_leg(ENDPOINT_IP(c->endpoint), c->leg_port, &l));
	l.syn_ns -= 3000000000ull;
	bench_leg_put(ENDPOINT_IP(c->endpoint), c->leg_port, &l);
}

/* Silence to one client's address is nothing against the endpoint. */
static void test_silent(void **state)
{
	struct segment again, want;
	struct weir_health h;
	struct conn c;
	int i;

	start(&c);
	bench_turn(GROUP_A, 0);
	conn_request(&c, GET("/a"));
	for (i = 0; i < 2; i++) {
		leg_is_old(&c);
		again = from_client(&c, PSH | ACK, GET("/a"));
		again.seq = c.head;
		bench_send(&again);
		bench_outcome(WEIR_KEEP_SILENT);
		assert_false(bench_health(c.endpoint, &h));
		if (!i)
			conn_take_syn(&c);
	}
	bench_outcome(WEIR_CONNECT_TIMEOUT);
	want = conn_reply(&c, WEIR_REPLY_TIMEOUT, false, false);
	bench_expect(&want);
}

/* A refusal is. */
static void test_refused(void **state)
{
	struct weir_health h;
	struct segment s;
	struct conn c;

	start(&c);
	bench_turn(GROUP_A, 0);
	conn_request(&c, GET("/a"));
	s = conn_refusal(&c);
	bench_send(&s);
	bench_outcome(WEIR_CONNECT_NEXT);
	assert_true(bench_health(0, &h));
	conn_take_syn(&c);
	assert_int_equal(c.endpoint, 1);
	assert_int_equal(c.leg_port, PORT);
	conn_accept(&c, GET("/a"));
}

/* The node forwards it. */
static void pass_on(const struct segment *s)
{
	struct segment got;

	bench_send(s);
	bench_outcome(WEIR_PASS_OTHER);
	if (!bench_mode()->wire) {
		bench_nothing();
		return;
	}
	bench_take(&got);
	assert_int_equal(got.side, CLIENT);
	assert_int_equal(got.seq, s->seq);
}

/* The client connects to the endpoint itself, from a port that it had here. */
static void test_direct_connection(void **state)
{
	struct weir_leg l;
	struct segment s;
	struct conn c;

	open_idle(&c);
	/* not while ours is open: that is a repeated SYN-ACK */
	s = from_endpoint(&c, SYN | ACK, NULL);
	s.seq = c.eseq - 1 - strlen(OK_RESPONSE);
	bench_send(&s);
	bench_outcome(WEIR_SYNACK_AGAIN);
	bench_take(&s);
	conn_down(&c, FIN | ACK, NULL);
	conn_up(&c, FIN | ACK, NULL);
	conn_down(&c, ACK, NULL);
	s = from_endpoint(&c, SYN | ACK, NULL);
	s.seq = 77;
	s.ack = 88;
	pass_on(&s);
	assert_false(bench_leg(ENDPOINT_IP(0), PORT, &l));
	s.flags = PSH | ACK;
	pass_on(&s);
}

static const struct CMUnitTest tests[] = {
	BENCH_TEST(test_kept),		BENCH_TEST(test_port_again),
	BENCH_TEST(test_group_decides), BENCH_TEST(test_back_again),
	BENCH_TEST(test_hairpin),	BENCH_TEST(test_silent),
	BENCH_TEST(test_refused),	BENCH_TEST(test_direct_connection),
};

BENCH_MAIN(tests)

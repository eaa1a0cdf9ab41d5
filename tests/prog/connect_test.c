/* SPDX-License-Identifier: BSD-2-Clause */
/* Opening the endpoint's side: refusals, silence, losses, small windows. */
#include "conn.h"

static void start(struct conn *c)
{
	conn_init(c, 40000, 1000000);
	conn_handshake(c);
	bench_turn(GROUP_A, 0);
}

/* T066, T073: the next endpoint, and 502 after the last */
static void test_refused(void **state)
{
	struct segment s, want;
	struct conn c;

	start(&c);
	conn_request(&c, GET("/a"));
	assert_int_equal(c.endpoint, 0);
	s = conn_refusal(&c);
	bench_send(&s);
	bench_outcome(WEIR_CONNECT_NEXT);
	conn_take_syn(&c);
	assert_int_equal(c.endpoint, 1);
	s = conn_refusal(&c);
	bench_send(&s);
	bench_outcome(WEIR_CONNECT_REFUSED);
	want = conn_reply(&c, WEIR_REPLY_BAD_GATEWAY, false, false);
	bench_expect(&want);
	assert_int_equal(bench_slots_held(), 0);
	/* the connection stays, and its next request tries again */
	c.cack += want.len;
	conn_request(&c, GET("/a"));
	conn_accept(&c, GET("/a"));
}

static void test_second_endpoint_accepts(void **state)
{
	struct segment s;
	struct conn c;

	start(&c);
	conn_request(&c, GET("/a"));
	s = conn_refusal(&c);
	bench_send(&s);
	conn_take_syn(&c);
	conn_accept(&c, GET("/a"));
	conn_respond(&c, OK_RESPONSE);
}

/* T073: every request has its own tries, also one that has left an endpoint */
static void test_refused_after_a_switch(void **state)
{
	struct segment s;
	struct conn c;
	int i;

	conn_open(&c, 40000, GET("/b"));
	bench_turn(GROUP_A, 0);
	for (i = 0; i < 3; i++) {
		conn_respond(&c, OK_RESPONSE);
		c.head = c.cseq;
		s = from_client(&c, PSH | ACK, i & 1 ? GET("/b") : GET("/a"));
		c.cseq += s.len;
		bench_send(&s);
		bench_outcome(WEIR_SWITCHED);
		bench_take(&s);
		assert_int_equal(s.flags, FIN | ACK);
		conn_take_syn(&c);
		if (c.endpoint == 0) {
			s = conn_refusal(&c);
			bench_send(&s);
			bench_outcome(WEIR_CONNECT_NEXT);
			conn_take_syn(&c);
			assert_int_equal(c.endpoint, 1);
			bench_turn(GROUP_A, 0);
		}
		conn_accept(&c, i & 1 ? GET("/b") : GET("/a"));
	}
}

/* A RST that does not acknowledge our SYN is not the endpoint's. */
static void test_forged_refusal(void **state)
{
	struct segment s;
	struct conn c;

	start(&c);
	conn_request(&c, GET("/a"));
	s = conn_refusal(&c);
	s.ack++;
	bench_send(&s);
	bench_nothing();
	bench_outcome(WEIR_RST_IGNORED);
	s = conn_refusal(&c);
	s.flags = RST;
	bench_send(&s);
	bench_nothing();
	conn_accept(&c, GET("/a"));
}

static void test_no_endpoint(void **state)
{
	struct segment s, want;
	struct conn c;

	start(&c);
	s = from_client(&c, PSH | ACK, GET("/none"));
	bench_send(&s);
	bench_outcome(WEIR_REQ_NO_ENDPOINT);
	c.cseq += s.len;
	want = conn_reply(&c, WEIR_REPLY_NO_ENDPOINT, false, false);
	bench_expect(&want);
	assert_int_equal(bench_slots_held(), 0);
}

/* The SYN of the leg left so long ago. */
static void leg_is_old(const struct conn *c)
{
	struct weir_leg l;

	assert_true(bench_leg(ENDPOINT_IP(c->endpoint), c->leg_port, &l));
	l.syn_ns -= 3000000000ull;
	bench_leg_put(ENDPOINT_IP(c->endpoint), c->leg_port, &l);
}

/* T067: the client's repetitions are the timer: the SYN again, then another endpoint,
 * 504 after the last */
static void test_silent(void **state)
{
	struct segment again, s, want;
	struct conn c, first;

	start(&c);
	conn_request(&c, GET("/a"));
	again = from_client(&c, PSH | ACK, GET("/a"));
	again.seq = c.head;
	bench_send(&again);
	bench_outcome(WEIR_CONNECT_AGAIN);
	bench_take(&s);
	assert_int_equal(s.flags, SYN);
	leg_is_old(&c);
	first = c;
	bench_send(&again);
	bench_outcome(WEIR_CONNECT_NEXT);
	conn_take_syn(&c);
	assert_int_equal(c.endpoint, 1);
	/* what the first one says now comes too late */
	conn_synack(&first);
	bench_outcome(WEIR_ORPHAN_RST);
	bench_take(&s);
	assert_int_equal(s.flags, RST);
	leg_is_old(&c);
	bench_send(&again);
	bench_outcome(WEIR_CONNECT_TIMEOUT);
	want = conn_reply(&c, WEIR_REPLY_TIMEOUT, false, false);
	bench_expect(&want);
	assert_int_equal(bench_slots_held(), 0);
}

/* T138: draining endpoints get nothing new */
static void test_draining(void **state)
{
	struct segment s, want;
	struct conn c;

	start(&c);
	bench_endpoint(0, ENDPOINT_IP(0), WEIR_ENDPOINT_DRAINING);
	conn_request(&c, GET("/a"));
	assert_int_equal(c.endpoint, 1);
	bench_endpoint(1, ENDPOINT_IP(1), WEIR_ENDPOINT_GONE);
	conn_init(&c, 40001, 7);
	conn_handshake(&c);
	s = from_client(&c, PSH | ACK, GET("/a"));
	bench_send(&s);
	c.cseq += s.len;
	want = conn_reply(&c, WEIR_REPLY_NO_ENDPOINT, false, false);
	bench_expect(&want);
}

static void test_no_table(void **state)
{
	struct segment s, want;
	struct conn c;

	start(&c);
	bench_table(false);
	s = from_client(&c, PSH | ACK, GET("/a"));
	bench_send(&s);
	bench_outcome(WEIR_NO_TABLE);
	c.cseq += s.len;
	want = conn_reply(&c, WEIR_REPLY_UNAVAILABLE, false, false);
	bench_expect(&want);
}

/* No way there: the client's retransmission tries again. */
static void test_no_way(void **state)
{
	struct segment s;
	struct conn c;

	start(&c);
	bench_endpoint(0, IP(203, 0, 113, 1), WEIR_ENDPOINT_READY);
	s = from_client(&c, PSH | ACK, GET("/a"));
	bench_send(&s);
	bench_nothing();
	bench_outcome(WEIR_NO_FIB);
}

/* All ports of the range are taken, until a connection is over. */
static void test_no_port(void **state)
{
	struct segment s, want;
	struct conn c, second;

	bench_ports(20000, 20000);
	start(&c);
	conn_request(&c, GET("/b"));
	assert_int_equal(c.leg_port, 20000);
	conn_init(&second, 40001, 99);
	conn_handshake(&second);
	s = from_client(&second, PSH | ACK, GET("/b"));
	bench_send(&s);
	bench_outcome(WEIR_NO_PORT);
	second.cseq += s.len;
	want = conn_reply(&second, WEIR_REPLY_UNAVAILABLE, false, false);
	bench_expect(&want);
	second.cack += want.len;

	conn_accept(&c, GET("/b"));
	conn_down(&c, PSH | FIN | ACK, OK_RESPONSE);
	conn_up(&c, FIN | ACK, NULL);
	conn_down(&c, ACK, NULL);
	conn_request(&second, GET("/b"));
	assert_int_equal(second.leg_port, 20000);
	conn_accept(&second, GET("/b"));
	conn_respond(&second, OK_RESPONSE);
}

/* Connections that came together and last hold ports side by side: the next one goes
 * past them, however many they are. */
static void test_ports_side_by_side(void **state)
{
	const struct weir_leg live = {.state = WEIR_LEG_SPLICED};
	struct conn c, second;
	uint16_t i, from;

	bench_ports(20000, 20999);
	start(&c);
	conn_request(&c, GET("/b"));
	from = c.leg_port - 20000;
	for (i = 1; i <= 40; i++)
		bench_leg_put(ENDPOINT_IP(2), 20000 + (from + i) % 1000, &live);
	conn_init(&second, 40001, 99);
	conn_handshake(&second);
	conn_request(&second, GET("/b"));
	assert_true((uint16_t)(second.leg_port - 20000 + 1000 - from) % 1000 > 40);
	conn_accept(&second, GET("/b"));
}

/* T033: an old connection of the endpoint's in the way (RFC 9293, 3.10.7.3) */
static void test_stale_answer(void **state)
{
	struct segment s, want, syn;
	struct conn c;

	start(&c);
	conn_request(&c, GET("/a"));
	syn = made_for_endpoint(&c, SYN, NULL);
	s = from_endpoint(&c, ACK, NULL);
	s.seq = 555;
	s.ack = 777;
	bench_send(&s);
	bench_outcome(WEIR_CONNECT_STALE);
	want = made_for_endpoint(&c, RST, NULL);
	want.seq = 777;
	want.ack = 0;
	want.win = 0;
	bench_expect(&want);
	/* a SYN-ACK to another SYN as well */
	s.flags = SYN | ACK;
	bench_send(&s);
	bench_expect(&want);
	/* the client sends again, so the SYN goes again: the same one */
	s = from_client(&c, PSH | ACK, GET("/a"));
	s.seq = c.head;
	bench_send(&s);
	bench_outcome(WEIR_CONNECT_AGAIN);
	bench_take(&want);
	assert_int_equal(want.flags, SYN);
	assert_int_equal(want.sport, syn.sport);
	assert_int_equal(want.seq + 1, c.eack);
	conn_accept(&c, GET("/a"));
}

/* T069 */
static void test_synack_again(void **state)
{
	struct segment s, want;
	struct conn c;

	start(&c);
	conn_request(&c, GET("/a"));
	conn_accept(&c, GET("/a"));
	/* the head may be lost as well: it goes along */
	s = from_endpoint(&c, SYN | ACK, NULL);
	s.seq = c.eseq - 1;
	s.ack = c.head + c.up;
	opt_mss(&s, 1460);
	bench_send(&s);
	bench_outcome(WEIR_SYNACK_AGAIN);
	want = made_for_endpoint(&c, PSH | ACK, GET("/a"));
	want.seq = c.head + c.up;
	bench_expect(&want);
	conn_respond(&c, OK_RESPONSE);
	/* very late */
	bench_send(&s);
	bench_outcome(WEIR_SYNACK_AGAIN);
	want = made_for_endpoint(&c, ACK, NULL);
	want.ack = c.eseq - strlen(OK_RESPONSE);
	bench_take(&s);
	assert_int_equal(s.flags, ACK);
	assert_int_equal(s.seq, c.eack);
	assert_int_equal(s.side, ENDPOINT);
}

/* T070, T085: lost on the way to the endpoint, all of it or a part */
static void test_head_lost(void **state)
{
	struct segment s, want;
	struct conn c;

	start(&c);
	conn_request(&c, GET("/a"));
	conn_accept(&c, GET("/a"));
	s = from_client(&c, PSH | ACK, GET("/a"));
	s.seq = c.head;
	bench_send(&s);
	bench_outcome(WEIR_RESENT);
	want = made_for_endpoint(&c, PSH | ACK, GET("/a"));
	want.seq = c.head + c.up;
	bench_expect(&want);
	/* the endpoint has the first ten bytes: the client learns just that */
	s = from_endpoint(&c, ACK, NULL);
	s.ack = c.head + 10 + c.up;
	want = at_client(&c, &s);
	bench_send(&s);
	bench_expect(&want);
	assert_int_equal(bench_slots_held(), 1);
	s = from_client(&c, PSH | ACK, GET("/a") + 10);
	s.seq = c.head + 10;
	bench_send(&s);
	bench_outcome(WEIR_RESENT);
	want = made_for_endpoint(&c, PSH | ACK, GET("/a") + 10);
	want.seq = c.head + 10 + c.up;
	bench_expect(&want);
	conn_respond(&c, OK_RESPONSE);
	assert_int_equal(bench_slots_held(), 0);
}

/* T047 */
static void test_small_first_window(bool scales)
{
	struct segment s, want;
	struct conn c;

	conn_init(&c, 40000, 1000000);
	if (!scales) {
		c.wscale = WEIR_WSCALE_NONE;
		c.ewscale = WEIR_WSCALE_NONE;
	}
	conn_handshake(&c);
	conn_request(&c, GET("/a"));
	s = from_endpoint(&c, SYN | ACK, NULL);
	s.win = 10;
	c.eseq = s.seq = 9000;
	if (scales)
		opt_wscale(&s, 7);
	bench_send(&s);
	c.eseq++;
	c.down = c.eseq - c.cack;
	want = made_for_endpoint(&c, PSH | ACK, NULL);
	want.data = GET("/a");
	want.len = 10;
	bench_expect(&want);
	/* three bytes more */
	c.eack += 10;
	s = from_endpoint(&c, ACK, NULL);
	s.win = scales ? 0 : 3;
	bench_send(&s);
	want = at_client(&c, &s);
	bench_expect(&want);
	if (!scales) {
		want = made_for_endpoint(&c, PSH | ACK, NULL);
		want.data = GET("/a") + 10;
		want.len = 3;
		bench_expect(&want);
		c.eack += 3;
	}
	/* and the rest, with an answer at the same time */
	s = from_endpoint(&c, ACK, NULL);
	s.win = 500;
	bench_send(&s);
	want = at_client(&c, &s);
	bench_expect(&want);
	want = made_for_endpoint(&c, PSH | ACK, GET("/a") + (c.eack - c.up - c.head));
	bench_expect(&want);
	c.eack += want.len;
	conn_respond(&c, OK_RESPONSE);
	assert_int_equal(bench_slots_held(), 0);
}

static void test_small_window(void **state)
{
	test_small_first_window(true);
}

static void test_small_window_without_scaling(void **state)
{
	test_small_first_window(false);
}

/* T047 */
static void test_first_window_zero(void **state)
{
	struct segment s, want;
	struct conn c;

	start(&c);
	conn_request(&c, GET("/a"));
	s = from_endpoint(&c, SYN | ACK, NULL);
	s.win = 0;
	c.eseq = s.seq = 9000;
	opt_wscale(&s, 7);
	bench_send(&s);
	c.eseq++;
	c.down = c.eseq - c.cack;
	want = made_for_endpoint(&c, ACK, NULL);
	bench_expect(&want);
	s = from_endpoint(&c, ACK, NULL);
	bench_send(&s);
	want = at_client(&c, &s);
	bench_expect(&want);
	want = made_for_endpoint(&c, PSH | ACK, GET("/a"));
	bench_expect(&want);
	c.eack += want.len;
	conn_respond(&c, OK_RESPONSE);
}

/* T048 */
static void test_endpoint_takes_small_segments(void **state)
{
	static char text[1400];
	struct segment want;
	struct conn c;
	uint32_t at;

	memset(text, 'x', sizeof(text) - 1);
	memcpy(text, "GET /a HTTP/1.1\r\nHost: a\r\nA: ", 29);
	memcpy(text + 1380 - 4, "\r\n\r\n", 5);
	start(&c);
	c.emss = 536;
	conn_request(&c, text);
	conn_synack(&c);
	for (at = 0; at < 1380; at += 536) {
		want = made_for_endpoint(&c, ACK | (at == 1072 ? PSH : 0), NULL);
		want.data = text + at;
		want.len = at == 1072 ? 308 : 536;
		bench_expect(&want);
		c.eack += want.len;
	}
	conn_respond(&c, OK_RESPONSE);
}

/* T011 */
static void test_client_takes_small_segments(void **state)
{
	struct segment want;
	struct conn c;

	conn_init(&c, 40000, 3);
	c.mss = 600;
	conn_handshake(&c);
	conn_request(&c, GET("/a"));
	c.emss = 0;
	conn_synack(&c);
	want = made_for_endpoint(&c, PSH | ACK, GET("/a"));
	bench_expect(&want);
}

/* T101 */
static void test_wrong_checksum(void **state)
{
	struct segment s;
	struct conn c;

	start(&c);
	conn_request(&c, GET("/a"));
	s = from_endpoint(&c, SYN | ACK, NULL);
	s.wrong = 7;
	bench_send(&s);
	bench_nothing();
	bench_outcome(WEIR_HEAD_CSUM);
	conn_accept(&c, GET("/a"));
}

/* A RST with a wrong checksum refuses nothing. */
static void test_wrong_checksum_in_refusal(void **state)
{
	struct segment s;
	struct conn c;

	start(&c);
	conn_request(&c, GET("/a"));
	s = conn_refusal(&c);
	s.wrong = 7;
	bench_send(&s);
	bench_nothing();
	conn_accept(&c, GET("/a"));
}

/* T059 */
static void test_client_resets_while_connecting(void **state)
{
	struct segment s, want;
	struct conn c;

	start(&c);
	conn_request(&c, GET("/a"));
	s = from_client(&c, RST, NULL);
	s.seq += 70000;
	bench_send(&s);
	bench_nothing();
	bench_outcome(WEIR_RST_IGNORED);
	s = from_client(&c, RST | ACK, NULL);
	bench_send(&s);
	bench_nothing();
	bench_outcome(WEIR_RST_CLIENT);
	assert_int_equal(bench_slots_held(), 0);
	conn_synack(&c);
	bench_outcome(WEIR_FLOW_GONE);
	want = made_for_endpoint(&c, RST, NULL);
	want.ack = 0;
	want.win = 0;
	bench_expect(&want);
}

/* T032: the client's port again while its old SYN to an endpoint is under way */
static void test_port_again_while_connecting(void **state)
{
	struct segment s;
	struct conn c, again;

	start(&c);
	conn_request(&c, GET("/a"));
	s = from_client(&c, RST, NULL);
	bench_send(&s);
	bench_nothing();
	conn_init(&again, 40000, 5000000);
	conn_handshake(&again);
	conn_request(&again, GET("/b"));
	/* the old endpoint's answer is not taken for the new one's */
	conn_synack(&c);
	bench_take(&s);
	assert_int_equal(s.flags, RST);
	assert_int_equal(s.side, ENDPOINT);
	conn_accept(&again, GET("/b"));
	conn_respond(&again, OK_RESPONSE);
}

/* T071: an endpoint that speaks before it has read */
static void test_endpoint_speaks_first(void **state)
{
	struct segment s, want;
	struct conn c;

	start(&c);
	conn_request(&c, GET("/a"));
	conn_accept(&c, GET("/a"));
	s = from_endpoint(&c, PSH | ACK, "HTTP/1.1 408 Request Timeout\r\n\r\n");
	s.ack = c.head + c.up;
	want = at_client(&c, &s);
	bench_send(&s);
	bench_expect(&want);
	assert_int_equal(bench_slots_held(), 1);
}

static const struct CMUnitTest tests[] = {
	BENCH_TEST(test_refused),
	BENCH_TEST(test_second_endpoint_accepts),
	BENCH_TEST(test_refused_after_a_switch),
	BENCH_TEST(test_forged_refusal),
	BENCH_TEST(test_no_endpoint),
	BENCH_TEST(test_silent),
	BENCH_TEST(test_draining),
	BENCH_TEST(test_no_table),
	BENCH_TEST(test_no_way),
	BENCH_TEST(test_no_port),
	BENCH_TEST(test_ports_side_by_side),
	BENCH_TEST(test_stale_answer),
	BENCH_TEST(test_synack_again),
	BENCH_TEST(test_head_lost),
	BENCH_TEST(test_small_window),
	BENCH_TEST(test_small_window_without_scaling),
	BENCH_TEST(test_first_window_zero),
	BENCH_TEST(test_endpoint_takes_small_segments),
	BENCH_TEST(test_client_takes_small_segments),
	BENCH_TEST(test_wrong_checksum),
	BENCH_TEST(test_wrong_checksum_in_refusal),
	BENCH_TEST(test_client_resets_while_connecting),
	BENCH_TEST(test_port_again_while_connecting),
	BENCH_TEST(test_endpoint_speaks_first),
};

BENCH_MAIN(tests)

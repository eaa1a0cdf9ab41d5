/* SPDX-License-Identifier: BSD-2-Clause */
/* Segments of weir's own: replies of several of them, and those that cannot be sent. */
#include "conn.h"

/* The bytes [from, to) of a reply whose first byte is at c->cack, in segments of `mss`
 * bytes that acknowledge `ack`. */
static void expect_reply(const struct conn *c, uint32_t id, bool close, uint32_t from,
			 uint32_t to, uint32_t mss, uint32_t ack)
{
	struct segment all = conn_reply(c, id, close, false), want;
	uint32_t at = from;

	while (at < to) {
		want = all;
		want.seq += at;
		want.ack = ack;
		want.data = (const char *)all.data + at;
		want.len = to - at < mss ? to - at : mss;
		at += want.len;
		want.flags = ACK | (at == to ? PSH : 0);
		if (at == all.len && close)
			want.flags |= FIN;
		bench_expect(&want);
	}
}

/* A request that weir answers itself, and whose reply has `len` bytes. */
static uint32_t request(struct conn *c, bool close)
{
	const char *text = close ? "GET /x HTTP/1.0\r\nHost: a\r\n\r\n" : GET("/x");
	struct segment s = conn_next(c, text);

	bench_send(&s);
	bench_outcome(WEIR_REPLIED);
	return conn_reply(c, WEIR_REPLY_NOT_FOUND, close, false).len;
}

static void ack_is_answered(struct conn *c)
{
	struct segment s = from_client(c, ACK, NULL);
	struct segment want = made_for_client(c, ACK, NULL);

	bench_send(&s);
	bench_outcome(WEIR_PROBE_ACKED);
	bench_expect(&want);
	bench_send(&s);
	bench_nothing();
}

/* T139, T140: longer than the client's segments: until all of it has arrived, the last
 * byte of the request is not acknowledged */
static void reply_in_segments(bool close)
{
	struct segment s, want;
	struct conn c;
	uint32_t n;

	conn_init(&c, 40000, 1000000);
	c.mss = 64;
	conn_handshake(&c);
	n = request(&c, close);
	assert_true(n > 2 * 64);
	expect_reply(&c, WEIR_REPLY_NOT_FOUND, close, 0, n, 64, c.cseq - 1);

	/* some of it has arrived: nothing more is said for that */
	s = from_client(&c, ACK, NULL);
	s.ack += 64;
	bench_send(&s);
	bench_nothing();
	/* the rest is lost: the client's timer asks for it */
	s = from_client(&c, PSH | ACK, "\n");
	s.seq--;
	s.ack += 64;
	bench_send(&s);
	bench_outcome(WEIR_REPLY_AGAIN);
	expect_reply(&c, WEIR_REPLY_NOT_FOUND, close, 64, n, 64, c.cseq - 1);
	/* the last segment alone acknowledges all */
	s.ack = c.cack + n / 64 * 64;
	bench_send(&s);
	expect_reply(&c, WEIR_REPLY_NOT_FOUND, close, n / 64 * 64, n, 64, c.cseq);
	/* all again, and all has arrived */
	s.ack = c.cack;
	bench_send(&s);
	expect_reply(&c, WEIR_REPLY_NOT_FOUND, close, 0, n, 64, c.cseq - 1);
	if (close) {
		/* all but the FIN */
		s.ack = c.cack + n;
		bench_send(&s);
		want = made_for_client(&c, FIN | ACK, NULL);
		want.seq += n;
		bench_expect(&want);
		s.ack = c.cack;
		bench_send(&s);
		expect_reply(&c, WEIR_REPLY_NOT_FOUND, close, 0, n, 64, c.cseq - 1);
	}
	c.cack += n + close;
	ack_is_answered(&c);
	if (close)
		return;
	conn_request(&c, GET("/a"));
	conn_accept(&c, GET("/a"));
}

static void test_reply_in_segments(void **state)
{
	reply_in_segments(false);
	bench_fresh(NULL);
	reply_in_segments(true);
}

/* The same with segments of the usual size: a page of a rule's own. */
static void test_long_reply(void **state)
{
	uint32_t mss = bench_mode()->v6 ? 1428 : 1448, n;
	struct conn c, old;
	struct segment s;
	int i;

	conn_init(&c, 40000, 1000000);
	conn_handshake(&c);
	for (i = 0; i < 2; i++) {
		s = conn_next(&c, GET("/long"));
		bench_send(&s);
		bench_outcome(WEIR_REQ_REPLY);
		n = conn_reply(&c, BENCH_LONG, false, false).len;
		assert_true(n > BENCH_LONG_BODY);
		expect_reply(&c, BENCH_LONG, false, 0, n, mss, c.cseq - 1);
		/* all but the last one has arrived */
		s.ack += n / mss * mss;
		bench_send(&s);
		bench_outcome(WEIR_REPLY_AGAIN);
		expect_reply(&c, BENCH_LONG, false, n / mss * mss, n, mss, c.cseq);
		c.cack += n;
	}
	/* behind an endpoint's answer, made from the ACK that frees it */
	conn_request(&c, GET("/a"));
	conn_accept(&c, GET("/a"));
	conn_down(&c, PSH | ACK, OK_RESPONSE);
	old = c;
	c.cack -= strlen(OK_RESPONSE);
	s = conn_next(&c, GET("/long"));
	bench_send(&s);
	bench_outcome(WEIR_REQ_HELD);
	c.cack += strlen(OK_RESPONSE);
	s = from_client(&c, ACK, NULL);
	bench_send(&s);
	conn_expect_leave(&old);
	expect_reply(&c, BENCH_LONG, false, 0, n, mss, c.cseq - 1);
}

/* The client's window is not exceeded; what follows is clocked by its ACKs. */
static void test_reply_in_a_small_window(void **state)
{
	struct segment s, want;
	struct conn c;
	uint32_t n;

	conn_init(&c, 40000, 1000000);
	c.wscale = WEIR_WSCALE_NONE;
	c.cwin = 100;
	conn_handshake(&c);
	n = request(&c, false);
	expect_reply(&c, WEIR_REPLY_NOT_FOUND, false, 0, 100, 100, c.cseq - 1);
	/* full */
	s = from_client(&c, ACK, NULL);
	s.win = 0;
	s.ack += 100;
	bench_send(&s);
	want = made_for_client(&c, ACK, NULL);
	want.seq += 100;
	want.ack--;
	bench_expect(&want);
	s.win = 20;
	bench_send(&s);
	bench_outcome(WEIR_REPLIED);
	expect_reply(&c, WEIR_REPLY_NOT_FOUND, false, 100, 120, 20, c.cseq - 1);
	/* the same ACK once more: nothing fits behind what is under way */
	bench_send(&s);
	want.seq += 20;
	bench_expect(&want);
	s.win = 1000;
	bench_send(&s);
	expect_reply(&c, WEIR_REPLY_NOT_FOUND, false, 120, n, n, c.cseq - 1);
	c.cack += n;
	ack_is_answered(&c);
	conn_request(&c, GET("/a"));
}

/* T055, T140: the FIN of a client that keeps no more, while a reply that keeps the
 * connection is under way: it gets the reply, and then our FIN */
static void test_fin_before_a_kept_reply(void **state)
{
	struct segment s, want;
	struct conn c;
	uint32_t n;

	conn_init(&c, 40000, 1000000);
	conn_handshake(&c);
	n = request(&c, false);
	expect_reply(&c, WEIR_REPLY_NOT_FOUND, false, 0, n, n, c.cseq);
	s = from_client(&c, FIN | ACK, NULL);
	bench_send(&s);
	bench_outcome(WEIR_REPLY_AGAIN);
	expect_reply(&c, WEIR_REPLY_NOT_FOUND, false, 0, n, n, c.cseq);
	c.cseq++;
	c.cack += n;
	s = from_client(&c, ACK, NULL);
	bench_send(&s);
	bench_outcome(WEIR_CLOSE_ACKED);
	want = made_for_client(&c, FIN | ACK, NULL);
	want.win = 0;
	bench_expect(&want);
	c.cack++;
	s = from_client(&c, ACK, NULL);
	bench_send(&s);
	bench_nothing();
}

/* What has not gone is not counted as sent, and comes again when it can. */
static void test_unsent(void **state)
{
	struct segment s, want;
	struct weir_flow f;
	struct conn c;
	uint32_t slot;

	conn_open(&c, 40000, GET("/a"));
	assert_true(bench_flow(c.port, &f));
	slot = f.slot;
	f.slot = BENCH_SLOTS; /* no such buffer */
	bench_flow_put(c.port, &f);
	s = from_client(&c, PSH | ACK, GET("/a"));
	s.seq = c.head;
	bench_send(&s);
	bench_nothing();
	bench_outcome(WEIR_UNSENT);
	bench_not_outcome(WEIR_RESENT);
	f.slot = slot;
	bench_flow_put(c.port, &f);
	bench_send(&s);
	bench_outcome(WEIR_RESENT);
	want = made_for_endpoint(&c, PSH | ACK, GET("/a"));
	want.seq = c.head + c.up;
	bench_expect(&want);
	conn_respond(&c, OK_RESPONSE);
}

/* The same of each segment of several, by a device that is gone. */
static void test_device_gone(void **state)
{
	struct segment s;
	struct weir_flow f;
	struct conn c;

	conn_init(&c, 40000, 1000000);
	c.emss = 100;
	conn_handshake(&c);
	conn_request(&c,
		     GET("/a/0123456789012345678901234567890123456789012345678901234"
			 "56789012345678901234567890123456789012345678901234567"));
	conn_synack(&c);
	bench_take(&s);
	bench_take(&s);
	assert_true(bench_flow(c.port, &f));
	f.to_endpoint.ifindex = 0x7fffffff;
	f.to_endpoint.peer = 0;
	bench_flow_put(c.port, &f);
	s = from_client(&c, PSH | ACK, GET("/a"));
	s.seq = c.head;
	bench_send(&s);
	bench_outcome(WEIR_UNSENT);
	/* where the last one goes is the kernel's business */
	if (!bench_mode()->wire)
		bench_take(&s);
	bench_nothing();
}

/* The endpoint's side of a connection that is being made is gone: it is made anew. */
static void test_leg_gone_while_connecting(void **state)
{
	struct segment s;
	struct conn c;

	conn_init(&c, 40000, 1000000);
	conn_handshake(&c);
	conn_request(&c, GET("/b"));
	bench_leg_drop(ENDPOINT_IP(c.endpoint), c.leg_port);
	s = from_client(&c, PSH | ACK, GET("/b"));
	s.seq = c.head;
	bench_send(&s);
	bench_outcome(WEIR_CONNECT);
	conn_take_syn(&c);
	assert_int_equal(bench_legs(), 1);
	conn_accept(&c, GET("/b"));
	conn_respond(&c, OK_RESPONSE);
}

/* A RST is not answered, which is no failure. */
static void test_reset_for_a_reset(void **state)
{
	struct segment s;
	struct conn c;

	conn_open_idle(&c);
	bench_leg_drop(ENDPOINT_IP(c.endpoint), c.leg_port);
	s = from_client(&c, RST | ACK, NULL);
	bench_send(&s);
	bench_nothing();
	bench_outcome(WEIR_FLOW_GONE);
	bench_not_outcome(WEIR_UNSENT);
}

static const struct CMUnitTest tests[] = {
	BENCH_TEST(test_reply_in_segments),
	BENCH_TEST(test_long_reply),
	BENCH_TEST(test_reply_in_a_small_window),
	BENCH_TEST(test_fin_before_a_kept_reply),
	BENCH_TEST(test_unsent),
	BENCH_TEST(test_device_gone),
	BENCH_TEST(test_leg_gone_while_connecting),
	BENCH_TEST(test_reset_for_a_reset),
};

BENCH_MAIN(tests)

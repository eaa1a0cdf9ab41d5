/* SPDX-License-Identifier: BSD-2-Clause */
/* Requests that come before the answer to the one before: sent together, or kept. */
#include "conn.h"

#define POST(path, len) \
	"POST " path " HTTP/1.1\r\nHost: a\r\nContent-Length: " len "\r\n\r\n"

/* T123: two requests for one group in one segment: one at a time */
static void test_pipelined(void **state)
{
	static const char both[] = GET("/a/1") GET("/a/2");
	struct segment s, want;
	struct conn c;

	conn_init(&c, 40000, 1000000);
	conn_handshake(&c);
	conn_request(&c, both);
	conn_accept(&c, both);
	/* that is lost, the client sends both again */
	s = from_client(&c, PSH | ACK, both);
	s.seq = c.head;
	bench_send(&s);
	bench_outcome(WEIR_RESENT);
	want = made_for_endpoint(&c, PSH | ACK, both);
	want.seq = c.head + c.up;
	bench_expect(&want);
	conn_respond(&c, OK_RESPONSE OK_RESPONSE);

	/* on the connected flow, with a third in a segment of its own while the two are
	 * under way */
	s = conn_next(&c, both);
	want = made_for_endpoint(&c, PSH | ACK, both);
	want.seq = c.head + c.up;
	bench_send(&s);
	bench_expect(&want);
	c.eack = c.cseq + c.up;
	s = from_client(&c, PSH | ACK, GET("/a/3"));
	want = made_for_endpoint(&c, PSH | ACK, GET("/a/3"));
	bench_send(&s);
	bench_expect(&want);
	/* all of it again, whatever was lost */
	bench_send(&s);
	bench_outcome(WEIR_RESENT);
	want = made_for_endpoint(&c, PSH | ACK, GET("/a/1") GET("/a/2") GET("/a/3"));
	want.seq = c.head + c.up;
	bench_expect(&want);
	c.cseq += s.len;
	c.eack += s.len;
	conn_respond(&c, OK_RESPONSE OK_RESPONSE OK_RESPONSE);
	assert_int_equal(bench_slots_held(), 0);
}

/* Each is rewritten by itself, and the same way when it comes again (T045). */
static void test_pipelined_and_rewritten(void **state)
{
	static const char got[] = "GET /1 HTTP/1.1\r\nHost:       a.example\r\n\r\n"
				  "GET /a/2 HTTP/1.1\r\nHost:      a.example\r\n\r\n";
	struct segment s, want;
	struct conn c;

	conn_open_idle(&c);
	s = conn_next(&c, GET("/strip/1") GET("/a/x/../2"));
	want = made_for_endpoint(&c, PSH | ACK, got);
	want.seq = c.head + c.up;
	bench_send(&s);
	bench_expect(&want);
	bench_send(&s);
	bench_outcome(WEIR_RESENT);
	bench_expect(&want);
	c.eack = c.cseq + c.up;
	conn_respond(&c, OK_RESPONSE OK_RESPONSE);
}

/* More than can be waited for at once: the rest waits. */
static void test_pipelined_without_end(void **state)
{
	const size_t n = strlen(GET("/a"));
	char all[40 * 64], some[40 * 64];
	struct segment s, want;
	struct conn c;
	int i;

	for (i = 0; i < 20; i++) {
		memcpy(all + i * n, GET("/a"), n + 1);
		if (i < (int)WEIR_ASKED_MAX)
			memcpy(some + i * n, GET("/a"), n + 1);
	}
	conn_open_idle(&c);
	s = conn_next(&c, all);
	want = made_for_endpoint(&c, PSH | ACK, some);
	want.seq = c.head + c.up;
	bench_send(&s);
	bench_outcome(WEIR_REQ_QUEUED);
	bench_expect(&want);
	/* one has been answered: there is room for another one of them, and so on */
	c.eack += want.len;
	conn_down(&c, PSH | ACK, OK_RESPONSE);
	for (i = WEIR_ASKED_MAX; i < 20; i++) {
		s = from_client(&c, ACK, NULL);
		bench_send(&s);
		bench_outcome(WEIR_REQ_ROUTED);
		want = made_for_endpoint(&c, PSH | ACK, GET("/a"));
		bench_expect(&want);
		c.eack += want.len;
		conn_down(&c, PSH | ACK, OK_RESPONSE);
	}
	for (i = 0; i < 15; i++)
		conn_down(&c, PSH | ACK, OK_RESPONSE);
	assert_int_equal(bench_slots_held(), 0);
}

/* A broken one behind a good one is refused when that has been answered. */
static void test_pipelined_and_broken(void **state)
{
	struct segment s, want;
	struct conn c, old;

	conn_open_idle(&c);
	s = conn_next(&c, GET("/a/1") "GET /a\x01 HTTP/1.1\r\nHost: x\r\n\r\n");
	want = made_for_endpoint(&c, PSH | ACK, GET("/a/1"));
	want.seq = c.head + c.up;
	bench_send(&s);
	bench_outcome(WEIR_REQ_QUEUED);
	bench_expect(&want);
	c.eack += want.len;
	old = c;
	conn_answered(&c, OK_RESPONSE, c.cseq);
	bench_outcome(WEIR_REQ_BAD);
	old.cack = c.cack;
	old.eseq = c.eseq;
	conn_expect_leave(&old);
	want = conn_reply(&c, WEIR_REPLY_BAD_REQUEST, true, false);
	bench_expect(&want);
}

/* T124 */
static void test_pipelined_to_others(void **state)
{
	static const char both[] = GET("/a/1") GET("/b/2");
	uint32_t n = strlen(GET("/a/1"));
	struct segment s, want;
	struct conn c;

	conn_init(&c, 40000, 1000000);
	conn_handshake(&c);
	conn_request(&c, both);
	/* more of them while the endpoint is connected */
	s = from_client(&c, PSH | ACK, GET("/a/3"));
	bench_send(&s);
	bench_outcome(WEIR_HEAD_QUEUED);
	c.cseq += s.len;
	conn_accept(&c, GET("/a/1"));
	bench_outcome(WEIR_REQ_QUEUED);
	/* what waits is not taken again, whatever the bytes are, and the rest follows it */
	s = from_client(&c, PSH | ACK, "GET /x/2");
	s.seq = c.head + n;
	bench_send(&s);
	bench_outcome(WEIR_REQ_HELD);
	s = from_client(&c, PSH | ACK, GET("/b/4"));
	bench_send(&s);
	bench_outcome(WEIR_REQ_HELD);
	bench_nothing();
	c.cseq += s.len;
	/* ACKs with numbers that the endpoint has not been given yet */
	s = from_client(&c, ACK, NULL);
	want = at_endpoint(&c, &s);
	want.seq = c.head + n + c.up;
	bench_send(&s);
	bench_expect(&want);

	conn_answered_and_moved(&c, OK_RESPONSE, c.head + n, c.cseq);
	assert_int_equal(c.endpoint, 2);
	conn_accept(&c, GET("/b/2"));

	conn_answered_and_moved(&c, OK_RESPONSE, c.head + n, c.cseq);
	conn_accept(&c, GET("/a/3"));

	conn_answered_and_moved(&c, OK_RESPONSE, c.head + n, c.cseq);
	conn_accept(&c, GET("/b/4"));
	conn_respond(&c, OK_RESPONSE);
	assert_int_equal(bench_slots_held(), 0);
}

/* T123: what stands behind is not whole yet: a head, or its body, in the next segment */
static void test_pipelined_in_pieces(void **state)
{
	static const char *const piece[] = {
		GET("/a/1") "POST /a/2 HTT",
		"P/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n", "body" GET("/a/3")};
	static const char rest[] = "POST /a/2 HTTP/1.1\r\nHost: a\r\n"
				   "Content-Length: 4\r\n\r\nbody" GET("/a/3");
	const size_t n = strlen(GET("/a/3"));
	struct segment s, want;
	char half[128];
	struct conn c;

	conn_open_idle(&c);
	s = conn_next(&c, piece[0]);
	want = made_for_endpoint(&c, PSH | ACK, GET("/a/1"));
	want.seq = c.head + c.up;
	bench_send(&s);
	bench_outcome(WEIR_REQ_QUEUED);
	bench_expect(&want);
	c.eack += want.len;
	s = from_client(&c, PSH | ACK, piece[1]);
	bench_send(&s);
	bench_nothing();
	c.cseq += s.len;
	s = from_client(&c, PSH | ACK, piece[2]);
	bench_send(&s);
	c.cseq += s.len;
	want = made_for_endpoint(&c, PSH | ACK, rest);
	bench_expect(&want);
	c.eack += want.len;
	conn_respond(&c, OK_RESPONSE OK_RESPONSE OK_RESPONSE);
	assert_int_equal(bench_slots_held(), 0);

	/* the rest comes when the endpoint has answered the first */
	s = conn_next(&c, piece[0]);
	want = made_for_endpoint(&c, PSH | ACK, GET("/a/1"));
	want.seq = c.head + c.up;
	bench_send(&s);
	bench_expect(&want);
	c.eack += want.len;
	conn_answered(&c, OK_RESPONSE, c.cseq);
	want = made_for_client(&c, ACK, NULL);
	want.win = (BENCH_ROOM - strlen("POST /a/2 HTT")) >> WEIR_WSCALE;
	bench_expect(&want);
	s = from_client(&c, PSH | ACK, piece[1]);
	bench_send(&s);
	c.cseq += s.len;
	snprintf(half, sizeof(half), "%.*s", (int)(strlen(rest) - 4 - n), rest);
	want = made_for_endpoint(&c, PSH | ACK, half);
	bench_expect(&want);
	c.eack += want.len;
	conn_up(&c, PSH | ACK, "body");
	conn_respond(&c, OK_RESPONSE);
	assert_int_equal(bench_slots_held(), 0);
}

/* T050, T126: the end of a body and the next head in one segment */
static void test_boundary_in_a_segment(void **state)
{
	static const char tail[] = "56789" GET("/b");
	struct segment s, want, next;
	struct conn c;

	conn_open_idle(&c);
	conn_up(&c, PSH | ACK, POST("/a", "10"));
	conn_up(&c, PSH | ACK, "01234");
	conn_down(&c, ACK, NULL);
	s = from_client(&c, PSH | ACK, tail);
	s.wrong = 3;
	bench_send(&s);
	bench_nothing();
	s = from_client(&c, PSH | ACK, tail);
	bench_send(&s);
	bench_outcome(WEIR_REQ_QUEUED);
	want = made_for_endpoint(&c, PSH | ACK, "56789");
	bench_expect(&want);
	assert_int_equal(bench_slots_held(), 1);
	/* and once more, since the client has no ACK yet */
	bench_send(&s);
	bench_expect(&want);
	/* what waits is not read while the endpoint may lack something before it */
	next = from_client(&c, ACK, NULL);
	next.seq += s.len;
	bench_send(&next);
	bench_take(&next);
	assert_int_equal(next.side, ENDPOINT);
	c.eack += 5;
	c.cseq += 5;
	conn_answered_and_moved(&c, OK_RESPONSE, c.cseq, c.cseq + strlen(GET("/b")));
	conn_accept(&c, GET("/b"));
	conn_respond(&c, OK_RESPONSE);
	assert_int_equal(bench_slots_held(), 0);
}

static const struct CMUnitTest tests[] = {
	BENCH_TEST(test_pipelined),
	BENCH_TEST(test_pipelined_and_rewritten),
	BENCH_TEST(test_pipelined_without_end),
	BENCH_TEST(test_pipelined_and_broken),
	BENCH_TEST(test_pipelined_to_others),
	BENCH_TEST(test_pipelined_in_pieces),
	BENCH_TEST(test_boundary_in_a_segment),
};

BENCH_MAIN(tests)

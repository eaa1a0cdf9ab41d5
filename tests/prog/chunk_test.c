/* SPDX-License-Identifier: BSD-2-Clause */
/* Chunked bodies: their end is found, and what comes behind it. */
#include "conn.h"

#define CHUNKED "POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"

/* T128: the end of a chunked body is found wherever the segments are cut: the
 * request behind it moves to its own group. */
static void test_chunked(void **state)
{
	static const char body[] = "5;x=y\r\n01234\r\nA\r\n0\r\n\r\nGET /\r\n"
				   "0\r\nSum: 1\r\n\r\n";
	struct conn c;
	size_t cut;

	for (cut = 0; cut < sizeof(body); cut++) {
		char head[sizeof(CHUNKED) + sizeof(body)];

		snprintf(head, sizeof(head), "%s%.*s", CHUNKED, (int)cut, body);
		conn_open_idle(&c);
		conn_up(&c, PSH | ACK, head);
		if (body[cut])
			conn_up(&c, PSH | ACK, body + cut);
		conn_respond(&c, OK_RESPONSE);
		conn_switch(&c, GET("/b"));
		conn_respond(&c, OK_RESPONSE);
		assert_int_equal(bench_slots_held(), 0);
		bench_fresh(NULL);
	}
}

/* A chunked request opens the connection; more of it comes while the endpoint is
 * being connected. */
static void test_chunked_first(void **state)
{
	struct segment s;
	struct conn c;

	conn_init(&c, 40000, 1000000);
	conn_handshake(&c);
	conn_request(&c, CHUNKED "5\r\n01");
	s = from_client(&c, PSH | ACK, "234\r\n0\r\n\r\n" GET("/b"));
	bench_send(&s);
	bench_nothing();
	bench_outcome(WEIR_HEAD_QUEUED);
	c.cseq += strlen("234\r\n0\r\n\r\n");
	conn_accept(&c, CHUNKED "5\r\n01234\r\n0\r\n\r\n");
	conn_answered_and_moved(&c, OK_RESPONSE, c.cseq, c.cseq + strlen(GET("/b")));
	conn_accept(&c, GET("/b"));
	conn_respond(&c, OK_RESPONSE);
}

/* T126: the end of a chunked body and the next head in one segment */
static void test_chunked_boundary_in_a_segment(void **state)
{
	struct segment s, want;
	struct conn c;

	conn_open_idle(&c);
	conn_up(&c, PSH | ACK, CHUNKED);
	conn_down(&c, ACK, NULL);
	s = from_client(&c, PSH | ACK, "1\r\nx\r\n0\r\n\r\n" GET("/b"));
	bench_send(&s);
	bench_outcome(WEIR_REQ_QUEUED);
	want = made_for_endpoint(&c, PSH | ACK, "1\r\nx\r\n0\r\n\r\n");
	bench_expect(&want);
	c.cseq += strlen("1\r\nx\r\n0\r\n\r\n");
	c.eack += strlen("1\r\nx\r\n0\r\n\r\n");
	conn_answered_and_moved(&c, OK_RESPONSE, c.cseq, c.cseq + strlen(GET("/b")));
	conn_accept(&c, GET("/b"));
	conn_respond(&c, OK_RESPONSE);
}

/* A hole in front of framing: nothing is read before it is filled. */
static void test_chunked_hole(void **state)
{
	struct segment s;
	struct conn c;

	conn_open_idle(&c);
	conn_up(&c, PSH | ACK, CHUNKED);
	conn_down(&c, ACK, NULL);
	s = from_client(&c, PSH | ACK, "0\r\n\r\n");
	s.seq += 6;
	bench_send(&s);
	bench_nothing();
	bench_outcome(WEIR_HEAD_GAP);
	conn_up(&c, PSH | ACK, "1\r\nx\r\n");
	conn_up(&c, PSH | ACK, "0\r\n\r\n");
	conn_respond(&c, OK_RESPONSE);
	conn_switch(&c, GET("/b"));
	conn_respond(&c, OK_RESPONSE);
}

/* Broken framing: 400 before an endpoint has the request, a reset of both ends
 * after that. */
static void test_chunked_broken(void **state)
{
	struct segment s, want;
	uint32_t first;
	struct conn c;

	conn_init(&c, 40000, 1000000);
	conn_handshake(&c);
	s = conn_next(&c, CHUNKED "x\r\n");
	bench_send(&s);
	want = conn_reply(&c, WEIR_REPLY_BAD_REQUEST, true, false);
	bench_expect(&want);
	bench_fresh(NULL);

	conn_open_idle(&c);
	conn_up(&c, PSH | ACK, CHUNKED);
	conn_down(&c, ACK, NULL);
	s = from_client(&c, PSH | ACK, "5\r\nhello!\r\n");
	bench_send(&s);
	bench_outcome(WEIR_REQ_BAD);
	/* to the endpoint and to the client, in either order */
	bench_take(&want);
	assert_int_equal(want.flags, RST | ACK);
	first = want.seq;
	bench_take(&want);
	assert_int_equal(want.flags, RST | ACK);
	assert_true((first == c.eack && want.seq == c.cack) ||
		    (first == c.cack && want.seq == c.eack));
	assert_int_equal(bench_slots_held(), 0);
}

static const struct CMUnitTest tests[] = {
	BENCH_TEST(test_chunked),
	BENCH_TEST(test_chunked_first),
	BENCH_TEST(test_chunked_boundary_in_a_segment),
	BENCH_TEST(test_chunked_hole),
	BENCH_TEST(test_chunked_broken),
};

BENCH_MAIN(tests)

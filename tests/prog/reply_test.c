/* SPDX-License-Identifier: BSD-2-Clause */
/* Replies that the kernel makes: right bytes at the right numbers, as often as
 * they are lost. */
#include "conn.h"

static void start(struct conn *c)
{
	conn_init(c, 40000, 1000000);
	conn_handshake(c);
}

/* A request in one segment, answered; numbers move on. */
static void replied_at(struct conn *c, const char *text, uint32_t id, bool close,
		       bool head_only, int line)
{
	struct segment s = from_client(c, PSH | ACK, text), want;

	c->head = c->cseq;
	c->cseq += s.len;
	want = conn_reply(c, id, close, head_only);
	bench_send_at(&s, __FILE__, line);
	bench_outcome_at(WEIR_REPLIED, "replied", __FILE__, line);
	bench_expect_at(&want, __FILE__, line);
	assert_int_equal(bench_slots_held(), 0);
	c->cack += want.len + close;
}

#define replied(c, text, id, close) replied_at(c, text, id, close, false, __LINE__)

static void acknowledged(struct conn *c)
{
	struct segment s = from_client(c, ACK, NULL);

	bench_send(&s);
	bench_nothing();
}

/* T139: many on one connection, which then still reaches an endpoint */
static void test_keeps_the_connection(void **state)
{
	struct conn c;
	int i;

	start(&c);
	for (i = 0; i < 3; i++) {
		replied(&c, GET("/x"), WEIR_REPLY_NOT_FOUND, false);
		bench_outcome(WEIR_REQ_NO_ROUTE);
		acknowledged(&c);
	}
	replied(&c, GET("/reply"), BENCH_REPLY, false);
	bench_outcome(WEIR_REQ_REPLY);
	replied(&c, GET("/unhonoured"), WEIR_REPLY_UNHONOURED, false);
	bench_outcome(WEIR_REQ_UNHONOURED);
	conn_request(&c, GET("/a"));
	conn_accept(&c, GET("/a"));
	conn_respond(&c, OK_RESPONSE);
}

/* T139: HEAD has no body, whether it closes or not */
static void test_head_has_no_body(void **state)
{
	struct conn c;

	start(&c);
	replied_at(&c, "HEAD /x HTTP/1.1\r\nHost: a\r\n\r\n", WEIR_REPLY_NOT_FOUND,
		   false, true, __LINE__);
	replied(&c, GET("/x"), WEIR_REPLY_NOT_FOUND, false);
	replied_at(&c, "HEAD /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
		   WEIR_REPLY_NOT_FOUND, true, true, __LINE__);
}

/* T140, T144 */
static void closes(const char *request)
{
	struct segment s, want;
	struct conn c;

	start(&c);
	replied(&c, request, WEIR_REPLY_NOT_FOUND, true);
	/* lost: the same bytes at the same place, as often as need be */
	s = from_client(&c, PSH | ACK, request);
	s.seq = c.head;
	want = conn_reply(&c, WEIR_REPLY_NOT_FOUND, true, false);
	s.ack = want.seq = c.cack = c.cack - want.len - 1;
	bench_send(&s);
	bench_outcome(WEIR_REPLY_AGAIN);
	bench_expect(&want);
	bench_send(&s);
	bench_expect(&want);
	c.cack += want.len + 1;
	acknowledged(&c);
	/* arrived, and yet repeated: just acknowledged */
	s.ack = c.cack;
	bench_send(&s);
	want = made_for_client(&c, ACK, NULL);
	bench_expect(&want);
	/* the client's FIN */
	s = from_client(&c, FIN | ACK, NULL);
	bench_send(&s);
	bench_outcome(WEIR_CLOSE_ACKED);
	c.cseq++;
	want = made_for_client(&c, ACK, NULL);
	want.win = 0;
	bench_expect(&want);
	/* and its retransmission, T093 */
	bench_send(&s);
	bench_expect(&want);
	/* the port is used again at once, T032 */
	c.cseq += 100000;
	conn_handshake(&c);
	conn_request(&c, GET("/a"));
	bench_fresh(NULL);
}

static void test_closes(void **state)
{
	closes("GET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
	closes("GET /x HTTP/1.0\r\nHost: a\r\n\r\n");
}

/* T140: the FIN crosses the lost reply */
static void test_fin_before_the_reply_arrived(void **state)
{
	static const char text[] = "GET /x HTTP/1.0\r\n\r\n";
	struct segment s, want;
	struct conn c;

	start(&c);
	replied(&c, text, WEIR_REPLY_NOT_FOUND, true);
	want = conn_reply(&c, WEIR_REPLY_NOT_FOUND, true, false);
	c.cack -= want.len + 1;
	s = from_client(&c, FIN | ACK, NULL);
	bench_send(&s);
	c.cseq++;
	want = conn_reply(&c, WEIR_REPLY_NOT_FOUND, true, false);
	bench_expect(&want);
	c.cack += want.len + 1;
	s = from_client(&c, ACK, NULL);
	bench_send(&s);
	bench_nothing();
}

/* T140 */
static void test_lost_reply_of_a_kept_connection(void **state)
{
	struct segment s, want;
	struct conn c;

	start(&c);
	replied(&c, GET("/x"), WEIR_REPLY_NOT_FOUND, false);
	s = from_client(&c, PSH | ACK, GET("/x"));
	s.seq = c.head;
	want = conn_reply(&c, WEIR_REPLY_NOT_FOUND, false, false);
	want.seq = s.ack = c.cack - want.len;
	bench_send(&s);
	bench_outcome(WEIR_REPLY_AGAIN);
	bench_expect(&want);
	acknowledged(&c);
	/* probes are answered, with the next number */
	s = from_client(&c, ACK, NULL);
	s.seq--;
	bench_send(&s);
	want = made_for_client(&c, ACK, NULL);
	bench_expect(&want);
	replied(&c, GET("/reply"), BENCH_REPLY, false);
}

/* T140, T123: as long as a reply may have been lost, nothing behind its request
 * is taken, or nobody would ask for it again */
static void test_pipelined_behind_a_lost_reply(void **state)
{
	struct segment s, want, both;
	struct conn c;
	uint32_t n = strlen(GET("/x"));

	start(&c);
	c.head = c.cseq;
	both = from_client(&c, PSH | ACK, GET("/x") GET("/reply"));
	c.cseq += n;
	want = conn_reply(&c, WEIR_REPLY_NOT_FOUND, false, false);
	bench_send(&both);
	bench_outcome(WEIR_REQ_SPLIT);
	bench_expect(&want);
	/* the reply is lost; the client sends both again, or the second alone */
	bench_send(&both);
	bench_outcome(WEIR_REPLY_AGAIN);
	bench_expect(&want);
	s = from_client(&c, PSH | ACK, GET("/reply"));
	bench_send(&s);
	bench_outcome(WEIR_REPLY_AGAIN);
	bench_expect(&want);
	s = from_client(&c, PSH | ACK, "GET /re");
	bench_send(&s);
	bench_outcome(WEIR_REPLY_AGAIN);
	bench_expect(&want);
	/* it has arrived */
	c.cack += want.len;
	replied(&c, GET("/reply"), BENCH_REPLY, false);
}

/* T141: a body that still comes is taken and thrown away */
static void test_body_behind_a_reply(void **state)
{
	static const char post[] = "POST /x HTTP/1.1\r\nHost: a\r\n"
				   "Content-Length: 100000\r\n\r\n";
	struct segment s, want, lost;
	struct conn c;
	int i;

	start(&c);
	replied(&c, post, WEIR_REPLY_NOT_FOUND, true);
	lost = conn_reply(&c, WEIR_REPLY_NOT_FOUND, true, false);
	/* the reply is under way, or lost: it goes along once more */
	s = from_client(&c, ACK, "0123456789");
	s.ack = lost.seq = c.cack - lost.len - 1;
	bench_send(&s);
	bench_outcome(WEIR_REPLY_DRAIN);
	lost.ack += 10;
	c.cseq += 10;
	bench_expect(&lost);
	for (i = 0; i < 5; i++) {
		s = from_client(&c, ACK, "0123456789");
		bench_send(&s);
		bench_outcome(WEIR_REPLY_DRAIN);
		c.cseq += 10;
		want = made_for_client(&c, ACK, NULL);
		bench_expect(&want);
	}
	/* behind a gap */
	s = from_client(&c, ACK, "0123456789");
	s.seq += 10;
	bench_send(&s);
	bench_outcome(WEIR_HEAD_GAP);
	bench_expect(&want);
	/* T101 */
	s = from_client(&c, ACK, "0123456789");
	s.wrong = 1;
	bench_send(&s);
	bench_nothing();
	bench_outcome(WEIR_HEAD_CSUM);
	s = from_client(&c, FIN | ACK, NULL);
	s.wrong = 1;
	bench_send(&s);
	bench_nothing();
	/* the client gives up */
	s = from_client(&c, RST, NULL);
	bench_send(&s);
	bench_nothing();
	bench_outcome(WEIR_RST_CLIENT);
}

/* A body in the same segment closes as well: the request is answered before all
 * of it has come. */
static void test_body_in_the_segment(void **state)
{
	struct conn c;

	start(&c);
	/* all of it is there: the connection may stay */
	replied(&c, "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n01234",
		WEIR_REPLY_NOT_FOUND, false);
	replied(&c, GET("/reply"), BENCH_REPLY, false);
	replied(&c, "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\n01234",
		WEIR_REPLY_NOT_FOUND, true);
}

/* A request without an end that weir could see, answered by weir, closes. */
static void test_chunked_body(void **state)
{
	struct conn c;

	start(&c);
	replied(&c,
		"POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
		"5\r\n01234\r\n",
		WEIR_REPLY_NOT_FOUND, true);
}

/* T055, with a reply of weir's own */
static void test_fin_with_request(void **state)
{
	static const char text[] = "GET /x HTTP/1.0\r\n\r\n";
	struct segment s, want;
	struct conn c;

	start(&c);
	s = from_client(&c, FIN | PSH | ACK, text);
	bench_send(&s);
	c.cseq += s.len + 1;
	want = conn_reply(&c, WEIR_REPLY_NOT_FOUND, true, false);
	bench_expect(&want);
	c.cack += want.len + 1;
	acknowledged(&c);

	/* the same of a request that would keep the connection */
	conn_init(&c, 40001, 500);
	conn_handshake(&c);
	s = from_client(&c, FIN | PSH | ACK, GET("/x"));
	bench_send(&s);
	c.cseq += s.len;
	want = conn_reply(&c, WEIR_REPLY_NOT_FOUND, false, false);
	bench_expect(&want);
	c.cack += want.len;
	s = from_client(&c, FIN | ACK, NULL);
	bench_send(&s);
	c.cseq++;
	want = made_for_client(&c, FIN | ACK, NULL);
	want.win = 0;
	bench_expect(&want);
}

/* T030 */
static void test_syn_after_a_closing_reply(void **state)
{
	struct segment s, want;
	struct conn c;

	start(&c);
	replied(&c, "GET /x HTTP/1.0\r\n\r\n", WEIR_REPLY_NOT_FOUND, true);
	s = conn_syn(&c);
	bench_send(&s);
	bench_outcome(WEIR_SYN_CHALLENGE);
	want = made_for_client(&c, ACK, NULL);
	bench_expect(&want);
}

/* T078 */
static void test_wrap(void **state)
{
	struct segment s;
	struct conn c;
	uint32_t i;

	for (i = 1; i < 100; i += 7) {
		conn_init(&c, 40000, -i);
		conn_handshake(&c);
		replied(&c, GET("/x"), WEIR_REPLY_NOT_FOUND, false);
		replied(&c, GET("/reply"), BENCH_REPLY, false);
		replied(&c, "GET /x HTTP/1.0\r\n\r\n", WEIR_REPLY_NOT_FOUND, true);
		s = from_client(&c, FIN | ACK, NULL);
		bench_send(&s);
		bench_outcome(WEIR_CLOSE_ACKED);
		bench_take(&s);
		bench_fresh(NULL);
	}
}

static const struct CMUnitTest tests[] = {
	BENCH_TEST(test_keeps_the_connection),
	BENCH_TEST(test_head_has_no_body),
	BENCH_TEST(test_closes),
	BENCH_TEST(test_fin_before_the_reply_arrived),
	BENCH_TEST(test_lost_reply_of_a_kept_connection),
	BENCH_TEST(test_pipelined_behind_a_lost_reply),
	BENCH_TEST(test_body_behind_a_reply),
	BENCH_TEST(test_body_in_the_segment),
	BENCH_TEST(test_chunked_body),
	BENCH_TEST(test_fin_with_request),
	BENCH_TEST(test_syn_after_a_closing_reply),
	BENCH_TEST(test_wrap),
};

BENCH_MAIN(tests)

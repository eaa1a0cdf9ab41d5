/* SPDX-License-Identifier: BSD-2-Clause */
/* Each request of a connection by itself: in place, rewritten, to another
 * endpoint, held back, behind a body. */
#include "conn.h"

#define POST(path, len) \
	"POST " path " HTTP/1.1\r\nHost: a\r\nContent-Length: " len "\r\n\r\n"

/* What weir acknowledges when it has `used` bytes of a head. */
static void expect_acked(struct conn *c, uint32_t used)
{
	struct segment s = made_for_client(c, ACK, NULL);

	s.ack = c->head + used;
	s.win = (BENCH_ROOM - used) >> WEIR_WSCALE;
	bench_expect(&s);
}

static void test_same_group(void **state)
{
	struct weir_flow f;
	struct conn c;
	int i;

	conn_open_idle(&c);
	for (i = 0; i < 5; i++) {
		conn_up(&c, PSH | ACK, GET("/a/some/where"));
		bench_outcome(WEIR_REQ_ROUTED);
		conn_respond(&c, OK_RESPONSE);
		assert_int_equal(bench_slots_held(), 0);
	}
	assert_true(bench_flow(40000, &f));
	assert_int_equal(f.requests, 6);
}

/* T045: a rewritten head is rewritten in every retransmission of any part */
static void test_rewritten_first_request(void **state)
{
	static const char sent[] = "GET /strip/x?y HTTP/1.1\r\nHost: a.example\r\n\r\n";
	static const char got[] = "GET /x?y HTTP/1.1\r\nHost:       a.example\r\n\r\n";
	uint32_t n = sizeof(sent) - 1, from, len;
	struct segment s, want;
	struct conn c;

	conn_init(&c, 40000, 1000000);
	conn_handshake(&c);
	conn_request(&c, sent);
	conn_accept(&c, got);
	want = made_for_endpoint(&c, PSH | ACK, got);
	want.seq = c.head + c.up;
	for (from = 0; from < n; from += 3) {
		for (len = 1; from + len <= n; len += 5) {
			s = from_client(&c, ACK, NULL);
			s.seq = c.head + from;
			s.data = sent + from;
			s.len = len;
			bench_send(&s);
			bench_outcome(WEIR_RESENT);
			bench_expect(&want);
		}
	}
	/* a piece of it has arrived */
	s = from_endpoint(&c, ACK, NULL);
	s.ack = c.head + c.up + 7;
	want = at_client(&c, &s);
	bench_send(&s);
	bench_expect(&want);
	s = from_client(&c, ACK, sent);
	s.seq = c.head;
	bench_send(&s);
	want = made_for_endpoint(&c, PSH | ACK, got + 7);
	want.seq = c.head + c.up + 7;
	bench_expect(&want);
	conn_respond(&c, OK_RESPONSE);
	assert_int_equal(bench_slots_held(), 0);
}

/* In place: the packet keeps its length and becomes what was routed. */
static void test_rewritten_later_request(void **state)
{
	static const char sent[] = "GET /strip/x HTTP/1.1\r\nHost: a.example\r\n\r\n";
	static const char got[] = "GET /x HTTP/1.1\r\nHost:       a.example\r\n\r\n";
	struct segment s, want;
	struct conn c;
	int i;

	conn_open_idle(&c);
	for (i = 0; i < 3; i++) {
		/* T101 */
		s = from_client(&c, PSH | ACK, sent);
		s.wrong = 0x10;
		bench_send(&s);
		bench_nothing();
		bench_outcome(WEIR_HEAD_CSUM);
		s = conn_next(&c, sent);
		want = at_endpoint(&c, &s);
		want.data = got;
		bench_send(&s);
		bench_expect(&want);
		c.eack = c.cseq + c.up;
		/* lost */
		bench_send(&s);
		bench_outcome(WEIR_RESENT);
		want = made_for_endpoint(&c, PSH | ACK, got);
		want.seq = c.head + c.up;
		bench_expect(&want);
		conn_respond(&c, OK_RESPONSE);
		assert_int_equal(bench_slots_held(), 0);
	}
}

/* Lengths and offsets of every parity: checksums of odd pieces */
static void test_rewritten_of_any_length(void **state)
{
	char sent[200], got[200];
	struct segment s, want;
	struct conn c;
	int i;

	conn_open_idle(&c);
	for (i = 0; i < 24; i++) {
		snprintf(sent, sizeof(sent),
			 "GET /strip/%.*s HTTP/1.1\r\nH:v%.*s\r\n\r\n", i % 5, "abcde",
			 i, "0123456789abcdefghijklmnopqrst");
		snprintf(got, sizeof(got),
			 "GET /%.*s HTTP/1.1\r\nH:      v%.*s\r\n\r\n", i % 5, "abcde",
			 i, "0123456789abcdefghijklmnopqrst");
		/* without a Host field it must be HTTP/1.0 */
		memcpy(strstr(sent, "1.1"), "1.0", 3);
		memcpy(strstr(got, "1.1"), "1.0", 3);
		s = conn_next(&c, sent);
		want = at_endpoint(&c, &s);
		want.data = got;
		bench_send(&s);
		bench_expect(&want);
		c.eack = c.cseq + c.up;
		conn_respond(&c, OK_RESPONSE);
	}
}

/* The next head in two pieces, cut everywhere; first bytes win here as well */
static void next_in_pieces(const char *text, const char *forwarded, bool other_group)
{
	uint32_t n = strlen(text), k;
	struct segment s, want;
	struct conn c, old;

	for (k = 1; k < n; k++) {
		conn_open_idle(&c);
		old = c;
		s = conn_next(&c, text);
		s.len = k;
		bench_send(&s);
		bench_outcome(WEIR_HEAD_PARTIAL);
		expect_acked(&c, k);
		/* repeated with other bytes */
		s.data = "XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX";
		bench_send(&s);
		expect_acked(&c, k);
		s = from_client(&c, PSH | ACK, text + k);
		s.seq = c.head + k;
		bench_send(&s);
		if (other_group) {
			conn_expect_leave(&old);
			conn_take_syn(&c);
			conn_accept(&c, forwarded);
		} else {
			want = made_for_endpoint(&c, PSH | ACK, forwarded);
			bench_expect(&want);
			c.eack = c.cseq + c.up;
		}
		conn_respond(&c, OK_RESPONSE);
		assert_int_equal(bench_slots_held(), 0);
		bench_fresh(NULL);
	}
}

static void test_next_head_in_pieces(void **state)
{
	next_in_pieces(GET("/a/x"), GET("/a/x"), false);
	next_in_pieces("GET /strip/x HTTP/1.1\r\nHost: a\r\n\r\n",
		       "GET /x HTTP/1.1\r\nHost:       a\r\n\r\n", false);
	next_in_pieces(GET("/b/x"), GET("/b/x"), true);
}

/* While weir has bytes that the endpoint lacks, bare ACKs stay within what the
 * endpoint knows. */
static void test_acks_beside_a_partial_head(void **state)
{
	struct segment s, want;
	struct conn c;

	conn_open_idle(&c);
	s = conn_next(&c, "GET /a");
	bench_send(&s);
	expect_acked(&c, 6);
	s = from_client(&c, ACK, NULL);
	want = at_endpoint(&c, &s);
	want.seq = c.head + c.up;
	bench_send(&s);
	bench_expect(&want);
	/* a gap is not parsed over, T127 */
	s = from_client(&c, ACK, "Host: a\r\n\r\n");
	s.seq += 50;
	bench_send(&s);
	bench_outcome(WEIR_HEAD_GAP);
	expect_acked(&c, 6);
	/* a FIN in the middle ends it all */
	s = from_client(&c, FIN | ACK, NULL);
	bench_send(&s);
	bench_take(&want);
	assert_int_equal(want.side, CLIENT);
	assert_int_equal(want.flags, RST);
	assert_int_equal(bench_slots_held(), 0);
}

/* T127 */
static void test_gap_before_the_next_head(void **state)
{
	struct segment s;
	struct conn c;

	conn_open_idle(&c);
	s = from_client(&c, PSH | ACK, GET("/b"));
	s.seq += 10;
	bench_send(&s);
	bench_nothing();
	bench_outcome(WEIR_HEAD_GAP);
	assert_int_equal(bench_slots_held(), 0);
}

/* T127, T046: with a hole in the body before it the next head is left alone:
 * to acknowledge any of it would acknowledge the hole. */
static void next_behind_a_hole(const char *text, uint32_t first)
{
	struct segment s, want;
	struct conn c;

	conn_open_idle(&c);
	conn_up(&c, PSH | ACK, POST("/a", "10"));
	conn_down(&c, ACK, NULL);
	/* "01234" is lost, and yet there is an answer */
	c.cseq += 5;
	conn_up(&c, PSH | ACK, "56789");
	c.cseq -= 10;
	c.eack -= 10;
	conn_down(&c, PSH | ACK, OK_RESPONSE);
	c.cseq += 10;
	s = from_client(&c, PSH | ACK, text);
	s.len = first;
	bench_send(&s);
	bench_nothing();
	bench_outcome(WEIR_HEAD_GAP);
	assert_int_equal(bench_slots_held(), 0);
	c.cseq -= 10;
	s = from_client(&c, PSH | ACK, "01234");
	want = at_endpoint(&c, &s);
	bench_send(&s);
	bench_expect(&want);
	c.cseq += 10;
	c.eack += 10;
	conn_down(&c, ACK, NULL);
	/* now it counts */
	s = from_client(&c, PSH | ACK, text);
	s.len = first;
	c.head = c.cseq;
	bench_send(&s);
	if (first < strlen(text)) {
		expect_acked(&c, first);
	} else {
		want = at_endpoint(&c, &s);
		bench_expect(&want);
	}
	bench_fresh(NULL);
}

static void test_next_head_behind_a_hole(void **state)
{
	next_behind_a_hole(GET("/a"), 10);
	next_behind_a_hole(GET("/a"), strlen(GET("/a")));
}

/* T125 */
static void test_other_group(void **state)
{
	struct segment s, want;
	struct conn c, old;
	int i;

	conn_open_idle(&c);
	for (i = 0; i < 4; i++) {
		old = c;
		conn_switch(&c, i & 1 ? GET("/a") : GET("/b"));
		conn_respond(&c, OK_RESPONSE);
		/* the leg that was left: its ACK, its FIN, that FIN again */
		s = from_endpoint(&old, ACK, NULL);
		s.ack++;
		bench_send(&s);
		bench_nothing();
		bench_outcome(WEIR_ORPHAN);
		s = from_endpoint(&old, FIN | ACK, NULL);
		s.ack++;
		want = made_for_endpoint(&old, ACK, NULL);
		want.seq++;
		want.ack++;
		want.win = 0xffff;
		bench_send(&s);
		bench_expect(&want);
		bench_send(&s);
		bench_expect(&want);
	}
	assert_int_equal(bench_slots_held(), 0);
}

/* The orphan's FIN lost; and an endpoint that still talks */
static void test_orphans(void **state)
{
	struct segment s, want;
	struct conn c, old;

	conn_open_idle(&c);
	old = c;
	conn_switch(&c, GET("/b"));
	/* it has not seen our FIN and repeats its last data */
	s = from_endpoint(&old, PSH | ACK, OK_RESPONSE);
	s.seq -= s.len;
	bench_send(&s);
	bench_outcome(WEIR_ORPHAN);
	want = made_for_endpoint(&old, FIN | ACK, NULL);
	want.win = 0xffff;
	bench_expect(&want);
	/* it closes by itself at the same time */
	s = from_endpoint(&old, FIN | ACK, NULL);
	bench_send(&s);
	want.ack++;
	bench_expect(&want);
	/* it sends something new: refused */
	s = from_endpoint(&old, PSH | ACK, "more");
	bench_send(&s);
	bench_outcome(WEIR_ORPHAN_RST);
	bench_take(&want);
	assert_int_equal(want.flags, RST);
	assert_int_equal(want.side, ENDPOINT);
	conn_respond(&c, OK_RESPONSE);
}

/* T125, T143: not before the client has acknowledged all of the response */
static void test_held_until_acknowledged(void **state)
{
	struct segment s, held, want;
	struct conn c, old;

	conn_open(&c, 40000, GET("/a"));
	/* at once, before any answer */
	held = conn_next(&c, GET("/b"));
	/* the endpoint has not acknowledged the first head: not even read */
	bench_send(&held);
	bench_nothing();
	bench_outcome(WEIR_REQ_HELD);
	s = from_endpoint(&c, ACK, NULL);
	want = at_client(&c, &s);
	want.ack = c.head;
	bench_send(&s);
	bench_expect(&want);
	/* read, but the answer is still to come */
	bench_send(&held);
	bench_nothing();
	bench_outcome(WEIR_REQ_HELD);
	assert_int_equal(bench_slots_held(), 1);
	old = c;
	s = from_endpoint(&c, PSH | ACK, OK_RESPONSE);
	want = at_client(&c, &s);
	want.ack = c.head;
	bench_send(&s);
	bench_expect(&want);
	/* and its ACK, which it might delay, is asked for: T143 */
	c.eack = c.head + c.up;
	conn_expect_poke(&c, c.cack);
	old.eseq = c.eseq += s.len;
	/* the client has it, but not all of it: its ACK goes to the endpoint */
	c.cack += 10;
	s = from_client(&c, ACK, NULL);
	want = at_endpoint(&c, &s);
	want.seq = c.head + c.up;
	bench_send(&s);
	bench_expect(&want);
	/* all of it: this ACK becomes the FIN and the SYN */
	c.cack += s.len + strlen(OK_RESPONSE) - 10;
	s = from_client(&c, ACK, NULL);
	bench_send(&s);
	bench_outcome(WEIR_SWITCHED);
	conn_expect_leave(&old);
	conn_take_syn(&c);
	assert_int_equal(c.endpoint, 2);
	conn_accept(&c, GET("/b"));
	conn_respond(&c, OK_RESPONSE);
	assert_int_equal(bench_slots_held(), 0);
}

/* T142, T143 */
static void test_reply_on_a_later_request(void **state)
{
	struct segment s, want;
	struct conn c, old;

	conn_open_idle(&c);
	old = c;
	s = conn_next(&c, GET("/x"));
	bench_send(&s);
	bench_outcome(WEIR_REQ_NO_ROUTE);
	conn_expect_leave(&old);
	want = conn_reply(&c, WEIR_REPLY_NOT_FOUND, false, false);
	bench_expect(&want);
	assert_int_equal(bench_slots_held(), 0);
	/* T140 */
	bench_send(&s);
	bench_expect(&want);
	c.cack += want.len;
	conn_request(&c, GET("/a"));
	conn_accept(&c, GET("/a"));

	/* the same while the answer before it is still to come */
	s = from_endpoint(&c, PSH | ACK, OK_RESPONSE);
	want = at_client(&c, &s);
	bench_send(&s);
	bench_expect(&want);
	c.eseq += s.len;
	old = c;
	s = conn_next(&c, GET("/x"));
	bench_send(&s);
	bench_nothing();
	bench_outcome(WEIR_REQ_HELD);
	c.cack = c.eseq - c.down;
	s = from_client(&c, ACK, NULL);
	bench_send(&s);
	conn_expect_leave(&old);
	want = conn_reply(&c, WEIR_REPLY_NOT_FOUND, false, false);
	bench_expect(&want);
}

/* A body behind its head while that is kept, and the head's retransmission */
static void test_body_behind_a_kept_head(void **state)
{
	struct segment s, want;
	struct conn c;

	conn_open_idle(&c);
	s = conn_next(&c, POST("/a", "20") "01234");
	want = at_endpoint(&c, &s);
	bench_send(&s);
	bench_expect(&want);
	c.eack = c.cseq + c.up;
	conn_up(&c, ACK, "56789");
	assert_int_equal(bench_slots_held(), 1);
	/* the first is lost, the second came through */
	bench_send(&s);
	bench_outcome(WEIR_RESENT);
	want = made_for_endpoint(&c, PSH | ACK, POST("/a", "20"));
	want.seq = c.head + c.up;
	bench_expect(&want);
	/* the head has arrived, the five bytes behind it have not */
	s = from_endpoint(&c, ACK, NULL);
	s.ack = c.head + strlen(POST("/a", "20")) + c.up;
	want = at_client(&c, &s);
	bench_send(&s);
	bench_expect(&want);
	assert_int_equal(bench_slots_held(), 0);
	s = from_client(&c, ACK, "01234");
	s.seq = c.head + strlen(POST("/a", "20"));
	want = at_endpoint(&c, &s);
	bench_send(&s);
	bench_expect(&want);
	conn_up(&c, ACK, "abcdefghij");
	conn_respond(&c, OK_RESPONSE);
	conn_up(&c, PSH | ACK, GET("/a"));
	bench_outcome(WEIR_REQ_ROUTED);
}

/* T079: a body of 5 GB, counted with 64 bits; the next head behind it is read */
static void test_body_of_many_gigabytes(void **state)
{
	uint64_t left = 5000000000ull, step;
	struct conn c;

	conn_open_idle(&c);
	conn_up(&c, PSH | ACK, POST("/a", "5000000000"));
	conn_down(&c, ACK, NULL);
	while (left > 3) {
		step = left > 900000000 ? 900000000 : left;
		/* the last bytes of what would have come meanwhile */
		c.cseq += step - 3;
		c.eack += step - 3;
		conn_up(&c, ACK, "123");
		left -= step;
	}
	conn_respond(&c, OK_RESPONSE);
	conn_switch(&c, GET("/b"));
	conn_respond(&c, OK_RESPONSE);
}

/* T129 */
static void test_expect_continue(void **state)
{
	struct conn c;

	conn_open_idle(&c);
	conn_up(&c, PSH | ACK,
		"POST /a HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n"
		"Content-Length: 4\r\n\r\n");
	conn_respond(&c, "HTTP/1.1 100 Continue\r\n\r\n");
	conn_up(&c, PSH | ACK, "body");
	conn_respond(&c, OK_RESPONSE);
	conn_switch(&c, GET("/b"));
}

/* T137: the endpoint has closed, and the next request goes elsewhere: the
 * client, who has had the FIN, is told at once */
static void test_request_after_the_endpoints_fin(void **state)
{
	struct segment s, want;
	struct conn c;

	conn_open_idle(&c);
	conn_down(&c, FIN | ACK, NULL);
	conn_up(&c, ACK, NULL);
	s = conn_next(&c, GET("/b"));
	bench_send(&s);
	bench_outcome(WEIR_FLOW_GONE);
	want = made_for_client(&c, RST, NULL);
	want.ack = 0;
	want.win = 0;
	bench_expect(&want);
	assert_int_equal(bench_slots_held(), 0);
}

/* T055: the last request with a FIN */
static void test_fin_with_a_later_request(void **state)
{
	struct conn c;

	conn_open_idle(&c);
	conn_up(&c, FIN | PSH | ACK, GET("/a"));
	conn_respond(&c, OK_RESPONSE);
	conn_down(&c, FIN | ACK, NULL);
	conn_up(&c, ACK, NULL);
	assert_int_equal(bench_slots_held(), 0);
}

static const struct CMUnitTest tests[] = {
	BENCH_TEST(test_same_group),
	BENCH_TEST(test_rewritten_first_request),
	BENCH_TEST(test_rewritten_later_request),
	BENCH_TEST(test_rewritten_of_any_length),
	BENCH_TEST(test_next_head_in_pieces),
	BENCH_TEST(test_acks_beside_a_partial_head),
	BENCH_TEST(test_gap_before_the_next_head),
	BENCH_TEST(test_next_head_behind_a_hole),
	BENCH_TEST(test_other_group),
	BENCH_TEST(test_orphans),
	BENCH_TEST(test_held_until_acknowledged),
	BENCH_TEST(test_reply_on_a_later_request),
	BENCH_TEST(test_body_behind_a_kept_head),
	BENCH_TEST(test_body_of_many_gigabytes),
	BENCH_TEST(test_expect_continue),
	BENCH_TEST(test_request_after_the_endpoints_fin),
	BENCH_TEST(test_fin_with_a_later_request),
};

BENCH_MAIN(tests)

/* SPDX-License-Identifier: BSD-2-Clause */
/* Redirects to https, which quote the request: the same bytes as often as they
 * are lost, and the request is kept no longer than they may be. */
#include "conn.h"

#define LOCATION(host, target)           \
	"HTTP/1.1 301 Moved Permanently" \
	"\r\n"                           \
	"Location: https://" host target \
	"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"

static void start(struct conn *c)
{
	conn_init(c, 40000, 1000000);
	conn_handshake(c);
}

static struct segment answer(const struct conn *c, const char *text)
{
	return made_for_client(c, PSH | ACK | FIN, text);
}

/* The client acknowledges the answer, which frees the request. */
static void acknowledged_at(struct conn *c, uint32_t len, int line)
{
	struct segment s;

	assert_int_equal(bench_slots_held(), 1);
	c->cack += len + 1;
	s = from_client(c, ACK, NULL);
	bench_send_at(&s, __FILE__, line);
	bench_nothing_at(__FILE__, line);
	assert_int_equal(bench_slots_held(), 0);
}

static void ended_at(struct conn *c, int line)
{
	struct segment s = from_client(c, FIN | ACK, NULL), want;

	bench_send_at(&s, __FILE__, line);
	c->cseq++;
	want = made_for_client(c, ACK, NULL);
	want.win = 0;
	bench_expect_at(&want, __FILE__, line);
}

static void redirected_at(const char *request, const char *text, int line)
{
	struct segment s, want;
	struct conn c;

	bench_fresh(NULL);
	start(&c);
	s = from_client(&c, PSH | ACK, request);
	c.cseq += s.len;
	want = answer(&c, text);
	bench_send_at(&s, __FILE__, line);
	bench_outcome_at(WEIR_REPLIED, "replied", __FILE__, line);
	bench_expect_at(&want, __FILE__, line);
	acknowledged_at(&c, want.len, line);
	ended_at(&c, line);
}

#define redirected(request, text) redirected_at(request, text, __LINE__)

static void test_location(void **state)
{
	redirected(GET("/redirect/x?a=1"), LOCATION("a.example", "/redirect/x?a=1"));
	redirected("GET /redirect HTTP/1.1\r\nX: y\r\nHost: A.example:8080\r\n\r\n",
		   LOCATION("A.example", "/redirect"));
	redirected("GET /redirect HTTP/1.1\r\nHost: 192.0.2.1\r\n"
		   "Connection: close\r\n\r\n",
		   LOCATION("192.0.2.1", "/redirect"));
	redirected("HEAD /redirect HTTP/1.1\r\nHost: a\r\n\r\n",
		   LOCATION("a", "/redirect"));
	redirected("POST /redirect HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc",
		   LOCATION("a", "/redirect"));
	/* what was absolute-form, or no normal form, is quoted as it was matched */
	redirected("GET http://a:80/redirect?q HTTP/1.1\r\nHost: a:80\r\n\r\n",
		   LOCATION("a", "/redirect?q"));
	redirected("GET /x/../redirect HTTP/1.1\r\nHost: a\r\n\r\n",
		   LOCATION("a", "/redirect"));
}

/* Each length modulo the words and pieces of a checksum. */
static void test_lengths(void **state)
{
	char request[2048], text[2048], target[1024] = "/redirect/";
	size_t n;

	for (n = strlen(target); n < 1020; n += n < 40 ? 1 : 97) {
		memset(target + 10, 'x', n - 10);
		target[n] = 0;
		snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\nHost: a\r\n\r\n",
			 target);
		snprintf(text, sizeof(text), LOCATION("a", "%s"), target);
		redirected(request, text);
	}
}

static void test_lost(void **state)
{
	struct segment s, want, body;
	struct conn c;

	start(&c);
	s = from_client(&c, PSH | ACK, GET("/redirect"));
	c.cseq += s.len;
	want = answer(&c, LOCATION("a.example", "/redirect"));
	bench_send(&s);
	bench_expect(&want);
	/* another connection uses buffers in between */
	{
		struct conn other;

		conn_init(&other, 40001, 77);
		conn_handshake(&other);
		conn_request(&other, GET("/a/otherwise"));
		conn_accept(&other, GET("/a/otherwise"));
		conn_respond(&other, OK_RESPONSE);
	}
	bench_send(&s);
	bench_outcome(WEIR_REPLY_AGAIN);
	bench_expect(&want);
	bench_send(&s);
	bench_expect(&want);
	/* bytes that follow, a pipelined request say, ask for it as well */
	body = from_client(&c, ACK, "0123456789");
	bench_send(&body);
	bench_outcome(WEIR_REPLY_DRAIN);
	c.cseq += 10;
	want.ack += 10;
	bench_expect(&want);
	acknowledged_at(&c, want.len, __LINE__);
	/* a packet from before the acknowledgement finds nothing to repeat */
	bench_send(&s);
	bench_nothing();
	ended_at(&c, __LINE__);
}

static void test_lost_behind_the_fin(void **state)
{
	struct segment s, want;
	struct conn c;

	start(&c);
	s = from_client(&c, FIN | PSH | ACK, GET("/redirect"));
	c.cseq += s.len + 1;
	want = answer(&c, LOCATION("a.example", "/redirect"));
	bench_send(&s);
	bench_expect(&want);
	assert_int_equal(bench_slots_held(), 1);
	bench_send(&s);
	bench_expect(&want);
	c.cack += want.len + 1;
	s = from_client(&c, ACK, NULL);
	bench_send(&s);
	bench_nothing();
	assert_int_equal(bench_slots_held(), 0);
}

static void test_reset(void **state)
{
	struct segment s, want;
	struct conn c;

	start(&c);
	s = from_client(&c, PSH | ACK, GET("/redirect"));
	c.cseq += s.len;
	want = answer(&c, LOCATION("a.example", "/redirect"));
	bench_send(&s);
	bench_expect(&want);
	assert_int_equal(bench_slots_held(), 1);
	s = from_client(&c, RST, NULL);
	bench_send(&s);
	bench_outcome(WEIR_RST_CLIENT);
	assert_int_equal(bench_slots_held(), 0);
}

/* The port is used again before the last acknowledgement has come. */
static void test_anew(void **state)
{
	struct segment s, want;
	struct conn c;

	start(&c);
	s = from_client(&c, FIN | PSH | ACK, GET("/redirect"));
	c.cseq += s.len + 1;
	want = answer(&c, LOCATION("a.example", "/redirect"));
	bench_send(&s);
	bench_expect(&want);
	assert_int_equal(bench_slots_held(), 1);
	c.cseq += 100000;
	conn_handshake(&c);
	assert_int_equal(bench_slots_held(), 0);
	conn_request(&c, GET("/a"));
}

/* After a request that an endpoint has answered. */
static void test_after_an_endpoint(void **state)
{
	struct segment s, want;
	struct conn c;

	conn_open(&c, 40000, GET("/a"));
	conn_respond(&c, OK_RESPONSE);
	s = from_client(&c, PSH | ACK, GET("/redirect"));
	c.cseq += s.len;
	want = answer(&c, LOCATION("a.example", "/redirect"));
	bench_send(&s);
	bench_outcome(WEIR_SWITCHED);
	bench_expect(&want);
	bench_take(&s);
	assert_int_equal(s.side, ENDPOINT);
	assert_int_equal(s.flags, FIN | ACK);
	acknowledged_at(&c, want.len, __LINE__);
}

static void refused_at(struct conn *c, const char *request, uint32_t id, bool head_only,
		       int line)
{
	struct segment s, want;

	s = from_client(c, PSH | ACK, request);
	c->cseq += s.len;
	want = conn_reply(c, id, true, head_only);
	bench_send_at(&s, __FILE__, line);
	bench_expect_at(&want, __FILE__, line);
	assert_int_equal(bench_slots_held(), 0);
}

/* What cannot be quoted. */
static void test_refused(void **state)
{
	char request[4096];
	struct conn c;

	start(&c);
	refused_at(&c, "GET /redirect HTTP/1.0\r\n\r\n", WEIR_REPLY_BAD_REQUEST, false,
		   __LINE__);
	bench_outcome(WEIR_REQ_BAD);

	snprintf(request, sizeof(request),
		 "GET /redirect?%01100d HTTP/1.1\r\nHost: a\r\n\r\n", 0);
	conn_init(&c, 40001, 5);
	conn_handshake(&c);
	refused_at(&c, request, WEIR_REPLY_TOO_LONG, false, __LINE__);
	bench_outcome(WEIR_REQ_TOO_LONG);

	/* over the client's segment */
	snprintf(request, sizeof(request),
		 "GET /redirect?%0500d HTTP/1.1\r\nHost: a\r\n\r\n", 0);
	conn_init(&c, 40002, 5);
	c.mss = 536;
	conn_handshake(&c);
	refused_at(&c, request, WEIR_REPLY_TOO_LONG, false, __LINE__);
}

static const struct CMUnitTest tests[] = {
	BENCH_TEST(test_location),
	BENCH_TEST(test_lengths),
	BENCH_TEST(test_lost),
	BENCH_TEST(test_lost_behind_the_fin),
	BENCH_TEST(test_reset),
	BENCH_TEST(test_anew),
	BENCH_TEST(test_after_an_endpoint),
	BENCH_TEST(test_refused),
};

BENCH_MAIN(tests)

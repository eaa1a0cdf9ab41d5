/* SPDX-License-Identifier: BSD-2-Clause */
/* Where responses end: what waits for that, what is counted, what is lost. */
#include "conn.h"

#include <bpf/bpf.h>

#include <weir/stats.h>

#define ROUTE_A 100

/* A request to another group is held as long as the client's ACKs of all that has
 * come so far change nothing. */
static void held(struct conn *c, const struct segment *request)
{
	struct segment s, want;

	bench_send(request);
	bench_nothing();
	bench_outcome(WEIR_REQ_HELD);
	s = from_client(c, ACK, NULL);
	want = at_endpoint(c, &s);
	want.seq = c->head + c->up;
	bench_send(&s);
	bench_expect(&want);
}

/* The endpoint's bytes pass, the client has not acknowledged them yet. */
static void answer(struct conn *c, const char *text)
{
	struct segment s = from_endpoint(c, PSH | ACK, text), want;

	/* it lacks the request that is held */
	want = at_client(c, &s);
	want.ack = c->eack - c->up;
	bench_send(&s);
	bench_expect(&want);
	c->eseq += s.len;
}

/* Sends the response in two parts, with a pause at each of its bytes: a request to
 * another group that comes in between is held until the last byte is acknowledged. */
static void paused(const char *request, const char *response)
{
	uint32_t n = strlen(response), cut;

	for (cut = 1; cut<n; cut += n> 60 ? 3 : 1) {
		char first[256], *rest = first + 128;
		struct segment next, s;
		struct conn c, old;

		snprintf(first, 128, "%.*s", cut, response);
		snprintf(rest, 128, "%s", response + cut);
		conn_open(&c, 40000, request);
		answer(&c, first);
		c.cack = c.eseq - c.down;
		next = conn_next(&c, GET("/b"));
		held(&c, &next);
		answer(&c, rest);
		conn_expect_poke(&c, c.cack);
		old = c;
		c.cack = c.eseq - c.down;
		s = from_client(&c, ACK, NULL);
		bench_send(&s);
		bench_outcome(WEIR_SWITCHED);
		old.cack = c.cack;
		conn_expect_leave(&old);
		conn_take_syn(&c);
		conn_accept(&c, GET("/b"));
		bench_fresh(NULL);
	}
}

static void test_paused_length(void **state)
{
	paused(GET("/a"), "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
}

static void test_paused_chunks(void **state)
{
	paused(GET("/a"), "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
			  "5\r\nhello\r\nb\r\n0123456789a\r\n0\r\nX: y\r\n\r\n");
}

static void test_paused_interim(void **state)
{
	paused(GET("/a"), "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nA: b\r\n"
			  "\r\nHTTP/1.1 204 Nothing\r\n\r\n");
}

static void test_paused_head(void **state)
{
	paused("HEAD /a HTTP/1.1\r\nHost: a\r\n\r\n",
	       "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n");
}

/* T079: 5 GB, counted with 64 bits across the wrap of the numbers; packets that come in
 * another order in the midst of a body do not lose its end */
static void test_response_of_many_gigabytes(void **state)
{
	uint64_t left = 5000000000ull, step;
	struct segment s;
	struct conn c;

	conn_open(&c, 40000, GET("/a"));
	conn_down(&c, PSH | ACK,
		  "HTTP/1.1 200 OK\r\nContent-Length: 5000000000\r\n\r\n");
	while (left) {
		step = left > 900000000 ? 900000000 : left;
		left -= step;
		/* the last bytes of what would have come meanwhile */
		c.eseq += step - 3;
		c.cack += step - 3;
		if (left) {
			conn_down(&c, ACK, "123");
			conn_up(&c, ACK, NULL);
		}
	}
	s = from_client(&c, PSH | ACK, GET("/b"));
	bench_send(&s);
	bench_nothing();
	bench_outcome(WEIR_REQ_HELD);
	conn_answered_and_moved(&c, "123", c.cseq, c.cseq + s.len);
	conn_accept(&c, GET("/b"));
	conn_respond(&c, OK_RESPONSE);
}

static struct weir_route_stats stats_of(uint32_t route)
{
	struct weir_route_stats r = {};

	assert_int_equal(bpf_map_lookup_elem(bench_map("route_stats"), &route, &r), 0);
	return r;
}

static void stats_put(uint32_t route)
{
	static const struct weir_route_stats none;

	assert_int_equal(
		bpf_map_update_elem(bench_map("route_stats"), &route, &none, 0), 0);
}

static uint64_t timed(const struct weir_route_stats *r)
{
	uint64_t n = 0;
	int i;

	for (i = 0; i < (int)WEIR_HIST_BUCKETS; i++)
		n += r->first_byte_us[i];
	return n;
}

/* Two requests are on their way at once; responses share a packet, interim ones
 * and the next request's too. */
static void test_pipelined_counts(void **state)
{
	static const char answers[] = "HTTP/1.1 404 No\r\nContent-Length: 3\r\n\r\nabc"
				      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 500 "
				      "No\r\nContent-Length: 0\r\n\r\n";
	struct weir_route_stats r;
	struct weir_leg l;
	struct conn c;

	stats_put(ROUTE_A);
	conn_open_idle(&c);
	conn_up(&c, PSH | ACK, GET("/a/1"));
	conn_down(&c, ACK, NULL);
	conn_up(&c, PSH | ACK, GET("/a/2"));
	conn_down(&c, PSH | ACK, answers);
	conn_up(&c, ACK, NULL);
	r = stats_of(ROUTE_A);
	assert_int_equal(r.requests, 3);
	assert_int_equal(r.responses[0], 1);
	assert_int_equal(r.responses[1], 1);
	assert_int_equal(r.responses[3], 1);
	assert_int_equal(r.responses[4], 1);
	assert_int_equal(timed(&r), 3);
	assert_int_equal(r.bytes_down, strlen(OK_RESPONSE) + strlen(answers));
	assert_true(bench_leg(ENDPOINT_IP(c.endpoint), c.leg_port, &l));
	assert_int_equal(l.response.state, WEIR_RESPONSE_OVER);
	assert_int_equal(l.asked_first, l.asked_end);
	conn_switch(&c, GET("/b"));
}

/* No more requests than can be told apart are on their way. */
static void test_many_pipelined(void **state)
{
	struct segment s;
	struct conn c;
	uint32_t i;

	conn_open_idle(&c);
	for (i = 0; i < WEIR_ASKED_MAX; i++) {
		conn_up(&c, PSH | ACK, GET("/a/1"));
		conn_down(&c, ACK, NULL);
	}
	s = from_client(&c, PSH | ACK, GET("/a/2"));
	bench_send(&s);
	bench_nothing();
	bench_outcome(WEIR_REQ_HELD);
	conn_respond(&c, OK_RESPONSE);
	conn_up(&c, PSH | ACK, GET("/a/2"));
	for (i = 0; i < WEIR_ASKED_MAX; i++)
		conn_respond(&c, OK_RESPONSE);
	conn_switch(&c, GET("/b"));
}

/* A packet that overtakes framing passes; where the response ends is not known, so
 * the next request waits for acknowledged bytes only, and then it is known again. */
static void test_lost_and_found(void **state)
{
	struct segment first, s, want;
	struct weir_leg l;
	struct conn c;

	conn_open(&c, 40000, GET("/a"));
	first = from_endpoint(&c, ACK, "HTTP/1.1 200 OK\r\nContent-Le");
	s = from_endpoint(&c, PSH | ACK, "ngth: 2\r\n\r\nhi");
	s.seq += first.len;
	want = at_client(&c, &s);
	bench_send(&s);
	bench_expect(&want);
	assert_true(bench_leg(ENDPOINT_IP(c.endpoint), c.leg_port, &l));
	assert_int_equal(l.response.state, WEIR_RESPONSE_LOST);
	want = at_client(&c, &first);
	bench_send(&first);
	bench_expect(&want);
	c.eseq += first.len + s.len;
	c.cack = c.eseq - c.down;
	conn_up(&c, ACK, NULL);
	conn_up(&c, PSH | ACK, GET("/a"));
	conn_respond(&c, OK_RESPONSE);
	assert_true(bench_leg(ENDPOINT_IP(c.endpoint), c.leg_port, &l));
	assert_int_equal(l.response.state, WEIR_RESPONSE_OVER);
	conn_switch(&c, GET("/b"));
}

#define UPGRADE                                                 \
	"GET /a HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\n" \
	"Upgrade: websocket\r\n\r\n"

/* Bytes behind the request wait for the 101, then both ways are a tunnel. */
static void test_upgraded(void **state)
{
	struct segment s;
	struct conn c;

	conn_open_idle(&c);
	conn_up(&c, PSH | ACK, UPGRADE);
	bench_outcome(WEIR_REQ_PINNED);
	conn_down(&c, ACK, NULL);
	s = from_client(&c, PSH | ACK, "\x81\x05hello");
	bench_send(&s);
	bench_nothing();
	bench_outcome(WEIR_REQ_HELD);
	conn_respond(&c,
		     "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n");
	conn_up(&c, PSH | ACK, "\x81\x05hello");
	conn_respond(&c, "\x81\x05HELLO");
	conn_up(&c, PSH | ACK, GET("/b"));
	conn_respond(&c, OK_RESPONSE);
	assert_int_equal(bench_slots_held(), 0);
}

/* The endpoint would not: the connection stays HTTP. */
static void test_not_upgraded(void **state)
{
	struct conn c;

	conn_open_idle(&c);
	conn_up(&c, PSH | ACK, UPGRADE);
	conn_respond(&c, OK_RESPONSE);
	conn_up(&c, PSH | ACK, GET("/a"));
	bench_outcome(WEIR_REQ_ROUTED);
	conn_respond(&c, OK_RESPONSE);
	conn_switch(&c, GET("/b"));
}

static const struct CMUnitTest tests[] = {
	BENCH_TEST(test_paused_length),
	BENCH_TEST(test_paused_chunks),
	BENCH_TEST(test_paused_interim),
	BENCH_TEST(test_paused_head),
	BENCH_TEST(test_response_of_many_gigabytes),
	BENCH_TEST(test_pipelined_counts),
	BENCH_TEST(test_many_pipelined),
	BENCH_TEST(test_lost_and_found),
	BENCH_TEST(test_upgraded),
	BENCH_TEST(test_not_upgraded),
};

BENCH_MAIN_IN(tests, false)

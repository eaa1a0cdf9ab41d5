/* SPDX-License-Identifier: BSD-2-Clause */
/* The PROXY header in front of the first request of an endpoint's connection. */
#include <arpa/inet.h>

#include "conn.h"
#include "pure/proxy.h"

static uint8_t bytes[PROXY_WORDS_V6 * 4 + 4096];

static uint32_t header_len(void)
{
	return proxy_len(bench_mode()->v6);
}

/* The header for this client, and `text` behind it. */
static struct segment with_header(const struct conn *c, uint8_t flags, const char *text)
{
	struct segment s = made_for_endpoint(c, flags, NULL);
	struct weir_tuple t = {.sport = htons(c->port), .dport = htons(LISTEN_PORT)};
	uint32_t w[PROXY_WORDS_V6];

	bench_addr(CLIENT_IP, &t.src);
	bench_addr(LISTEN_IP, &t.dst);
	proxy_write(w, &t, bench_mode()->v6);
	memcpy(bytes, w, header_len());
	memcpy(bytes + header_len(), text, strlen(text));
	s.data = (const char *)bytes;
	s.len = header_len() + strlen(text);
	return s;
}

static void accept_with_header(struct conn *c, const char *head)
{
	struct segment want;

	conn_synack(c);
	want = with_header(c, PSH | ACK, head);
	bench_expect(&want);
	c->eack += want.len;
	c->up += header_len();
}

static void start(struct conn *c)
{
	bench_group_flags(GROUP_A, WEIR_GROUP_PROXY);
	bench_turn(GROUP_A, 0);
	conn_init(c, 40000, 1000000);
	conn_handshake(c);
	conn_request(c, GET("/a"));
}

static void next_request(struct conn *c)
{
	struct segment s = conn_next(c, GET("/a")), want = at_endpoint(c, &s);

	bench_send(&s);
	bench_expect(&want);
	c->eack += s.len;
	conn_respond(c, OK_RESPONSE);
}

/* Once for each connection to an endpoint, not for each request. */
static void test_first_only(void **state)
{
	struct segment s, want;
	struct conn c;

	start(&c);
	accept_with_header(&c, GET("/a"));
	conn_respond(&c, OK_RESPONSE);
	assert_int_equal(bench_slots_held(), 0);
	next_request(&c);
	/* and a later head that is lost comes alone */
	s = conn_next(&c, GET("/a"));
	want = at_endpoint(&c, &s);
	bench_send(&s);
	bench_expect(&want);
	bench_send(&s);
	bench_outcome(WEIR_RESENT);
	want = made_for_endpoint(&c, PSH | ACK, GET("/a"));
	bench_expect(&want);
	c.eack += s.len;
	conn_respond(&c, OK_RESPONSE);
	conn_down(&c, FIN | ACK, NULL);
	conn_up(&c, FIN | ACK, NULL);
	conn_down(&c, ACK, NULL);
}

/* Lost, all of it or the end of the header: whole again, before the head. */
static void test_lost(void **state)
{
	struct segment s, again, want;
	struct conn c;

	start(&c);
	accept_with_header(&c, GET("/a"));
	again = from_client(&c, PSH | ACK, GET("/a"));
	again.seq = c.head;
	bench_send(&again);
	bench_outcome(WEIR_RESENT);
	want = with_header(&c, PSH | ACK, GET("/a"));
	want.seq = c.head + c.up - header_len();
	bench_expect(&want);
	s = from_endpoint(&c, ACK, NULL);
	s.ack = c.head + c.up - 10;
	want = at_client(&c, &s);
	bench_send(&s);
	bench_expect(&want);
	bench_send(&again);
	want = with_header(&c, PSH | ACK, GET("/a"));
	want.seq = c.head + c.up - header_len();
	bench_expect(&want);
	/* the header is there, and ten bytes of the head */
	s = from_endpoint(&c, ACK, NULL);
	s.ack = c.head + c.up + 10;
	want = at_client(&c, &s);
	bench_send(&s);
	bench_expect(&want);
	bench_send(&again);
	want = made_for_endpoint(&c, PSH | ACK, GET("/a") + 10);
	want.seq = c.head + c.up + 10;
	bench_expect(&want);
	conn_respond(&c, OK_RESPONSE);
	next_request(&c);
}

static void test_synack_again(void **state)
{
	struct segment s, want;
	struct conn c;

	start(&c);
	accept_with_header(&c, GET("/a"));
	s = from_endpoint(&c, SYN | ACK, NULL);
	s.seq = c.eseq - 1;
	s.ack = c.head + c.up - header_len();
	opt_mss(&s, 1460);
	bench_send(&s);
	bench_outcome(WEIR_SYNACK_AGAIN);
	want = with_header(&c, PSH | ACK, GET("/a"));
	want.seq = c.head + c.up - header_len();
	bench_expect(&want);
	conn_respond(&c, OK_RESPONSE);
}

/* Another Service without it, and back. */
static void test_switched(void **state)
{
	struct segment s;
	struct conn c, old;

	start(&c);
	accept_with_header(&c, GET("/a"));
	conn_respond(&c, OK_RESPONSE);
	conn_switch(&c, GET("/b"));
	conn_respond(&c, OK_RESPONSE);
	old = c;
	s = conn_next(&c, GET("/a"));
	bench_send(&s);
	conn_expect_leave(&old);
	conn_take_syn(&c);
	accept_with_header(&c, GET("/a"));
	conn_respond(&c, OK_RESPONSE);
}

static void test_refused(void **state)
{
	struct segment s;
	struct conn c;

	start(&c);
	s = conn_refusal(&c);
	bench_send(&s);
	conn_take_syn(&c);
	assert_int_equal(c.endpoint, 1);
	accept_with_header(&c, GET("/a"));
	conn_respond(&c, OK_RESPONSE);
}

static void test_small_segments(void **state)
{
	static char text[300];
	uint32_t n = 200 - header_len();
	struct segment want;
	struct conn c;

	memset(text, 'x', sizeof(text) - 1);
	memcpy(text, "GET /a HTTP/1.1\r\nHost: a\r\nA: ", 29);
	memcpy(text + sizeof(text) - 5, "\r\n\r\n", 4);
	bench_group_flags(GROUP_A, WEIR_GROUP_PROXY);
	conn_init(&c, 40000, 1000000);
	c.emss = 200;
	conn_handshake(&c);
	conn_request(&c, text);
	conn_synack(&c);
	want = with_header(&c, ACK, text);
	want.len = 200;
	bench_expect(&want);
	c.eack += 200;
	c.up += header_len();
	want = made_for_endpoint(&c, ACK, text + n);
	if (want.len > 200)
		want.len = 200;
	else
		want.flags |= PSH;
	bench_expect(&want);
	c.eack += want.len;
	if (n + want.len < strlen(text)) {
		want = made_for_endpoint(&c, PSH | ACK, text + n + want.len);
		bench_expect(&want);
		c.eack += want.len;
	}
	conn_respond(&c, OK_RESPONSE);
}

/* Nothing fits at first: the header goes with the head's first byte. */
static void test_window_zero(void **state)
{
	struct segment s, want;
	struct conn c;

	start(&c);
	s = from_endpoint(&c, SYN | ACK, NULL);
	s.win = 0;
	c.eseq = s.seq = 9000;
	opt_wscale(&s, 7);
	bench_send(&s);
	c.eseq++;
	c.down = c.eseq - c.cack;
	want = made_for_endpoint(&c, ACK, NULL);
	bench_expect(&want);
	c.up += header_len();
	s = from_endpoint(&c, ACK, NULL);
	want = at_client(&c, &s);
	bench_send(&s);
	bench_expect(&want);
	want = with_header(&c, PSH | ACK, GET("/a"));
	bench_expect(&want);
	c.eack += want.len;
	conn_respond(&c, OK_RESPONSE);
}

/* Together with the client's address as that of the peer. */
static void test_with_client_address(void **state)
{
	struct conn c;

	bench_group_flags(GROUP_A, WEIR_GROUP_PROXY | WEIR_GROUP_KEEP_CLIENT);
	conn_init(&c, 40000, 1000000);
	c.ours = CLIENT_IP;
	conn_handshake(&c);
	conn_request(&c, GET("/a"));
	accept_with_header(&c, GET("/a"));
	conn_respond(&c, OK_RESPONSE);
}

static const struct CMUnitTest tests[] = {
	BENCH_TEST(test_first_only),   BENCH_TEST(test_lost),
	BENCH_TEST(test_synack_again), BENCH_TEST(test_switched),
	BENCH_TEST(test_refused),      BENCH_TEST(test_small_segments),
	BENCH_TEST(test_window_zero),  BENCH_TEST(test_with_client_address),
};

BENCH_MAIN(tests)

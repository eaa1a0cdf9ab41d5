/* SPDX-License-Identifier: BSD-2-Clause */
/* A connected flow: what changes in a packet, and that nothing else does. */
#include "conn.h"

static void open_flow(struct conn *c)
{
	conn_open(c, 40000, GET("/a"));
	conn_respond(c, OK_RESPONSE);
}

static void spliced_up(struct conn *c, const struct segment *s, int line)
{
	struct segment want = at_endpoint(c, s);

	bench_send_at(s, __FILE__, line);
	bench_expect_at(&want, __FILE__, line);
	bench_outcome_at(WEIR_TO_ENDPOINT, "to_endpoint", __FILE__, line);
}

static void spliced_down(struct conn *c, const struct segment *s, int line)
{
	struct segment want = at_client(c, s);

	bench_send_at(s, __FILE__, line);
	bench_expect_at(&want, __FILE__, line);
	bench_outcome_at(WEIR_TO_CLIENT, "to_client", __FILE__, line);
}

#define up(c, s) spliced_up(c, s, __LINE__)
#define down(c, s) spliced_down(c, s, __LINE__)

/* T074, T098, T099, T100, T053, T082, T083 */
static void test_other_fields_stay(void **state)
{
	static const uint8_t flags[] = {
		ACK,
		ACK | PSH,
		ACK | URG,
		ACK | ECE,
		ACK | CWR,
		ACK | ECE | CWR,
		ACK | PSH | URG | ECE,
	};
	struct segment s;
	struct conn c;
	uint32_t i;

	open_flow(&c);
	for (i = 0; i < sizeof(flags); i++) {
		s = from_client(&c, flags[i], NULL);
		s.tos = 0x2b; /* DSCP and CE */
		s.ttl = 3;
		s.id = 0xbeef;
		s.urgent = 9;
		s.win = 1000 + i;
		up(&c, &s);
		s = from_endpoint(&c, flags[i], "data");
		s.tos = 0x2b;
		s.ttl = 3;
		s.id = 0xbeef;
		s.urgent = 9;
		s.win = 1000 + i;
		down(&c, &s);
	}
}

/* T102, T110 */
static void test_padding_and_ip_options(void **state)
{
	struct segment s;
	struct conn c;

	open_flow(&c);
	s = from_client(&c, ACK, NULL);
	s.trailer = 6;
	up(&c, &s);
	s = from_endpoint(&c, ACK, "data");
	memcpy(s.ip_opts, "\x94\x04\0\0\1\1\1\0", 8);
	s.ip_opts_len = 8;
	down(&c, &s);
	s = from_client(&c, ACK, NULL);
	memcpy(s.ip_opts, "\x94\x04\0\0", 4);
	s.ip_opts_len = 4;
	up(&c, &s);
}

/* T075, T076: edges, also those of D-SACK below the ACK, in both directions */
static void test_sack(void **state)
{
	uint32_t edges[8], n, i;
	struct segment s;
	struct conn c;

	open_flow(&c);
	for (n = 1; n <= 4; n++) {
		for (i = 0; i < n; i++) {
			edges[2 * i] = c.cack + 1000 * (i + 1);
			edges[2 * i + 1] = edges[2 * i] + 500;
		}
		/* D-SACK of what weir itself promised */
		edges[0] = c.cack - 30;
		edges[1] = c.cack - 20;
		s = from_client(&c, ACK, NULL);
		opt_sack(&s, n, edges);
		up(&c, &s);
		for (i = 0; i < 2 * n; i++)
			edges[i] += c.eack - c.cack;
		s = from_endpoint(&c, ACK, "data");
		opt_sack(&s, n, edges);
		down(&c, &s);
	}
}

/* T077, T006: other layouts, odd offsets, timestamps in front */
static void test_sack_anywhere(void **state)
{
	uint32_t pad, edge[2], shifted[2], k;
	struct segment s, want;
	struct conn c;
	uint8_t o[12];

	open_flow(&c);
	for (pad = 0; pad < 8; pad++) {
		edge[0] = c.cack + 0x1234;
		edge[1] = c.cack + 0x56789;
		for (k = 0; k < 2; k++) {
			uint32_t *e = k ? shifted : edge;
			struct segment *to = k ? &want : &s;

			if (k) {
				shifted[0] = edge[0] + c.down;
				shifted[1] = edge[1] + c.down;
				want = s;
				want.opts_len = 0;
				want = at_endpoint(&c, &want);
			} else {
				s = from_client(&c, ACK, NULL);
			}
			opt_raw(to, "\1\1\1\1\1\1\1\1", pad);
			o[0] = 5;
			o[1] = 10;
			memcpy(o + 2,
			       (uint8_t[]){e[0] >> 24, e[0] >> 16, e[0] >> 8, e[0],
					   e[1] >> 24, e[1] >> 16, e[1] >> 8, e[1]},
			       8);
			opt_raw(to, o, 10);
			while (to->opts_len % 4)
				opt_raw(to, "\0", 1);
		}
		bench_send(&s);
		bench_expect(&want);
	}
	/* options without SACK pass as they are */
	s = from_client(&c, ACK, NULL);
	opt_timestamps(&s, 1, 2);
	up(&c, &s);
	s = from_client(&c, ACK, NULL);
	opt_raw(&s, "\x1e\4\1\2\1\1\1\1", 8);
	up(&c, &s);
	/* and so do broken ones */
	s = from_client(&c, ACK, NULL);
	opt_raw(&s, "\5\x0a\1\2", 4);
	up(&c, &s);
	s = from_client(&c, ACK, NULL);
	opt_raw(&s, "\1\1\5\0\1\1\1\1", 8);
	bench_send(&s);
	bench_take(&want);
	assert_memory_equal(want.opts, s.opts, 8);
}

static void windows(uint8_t client, uint8_t endpoint)
{
	static const uint16_t fields[] = {0, 1, 2, 127, 128, 129, 501, 40000, 65535};
	struct segment s, want;
	struct conn c;
	uint32_t i;

	conn_init(&c, 40000, 10);
	c.wscale = client;
	c.ewscale = client == WEIR_WSCALE_NONE ? WEIR_WSCALE_NONE : endpoint;
	conn_handshake(&c);
	conn_request(&c, GET("/a"));
	conn_synack(&c);
	bench_take(&want);
	c.eack += want.len;
	for (i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		uint64_t bytes = fields[i];

		/* endpoint's to the client, who was promised WEIR_WSCALE */
		s = from_endpoint(&c, ACK, "data");
		s.win = fields[i];
		want = at_client(&c, &s);
		if (client != WEIR_WSCALE_NONE) {
			bytes <<= endpoint == WEIR_WSCALE_NONE ? 0 : endpoint;
			bytes >>= WEIR_WSCALE;
			want.win = bytes > 0xffff ? 0xffff : bytes;
		}
		bench_send(&s);
		bench_expect(&want);

		/* client's to the endpoint, which knows the client's own shift */
		s = from_client(&c, ACK, NULL);
		s.win = fields[i];
		want = at_endpoint(&c, &s);
		if (client != WEIR_WSCALE_NONE && endpoint == WEIR_WSCALE_NONE) {
			bytes = (uint64_t)fields[i] << client;
			want.win = bytes > 0xffff ? 0xffff : bytes;
		}
		bench_send(&s);
		bench_expect(&want);
	}
	bench_fresh(NULL);
}

/* T002, T003: no window ever means more than its owner said */
static void test_windows(void **state)
{
	uint8_t e;

	for (e = 0; e <= 14; e++) {
		windows(8, e);
		windows(0, e);
	}
	windows(8, WEIR_WSCALE_NONE);
	windows(14, WEIR_WSCALE_NONE);
	windows(0, WEIR_WSCALE_NONE);
	windows(WEIR_WSCALE_NONE, 0);
}

/* T101: what was wrong is wrong by the same amount */
static void test_wrong_checksum_stays_wrong(void **state)
{
	static const uint16_t wrong[] = {1, 0x100, 0x8000, 0xfffe, 0x1234};
	uint32_t edges[2], i;
	struct segment s;
	struct conn c;

	open_flow(&c);
	edges[0] = c.cack + 10;
	edges[1] = c.cack + 20;
	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		s = from_client(&c, ACK, NULL);
		s.wrong = wrong[i];
		up(&c, &s);
		opt_sack(&s, 1, edges);
		up(&c, &s);
		s = from_endpoint(&c, PSH | ACK, "some data");
		s.wrong = wrong[i];
		down(&c, &s);
	}
}

static void wrap(uint32_t client, uint32_t endpoint)
{
	struct segment s, want;
	struct conn c;
	int i;

	conn_init(&c, 40000, client);
	conn_handshake(&c);
	conn_request(&c, GET("/a"));
	s = from_endpoint(&c, SYN | ACK, NULL);
	s.seq = endpoint;
	opt_wscale(&s, 7);
	bench_send(&s);
	c.eseq = endpoint + 1;
	c.down = c.eseq - c.cack;
	want = made_for_endpoint(&c, PSH | ACK, GET("/a"));
	bench_expect(&want);
	c.eack += want.len;
	for (i = 0; i < 6; i++) {
		conn_respond(&c, OK_RESPONSE);
		conn_up(&c, PSH | ACK, GET("/a"));
	}
	conn_respond(&c, OK_RESPONSE);
	assert_int_equal(bench_slots_held(), 0);
	bench_fresh(NULL);
}

/* T078 */
static void test_wrap(void **state)
{
	uint32_t back[] = {1, 2, 30, 46, 47, 100, 200}, i;

	for (i = 0; i < sizeof(back) / sizeof(back[0]); i++) {
		wrap(-back[i], 5);
		wrap(5, -back[i]);
		wrap(-back[i], -back[i]);
		wrap(0x80000000u - back[i], 0x80000000u - back[i]);
	}
}

/* T104: a packet that stands for several is one packet all the way */
static void test_gso(void **state)
{
	static char data[32000];
	struct segment s;
	struct conn c;

	memset(data, 'd', sizeof(data));
	open_flow(&c);
	s = from_endpoint(&c, ACK, NULL);
	s.data = data;
	/* BPF_PROG_TEST_RUN takes less than a page */
	s.len = bench_mode()->wire ? sizeof(data) : 3000;
	s.gso_size = 1400;
	down(&c, &s);
}

/* T104: an upload too: head and much of its body in one packet */
static void test_gso_request(void **state)
{
	static char text[30000];
	struct segment s, want;
	uint32_t at, n, total;
	struct conn c;
	int head;

	if (!bench_mode()->wire)
		return;
	head = snprintf(text, sizeof(text),
			"POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 20000\r\n\r\n");
	memset(text + head, 'u', 20000);
	conn_init(&c, 40000, 10);
	conn_handshake(&c);
	s = from_client(&c, PSH | ACK, NULL);
	s.data = text;
	/* within the window that was offered */
	s.len = 14000;
	s.gso_size = 1400;
	c.head = c.cseq;
	bench_send(&s);
	conn_take_syn(&c);
	c.cseq += s.len;
	conn_synack(&c);
	for (at = 0; at < s.len; at += n) {
		n = s.len - at < bench_path_mss() ? s.len - at : bench_path_mss();
		want = made_for_endpoint(&c, ACK | (at + n == s.len ? PSH : 0), NULL);
		want.data = text + at;
		want.len = n;
		bench_expect(&want);
		c.eack += n;
	}
	/* the endpoint has it; the rest of the body is spliced as it comes */
	conn_down(&c, ACK, NULL);
	total = head + 20000;
	s = from_client(&c, PSH | ACK, NULL);
	s.data = text + at;
	s.len = total - at;
	s.gso_size = 1400;
	up(&c, &s);
	assert_int_equal(bench_slots_held(), 0);
}

/* T095: a probe is the endpoint's to answer; its byte is no request */
static void test_keepalive_probe(void **state)
{
	struct segment s;
	struct conn c;

	open_flow(&c);
	s = from_client(&c, ACK, NULL);
	s.seq--;
	up(&c, &s);
	s = from_client(&c, ACK, "\xff");
	s.seq--;
	up(&c, &s);
	s = from_endpoint(&c, ACK, "\xff");
	s.seq--;
	down(&c, &s);
	conn_up(&c, PSH | ACK, GET("/a"));
	conn_respond(&c, OK_RESPONSE);
}

/* T080 */
static void test_zero_window_probe(void **state)
{
	struct segment s;
	struct conn c;

	open_flow(&c);
	s = from_client(&c, ACK, NULL);
	s.win = 0;
	up(&c, &s);
	s = from_endpoint(&c, ACK, "p");
	down(&c, &s);
	s = from_client(&c, ACK, NULL);
	s.win = 501;
	up(&c, &s);
}

static const struct CMUnitTest tests[] = {
	BENCH_TEST(test_other_fields_stay),
	BENCH_TEST(test_padding_and_ip_options),
	BENCH_TEST(test_sack),
	BENCH_TEST(test_sack_anywhere),
	BENCH_TEST(test_windows),
	BENCH_TEST(test_wrong_checksum_stays_wrong),
	BENCH_TEST(test_wrap),
	BENCH_TEST(test_gso),
	BENCH_TEST(test_gso_request),
	BENCH_TEST(test_keepalive_probe),
	BENCH_TEST(test_zero_window_probe),
};

BENCH_MAIN(tests)

/* SPDX-License-Identifier: BSD-2-Clause */
/* Gathering a request head: in pieces, out of order, repeated, too long, wrong. */
#include "conn.h"

static const char request[] = "GET /b/c HTTP/1.1\r\nHost: a.example\r\nX-A: 1\r\n\r\n";

/* A segment of the client's from the head's byte `from` on. */
static struct segment piece(const struct conn *c, uint32_t from, const char *text,
			    uint32_t len)
{
	struct segment s = from_client(c, ACK, NULL);

	s.seq = c->head + from;
	s.data = text;
	s.len = len;
	return s;
}

/* What weir acknowledges when it has `used` bytes of a head. */
static struct segment acked(struct conn *c, uint32_t used)
{
	struct segment s = made_for_client(c, ACK, NULL);

	s.ack = c->head + used;
	s.win = c->wscale == WEIR_WSCALE_NONE ? BENCH_ROOM - used
					      : (BENCH_ROOM - used) >> WEIR_WSCALE;
	return s;
}

static void send_piece(struct conn *c, uint32_t from, const char *text, uint32_t len)
{
	struct segment s = piece(c, from, text + from, len);

	bench_send(&s);
	c->cseq = c->head + from + len;
}

static void expect_acked(struct conn *c, uint32_t used)
{
	struct segment want = acked(c, used);

	bench_expect(&want);
}

static void start(struct conn *c)
{
	conn_init(c, 40000, 0xffffff00);
	conn_handshake(c);
}

/* T039 */
static void test_byte_by_byte(void **state)
{
	uint32_t n = strlen(request), i;
	struct conn c;

	start(&c);
	for (i = 0; i < n - 1; i++) {
		send_piece(&c, i, request, 1);
		bench_outcome(WEIR_HEAD_PARTIAL);
		expect_acked(&c, i + 1);
	}
	/* the last one is acknowledged by the endpoint alone */
	send_piece(&c, i, request, 1);
	conn_take_syn(&c);
	conn_accept(&c, request);
	assert_int_equal(c.endpoint, 2);
	conn_respond(&c, OK_RESPONSE);
}

/* T040 */
static void test_cut_everywhere(void **state)
{
	uint32_t n = strlen(request), k;
	struct conn c;

	for (k = 1; k < n; k++) {
		start(&c);
		send_piece(&c, 0, request, k);
		expect_acked(&c, k);
		send_piece(&c, k, request, n - k);
		conn_take_syn(&c);
		conn_accept(&c, request);
		assert_int_equal(c.endpoint, 2);
		bench_fresh(state);
	}
}

/* T041 */
static void test_out_of_order(void **state)
{
	uint32_t n = strlen(request);
	struct conn c;

	start(&c);
	send_piece(&c, 30, request, n - 30);
	bench_outcome(WEIR_HEAD_GAP);
	expect_acked(&c, 0);
	send_piece(&c, 0, request, 10);
	expect_acked(&c, 10);
	send_piece(&c, 30, request, n - 30);
	bench_outcome(WEIR_HEAD_GAP);
	expect_acked(&c, 10);
	send_piece(&c, 10, request, 20);
	expect_acked(&c, 30);
	send_piece(&c, 30, request, n - 30);
	conn_take_syn(&c);
	conn_accept(&c, request);
}

/* T042, T043 */
static void test_repeated_and_overlapping(void **state)
{
	uint32_t n = strlen(request);
	struct conn c;

	start(&c);
	send_piece(&c, 0, request, 10);
	expect_acked(&c, 10);
	send_piece(&c, 0, request, 10);
	bench_outcome(WEIR_HEAD_OLD);
	expect_acked(&c, 10);
	send_piece(&c, 3, request, 7);
	expect_acked(&c, 10);
	send_piece(&c, 5, request, 20);
	bench_outcome(WEIR_HEAD_PARTIAL);
	expect_acked(&c, 25);
	send_piece(&c, 2, request, 5);
	expect_acked(&c, 25);
	send_piece(&c, 0, request, n);
	conn_take_syn(&c);
	conn_accept(&c, request);
	assert_int_equal(c.endpoint, 2);
}

/* T044: the first bytes win, also in what is forwarded */
static void test_other_bytes_later(void **state)
{
	static const char other[] =
		"GET /a/c HTTP/1.1\r\nHost: x.example\r\nX-B: 2\r\n\r\n";
	struct segment s, want;
	uint32_t n = strlen(request);
	char mixed[64];
	struct conn c;

	assert_int_equal(strlen(other), n);
	start(&c);
	send_piece(&c, 0, request, 26);
	expect_acked(&c, 26);
	s = piece(&c, 0, other, n);
	bench_send(&s);
	c.cseq = c.head + n;
	conn_take_syn(&c);
	assert_int_equal(c.endpoint, 2);
	snprintf(mixed, sizeof(mixed), "%.26s%s", request, other + 26);
	/* before the endpoint is connected and after it */
	bench_send(&s);
	bench_outcome(WEIR_CONNECT_AGAIN);
	bench_take(&want);
	assert_int_equal(want.flags, SYN);
	conn_accept(&c, mixed);
	bench_send(&s);
	bench_outcome(WEIR_RESENT);
	c.eack -= n;
	want = made_for_endpoint(&c, PSH | ACK, mixed);
	bench_expect(&want);
}

/* T052 */
static void test_probes_while_reading(void **state)
{
	struct segment s;
	struct conn c;

	start(&c);
	s = piece(&c, -1, NULL, 0);
	bench_send(&s);
	bench_outcome(WEIR_PROBE_ACKED);
	expect_acked(&c, 0);
	send_piece(&c, 0, request, 10);
	expect_acked(&c, 10);
	s = piece(&c, 9, NULL, 0);
	bench_send(&s);
	bench_outcome(WEIR_PROBE_ACKED);
	expect_acked(&c, 10);
	s = piece(&c, 9, "\xff", 1);
	bench_send(&s);
	expect_acked(&c, 10);
	/* a bare ACK, a window update */
	s = piece(&c, 10, NULL, 0);
	s.win = 77;
	bench_send(&s);
	bench_nothing();
	c.cwin = 78;
	send_piece(&c, 10, request, strlen(request) - 10);
	conn_take_syn(&c);
	conn_accept(&c, request);
}

/* T055 */
static void test_fin_with_request(void **state)
{
	struct segment s, want;
	struct conn c;

	start(&c);
	s = from_client(&c, FIN | PSH | ACK, request);
	bench_send(&s);
	c.cseq += s.len + 1;
	conn_take_syn(&c);
	conn_synack(&c);
	want = made_for_endpoint(&c, FIN | PSH | ACK, request);
	bench_expect(&want);
	c.eack += want.len + 1;
	/* lost on the way: the FIN comes again as well */
	bench_send(&s);
	bench_expect(&want);
	conn_down(&c, PSH | ACK, OK_RESPONSE);
	conn_up(&c, ACK, NULL);
	conn_down(&c, FIN | ACK, NULL);
	conn_up(&c, ACK, NULL);
}

/* T055, the FIN behind the request, before the endpoint is connected */
static void test_fin_while_connecting(void **state)
{
	struct segment s, want;
	struct conn c;

	start(&c);
	conn_request(&c, request);
	s = from_client(&c, FIN | ACK, NULL);
	bench_send(&s);
	bench_nothing();
	c.cseq++;
	conn_synack(&c);
	want = made_for_endpoint(&c, FIN | PSH | ACK, request);
	bench_expect(&want);
	c.eack += want.len + 1;
	conn_down(&c, FIN | PSH | ACK, OK_RESPONSE);
	conn_up(&c, ACK, NULL);
}

/* T056 */
static void test_fin_in_head(void **state)
{
	struct segment s, want;
	struct conn c;

	start(&c);
	s = piece(&c, 0, request, 20);
	s.flags |= FIN;
	bench_send(&s);
	expect_acked(&c, 20);
	/* the client still lacks an ACK for its FIN */
	c.cseq = c.head + 20;
	s = from_client(&c, FIN | ACK, NULL);
	bench_send(&s);
	c.cseq++;
	want = made_for_client(&c, FIN | ACK, NULL);
	want.win = 0;
	bench_expect(&want);
	assert_int_equal(bench_slots_held(), 0);
}

/* T101 */
static void test_wrong_checksum_in_head(void **state)
{
	struct segment s;
	struct conn c;

	start(&c);
	s = piece(&c, 0, "GET /a/c HTTP/1.1\r\nHost: x\r\n", 28);
	s.wrong = 0x8000;
	bench_send(&s);
	bench_nothing();
	bench_outcome(WEIR_HEAD_CSUM);
	assert_int_equal(bench_slots_held(), 0);
	send_piece(&c, 0, request, 10);
	expect_acked(&c, 10);
	s = piece(&c, 10, "zzz\r\n\r\n", 7);
	s.wrong = 1;
	bench_send(&s);
	bench_nothing();
	s = piece(&c, 10, request + 10, strlen(request) - 10);
	c.cseq = s.seq + s.len;
	bench_send(&s);
	conn_take_syn(&c);
	assert_int_equal(c.endpoint, 2);
	/* a bad repetition wakes nothing up: all that it does is repeat the SYN */
	conn_accept(&c, request);
}

static void refused(const char *text, enum weir_outcome o, uint32_t reply)
{
	struct segment s, want;
	struct conn c;

	start(&c);
	s = from_client(&c, PSH | ACK, text);
	bench_send(&s);
	bench_outcome_at(o, text, __FILE__, __LINE__);
	c.cseq += s.len;
	want = conn_reply(&c, reply, true, false);
	bench_expect(&want);
	assert_int_equal(bench_slots_held(), 0);
	bench_fresh(NULL);
}

/* T061 */
static void test_refused_heads(void **state)
{
	refused("GET /a HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", WEIR_REQ_BAD,
		WEIR_REPLY_BAD_REQUEST);
	refused("GET /a HTTP/1.1\nHost: a\n\n", WEIR_REQ_BAD, WEIR_REPLY_BAD_REQUEST);
	refused("SSH-2.0-OpenSSH_9.2\r\n", WEIR_REQ_BAD, WEIR_REPLY_BAD_REQUEST);
	refused("\x16\x03\x01\x02", WEIR_REQ_BAD, WEIR_REPLY_BAD_REQUEST);
	refused("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", WEIR_REQ_VERSION,
		WEIR_REPLY_VERSION);
	refused("POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n"
		"Transfer-Encoding: chunked\r\n\r\n",
		WEIR_REQ_BAD, WEIR_REPLY_BAD_REQUEST);
	refused("GET /../a HTTP/1.1\r\nHost: a\r\n\r\n", WEIR_REQ_BAD,
		WEIR_REPLY_BAD_REQUEST);
}

static char *long_head(uint32_t len)
{
	static char text[20000];
	int n = snprintf(text, sizeof(text), "GET /b HTTP/1.1\r\nHost: a\r\nCookie: ");

	memset(text + n, 'c', len - n - 4);
	memcpy(text + len - 4, "\r\n\r\n", 5);
	return text;
}

/* T049: up to the limit it works, sent on in segments that fit */
static void test_large_head(void **state)
{
	static const uint32_t sizes[] = {1448, 1449, 2896, 8000, 16384};
	uint32_t i, at, n, left;
	struct segment want;
	struct conn c;

	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		const char *text = long_head(sizes[i]);

		start(&c);
		for (at = 0; at < sizes[i]; at += n) {
			left = sizes[i] - at;
			n = left < 1400 ? left : 1400;
			send_piece(&c, at, text, n);
			if (n < left)
				expect_acked(&c, at + n);
		}
		conn_take_syn(&c);
		conn_synack(&c);
		for (at = 0; at < sizes[i]; at += n) {
			left = sizes[i] - at;
			n = left < bench_path_mss() ? left : bench_path_mss();
			want = made_for_endpoint(&c, ACK | (n == left ? PSH : 0), NULL);
			want.data = text + at;
			want.len = n;
			bench_expect(&want);
			c.eack += n;
		}
		conn_respond(&c, OK_RESPONSE);
		bench_fresh(state);
	}
}

/* T049: and over it 431 */
static void test_too_long_head(void **state)
{
	const char *text = long_head(17000);
	struct segment want;
	struct conn c;
	uint32_t at;

	start(&c);
	for (at = 0; at < 15400; at += 1400) {
		send_piece(&c, at, text, 1400);
		expect_acked(&c, at + 1400);
	}
	send_piece(&c, at, text, 1400);
	bench_outcome(WEIR_REQ_TOO_LONG);
	c.cseq = c.head + WEIR_HEAD_MAX;
	want = conn_reply(&c, WEIR_REPLY_TOO_LONG, true, false);
	bench_expect(&want);
	assert_int_equal(bench_slots_held(), 0);
}

/* What is no HTTP/1 is the gateway's from its first byte on, unread. */
static void test_preface_to_gateway(void **state)
{
	static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
	struct conn c;

	bench_gateway();
	start(&c);
	conn_request(&c, preface);
	assert_int_equal(c.endpoint, 2);
	conn_accept(&c, preface);
	/* neither is what follows read: this would be another group's */
	conn_up(&c, PSH | ACK, GET("/a"));
	conn_respond(&c, OK_RESPONSE);
	conn_up(&c, PSH | ACK, "GET /a HTTP/1.1\nHost: a, b\n\n");
	conn_respond(&c, OK_RESPONSE);
	assert_int_equal(bench_slots_held(), 0);
}

/* Nor is a head that is too long: as much as is kept, then the rest of it. */
static void test_too_long_to_gateway(void **state)
{
	const char *text = long_head(17000);
	struct segment want;
	struct conn c;
	uint32_t at, n;

	bench_gateway();
	start(&c);
	for (at = 0; at < 15400; at += 1400) {
		send_piece(&c, at, text, 1400);
		expect_acked(&c, at + 1400);
	}
	send_piece(&c, at, text, 1400);
	c.cseq = c.head + WEIR_HEAD_MAX;
	conn_take_syn(&c);
	assert_int_equal(c.endpoint, 2);
	conn_synack(&c);
	for (at = 0; at < WEIR_HEAD_MAX; at += n) {
		n = WEIR_HEAD_MAX - at < bench_path_mss() ? WEIR_HEAD_MAX - at
							  : bench_path_mss();
		want = made_for_endpoint(&c, ACK | (at + n == WEIR_HEAD_MAX ? PSH : 0),
					 NULL);
		want.data = text + at;
		want.len = n;
		bench_expect(&want);
		c.eack += n;
	}
	conn_up(&c, PSH | ACK, text + WEIR_HEAD_MAX);
	conn_respond(&c, OK_RESPONSE);
	assert_int_equal(bench_slots_held(), 0);
}

/* T050, T051: a body with the head and behind it waits with the head */
static void test_body_while_connecting(void **state)
{
	static const char post[] = "POST /b HTTP/1.1\r\nHost: a\r\n"
				   "Content-Length: 20\r\n\r\n";
	struct segment s, want;
	char all[128];
	struct conn c;

	start(&c);
	snprintf(all, sizeof(all), "%s01234", post);
	conn_request(&c, all);
	s = from_client(&c, ACK, "56789abcde");
	bench_send(&s);
	bench_nothing();
	bench_outcome(WEIR_HEAD_QUEUED);
	c.cseq += 10;
	/* one behind a gap and one with a wrong checksum are not taken */
	s = from_client(&c, ACK, "X");
	s.seq++;
	bench_send(&s);
	bench_nothing();
	s = from_client(&c, ACK, "fghij");
	s.wrong = 1;
	bench_send(&s);
	bench_nothing();
	s = from_client(&c, ACK, "fghij");
	bench_send(&s);
	bench_nothing();
	c.cseq += 5;
	snprintf(all, sizeof(all), "%s0123456789abcdefghij", post);
	conn_accept(&c, all);
	/* the client has no ACK and sends parts of it again: the endpoint gets
	 * what it lacks */
	s = from_client(&c, ACK, "abcdefghij");
	s.seq -= 10;
	bench_send(&s);
	bench_outcome(WEIR_RESENT);
	c.eack -= strlen(all);
	want = made_for_endpoint(&c, PSH | ACK, all);
	bench_expect(&want);
	c.eack += strlen(all);
	conn_respond(&c, OK_RESPONSE);
	assert_int_equal(bench_slots_held(), 0);
}

/* T145 */
static void test_crlf_before_request(void **state)
{
	static const char text[] = "\r\nGET /b HTTP/1.1\r\nHost: a\r\n\r\n";
	struct conn c;

	start(&c);
	conn_request(&c, text);
	assert_int_equal(c.endpoint, 2);
	conn_accept(&c, text);
}

/* A pattern on a header, in the automaton of the table. */
static void test_header_pattern(void **state)
{
	static const struct {
		const char *lines;
		uint32_t endpoint;
	} asked[] = {
		{"X-Version: V3\r\n", 2},
		{"X-Version: \t v2-rc1 \r\n", 2},
		{"X-Version: v1\r\nx_version: v2\r\n", 2},
		{"X-Version: v23\r\n", 0},
		{"X-Version: xv2\r\n", 0},
		{"X-Version:\r\n", 0},
		{"", 0},
	};
	char text[128];
	struct conn c;
	size_t i;

	for (i = 0; i < sizeof(asked) / sizeof(asked[0]); i++) {
		start(&c);
		snprintf(text, sizeof(text),
			 "GET /header HTTP/1.1\r\nHost: a\r\n%s\r\n", asked[i].lines);
		bench_turn(GROUP_A, 0);
		conn_request(&c, text);
		assert_int_equal(c.endpoint, asked[i].endpoint);
		conn_accept(&c, text);
		conn_respond(&c, OK_RESPONSE);
		bench_fresh(state);
	}
}

/* Nothing is lost when no buffer is free: the client sends again. */
static void test_no_free_slot(void **state)
{
	struct segment s;
	struct conn c;

	start(&c);
	bench_slots_drain();
	s = from_client(&c, PSH | ACK, request);
	bench_send(&s);
	bench_nothing();
	bench_outcome(WEIR_SLOTS_FULL);
	bench_slots_fill();
	conn_request(&c, request);
	conn_accept(&c, request);
}

/* A client without scaling is told plain bytes. */
static void test_window_without_scaling(void **state)
{
	struct conn c;

	conn_init(&c, 40000, 5);
	c.wscale = WEIR_WSCALE_NONE;
	conn_handshake(&c);
	send_piece(&c, 0, request, 10);
	expect_acked(&c, 10);
	send_piece(&c, 10, request, strlen(request) - 10);
	conn_take_syn(&c);
}

static const struct CMUnitTest tests[] = {
	BENCH_TEST(test_byte_by_byte),
	BENCH_TEST(test_cut_everywhere),
	BENCH_TEST(test_out_of_order),
	BENCH_TEST(test_repeated_and_overlapping),
	BENCH_TEST(test_other_bytes_later),
	BENCH_TEST(test_probes_while_reading),
	BENCH_TEST(test_fin_with_request),
	BENCH_TEST(test_fin_while_connecting),
	BENCH_TEST(test_fin_in_head),
	BENCH_TEST(test_wrong_checksum_in_head),
	BENCH_TEST(test_refused_heads),
	BENCH_TEST(test_large_head),
	BENCH_TEST(test_too_long_head),
	BENCH_TEST(test_preface_to_gateway),
	BENCH_TEST(test_too_long_to_gateway),
	BENCH_TEST(test_header_pattern),
	BENCH_TEST(test_body_while_connecting),
	BENCH_TEST(test_crlf_before_request),
	BENCH_TEST(test_no_free_slot),
	BENCH_TEST(test_window_without_scaling),
};

BENCH_MAIN(tests)

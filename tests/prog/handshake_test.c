/* SPDX-License-Identifier: BSD-2-Clause */
/* The client's handshake: cookies out, flows for valid ones, RST for others.
 * T-numbers are those of tests/tcp-coverage.md. */
#include "conn.h"

static bool has_flow(uint16_t port)
{
	struct weir_flow f;

	return bench_flow(port, &f);
}

/* T001, T003, T009 */
static void test_synack_mirrors_options(void **state)
{
	struct conn c;

	conn_init(&c, 40000, 1000);
	conn_handshake(&c);
	bench_outcome(WEIR_COOKIE_OK);
	conn_init(&c, 40001, 1000);
	c.sack = false;
	conn_handshake(&c);
	conn_init(&c, 40002, 1000);
	c.wscale = WEIR_WSCALE_NONE;
	conn_handshake(&c);
}

static void test_syn_keeps_nothing(void **state)
{
	struct segment s, got;
	struct conn c;

	conn_init(&c, 40000, 1000);
	s = conn_syn(&c);
	bench_send(&s);
	bench_take(&got);
	bench_outcome(WEIR_SYN_COOKIE);
	assert_false(has_flow(40000));
	assert_int_equal(bench_slots_free(), BENCH_SLOTS);
}

static void opens_with(uint16_t port, uint16_t mss, uint8_t wscale, bool sack)
{
	struct conn c;

	conn_init(&c, port, 77);
	c.mss = mss;
	c.wscale = wscale;
	c.sack = sack;
	conn_handshake(&c);
	/* what reached the endpoint is looked at here */
	conn_request(&c, GET("/a"));
	bench_fresh(NULL);
}

/* T004, T010, T011, T012: the SYN to the endpoint has what the client offered,
 * a maximum segment size never larger */
static void test_cookie_carries_options(void **state)
{
	static const uint16_t mss[] = {0,    65535, 9000, 1460, 1448, 1447, 1428, 1400,
				       1380, 1379,  1300, 1220, 1219, 536,  535,  100};
	uint16_t port = 41000;
	uint32_t i;

	for (i = 0; i < sizeof(mss) / sizeof(mss[0]); i++)
		opens_with(port++, mss[i], 8, true);
	for (i = 0; i <= 14; i++)
		opens_with(port++, 1460, i, i & 1);
	opens_with(port++, 1460, WEIR_WSCALE_NONE, true);
	opens_with(port++, 1460, WEIR_WSCALE_NONE, false);
}

/* T005 */
static void test_shift_over_14_is_14(void **state)
{
	struct segment s, got;
	struct conn c;

	conn_init(&c, 40000, 1000);
	c.wscale = WEIR_WSCALE_NONE;
	s = conn_syn(&c);
	opt_wscale(&s, 15);
	bench_send(&s);
	bench_take(&got);
	c.cseq++;
	c.cack = got.seq + 1;
	c.wscale = 14;
	conn_request(&c, GET("/a"));
}

/* T012 */
static void test_mss_of_nothing(void **state)
{
	struct segment s, got;
	struct conn c;

	conn_init(&c, 40000, 1000);
	c.mss = 0;
	s = conn_syn(&c);
	opt_mss(&s, 0);
	bench_send(&s);
	bench_take(&got);
	c.cseq++;
	c.cack = got.seq + 1;
	c.mss = 1;
	conn_request(&c, GET("/a"));
}

/* T015 */
static void test_syn_again(void **state)
{
	struct segment s, first, second;
	struct conn c;

	conn_init(&c, 40000, 1000);
	s = conn_syn(&c);
	bench_send(&s);
	bench_take(&first);
	bench_send(&s);
	bench_take(&second);
	c.cseq++;
	c.cack = first.seq + 1;
	s = from_client(&c, ACK, NULL);
	bench_send(&s);
	bench_outcome(WEIR_COOKIE_OK);
	/* an ACK of the other one, should it differ, changes nothing */
	c.cack = second.seq + 1;
	s = from_client(&c, ACK, NULL);
	bench_send(&s);
	bench_nothing();
	c.cack = first.seq + 1;
	conn_request(&c, GET("/a"));
}

/* T016, T017, T018: data and a Fast Open cookie in the SYN are not used */
static void test_syn_with_data(void **state)
{
	static const uint8_t tfo[12] = {34, 10, 1, 2, 3, 4, 5, 6, 7, 8, 1, 1};
	struct segment s, got;
	struct conn c;

	conn_init(&c, 40000, 1000);
	s = conn_syn(&c);
	opt_raw(&s, tfo, sizeof(tfo));
	s.data = GET("/b");
	s.len = strlen(s.data);
	bench_send(&s);
	bench_take(&got);
	assert_int_equal(got.ack, 1001);
	assert_int_equal(got.len, 0);
	assert_int_equal(got.opts_len, 12);
	c.cseq++;
	c.cack = got.seq + 1;
	conn_request(&c, GET("/a"));
}

static void syn_only(struct conn *c, uint16_t port)
{
	struct segment s, got;

	conn_init(c, port, 5000);
	s = conn_syn(c);
	bench_send(&s);
	bench_take(&got);
	c->cseq++;
	c->cack = got.seq + 1;
}

/* T019, T020: a request in the handshake's ACK, or after a lost one */
static void test_data_finishes_handshake(void **state)
{
	struct conn c;

	syn_only(&c, 40000);
	conn_request(&c, GET("/a"));
	conn_accept(&c, GET("/a"));
	conn_respond(&c, OK_RESPONSE);
}

/* T021 */
static void test_late_bare_ack(void **state)
{
	struct segment late;
	struct conn c;

	syn_only(&c, 40000);
	late = from_client(&c, ACK, NULL);
	conn_request(&c, GET("/a"));
	bench_send(&late);
	bench_nothing();
	conn_accept(&c, GET("/a"));
	conn_respond(&c, OK_RESPONSE);
}

/* T022 */
static void test_later_segment_first(void **state)
{
	struct segment s;
	struct conn c;

	syn_only(&c, 40000);
	s = from_client(&c, ACK, "Host: a\r\n\r\n");
	s.seq += 16;
	bench_send(&s);
	bench_nothing();
	bench_outcome(WEIR_HEAD_GAP);
	assert_false(has_flow(40000));
	conn_request(&c, GET("/a"));
}

/* A cookie that was never given is answered with RST. Half of it fits by chance, about
 * once in a thousand: then it is taken for that of a segment that came too early, and
 * there is no answer. Returns false then. */
static bool is_reset(const struct segment *s)
{
	struct segment want = {};

	bench_send(s);
	assert_false(has_flow(s->sport));
	if (bench_is_quiet()) {
		bench_outcome(WEIR_HEAD_GAP);
		return false;
	}
	bench_take(&want);
	assert_int_equal(want.flags, RST);
	assert_int_equal(want.seq, s->ack);
	assert_int_equal(want.len, 0);
	bench_outcome(WEIR_COOKIE_BAD);
	return true;
}

/* T023 */
static void test_bad_cookie_is_reset(void **state)
{
	struct segment s;
	struct conn c;
	int i, resets = 0;

	syn_only(&c, 40000);
	for (i = 0; i < 4; i++) {
		c.cack += 1 << 20;
		s = from_client(&c, ACK, NULL);
		resets += is_reset(&s);
		/* with data as well, RFC 9293, 3.10.7.1 */
		s = from_client(&c, PSH | ACK, GET("/a"));
		resets += is_reset(&s);
	}
	assert_true(resets >= 4);
}

/* The options are part of what the cookie proves. */
static void test_cookie_of_other_options(void **state)
{
	struct segment s;
	struct conn c;
	uint32_t bit;
	int resets = 0;

	syn_only(&c, 40000);
	for (bit = 0; bit < 32; bit++) {
		s = from_client(&c, ACK, NULL);
		s.ack = ((c.cack - 1) ^ 1u << bit) + 1;
		resets += is_reset(&s);
	}
	assert_true(resets >= 16);
	s = from_client(&c, ACK, NULL);
	bench_send(&s);
	assert_true(has_flow(40000));
}

/* T025 */
static void test_key_rotation(void **state)
{
	static const uint64_t a[2] = {10, 11}, two[2] = {20, 21}, three[2] = {30, 31};
	struct segment s, got;
	struct conn c, old;

	bench_cookie_keys(a, three);
	syn_only(&c, 40000);
	syn_only(&old, 40001);
	bench_cookie_keys(two, a);
	s = from_client(&c, ACK, NULL);
	bench_send(&s);
	bench_outcome(WEIR_COOKIE_OK);
	bench_cookie_keys(three, two);
	s = from_client(&old, ACK, NULL);
	bench_send(&s);
	bench_take(&got);
	assert_int_equal(got.flags, RST);
	bench_outcome(WEIR_COOKIE_BAD);
}

/* T027: no ECN, since nothing promises it for the endpoint's side */
static void test_ecn_is_not_promised(void **state)
{
	struct segment s, got;
	struct conn c;

	conn_init(&c, 40000, 1000);
	s = conn_syn(&c);
	s.flags |= ECE | CWR;
	bench_send(&s);
	bench_take(&got);
	assert_int_equal(got.flags, SYN | ACK);
	c.cseq++;
	c.cack = got.seq + 1;
	conn_request(&c, GET("/a"));
}

/* T029 */
static void test_odd_flags_open_nothing(void **state)
{
	static const uint8_t flags[] = {
		SYN | FIN, SYN | RST, SYN | RST | ACK, SYN | FIN | PSH | URG, 0, FIN,
		PSH | URG, RST,	      RST | ACK,
	};
	struct segment s;
	struct conn c;
	uint32_t i;

	conn_init(&c, 40000, 1000);
	for (i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		s = from_client(&c, flags[i], NULL);
		bench_send(&s);
		bench_nothing();
		assert_false(has_flow(40000));
	}
	/* SYN-ACK and FIN-ACK of no connection are reset */
	s = from_client(&c, FIN | ACK, NULL);
	bench_send(&s);
	bench_take(&s);
	assert_int_equal(s.flags, RST);
}

/* T036 */
static void test_signed_syn_is_dropped(void **state)
{
	uint8_t md5[20] = {19, 18}, ao[20] = {29, 18};
	struct segment s;
	struct conn c;

	conn_init(&c, 40000, 1000);
	s = conn_syn(&c);
	opt_raw(&s, md5, sizeof(md5));
	bench_send(&s);
	bench_nothing();
	bench_outcome(WEIR_SYN_BAD);
	s = conn_syn(&c);
	opt_raw(&s, ao, sizeof(ao));
	bench_send(&s);
	bench_nothing();
	bench_outcome(WEIR_SYN_BAD);
}

/* T037, T038: unknown options are passed over, malformed ones end the walk */
static void test_strange_options(void **state)
{
	static const struct {
		uint8_t bytes[40];
		uint32_t len;
	} cases[] = {
		{{30, 12, 0, 1, 1, 2, 3, 4, 5, 6, 7, 8, 2, 4, 5, 0xb4}, 16}, /* MPTCP */
		{{2, 0, 5, 0xb4}, 4},
		{{2, 1, 5, 0xb4}, 4},
		{{2, 200, 5, 0xb4}, 4},
		{{0, 2, 4, 5}, 4},
		{{1, 1, 1, 2}, 4},
		{{1, 1, 1, 3}, 4},
		{{[0 ... 39] = 1}, 40},
		{{[0 ... 39] = 0xff}, 40},
		{{[0 ... 39] = 2}, 40},
	};
	struct segment s, got;
	struct conn c;
	uint32_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		conn_init(&c, 40000 + i, 1000);
		c.mss = 0;
		c.sack = false;
		c.wscale = WEIR_WSCALE_NONE;
		s = conn_syn(&c);
		opt_raw(&s, cases[i].bytes, cases[i].len);
		bench_send(&s);
		bench_take(&got);
		assert_int_equal(got.flags, SYN | ACK);
		assert_memory_equal(got.opts + 4, "\1\1\1\1\1\1\1\1", 8);
	}
}

/* T035 and everything else that is not ours */
static void test_not_ours_is_passed(void **state)
{
	struct segment s;
	struct conn c;

	conn_init(&c, 40000, 1000);
	s = conn_syn(&c);
	s.dport = 81;
	s.flags = FIN | ACK; /* the stack would answer a SYN */
	if (bench_mode()->wire)
		return;
	bench_send(&s);
	bench_passed();
	bench_outcome(WEIR_PASS_OTHER);
	s = conn_syn(&c);
	s.dst = IP(10, 0, 1, 2);
	bench_send(&s);
	bench_passed();
	s = conn_syn(&c);
	s.frag = 0x2000; /* more fragments */
	bench_send(&s);
	bench_passed();
	bench_outcome(WEIR_PASS_FRAGMENT);
	s = conn_syn(&c);
	s.frag = 3; /* the rest of one */
	bench_send(&s);
	bench_passed();
}

/* T110: the TCP header is found behind IP options, also for answers */
static void test_ip_options(void **state)
{
	struct segment s, got;
	struct conn c;

	conn_init(&c, 40000, 1000);
	s = conn_syn(&c);
	memcpy(s.ip_opts, "\x94\x04\0\0", 4); /* router alert */
	s.ip_opts_len = 4;
	bench_send(&s);
	bench_take(&got);
	assert_int_equal(got.flags, SYN | ACK);
	assert_int_equal(got.ip_opts_len, 0);
	c.cseq++;
	c.cack = got.seq + 1;
	s = from_client(&c, ACK, NULL);
	bench_send(&s);
	bench_outcome(WEIR_COOKIE_OK);
}

static struct segment extended(const struct conn *c, uint8_t first, const void *bytes,
			       uint32_t len)
{
	struct segment s = conn_syn(c);

	s.ext_first = first;
	s.ext_len = len;
	memcpy(s.ext, bytes, len);
	return s;
}

/* T111: hop-by-hop and destination options, a routing header that is used up, an
 * atomic fragment are walked; answers have none */
static void test_extension_headers(void **state)
{
	static const struct {
		uint8_t first;
		uint8_t bytes[40];
		uint32_t len;
	} walked[] = {
		{0, {6, 0, 1, 4}, 8},
		{60, {6, 1, 1, 12}, 16},
		{0, {60, 0, 1, 4, 0, 0, 0, 0, 6, 0, 1, 4}, 16},
		{43, {6, 0, 4, 0}, 8},
		{44, {6, 0, 0, 0, 1, 2, 3, 4}, 8},
	};
	struct segment s, got;
	struct conn c;
	uint32_t i;

	if (!bench_mode()->v6)
		return;
	for (i = 0; i < sizeof(walked) / sizeof(walked[0]); i++) {
		conn_init(&c, 40000 + i, 1000);
		s = extended(&c, walked[i].first, walked[i].bytes, walked[i].len);
		bench_send(&s);
		bench_outcome(WEIR_SYN_COOKIE);
		bench_take(&got);
		assert_int_equal(got.flags, SYN | ACK);
		c.cseq++;
		c.cack = got.seq + 1;
		conn_request(&c, GET("/a"));
		conn_accept(&c, GET("/a"));
		conn_respond(&c, OK_RESPONSE);
		/* spliced as they are */
		s = from_client(&c, ACK, NULL);
		s.ext_first = walked[i].first;
		s.ext_len = walked[i].len;
		memcpy(s.ext, walked[i].bytes, s.ext_len);
		got = at_endpoint(&c, &s);
		bench_send(&s);
		bench_expect(&got);
		bench_fresh(NULL);
	}
}

/* T111: what is not walked is never taken for TCP */
static void test_extension_headers_passed(void **state)
{
	static const uint8_t segments_left[8] = {6, 0, 4, 1}, ah[16] = {6, 2},
			     five[40] = {60, 0, 1, 4, 0,  0, 0, 0, 60, 0, 1, 4,
					 0,  0, 0, 0, 60, 0, 1, 4, 0,  0, 0, 0,
					 60, 0, 1, 4, 0,  0, 0, 0, 6,  0, 1, 4},
			     far[8] = {6, 30};
	struct segment s;
	struct conn c;

	if (!bench_mode()->v6 || bench_mode()->wire)
		return;
	conn_init(&c, 40000, 1000);
	s = extended(&c, 43, segments_left, 8);
	bench_send(&s);
	bench_passed();
	bench_outcome(WEIR_PASS_EXTENSION);
	s = extended(&c, 60, five, 40);
	bench_send(&s);
	bench_passed();
	bench_outcome(WEIR_PASS_EXTENSION);
	s = extended(&c, 60, far, 8);
	bench_send(&s);
	bench_passed();
	bench_outcome(WEIR_PASS_EXTENSION);
	s = extended(&c, 51, ah, 16);
	bench_send(&s);
	bench_passed();
	bench_outcome(WEIR_PASS_OTHER);
}

/* T112: a tagged packet belongs to the VLAN's interface, not to the device */
static void test_vlan(void **state)
{
	static uint8_t frame[FRAME_MAX];
	struct segment s;
	struct conn c;
	size_t len;

	if (!bench_mode()->wire)
		return;
	conn_init(&c, 40000, 1000);
	s = conn_syn(&c);
	len = segment_build(&s, frame);
	memmove(frame + 16, frame + 12, len - 12);
	memcpy(frame + 12, "\x81\0\0\x64", 4);
	bench_send_frame(CLIENT, frame, len + 4);
	bench_nothing();
	bench_outcome(WEIR_PASS_VLAN);
}

/* T105: a client with jumbo frames behind a device that takes shorter ones */
static void test_mss_of_the_device(void **state)
{
	struct segment s, got;
	struct conn c;

	assert_int_equal(system("ip link set cli0 mtu 1400"), 0);
	conn_init(&c, 40000, 1000);
	c.mss = 8960;
	s = conn_syn(&c);
	bench_send(&s);
	bench_take(&got);
	c.cseq++;
	c.cack = got.seq + 1;
	assert_int_equal(system("ip link set cli0 mtu 1500"), 0);
	/* the largest class below 1360 or 1340 */
	c.mss = 1300;
	conn_request(&c, GET("/a"));
}

/* T102: Ethernet padding of a bare ACK is no data */
static void test_padding_is_no_data(void **state)
{
	struct segment s;
	struct conn c;

	syn_only(&c, 40000);
	s = from_client(&c, ACK, NULL);
	s.trailer = 6;
	bench_send(&s);
	bench_nothing();
	bench_outcome(WEIR_COOKIE_OK);
	conn_request(&c, GET("/a"));
}

/* T101 */
static void test_wrong_checksum(void **state)
{
	struct segment s;
	struct conn c;

	conn_init(&c, 40000, 1000);
	s = conn_syn(&c);
	s.wrong = 1;
	bench_send(&s);
	bench_nothing();
	bench_outcome(WEIR_HEAD_CSUM);

	syn_only(&c, 40001);
	s = from_client(&c, ACK, NULL);
	s.wrong = 0x100;
	bench_send(&s);
	bench_nothing();
	bench_outcome(WEIR_HEAD_CSUM);
	assert_false(has_flow(40001));
	/* nor is it reset: a bit error is not a stranger */
	s = from_client(&c, ACK, NULL);
	s.ack += 1 << 20;
	s.wrong = 0x100;
	bench_send(&s);
	bench_nothing();
}

/* T030: without an endpoint weir itself challenges (RFC 5961, 4) */
static void test_syn_while_reading(void **state)
{
	struct segment s, want;
	struct conn c;

	conn_init(&c, 40000, 1000);
	conn_handshake(&c);
	s = conn_syn(&c);
	s.seq = 999999;
	bench_send(&s);
	want = made_for_client(&c, ACK, NULL);
	bench_expect(&want);
	bench_outcome(WEIR_SYN_CHALLENGE);
	conn_request(&c, GET("/a"));
	s = conn_syn(&c);
	s.seq = 999999;
	bench_send(&s);
	bench_outcome(WEIR_SYN_CHALLENGE);
	bench_take(&want);
	assert_int_equal(want.flags, ACK);
	conn_accept(&c, GET("/a"));
}

/* T031: the client has forgotten the connection: its answer to the challenge
 * ends the flow, its next SYN opens a new one */
static void test_client_rebooted(void **state)
{
	struct segment s, got;
	struct conn c, again;

	conn_init(&c, 40000, 1000);
	conn_handshake(&c);
	conn_init(&again, 40000, 900000);
	s = conn_syn(&again);
	bench_send(&s);
	bench_take(&got);
	s = from_client(&again, RST, NULL);
	s.seq = got.ack;
	s.ack = 0;
	bench_send(&s);
	bench_nothing();
	bench_outcome(WEIR_RST_CLIENT);
	conn_handshake(&again);
	conn_request(&again, GET("/a"));
}

/* T058, and RFC 5961, 3 */
static void test_reset_while_reading(void **state)
{
	struct segment s, want;
	struct conn c;

	conn_init(&c, 40000, 1000);
	conn_handshake(&c);
	s = from_client(&c, ACK, "GET / HT");
	bench_send(&s);
	c.cseq += s.len;
	bench_take(&want);
	s = from_client(&c, RST, NULL);
	s.seq += 5;
	bench_send(&s);
	bench_nothing();
	bench_outcome(WEIR_RST_IGNORED);
	assert_int_equal(bench_slots_held(), 1);
	s = from_client(&c, RST, NULL);
	bench_send(&s);
	bench_nothing();
	bench_outcome(WEIR_RST_CLIENT);
	assert_int_equal(bench_slots_held(), 0);
}

/* T057: connect and close */
static void test_fin_without_data(void **state)
{
	struct segment s, want;
	struct conn c;

	conn_init(&c, 40000, 1000);
	conn_handshake(&c);
	s = from_client(&c, FIN | ACK, NULL);
	bench_send(&s);
	c.cseq++;
	want = made_for_client(&c, FIN | ACK, NULL);
	want.win = 0;
	bench_expect(&want);
	bench_outcome(WEIR_CLOSE_ACKED);
	/* lost: the same again */
	bench_send(&s);
	bench_expect(&want);
	/* the last ACK */
	c.cack++;
	s = from_client(&c, ACK, NULL);
	bench_send(&s);
	bench_nothing();
	/* T032: the port is used again at once */
	c.cseq += 1000000;
	conn_handshake(&c);
	conn_request(&c, GET("/a"));
}

/* T121: RST rather than silence when there is no room */
static void test_flow_table_full(void **state)
{
	struct segment s, got;
	struct conn c;
	uint32_t i;

	for (i = 0; i < BENCH_FLOWS; i++) {
		conn_init(&c, 30000 + i, 1000);
		conn_handshake(&c);
	}
	syn_only(&c, 40000);
	s = from_client(&c, ACK, NULL);
	bench_send(&s);
	bench_take(&got);
	assert_int_equal(got.flags, RST);
	bench_outcome(WEIR_FLOW_FULL);
}

static const struct CMUnitTest tests[] = {
	BENCH_TEST(test_synack_mirrors_options),
	BENCH_TEST(test_syn_keeps_nothing),
	BENCH_TEST(test_cookie_carries_options),
	BENCH_TEST(test_shift_over_14_is_14),
	BENCH_TEST(test_mss_of_nothing),
	BENCH_TEST(test_syn_again),
	BENCH_TEST(test_syn_with_data),
	BENCH_TEST(test_data_finishes_handshake),
	BENCH_TEST(test_late_bare_ack),
	BENCH_TEST(test_later_segment_first),
	BENCH_TEST(test_bad_cookie_is_reset),
	BENCH_TEST(test_cookie_of_other_options),
	BENCH_TEST(test_key_rotation),
	BENCH_TEST(test_ecn_is_not_promised),
	BENCH_TEST(test_odd_flags_open_nothing),
	BENCH_TEST(test_signed_syn_is_dropped),
	BENCH_TEST(test_strange_options),
	BENCH_TEST(test_not_ours_is_passed),
	BENCH_TEST(test_ip_options),
	BENCH_TEST(test_vlan),
	BENCH_TEST(test_mss_of_the_device),
	BENCH_TEST(test_extension_headers),
	BENCH_TEST(test_extension_headers_passed),
	BENCH_TEST(test_padding_is_no_data),
	BENCH_TEST(test_wrong_checksum),
	BENCH_TEST(test_syn_while_reading),
	BENCH_TEST(test_client_rebooted),
	BENCH_TEST(test_reset_while_reading),
	BENCH_TEST(test_fin_without_data),
	BENCH_TEST(test_flow_table_full),
};

BENCH_MAIN(tests)

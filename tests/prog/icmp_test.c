/* SPDX-License-Identifier: BSD-2-Clause */
/* ICMP errors that quote a packet of a connection. */
#include "conn.h"

#define ROUTER_IP(side) ((side) == CLIENT ? IP(10, 0, 1, 200) : IP(10, 0, 2, 200))

enum error {
	TOO_BIG,
	UNREACHABLE,
	TIME_EXCEEDED,
};

struct error_frame {
	uint8_t bytes[FRAME_MAX];
	size_t len;
};

static void put16(uint8_t *p, uint32_t v)
{
	p[0] = v >> 8;
	p[1] = v;
}

static uint32_t sum16(uint32_t sum, const uint8_t *p, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		sum += i & 1 ? p[i] : p[i] << 8;
	return sum;
}

static uint16_t sum_end(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}

/* Type and code, by family. */
static void put_type(enum error e, bool v6, uint8_t *icmp)
{
	static const uint8_t types[][2][2] = {
		[TOO_BIG] = {{3, 4}, {2, 0}},
		[UNREACHABLE] = {{3, 1}, {1, 3}},
		[TIME_EXCEEDED] = {{11, 0}, {3, 0}},
	};

	icmp[0] = types[e][v6][0];
	icmp[1] = types[e][v6][1];
}

/* `like` says Ethernet and IP of the message: MACs, addresses, hop limit. The
 * quote is `about` with so many bytes behind its IP header, all when 0. */
static void error_build(struct error_frame *f, enum error e, const struct segment *like,
			uint32_t mtu, const struct segment *about, size_t quoted)
{
	static uint8_t inner[FRAME_MAX];
	struct segment outer = *like;
	size_t head = like->v6 ? 40 : 20, inner_len = segment_build(about, inner) - 14;
	uint8_t *ip = f->bytes + 14, *icmp = ip + head;
	size_t len;

	if (quoted)
		inner_len = head + quoted;
	len = 8 + inner_len;
	/* a TCP segment of the same length, whose inside is then replaced */
	outer.data = inner;
	outer.len = len - 20;
	outer.opts_len = 0;
	segment_build(&outer, f->bytes);
	memset(icmp, 0, 8);
	put_type(e, like->v6, icmp);
	put16(icmp + 6, mtu);
	memcpy(icmp + 8, inner + 14, inner_len);
	if (like->v6) {
		ip[6] = 58;
		put16(icmp + 2, sum_end(sum16(sum16(58 + len, ip + 8, 32), icmp, len)));
	} else {
		ip[9] = 1;
		put16(ip + 10, 0);
		put16(ip + 10, sum_end(sum16(0, ip, 20)));
		put16(icmp + 2, sum_end(sum16(0, icmp, len)));
	}
	f->len = 14 + head + len;
}

/* A router on that side says so about a packet that weir sent. */
static void from_router(struct error_frame *f, enum side side, enum error e,
			uint32_t mtu, const struct segment *about)
{
	struct segment like = bench_segment(side);

	like.src = ROUTER_IP(side);
	like.dst = about->src;
	error_build(f, e, &like, mtu, about, 0);
}

/* What weir makes of it: about what the receiver had sent. */
static void as_told(struct error_frame *f, const struct segment *made, uint32_t mtu,
		    const struct segment *about)
{
	struct segment like = *made;

	like.id = 0;
	error_build(f, TOO_BIG, &like, mtu, about, 8);
}

static void open_flow(struct conn *c)
{
	conn_open(c, 40000, GET("/a"));
	conn_respond(c, OK_RESPONSE);
}

/* One whose endpoint sees the client's address. */
static void open_kept(struct conn *c, const char *request)
{
	bench_keep_client(true);
	conn_init(c, 40000, 1000000);
	c->ours = CLIENT_IP;
	conn_handshake(c);
	conn_request(c, request);
	conn_accept(c, request);
}

static void too_big_for_the_client(const struct conn *c)
{
	static char data[1100];
	struct error_frame in, want;
	struct segment s, sent, made;

	s = from_endpoint(c, ACK, NULL);
	s.data = data;
	s.len = 1100;
	sent = at_client(c, &s);
	bench_send(&s);
	bench_expect(&sent);
	from_router(&in, CLIENT, TOO_BIG, 1280, &sent);
	made = made_for_endpoint(c, ACK, NULL);
	as_told(&want, &made, 1280, &s);
	bench_send_frame(CLIENT, in.bytes, in.len);
	bench_expect_frame(ENDPOINT, want.bytes, want.len);
	bench_outcome(WEIR_ICMP_TO_ENDPOINT);
}

/* T106, T107: a large response does not fit the client's path */
static void test_too_big_for_the_client(void **state)
{
	struct conn c;

	open_flow(&c);
	too_big_for_the_client(&c);
}

static void test_too_big_for_the_client_kept(void **state)
{
	struct conn c;

	open_kept(&c, GET("/a"));
	conn_respond(&c, OK_RESPONSE);
	too_big_for_the_client(&c);
}

#define POST "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 99\r\n\r\n"

static void too_big_for_the_endpoint(struct conn *c)
{
	struct error_frame in, want;
	struct segment s, sent, made;
	struct weir_flow f;

	conn_down(c, ACK, NULL);
	s = from_client(c, ACK, "part of a body");
	sent = at_endpoint(c, &s);
	bench_send(&s);
	bench_expect(&sent);
	from_router(&in, ENDPOINT, TOO_BIG, 1280, &sent);
	made = made_for_client(c, ACK, NULL);
	as_told(&want, &made, 1280, &s);
	bench_send_frame(ENDPOINT, in.bytes, in.len);
	bench_expect_frame(CLIENT, want.bytes, want.len);
	bench_outcome(WEIR_ICMP_TO_CLIENT);
	assert_true(bench_flow(40000, &f));
	assert_int_equal(f.endpoint_mss, bench_mode()->v6 ? 1220 : 1240);
}

/* The same for an upload; what weir itself sends gets smaller as well. */
static void test_too_big_for_the_endpoint(void **state)
{
	struct conn c;

	conn_open(&c, 40000, POST);
	too_big_for_the_endpoint(&c);
}

static void test_too_big_for_the_endpoint_kept(void **state)
{
	struct conn c;

	open_kept(&c, POST);
	too_big_for_the_endpoint(&c);
}

static void is_dropped(struct error_frame *in, enum side side, enum weir_outcome o)
{
	bench_send_frame(side, in->bytes, in->len);
	bench_nothing();
	bench_outcome(o);
}

/* T108: only what may be under way is believed (RFC 5927, 4.1) */
static void test_wrong_numbers(void **state)
{
	static const uint32_t off[] = {0, 1, 0x10000, 0x80000000, -(17u << 20)};
	struct segment s, sent;
	struct error_frame in;
	struct conn c;
	uint32_t i;

	open_flow(&c);
	s = from_endpoint(&c, ACK, "data");
	sent = at_client(&c, &s);
	bench_send(&s);
	bench_expect(&sent);
	for (i = 0; i < sizeof(off) / sizeof(off[0]); i++) {
		struct segment forged = sent;

		/* nothing has been sent from there on */
		forged.seq += 4 + off[i];
		from_router(&in, CLIENT, TOO_BIG, 600, &forged);
		is_dropped(&in, CLIENT, WEIR_ICMP_BAD);
	}
	s = from_client(&c, ACK, NULL);
	sent = at_endpoint(&c, &s);
	sent.seq--;
	from_router(&in, ENDPOINT, TOO_BIG, 600, &sent);
	is_dropped(&in, ENDPOINT, WEIR_ICMP_BAD);
	sent.seq += 1 + (17 << 20);
	from_router(&in, ENDPOINT, TOO_BIG, 600, &sent);
	is_dropped(&in, ENDPOINT, WEIR_ICMP_BAD);
}

static void test_wrong_checksum(void **state)
{
	struct segment s, sent;
	struct error_frame in;
	struct conn c;

	open_flow(&c);
	s = from_endpoint(&c, ACK, "data");
	sent = at_client(&c, &s);
	bench_send(&s);
	bench_expect(&sent);
	from_router(&in, CLIENT, TOO_BIG, 1280, &sent);
	in.bytes[in.len - 1] ^= 1;
	is_dropped(&in, CLIENT, WEIR_ICMP_BAD);
}

/* T117, RFC 5461: nothing that a connection would end for, nor the node's stack */
static void test_soft_errors(void **state)
{
	struct segment s, sent;
	struct error_frame in;
	struct conn c;

	open_flow(&c);
	s = from_endpoint(&c, ACK, "data");
	sent = at_client(&c, &s);
	bench_send(&s);
	bench_expect(&sent);
	from_router(&in, CLIENT, UNREACHABLE, 0, &sent);
	is_dropped(&in, CLIENT, WEIR_ICMP_IGNORED);
	from_router(&in, CLIENT, TIME_EXCEEDED, 0, &sent);
	is_dropped(&in, CLIENT, WEIR_ICMP_IGNORED);
	s = from_client(&c, ACK, NULL);
	sent = at_endpoint(&c, &s);
	from_router(&in, ENDPOINT, UNREACHABLE, 0, &sent);
	is_dropped(&in, ENDPOINT, WEIR_ICMP_IGNORED);
}

/* About our SYN-ACK: there is no flow yet. */
static void test_about_a_cookie(void **state)
{
	struct error_frame in;
	struct segment s, got;
	struct conn c;

	conn_init(&c, 40000, 1000);
	s = conn_syn(&c);
	bench_send(&s);
	bench_take(&got);
	from_router(&in, CLIENT, TOO_BIG, 600, &got);
	is_dropped(&in, CLIENT, WEIR_ICMP_IGNORED);
	c.cseq++;
	c.cack = got.seq + 1;
	conn_request(&c, GET("/a"));
}

/* T068: as good as a refusal, but only for exactly our SYN */
static void test_syn_unreachable(void **state)
{
	struct segment syn;
	struct error_frame in;
	struct conn c;

	conn_init(&c, 40000, 1000);
	conn_handshake(&c);
	bench_turn(GROUP_A, 0);
	conn_request(&c, GET("/a"));
	assert_int_equal(c.endpoint, 0);
	syn = made_for_endpoint(&c, SYN, NULL);
	syn.seq = c.eack;
	from_router(&in, ENDPOINT, UNREACHABLE, 0, &syn);
	is_dropped(&in, ENDPOINT, WEIR_ICMP_BAD);
	syn.seq = c.eack - 1;
	from_router(&in, ENDPOINT, UNREACHABLE, 0, &syn);
	bench_send_frame(ENDPOINT, in.bytes, in.len);
	bench_outcome(WEIR_CONNECT_UNREACHABLE);
	bench_outcome(WEIR_CONNECT_NEXT);
	conn_take_syn(&c);
	assert_int_equal(c.endpoint, 1);
	conn_accept(&c, GET("/a"));
	conn_respond(&c, OK_RESPONSE);
}

/* The node's own business. */
static void test_other_icmp_is_passed(void **state)
{
	struct segment s = bench_made(CLIENT, 0);
	struct error_frame in;

	if (bench_mode()->wire)
		return;
	s.sport = 22;
	s.dport = 5555;
	from_router(&in, CLIENT, UNREACHABLE, 0, &s);
	bench_send_frame(CLIENT, in.bytes, in.len);
	bench_passed();
	bench_outcome(WEIR_PASS_OTHER);
	/* an echo request */
	in.bytes[14 + (s.v6 ? 40 : 20)] = s.v6 ? 128 : 8;
	bench_send_frame(CLIENT, in.bytes, in.len);
	bench_passed();
}

static const struct CMUnitTest tests[] = {
	BENCH_TEST(test_too_big_for_the_client),
	BENCH_TEST(test_too_big_for_the_endpoint),
	BENCH_TEST(test_wrong_numbers),
	BENCH_TEST(test_wrong_checksum),
	BENCH_TEST(test_soft_errors),
	BENCH_TEST(test_about_a_cookie),
	BENCH_TEST(test_too_big_for_the_client_kept),
	BENCH_TEST(test_too_big_for_the_endpoint_kept),
	BENCH_TEST(test_syn_unreachable),
	BENCH_TEST(test_other_icmp_is_passed),
};

BENCH_MAIN(tests)

/* SPDX-License-Identifier: BSD-2-Clause */
/* Segments of weir's own that cannot be sent are counted as what they are. */
#include "conn.h"

/* What has not gone is not counted as sent, and comes again when it can. */
static void test_unsent(void **state)
{
	struct segment s, want;
	struct weir_flow f;
	struct conn c;
	uint32_t slot;

	conn_open(&c, 40000, GET("/a"));
	assert_true(bench_flow(c.port, &f));
	slot = f.slot;
	f.slot = BENCH_SLOTS; /* no such buffer */
	bench_flow_put(c.port, &f);
	s = from_client(&c, PSH | ACK, GET("/a"));
	s.seq = c.head;
	bench_send(&s);
	bench_nothing();
	bench_outcome(WEIR_UNSENT);
	bench_not_outcome(WEIR_RESENT);
	f.slot = slot;
	bench_flow_put(c.port, &f);
	bench_send(&s);
	bench_outcome(WEIR_RESENT);
	want = made_for_endpoint(&c, PSH | ACK, GET("/a"));
	want.seq = c.head + c.up;
	bench_expect(&want);
	conn_respond(&c, OK_RESPONSE);
}

/* The same of each segment of several, by a device that is gone. */
static void test_device_gone(void **state)
{
	struct segment s;
	struct weir_flow f;
	struct conn c;

	conn_init(&c, 40000, 1000000);
	c.emss = 100;
	conn_handshake(&c);
	conn_request(&c,
		     GET("/a/0123456789012345678901234567890123456789012345678901234"
			 "56789012345678901234567890123456789012345678901234567"));
	conn_synack(&c);
	bench_take(&s);
	bench_take(&s);
	assert_true(bench_flow(c.port, &f));
	f.to_endpoint.ifindex = 0x7fffffff;
	f.to_endpoint.peer = 0;
	bench_flow_put(c.port, &f);
	s = from_client(&c, PSH | ACK, GET("/a"));
	s.seq = c.head;
	bench_send(&s);
	bench_outcome(WEIR_UNSENT);
	/* where the last one goes is the kernel's business */
	if (!bench_mode()->wire)
		bench_take(&s);
	bench_nothing();
}

/* A RST is not answered, which is no failure. */
static void test_reset_for_a_reset(void **state)
{
	struct segment s;
	struct conn c;

	conn_open_idle(&c);
	bench_leg_drop(ENDPOINT_IP(c.endpoint), c.leg_port);
	s = from_client(&c, RST | ACK, NULL);
	bench_send(&s);
	bench_nothing();
	bench_outcome(WEIR_FLOW_GONE);
	bench_not_outcome(WEIR_UNSENT);
}

static const struct CMUnitTest tests[] = {
	BENCH_TEST(test_unsent),
	BENCH_TEST(test_device_gone),
	BENCH_TEST(test_reset_for_a_reset),
};

BENCH_MAIN(tests)

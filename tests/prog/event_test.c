/* SPDX-License-Identifier: BSD-2-Clause */
/* What the kernel writes for `weir monitor`. */
#include "conn.h"

#include <arpa/inet.h>
#include <time.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <weir/event.h>

static struct ring_buffer *ring;
static struct weir_event_request asked[8];
static struct weir_event_response answered[8];
static int asked_count, answered_count, counted;
static bool counting; /* only that */

static int on_record(void *ctx, void *data, size_t size)
{
	const struct weir_event *e = data;

	(void)ctx;
	counted++;
	if (counting)
		return 0;
	if (e->kind == WEIR_EVENT_REQUEST) {
		assert_int_equal(size, sizeof(asked[0]));
		assert_true(asked_count < 8);
		memcpy(&asked[asked_count++], data, size);
	} else {
		assert_int_equal(e->kind, WEIR_EVENT_RESPONSE);
		assert_int_equal(size, sizeof(answered[0]));
		assert_true(answered_count < 8);
		memcpy(&answered[answered_count++], data, size);
	}
	return 0;
}

/* So many records have been written since the last time. */
#define take(requests, responses)                             \
	do {                                                  \
		asked_count = 0;                              \
		answered_count = 0;                           \
		assert_true(ring_buffer__consume(ring) >= 0); \
		assert_int_equal(asked_count, requests);      \
		assert_int_equal(answered_count, responses);  \
	} while (0)

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ull + t.tv_nsec;
}

static void watch(const struct weir_monitor *m)
{
	uint32_t zero = 0;

	assert_int_equal(bpf_map_update_elem(bench_map("monitor"), &zero, m, 0), 0);
}

static struct weir_monitor everything(void)
{
	return (struct weir_monitor){
		.until_ns = now() + 600000000000ull,
		.route_id = WEIR_NO_ID,
	};
}

static int watched_fresh(void **state)
{
	ring = ring_buffer__new(bench_map("events"), on_record, NULL, NULL);
	return ring ? bench_fresh(state) : -1;
}

static int watched_done(void **state)
{
	static const struct weir_monitor off;

	watch(&off);
	ring_buffer__consume(ring);
	ring_buffer__free(ring);
	return bench_done(state);
}

static void test_nobody_watches(void **state)
{
	struct weir_monitor m = everything();
	struct conn c;

	conn_open(&c, 40000, GET("/a/1"));
	conn_respond(&c, OK_RESPONSE);
	m.until_ns = now();
	watch(&m);
	conn_up(&c, PSH | ACK, GET("/a/2"));
	conn_respond(&c, OK_RESPONSE);
	take(0, 0);
}

static void test_request_and_response(void **state)
{
	static const char sent[] =
		"GET /strip/./x?y HTTP/1.1\r\nHost: A.example:80\r\n\r\n";
	struct weir_monitor m = everything();
	uint64_t before = now();
	struct segment s, want;
	struct conn c, old;

	watch(&m);
	conn_open_idle(&c);
	take(1, 1);
	assert_int_equal(asked[0].e.number, 1);
	assert_int_equal(answered[0].e.number, 1);
	assert_int_equal(answered[0].status, 200);
	/* what goes to the endpoint is the business of other tests */
	s = conn_next(&c, sent);
	bench_send(&s);
	bench_take(&want);
	c.eack = c.cseq + c.up;
	take(1, 0);
	assert_int_equal(asked[0].e.number, 2);
	assert_in_range(asked[0].e.time_ns, before, now());
	assert_int_equal(asked[0].e.client_port, htons(40000));
	assert_int_equal(asked[0].e.listener_port, htons(LISTEN_PORT));
	assert_int_equal(asked[0].e.client.w[3], htonl(CLIENT_IP));
	assert_int_equal(asked[0].e.listener.w[3], htonl(LISTEN_IP));
	assert_int_equal(asked[0].e.route_id, 101);
	assert_int_equal(asked[0].method_len, 3);
	assert_string_equal(asked[0].method, "GET");
	assert_int_equal(asked[0].host_len, 9);
	assert_string_equal(asked[0].host, "A.example");
	assert_int_equal(asked[0].target_len, 10);
	assert_string_equal(asked[0].target, "/strip/x?y");
	conn_respond(&c, "HTTP/1.1 500 No\r\nContent-Length: 2\r\n\r\nhi");

	take(0, 1);
	assert_int_equal(answered[0].e.number, 2);
	assert_int_equal(answered[0].e.client_port, htons(40000));
	assert_int_equal(answered[0].e.route_id, 101);
	assert_int_equal(answered[0].endpoint_id, c.endpoint);
	assert_int_equal(answered[0].status, 500);
	assert_int_equal(answered[0].flags, 0);
	assert_int_equal(answered[0].bytes_up, sizeof(sent) - 1);
	assert_int_equal(answered[0].bytes_down, 40);
	assert_true(answered[0].total_us >= answered[0].first_us);

	/* a reply of the kernel's: both records at once */
	old = c;
	s = conn_next(&c, GET("/x"));
	bench_send(&s);
	conn_expect_leave(&old);
	want = conn_reply(&c, WEIR_REPLY_NOT_FOUND, false, false);
	bench_expect(&want);
	take(1, 1);
	assert_int_equal(answered[0].e.number, 3);
	assert_int_equal(answered[0].e.route_id, WEIR_NO_ID);
	assert_int_equal(answered[0].endpoint_id, WEIR_NO_ID);
	assert_int_equal(answered[0].status, 404);
	assert_int_equal(answered[0].flags, WEIR_EVENT_KERNEL);
	assert_int_equal(answered[0].bytes_up, s.len);
	assert_int_equal(answered[0].bytes_down, want.len);
	/* repeated: it is the same request */
	bench_send(&s);
	bench_expect(&want);
	take(0, 0);
}

static void test_unreadable_request(void **state)
{
	struct weir_monitor m = everything();
	struct segment s, want;
	struct conn c;

	watch(&m);
	conn_init(&c, 40000, 1000000);
	conn_handshake(&c);
	s = from_client(&c, PSH | ACK, "GET\r\n\r\n");
	bench_send(&s);
	bench_take(&want);
	take(1, 1);
	assert_int_equal(asked[0].method_len, 0);
	assert_int_equal(answered[0].status, 400);
}

static void test_reset_before_the_response(void **state)
{
	struct weir_monitor m = everything();
	struct segment s, want;
	struct conn c;

	watch(&m);
	conn_open(&c, 40000, GET("/a/1"));
	s = from_client(&c, RST | ACK, NULL);
	bench_send(&s);
	bench_take(&want);
	take(1, 1);
	assert_int_equal(answered[0].status, 0);
	assert_int_equal(answered[0].flags, WEIR_EVENT_CUT);
}

/* Each filter alone: the first value lets the request pass, the second does not. */
static void test_filters(void **state)
{
	struct weir_monitor m = everything();
	struct weir_addr client;
	struct conn c;
	int i;

	watch(&m);
	conn_open_idle(&c);
	take(1, 1);
	client = asked[0].e.client;
	for (i = 0; i < 12; i++) {
		m = everything();
		if (i / 2 == 0)
			m.route_id = 100 + i % 2;
		if (i / 2 == 1) {
			m.client = client;
			m.client.b[15] ^= 1;
			m.client_bits = 127 + i % 2;
		}
		if (i / 2 == 2) {
			m.host_len = 9;
			memcpy(m.host, i % 2 ? "b.example" : "a.example", 9);
		}
		if (i / 2 == 3) {
			m.host_len = 8 + !(i % 2);
			memcpy(m.host, "a.example", 9);
		}
		if (i / 2 == 4)
			m.sample = i % 2 ? 0xffffffff : 1;
		if (i / 2 == 5)
			m.classes = i % 2 ? 1 << 4 | 1 << 5 : 1 << 2;
		watch(&m);
		conn_up(&c, PSH | ACK, GET("/a/2"));
		conn_respond(&c, OK_RESPONSE);
		take(i / 2 == 5 || !(i % 2), !(i % 2));
	}
}

/* A full ring loses records and says how many. */
static void test_lost(void **state)
{
	struct weir_monitor m = everything();
	uint32_t zero = 0;
	struct conn c;
	int i;

	watch(&m);
	conn_open_idle(&c);
	for (i = 0; i < 600; i++) {
		conn_up(&c, PSH | ACK, GET("/a/2"));
		conn_respond(&c, OK_RESPONSE);
	}
	assert_int_equal(bpf_map_lookup_elem(bench_map("monitor"), &zero, &m), 0);
	assert_in_range(m.lost, 1, 1200);
	counting = true;
	counted = 0;
	assert_true(ring_buffer__consume(ring) > 0);
	counting = false;
	/* a request that is lost has no response */
	assert_in_range(counted + m.lost, 601, 2 * 601);
	assert_true(counted > 300);
}

#define EVENT_TEST(fn) cmocka_unit_test_setup_teardown(fn, watched_fresh, watched_done)

static const struct CMUnitTest tests[] = {
	EVENT_TEST(test_nobody_watches),
	EVENT_TEST(test_request_and_response),
	EVENT_TEST(test_unreadable_request),
	EVENT_TEST(test_reset_before_the_response),
	EVENT_TEST(test_filters),
	EVENT_TEST(test_lost),
};

BENCH_MAIN_IN(tests, false)

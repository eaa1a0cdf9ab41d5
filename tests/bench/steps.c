/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * steps ROUTES FILE: nanoseconds of one run of the program by BPF_PROG_TEST_RUN, by
 * what the packet is, with that many routes; a JSON object a line into FILE.
 *
 * Each sample is one run, with the flow put back before it: the system calls around it
 * leave cold caches and a clock's reading in the figure. So a packet that is not ours
 * is measured in the same way, what is told is the difference to it, and it itself is
 * told as the mean of many runs in a row. Medians.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <weir/event.h>

#include "prog/conn.h"

#define SAMPLES 20000
#define IN_A_ROW 1000000
#define PORT 40000 /* conn_open_idle()'s */

static FILE *out;
static uint32_t routes;

static void tell(const char *step, double ns)
{
	fprintf(out, "{\"routes\": %u, \"step\": \"%s\", \"ns\": %.0f}\n", routes, step,
		ns);
}

static int compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

/* The flow as it was, and a slot that the run has taken for its head is free. */
static void put_back(const struct weir_flow *flow)
{
	struct weir_flow now;

	if (bench_flow(PORT, &now) && now.slot != flow->slot &&
	    now.slot != WEIR_NO_SLOT)
		assert_int_equal(bpf_map_update_elem(bench_map("head_free"), NULL,
						     &now.slot, BPF_ANY),
				 0);
	bench_flow_put(PORT, flow);
}

static double median(uint32_t *ns)
{
	qsort(ns, SAMPLES, sizeof(*ns), compare);
	return ns[SAMPLES / 2];
}

static double median_ns(const struct segment *s, const struct weir_flow *flow)
{
	static uint32_t ns[SAMPLES];
	uint32_t i;

	for (i = 0; i < SAMPLES; i++) {
		put_back(flow);
		ns[i] = bench_ns(s, 1);
	}
	put_back(flow);
	return median(ns);
}

static struct segment not_ours(void)
{
	struct segment s = bench_segment(CLIENT);

	s.sport = PORT;
	s.dport = LISTEN_PORT + 1;
	s.flags = ACK;
	s.data = "";
	return s;
}

/* What has been measured in single runs, in terms of one that finds nothing to do. */
static double in_terms(double ns, const struct weir_flow *flow)
{
	struct segment none = not_ours();

	return ns - median_ns(&none, flow) + bench_ns(&none, IN_A_ROW);
}

static double single_ns(const struct segment *s, const struct weir_flow *flow)
{
	return in_terms(median_ns(s, flow), flow);
}

static void test_packets(void **state)
{
	static const char text[] = "some bytes of a response that goes on";
	struct segment s = not_ours();
	uint32_t edges[2];
	struct weir_flow flow;
	struct conn c;

	tell("not ours", bench_ns(&s, IN_A_ROW));
	conn_open_idle(&c);
	assert_true(bench_flow(c.port, &flow));
	s = from_endpoint(&c, ACK, text);
	tell("spliced", single_ns(&s, &flow));
	conn_down(&c, ACK, text);
	assert_true(bench_flow(c.port, &flow));
	s = from_client(&c, ACK, NULL);
	edges[0] = c.cack + 1448;
	edges[1] = edges[0] + 1448;
	opt_sack(&s, 1, edges);
	tell("spliced, SACK", single_ns(&s, &flow));
}

/* As nginx sends it for a small file. */
#define RESPONSE                                                                     \
	"HTTP/1.1 200 OK\r\nServer: nginx/1.22.1\r\n"                                \
	"Date: Thu, 26 Nov 2026 12:00:00 GMT\r\nContent-Type: text/plain\r\n"        \
	"Content-Length: 6\r\nLast-Modified: Thu, 26 Nov 2026 11:00:00 GMT\r\n"      \
	"Connection: keep-alive\r\nETag: \"6566a2b0-6\"\r\nAccept-Ranges: bytes\r\n" \
	"\r\nsmall\n"

/* The events, while somebody watches. */
static struct ring_buffer *ring;
static uint32_t records;

static int on_record(void *ctx, void *data, size_t size)
{
	records++;
	return 0;
}

static void watch(uint64_t until_ns)
{
	struct weir_monitor m = {.until_ns = until_ns, .route_id = WEIR_NO_ID};
	uint32_t zero = 0;

	assert_int_equal(bpf_map_update_elem(bench_map("monitor"), &zero, &m, 0), 0);
}

/* Requests with that head on a connection that is kept alive, to the endpoint that
 * it has, and the response to each. */
static void measure_head(const char *step, const char *response, const char *head)
{
	static uint32_t up[SAMPLES], down[SAMPLES];
	struct weir_flow flow;
	struct segment s;
	struct conn c;
	uint32_t i;

	bench_fresh(NULL);
	conn_open_idle(&c);
	if (ring)
		watch(UINT64_MAX);
	for (i = 0; i < SAMPLES; i++) {
		s = conn_next(&c, head);
		up[i] = bench_ns(&s, 1);
		c.eack += s.len;
		s = from_endpoint(&c, PSH | ACK, RESPONSE);
		down[i] = bench_ns(&s, 1);
		c.eseq += s.len;
		c.cack += s.len;
		if (ring)
			assert_true(ring_buffer__consume(ring) >= 0);
	}
	assert_true(bench_flow(c.port, &flow));
	assert_int_equal(flow.requests, SAMPLES + 1);
	assert_int_equal(flow.next_req, c.cseq);
	tell(step, in_terms(median(up), &flow));
	if (response)
		tell(response, in_terms(median(down), &flow));
}

static void measure_404(const char *step, const char *head)
{
	struct weir_flow flow;
	struct segment s, want;
	struct conn c;

	bench_fresh(NULL);
	conn_open_idle(&c);
	assert_true(bench_flow(c.port, &flow));
	s = conn_next(&c, head);
	bench_send(&s);
	bench_take(&want);
	bench_outcome(WEIR_REQ_NO_ROUTE);
	tell(step, single_ns(&s, &flow));
	bench_fresh(NULL); /* the endpoint's side has been closed, each time */
}

static void test_head_127(void **state)
{
	static const char head[] =
		"GET /a/of/some/length HTTP/1.1\r\nHost: www.a.example\r\n"
		"User-Agent: curl/7.88.1 (x86_64-linux-gnu)\r\nAccept: */*\r\n"
		"X-Pad: 123456\r\n\r\n";

	assert_int_equal(strlen(head), 127);
	measure_head("head of 127 B", "response to it", head);
	ring = ring_buffer__new(bench_map("events"), on_record, NULL, NULL);
	assert_non_null(ring);
	measure_head("head of 127 B, watched", "response to it, watched", head);
	assert_int_equal(records, 2 * SAMPLES);
	ring_buffer__free(ring);
	ring = NULL;
	watch(0);
}

static void test_head_728(void **state)
{
	static char head[1024];
	size_t len;

	len = (size_t)snprintf(
		head, sizeof(head),
		"GET /a/of/some/length?with=query HTTP/1.1\r\nHost: www.a.example\r\n"
		"Connection: keep-alive\r\n"
		"User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 "
		"(KHTML, "
		"like Gecko) Chrome/120.0.0.0 Safari/537.36\r\n"
		"Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/"
		"avif,image/webp,*/*;q=0.8\r\n"
		"Accept-Encoding: gzip, deflate, br\r\n"
		"Accept-Language: en-GB,en;q=0.9,de;q=0.8\r\n"
		"Sec-Fetch-Dest: document\r\nSec-Fetch-Mode: navigate\r\n"
		"Upgrade-Insecure-Requests: 1\r\nCookie: session=");
	while (len < 724)
		head[len++] = 'c';
	memcpy(head + len, "\r\n\r\n", 5);
	assert_int_equal(strlen(head), 728);
	measure_head("browser's head of 728 B", NULL, head);
}

/* The last of all hosts, as bench_routes() has them. */
static void test_routes(void **state)
{
	uint32_t host = (routes - 1) / BENCH_HOST_ROUTES;
	char head[256];

	snprintf(head, sizeof(head),
		 "GET /api/%u/v3/x HTTP/1.1\r\nHost: h%u.bench.example\r\n"
		 "User-Agent: curl/7.88.1\r\nAccept: */*\r\n\r\n",
		 host, host);
	measure_head("route by host and path", NULL, head);
	snprintf(head, sizeof(head),
		 "GET /re/%u/12345 HTTP/1.1\r\nHost: h%u.bench.example\r\n"
		 "User-Agent: curl/7.88.1\r\nAccept: */*\r\n\r\n",
		 host, host);
	measure_head("route by regular expression", NULL, head);
	snprintf(head, sizeof(head),
		 "GET /api/none/v3 HTTP/1.1\r\nHost: h%u.bench.example\r\n"
		 "User-Agent: curl/7.88.1\r\nAccept: */*\r\n\r\n",
		 host);
	measure_404("no such path: 404", head);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		BENCH_TEST(test_packets),
		BENCH_TEST(test_head_127),
		BENCH_TEST(test_head_728),
		BENCH_TEST(test_routes),
	};

	if (argc != 3)
		return 2;
	routes = (uint32_t)strtoul(argv[1], NULL, 10);
	out = fopen(argv[2], "we");
	if (!routes || !out)
		return 2;
	setenv("WEIR_BENCH_MODE", "run", 1);
	bench_routes(routes);
	bench_add(&(struct bench_suite){"steps", tests,
					sizeof(tests) / sizeof(tests[0]), false});
	return bench_main();
}

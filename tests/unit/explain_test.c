/* SPDX-License-Identifier: BSD-2-Clause */
/* Explaining: verdicts, streams with their bodies, and TLS hellos. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "route/explain.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define H "Host: a.b\r\n\r\n"

static struct explainer explainer;
static struct ir ir;

static char *text(const char *s)
{
	char *p = strdup(s);

	assert_non_null(p);
	return p;
}

static uint32_t add_group(const char *name, bool is_ready)
{
	struct ir_group *g = vec_push(&ir.groups);
	struct ir_endpoint *e = vec_push(&g->endpoints);

	g->name = text(name);
	e->ready = is_ready;
	return ir.groups.len - 1;
}

static void add_route(const char *path, enum weir_action action, uint32_t to)
{
	struct ir_route *r = vec_push(&ir.routes);

	*r = (struct ir_route){
		.host_kind = *path ? IR_HOST_EXACT : IR_HOST_ANY,
		.host = ir_text(&ir, *path ? "a.b" : ""),
		.path = ir_text(&ir, path),
		.match = ir_text(&ir, path),
		.type = *path ? WEIR_PATH_PREFIX : WEIR_PATH_DEFAULT,
		.action = action,
		.flags = WEIR_ROUTE_STRIP,
		.group = action == WEIR_ACTION_REPLY ? 0 : to,
		.reply = action == WEIR_ACTION_REPLY ? (int)to : -1,
		.ingress = "n/i",
		.backend = "n/s:80",
		.at = {"f", 1, 1},
		.reason = action == WEIR_ACTION_UNHONOURED ? "a plugin" : NULL,
	};
}

static int open_all(void **state)
{
	uint32_t ready = add_group("n/s:80", true), empty = add_group("n/e:80", false);
	struct ir_route *https;
	struct ir_reply *redirect;
	struct err err = {};

	((struct ir_reply *)vec_push(&ir.replies))->status = 418;
	redirect = vec_push(&ir.replies);
	redirect->status = 308;
	redirect->location = text(IR_LOCATION_HTTPS);
	add_route("/ok", WEIR_ACTION_GROUP, ready);
	add_route("/empty", WEIR_ACTION_GROUP, empty);
	add_route("/reply", WEIR_ACTION_REPLY, 0);
	add_route("/https", WEIR_ACTION_REPLY, 1);
	https = &ir.routes.item[ir.routes.len - 1];
	https->host_kind = IR_HOST_ANY;
	https->host = "";
	add_route("/plugin", WEIR_ACTION_UNHONOURED, 0);
	add_route("/gateway", WEIR_ACTION_GATEWAY, ready);
	return explain_open(&explainer, &ir, &err);
}

static int close_all(void **state)
{
	explain_close(&explainer);
	ir_free(&ir);
	return 0;
}

static void verdicts(void **state)
{
	static const struct {
		const char *head;
		enum explain_verdict verdict;
		unsigned int status;
		const char *target;
	} cases[] = {
		{"GET /ok/x?y HTTP/1.1\r\n" H, EXPLAIN_ROUTE, 0, "/x?y"},
		{"GET /ok/../ok//%7e HTTP/1.1\r\n" H, EXPLAIN_ROUTE, 0, "/~"},
		{"GET /empty HTTP/1.1\r\n" H, EXPLAIN_REPLY, 503, NULL},
		{"GET /reply HTTP/1.1\r\n" H, EXPLAIN_REPLY, 418, NULL},
		{"GET /https HTTP/1.1\r\n" H, EXPLAIN_REPLY, 308, NULL},
		{"GET /https HTTP/1.0\r\n\r\n", EXPLAIN_REJECT, 400, NULL},
		{"GET /plugin HTTP/1.1\r\n" H, EXPLAIN_REPLY, 503, NULL},
		{"GET /gateway/x HTTP/1.1\r\n" H, EXPLAIN_GATEWAY, 0, "/gateway/x"},
		{"GET /no HTTP/1.1\r\n" H, EXPLAIN_REPLY, 404, NULL},
		{"GET /ok/../.. HTTP/1.1\r\n" H, EXPLAIN_REJECT, 400, NULL},
		{"GET /ok HTTP/1.1\r\n\r\n", EXPLAIN_REJECT, 400, NULL},
		{"GET /ok HTTP/3.0\r\n" H, EXPLAIN_REJECT, 505, NULL},
		{"GET /ok HTTP/1.1\r\nHost: a", EXPLAIN_INCOMPLETE, 0, NULL},
	};
	size_t i;

	for (i = 0; i < COUNT(cases); i++) {
		struct explain_answer a;

		explain_head(&explainer, cases[i].head, strlen(cases[i].head), &a);
		if (a.verdict != cases[i].verdict || a.status != cases[i].status)
			fail_msg("%s: %s %u", cases[i].head,
				 explain_verdict_text[a.verdict], a.status);
		assert_int_equal(a.target != NULL, cases[i].target != NULL);
		if (a.target) {
			assert_int_equal(a.target_len, strlen(cases[i].target));
			assert_memory_equal(a.target, cases[i].target, a.target_len);
		}
		assert_true(*a.reason);
	}
}

static void too_long(void **state)
{
	static char head[WEIR_HEAD_MAX + 100] = "GET /ok HTTP/1.1\r\nX: ";
	struct explain_answer a;

	memset(head + 21, 'x', sizeof(head) - 21);
	explain_head(&explainer, head, sizeof(head), &a);
	assert_int_equal(a.verdict, EXPLAIN_REJECT);
	assert_int_equal(a.status, 431);
}

static void too_long_to_quote(void **state)
{
	char head[WEIR_QUOTE_MAX + 100];
	struct explain_answer a;
	int pad;

	for (pad = WEIR_QUOTE_MAX - 7; pad <= (int)WEIR_QUOTE_MAX - 6; pad++) {
		snprintf(head, sizeof(head), "GET /https?%0*d HTTP/1.1\r\n" H, pad, 0);
		explain_head(&explainer, head, strlen(head), &a);
		assert_int_equal(a.status, pad == WEIR_QUOTE_MAX - 7 ? 308 : 431);
	}
}

/* With a gateway it is left to that. */
static void unreadable(void **state)
{
	static char head[WEIR_HEAD_MAX + 100] = "GET /ok HTTP/1.1\r\nX: ";
	static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
	struct explainer *e = calloc(1, sizeof(*e));
	struct explain_answer a;
	struct err err;

	assert_non_null(e);
	memset(head + 21, 'x', sizeof(head) - 21);
	ir.gateway = 1;
	assert_int_equal(explain_open(e, &ir, &err), 0);
	ir.gateway = 0;
	explain_head(e, preface, sizeof(preface) - 1, &a);
	assert_int_equal(a.verdict, EXPLAIN_GATEWAY);
	explain_head(e, head, sizeof(head), &a);
	assert_int_equal(a.verdict, EXPLAIN_GATEWAY);
	explain_head(e, "\x16\x03", 2, &a);
	assert_int_equal(a.verdict, EXPLAIN_REJECT);
	explain_close(e);
	free(e);
}

static void chunked(void **state)
{
	static const struct {
		const char *body;
		enum body_status status;
		size_t rest; /* bytes behind the body */
	} cases[] = {
		{"0\r\n\r\n", BODY_DONE, 0},
		{"3\r\nabc\r\n0\r\n\r\nGET", BODY_DONE, 3},
		{"00A;x=\"y\"\r\n0123456789\r\n000\r\n\r\n", BODY_DONE, 0},
		{"1 ;x\r\na\r\n0\r\nX: y\r\nZ:\r\n\r\n", BODY_DONE, 0},
		{"3\r\nab", BODY_MORE, 0},
		{"3\r\nabc\r", BODY_MORE, 0},
		{"0\r\n", BODY_MORE, 0},
		{"ffffffffffff\r\nabc", BODY_MORE, 0},
		{"", BODY_MORE, 0},
		{"3\r\nabcd\r\n0\r\n\r\n", BODY_BAD, 0},
		{"3\nabc\r\n0\r\n\r\n", BODY_BAD, 0},
		{"3\r\nabc\n0\r\n\r\n", BODY_BAD, 0},
		{"3 \r\nabc\r\n0\r\n\r\n", BODY_BAD, 0},
		{"0x3\r\nabc\r\n0\r\n\r\n", BODY_BAD, 0},
		{"-1\r\n", BODY_BAD, 0},
		{"\r\n", BODY_BAD, 0},
		{";x\r\n", BODY_BAD, 0},
		{"10000000000000000\r\n", BODY_BAD, 0},
		{"0\r\nX : y\r\n\r\n", BODY_BAD, 0},
		{"0\r\n: y\r\n\r\n", BODY_BAD, 0},
		{"0\r\nX: \x01\r\n\r\n", BODY_BAD, 0},
	};
	size_t i, cut;

	for (i = 0; i < COUNT(cases); i++) {
		size_t len = strlen(cases[i].body), end = 0;
		enum body_status r = body_chunked(cases[i].body, len, &end);

		if (r != cases[i].status)
			fail_msg("%d, not %d: %s", r, cases[i].status, cases[i].body);
		if (r == BODY_DONE)
			assert_int_equal(end, len - cases[i].rest);
		for (cut = 0; r == BODY_DONE && cut < end; cut++)
			assert_int_equal(body_chunked(cases[i].body, cut, &len),
					 BODY_MORE);
	}
}

/* "offset+head-end verdict" of each request. */
static void assert_stream(const char *bytes, const char *want)
{
	struct explain_stream s;
	char got[512] = "";
	size_t i, len = 0;

	assert_int_equal(explain_stream(&explainer, bytes, strlen(bytes), &s), 0);
	for (i = 0; i < s.requests.len; i++) {
		const struct explain_request *q = &s.requests.item[i];

		len += snprintf(got + len, sizeof(got) - len, "%s%u+%u-%u %s",
				i ? ", " : "", (unsigned int)q->offset, q->head_bytes,
				(unsigned int)q->end, explain_verdict_text[q->verdict]);
	}
	assert_string_equal(got, want);
	explain_stream_free(&s);
}

#define OK "GET /ok HTTP/1.1\r\n" H /* 31 bytes */

static void streams(void **state)
{
	assert_int_equal(strlen(OK), 31);
	assert_stream(OK, "0+31-31 route");
	assert_stream(OK OK "GET /no HTTP/1.1\r\n" H,
		      "0+31-31 route, 31+31-62 route, 62+31-93 reply");
	assert_stream(OK "\r\n", "0+31-31 route");
	assert_stream(OK "\r\n" OK, "0+31-31 route, 31+33-64 route");
	assert_stream(OK "GET /", "0+31-31 route, 31+0-0 incomplete");
	assert_stream(OK "G\1T /" OK, "0+31-31 route, 31+0-0 reject");
	assert_stream("PUT /ok HTTP/1.1\r\nContent-Length: 3\r\n" H "abc" OK,
		      "0+50-53 route, 53+31-84 route");
	assert_stream("PUT /ok HTTP/1.1\r\nContent-Length: 4\r\n" H "abc",
		      "0+50-0 route");
	assert_stream("PUT /ok HTTP/1.1\r\nTransfer-Encoding: chunked\r\n" H
		      "1\r\na\r\n0\r\n\r\n" OK,
		      "0+59-70 route, 70+31-101 route");
	assert_stream("PUT /ok HTTP/1.1\r\nTransfer-Encoding: chunked\r\n" H "1\r\nab",
		      "0+59-0 reject");
	assert_stream("GET /ok HTTP/1.1\r\nConnection: upgrade\r\nUpgrade: x\r\n" H OK,
		      "0+64-0 route");
	assert_stream("GET /ok HTTP/1.1\r\n\r\n" OK, "0+0-0 reject");
	assert_stream("", "");
}

static void first_of_stream(void **state)
{
	static const char bytes[] = "PUT http://A.B:80/ok/../ok/x HTTP/1.1\r\n"
				    "HOST: A.b:80\r\nContent-Length: 0\r\n\r\n";
	struct explain_stream s;

	assert_int_equal(explain_stream(&explainer, bytes, sizeof(bytes) - 1, &s), 0);
	assert_int_equal(s.head.host_port, 80);
	assert_int_equal(s.head.head_len, sizeof(bytes) - 1);
	assert_string_equal(s.first_target, "/x");
	explain_stream_free(&s);
}

/* ---- TLS ---- */

struct hello_bytes {
	unsigned char data[1024];
	size_t len;
};

static void put(struct hello_bytes *h, const void *data, size_t len)
{
	memcpy(h->data + h->len, data, len);
	h->len += len;
}

static void put_number(struct hello_bytes *h, unsigned int v, int bytes)
{
	while (bytes--)
		h->data[h->len++] = v >> (8 * bytes);
}

/* A ClientHello message with SNI and two protocols, in records of `piece`. */
static struct hello_bytes hello(const char *name, size_t piece)
{
	struct hello_bytes body = {}, out = {};
	size_t n = strlen(name), at;

	put_number(&body, 1, 1);
	put_number(&body, 2 + 32 + 1 + 4 + 2 + 2 + (n ? 9 + n : 0) + 18, 3);
	put_number(&body, 0x0303, 2);
	put(&body, "0123456789abcdef0123456789abcdef", 32);
	put_number(&body, 0, 1);
	put_number(&body, 2, 2);
	put_number(&body, 0x1301, 2);
	put_number(&body, 0x0100, 2);
	put_number(&body, (n ? 9 + n : 0) + 18, 2);
	if (n) {
		put_number(&body, 0, 2);
		put_number(&body, n + 5, 2);
		put_number(&body, n + 3, 2);
		put_number(&body, 0, 1);
		put_number(&body, n, 2);
		put(&body, name, n);
	}
	put_number(&body, 16, 2);
	put_number(&body, 14, 2);
	put_number(&body, 12, 2);
	put(&body, "\x02h2\x08http/1.1", 12);
	for (at = 0; at < body.len; at += piece) {
		size_t len = body.len - at < piece ? body.len - at : piece;

		put_number(&out, 0x160301, 3);
		put_number(&out, len, 2);
		put(&out, body.data + at, len);
	}
	return out;
}

static void tls(void **state)
{
	static const size_t pieces[] = {1000, 100, 7, 3};
	struct tls_hello got;
	struct hello_bytes h;
	size_t i, cut;

	for (i = 0; i < COUNT(pieces); i++) {
		h = hello("Foo.Example.COM.", pieces[i]);
		assert_int_equal(hello_read(h.data, h.len, &got), HELLO_DONE);
		assert_string_equal(got.sni, "foo.example.com");
		assert_int_equal(got.protocol_count, 2);
		assert_string_equal(got.protocols[0], "h2");
		assert_string_equal(got.protocols[1], "http/1.1");
		for (cut = 0; cut < h.len; cut++)
			assert_int_equal(hello_read(h.data, cut, &got), HELLO_MORE);
	}
	h = hello("", 1000);
	assert_int_equal(hello_read(h.data, h.len, &got), HELLO_DONE);
	assert_string_equal(got.sni, "");
	/* any one byte damaged: whatever comes out, nothing is read beyond */
	for (cut = 0; cut < h.len; cut++) {
		unsigned char *copy = malloc(h.len);

		assert_non_null(copy);
		memcpy(copy, h.data, h.len);
		copy[cut] ^= 0x55;
		hello_read(copy, h.len, &got);
		free(copy);
	}
	assert_int_equal(hello_read("\x17\x03\x01", 3, &got), HELLO_BAD);
	assert_int_equal(hello_read("\x16\x03\x01\x00\x00", 5, &got), HELLO_BAD);
	assert_int_equal(hello_read("\x16\x03\x01\x00\x01\x02", 6, &got), HELLO_BAD);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(verdicts),	     cmocka_unit_test(too_long),
		cmocka_unit_test(too_long_to_quote), cmocka_unit_test(unreadable),
		cmocka_unit_test(chunked),	     cmocka_unit_test(streams),
		cmocka_unit_test(first_of_stream),   cmocka_unit_test(tls),
	};

	return cmocka_run_group_tests_name("explain", tests, open_all, close_all);
}

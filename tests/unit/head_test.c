/* SPDX-License-Identifier: BSD-2-Clause */
/* Request heads: readable vectors, each also cut at every offset and with
 * other bytes behind its end. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "pure/head.h"

#define H "Host: a.b\r\n"
#define END "\r\n"

struct head_case {
	const char *text;
	enum head_status status;
	u32 flags;	  /* of a whole head, HEAD_NORMAL implied */
	const char *host; /* NULL: none */
	const char *path; /* NULL: not looked at */
	u64 length;
	u16 port;
};

#define WHOLE(t, f, h, p, ...)                                                    \
	{                                                                         \
		.text = t, .status = HEAD_DONE, .flags = f, .host = h, .path = p, \
		##__VA_ARGS__                                                     \
	}
#define BAD(t)                                \
	{                                     \
		.text = t, .status = HEAD_BAD \
	}
#define OTHER(t)                                  \
	{                                         \
		.text = t, .status = HEAD_VERSION \
	}

static const struct head_case cases[] = {
	/* request lines */
	WHOLE("GET / HTTP/1.1\r\n" H END, 0, "a.b", "/"),
	WHOLE("\r\n\r\nGET / HTTP/1.1\r\n" H END, 0, "a.b", "/"),
	WHOLE("GET /a?b=/../%%%00 HTTP/1.1\r\n" H END, 0, "a.b", "/a"),
	WHOLE("GET /a? HTTP/1.1\r\n" H END, 0, "a.b", "/a"),
	WHOLE("GET /\xc3\xa4\"<> HTTP/1.1\r\n" H END, 0, "a.b", "/\xc3\xa4\"<>"),
	WHOLE("HEAD / HTTP/1.1\r\n" H END, HEAD_METHOD_HEAD, "a.b", "/"),
	WHOLE("HEADS / HTTP/1.1\r\n" H END, 0, "a.b", "/"),
	WHOLE("OPTIONS /x HTTP/1.1\r\n" H END, HEAD_METHOD_OPTIONS, "a.b", "/x"),
	WHOLE("M-SEARCH / HTTP/1.1\r\n" H END, 0, "a.b", "/"),
	WHOLE("x!#$%&'*+.^_`|~09 / HTTP/1.1\r\n" H END, 0, "a.b", "/"),
	BAD("GET / HTTP/1.1\n" H END),
	BAD("\nGET / HTTP/1.1\r\n" H END),
	BAD("\rGET / HTTP/1.1\r\n" H END),
	BAD("GET  / HTTP/1.1\r\n" H END),
	BAD("GET /  HTTP/1.1\r\n" H END),
	BAD("GET / HTTP/1.1 \r\n" H END),
	BAD("GET\t/ HTTP/1.1\r\n" H END),
	BAD(" GET / HTTP/1.1\r\n" H END),
	BAD("G\0T / HTTP/1.1\r\n" H END),
	BAD("G(T / HTTP/1.1\r\n" H END),
	BAD("GET /\r\n" H END),
	BAD("GET\r\n" H END),
	BAD("GET /\x01 HTTP/1.1\r\n" H END),
	BAD("GET /\x7f HTTP/1.1\r\n" H END),
	BAD("GET /?\x1f HTTP/1.1\r\n" H END),
	BAD("GET /?\x7f HTTP/1.1\r\n" H END),
	BAD("GET a HTTP/1.1\r\n" H END),
	BAD("GET ?a HTTP/1.1\r\n" H END),
	BAD("GET * HTTP/1.1\r\n" H END),
	BAD("OPTIONS * HTTP/1.1\r\n" H END),
	BAD("CONNECT a.b:443 HTTP/1.1\r\n" H END),
	BAD("CONNECT / HTTP/1.1\r\n" H END),
	BAD("GET / http/1.1\r\n" H END),
	BAD("GET / HTTP/1,1\r\n" H END),
	BAD("GET / HTTP/1.1x\r\n" H END),
	BAD("GET / HTTP/1.11\r\n" H END),
	BAD("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),
	BAD("SSH-2.0-OpenSSH_9.2p1\r\n"),
	OTHER("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
	OTHER("GET / HTTP/2.0\r\n" H END),
	OTHER("GET / HTTP/0.9\r\n" H END),
	OTHER("GET / HTTP/1.2\r\n" H END),

	/* normal form or not */
	WHOLE("GET /a.b/c..d/.../x. HTTP/1.1\r\n" H END, HEAD_ESCAPED, "a.b",
	      "/a.b/c..d/.../x."), /* HEAD_ESCAPED stands for "not HEAD_NORMAL" here */
	WHOLE("GET /a//b HTTP/1.1\r\n" H END, HEAD_ESCAPED, "a.b", "/a//b"),
	WHOLE("GET /a/. HTTP/1.1\r\n" H END, HEAD_ESCAPED, "a.b", "/a/."),
	WHOLE("GET /a%20b HTTP/1.1\r\n" H END, HEAD_ESCAPED, "a.b", "/a%20b"),
	WHOLE("GET /aaaaaaa/.. HTTP/1.1\r\n" H END, HEAD_ESCAPED, "a.b", "/aaaaaaa/.."),
	WHOLE("GET /a?//%/. HTTP/1.1\r\n" H END, 0, "a.b", "/a"),
	WHOLE("GET /a/?//%/. HTTP/1.1\r\n" H END, 0, "a.b", "/a/"),

	/* absolute-form */
	WHOLE("GET http://a.b/c?d HTTP/1.1\r\n" H END, HEAD_ABSOLUTE, "a.b", "/c"),
	WHOLE("GET HTTP://A.B:80?d HTTP/1.1\r\n" H END, HEAD_ABSOLUTE, "a.b", ""),
	WHOLE("GET https://a.b HTTP/1.1\r\nHost: a.b:443\r\n" END, HEAD_ABSOLUTE, "a.b",
	      "", .port = 443),
	BAD("GET http://a.c/ HTTP/1.1\r\n" H END),
	BAD("GET http://a.b.c/ HTTP/1.1\r\n" H END),
	BAD("GET http://a.b:81/ HTTP/1.1\r\n" H END),
	BAD("GET http:///c HTTP/1.1\r\n" H END),
	BAD("GET http://u@a.b/ HTTP/1.1\r\n" H END),
	BAD("GET ftp://a.b/ HTTP/1.1\r\n" H END),
	BAD("GET http:/a.b/ HTTP/1.1\r\n" H END),
	BAD("GET http://a.b/ HTTP/1.0\r\n" END),

	/* Host */
	WHOLE("GET / HTTP/1.1\r\nhOsT:  Example.COM.:8080 \t\r\n" END, 0, "Example.COM",
	      "/", .port = 8080),
	WHOLE("GET / HTTP/1.1\r\nHost:a.b:\r\n" END, 0, "a.b", "/"),
	WHOLE("GET / HTTP/1.1\r\nHost: [2001:db8::1]:80\r\n" END, 0, "[2001:db8::1]",
	      "/", .port = 80),
	WHOLE("GET / HTTP/1.1\r\nHost: a_b~!$&'()*+,;=%20\r\n" END, 0,
	      "a_b~!$&'()*+,;=%20", "/"),
	WHOLE("GET / HTTP/1.1\r\nHost: "
	      "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb."
	      "ccccccccccccccccccccccccccccccc.d\r\n" END,
	      0,
	      "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb."
	      "ccccccccccccccccccccccccccccccc.d",
	      "/"),
	WHOLE("GET / HTTP/1.0\r\n" END, HEAD_HTTP10 | HEAD_CLOSE, NULL, "/"),
	WHOLE("GET / HTTP/1.0\r\n" H END, HEAD_HTTP10 | HEAD_CLOSE, "a.b", "/"),
	BAD("GET / HTTP/1.1\r\n" END),
	BAD("GET / HTTP/1.1\r\n" H H END),
	BAD("GET / HTTP/1.0\r\n" H H END),
	BAD("GET / HTTP/1.1\r\nHost:\r\n" END),
	BAD("GET / HTTP/1.1\r\nHost: .\r\n" END),
	BAD("GET / HTTP/1.1\r\nHost: a..b\r\n" END),
	BAD("GET / HTTP/1.1\r\nHost: aaaaaaa..b\r\n" END),
	BAD("GET / HTTP/1.1\r\nHost: aaaaaa..b\r\n" END),
	BAD("GET / HTTP/1.1\r\nHost: a b\r\n" END),
	BAD("GET / HTTP/1.1\r\nHost: a/b\r\n" END),
	BAD("GET / HTTP/1.1\r\nHost: a@b\r\n" END),
	BAD("GET / HTTP/1.1\r\nHost: a\xc3\xa4\r\n" END),
	BAD("GET / HTTP/1.1\r\nHost: :80\r\n" END),
	BAD("GET / HTTP/1.1\r\nHost: a:x\r\n" END),
	BAD("GET / HTTP/1.1\r\nHost: a:65536\r\n" END),
	BAD("GET / HTTP/1.1\r\nHost: a:000080\r\n" END),
	BAD("GET / HTTP/1.1\r\nHost: a:8:0\r\n" END),
	BAD("GET / HTTP/1.1\r\nHost: [::1\r\n" END),
	BAD("GET / HTTP/1.1\r\nHost: [::1]a\r\n" END),
	BAD("GET / HTTP/1.1\r\nHost: a[::1]\r\n" END),
	BAD("GET / HTTP/1.1\r\nHost: [x]\r\n" END),

	/* header lines */
	WHOLE("GET / HTTP/1.1\r\n" H "A:\r\nB: \t\x80\xff\t\t\tx\r\nX_y!: 1\r\n" END, 0,
	      "a.b", "/"),
	BAD("GET / HTTP/1.1\r\n" H "A : b\r\n" END),
	BAD("GET / HTTP/1.1\r\n" H "A b: c\r\n" END),
	BAD("GET / HTTP/1.1\r\n" H " folded\r\n" END),
	BAD("GET / HTTP/1.1\r\n" H "\tfolded\r\n" END),
	BAD("GET / HTTP/1.1\r\n folded\r\n" H END),
	BAD("GET / HTTP/1.1\r\n" H ": b\r\n" END),
	BAD("GET / HTTP/1.1\r\n" H "A\r\n" END),
	BAD("GET / HTTP/1.1\r\n" H "\x80: b\r\n" END),
	BAD("GET / HTTP/1.1\r\n" H "A: b\nC: d\r\n" END),
	BAD("GET / HTTP/1.1\r\n" H "A: b\rC: d\r\n" END),
	BAD("GET / HTTP/1.1\r\n" H "A: b\r\r\n" END),
	BAD("GET / HTTP/1.1\r\n" H "A: \x01\r\n" END),
	BAD("GET / HTTP/1.1\r\n" H "A: 12345678901234567890\x7f\r\n" END),
	BAD("GET / HTTP/1.1\r\n" H "\n"),
	BAD("GET / HTTP/1.1\r\n" H "\rx"),

	/* the body's framing */
	WHOLE("POST / HTTP/1.1\r\n" H "Content-Length: 0\r\n" END, HEAD_LENGTH, "a.b",
	      "/"),
	WHOLE("POST / HTTP/1.1\r\n" H "cONTENT-lENGTH:  0042\t\r\n" END, HEAD_LENGTH,
	      "a.b", "/", .length = 42),
	WHOLE("POST / HTTP/1.1\r\n" H
	      "Content-Length: 7, 7\r\nContent-Length: 7\r\n" END,
	      HEAD_LENGTH, "a.b", "/", .length = 7),
	WHOLE("POST / HTTP/1.1\r\n" H "Content-Length: 9223372036854775807\r\n" END,
	      HEAD_LENGTH, "a.b", "/", .length = INT64_MAX),
	BAD("POST / HTTP/1.1\r\n" H "Content-Length: 9223372036854775808\r\n" END),
	BAD("POST / HTTP/1.1\r\n" H "Content-Length: 99999999999999999999\r\n" END),
	BAD("POST / HTTP/1.1\r\n" H "Content-Length: \r\n" END),
	BAD("POST / HTTP/1.1\r\n" H "Content-Length: 5,\r\n" END),
	BAD("POST / HTTP/1.1\r\n" H "Content-Length: 5, 6\r\n" END),
	BAD("POST / HTTP/1.1\r\n" H "Content-Length: 5\r\nContent-Length: 6\r\n" END),
	BAD("POST / HTTP/1.1\r\n" H "Content-Length: +5\r\n" END),
	BAD("POST / HTTP/1.1\r\n" H "Content-Length: -5\r\n" END),
	BAD("POST / HTTP/1.1\r\n" H "Content-Length: 5 5\r\n" END),
	BAD("POST / HTTP/1.1\r\n" H "Content-Length: 0x5\r\n" END),
	BAD("POST / HTTP/1.1\r\n" H "Content-Length: 5;a\r\n" END),
	WHOLE("POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n" END,
	      HEAD_CHUNKED, "a.b", "/"),
	WHOLE("POST / HTTP/1.1\r\n" H "tRANSFER-eNCODING:\t CHUNKED \r\n" END,
	      HEAD_CHUNKED, "a.b", "/"),
	BAD("POST / HTTP/1.1\r\n" H
	    "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n" END),
	BAD("POST / HTTP/1.1\r\n" H
	    "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n" END),
	BAD("POST / HTTP/1.0\r\n" H "Transfer-Encoding: chunked\r\n" END),
	BAD("POST / HTTP/1.1\r\n" H "Transfer-Encoding: gzip, chunked\r\n" END),
	BAD("POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked, gzip\r\n" END),
	BAD("POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked, chunked\r\n" END),
	BAD("POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n"
	    "Transfer-Encoding: chunked\r\n" END),
	BAD("POST / HTTP/1.1\r\n" H "Transfer-Encoding: xchunked\r\n" END),
	BAD("POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked x\r\n" END),
	BAD("POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked;a=b\r\n" END),
	BAD("POST / HTTP/1.1\r\n" H "Transfer-Encoding: \"chunked\"\r\n" END),
	BAD("POST / HTTP/1.1\r\n" H "Transfer-Encoding: \x0b"
	    "chunked\r\n" END),
	BAD("POST / HTTP/1.1\r\n" H "Transfer-Encoding:\r\n" END),
	BAD("POST / HTTP/1.1\r\n" H "Transfer-Encoding: identity\r\n" END),
	BAD("POST / HTTP/1.1\r\n" H "Transfer-Encoding : chunked\r\n" END),
	/* these are other names */
	WHOLE("POST / HTTP/1.1\r\n" H "Content-Lengths: 5\r\nContent_Length: 6\r\n"
	      "XContent-Length: x\r\nTransfer-Encodinx: x\r\n" END,
	      0, "a.b", "/"),

	/* the connection */
	WHOLE("GET / HTTP/1.1\r\n" H "Connection: close\r\n" END, HEAD_CLOSE, "a.b",
	      "/"),
	WHOLE("GET / HTTP/1.1\r\n" H "Connection: keep-alive\r\n" END, 0, "a.b", "/"),
	WHOLE("GET / HTTP/1.1\r\n" H "Connection: closed, x close\r\n" END, 0, "a.b",
	      "/"),
	WHOLE("GET / HTTP/1.1\r\n" H "Connection: keep-alive, cLOSE\r\n" END,
	      HEAD_CLOSE, "a.b", "/"),
	WHOLE("GET / HTTP/1.1\r\n" H "Connection: x\r\nConnection: close\r\n" END,
	      HEAD_CLOSE, "a.b", "/"),
	WHOLE("GET / HTTP/1.0\r\n" H "Connection: Keep-Alive\r\n" END, HEAD_HTTP10,
	      "a.b", "/"),
	WHOLE("GET / HTTP/1.0\r\n" H "Connection: Keep-Alive ,\r\n" END, HEAD_HTTP10,
	      "a.b", "/"),
	WHOLE("GET / HTTP/1.1\r\n" H
	      "Connection: Upgrade\r\nUpgrade: websocket\r\n" END,
	      HEAD_UPGRADE, "a.b", "/"),
	WHOLE("GET / HTTP/1.0\r\n" H
	      "Connection: Upgrade, keep-alive\r\nUpgrade: websocket\r\n"
	      "Expect: 100-continue\r\n" END,
	      HEAD_HTTP10, "a.b", "/"),
	WHOLE("GET / HTTP/1.1\r\n" H "Connection: Upgrade\r\n" END, 0, "a.b", "/"),
	WHOLE("GET / HTTP/1.1\r\n" H "Upgrade: websocket\r\n" END, 0, "a.b", "/"),
	WHOLE("POST / HTTP/1.1\r\n" H
	      "Content-Length: 1\r\nExpect: 100-Continue\r\n" END,
	      HEAD_LENGTH | HEAD_EXPECT, "a.b", "/", .length = 1),
};

static struct weir_head buf;

static int scan(const void *text, size_t len, int filler, struct http_head *h)
{
	memset(buf.data, filler, sizeof(buf.data));
	memcpy(buf.data, text, len);
	return head_scan(&buf, len, h);
}

/* The vectors hold no NUL but one: its length is that of the literal there. */
static size_t case_len(const struct head_case *c)
{
	return c->text[0] == 'G' && !c->text[1] ? 16 : strlen(c->text);
}

static void assert_span(u32 off, u32 len, const char *want)
{
	if (!want) {
		assert_int_equal(len, 0);
		return;
	}
	assert_int_equal(len, strlen(want));
	assert_memory_equal(buf.data + off, want, len);
}

static void vectors(void **state)
{
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct head_case *c = &cases[i];
		size_t len = case_len(c), cut;
		struct http_head h, other;
		int r = scan(c->text, len, 0, &h);
		u32 flags = c->flags;

		if (r != (int)c->status)
			fail_msg("status %d, not %d: %s", r, c->status, c->text);
		if (r == HEAD_DONE) {
			if (flags & (HEAD_ESCAPED | HEAD_ABSOLUTE))
				flags &= ~HEAD_ESCAPED;
			else
				flags |= HEAD_NORMAL;
			if (h.flags != flags)
				fail_msg("flags %#x, not %#x: %s", h.flags, flags,
					 c->text);
			assert_int_equal(h.head_len, len);
			assert_span(h.host_off, h.host_len, c->host);
			if (c->path)
				assert_span(h.path_off, h.path_len, c->path);
			assert_true(h.content_length == c->length);
			assert_int_equal(h.host_port, c->port);
		}
		/* cut anywhere it is unfinished, or refused for good */
		for (cut = 0; cut < len; cut++) {
			int early = scan(c->text, cut, '\n', &other);

			if (early != HEAD_MORE && early != r)
				fail_msg("cut at %zu: %d: %s", cut, early, c->text);
			if (early == HEAD_MORE)
				early = scan(c->text, cut, ' ', &other);
			if (early != HEAD_MORE && early != r)
				fail_msg("cut at %zu: %d: %s", cut, early, c->text);
			if (r == HEAD_DONE && early != HEAD_MORE)
				fail_msg("whole at %zu: %s", cut, c->text);
		}
		/* what stands behind the head does not matter */
		if (r != HEAD_DONE)
			continue;
		for (cut = 0; cut < 256; cut++) {
			assert_int_equal(scan(c->text, len, cut, &other), HEAD_DONE);
			assert_memory_equal(&h, &other,
					    offsetof(struct http_head, work));
		}
	}
}

static void limits(void **state)
{
	static char text[WEIR_HEAD_MAX + 1];
	static const char start[] = "GET / HTTP/1.1\r\nHost: a\r\nX: ";
	struct http_head h;
	size_t n = WEIR_HEAD_MAX;

	memset(text, 'x', sizeof(text));
	memcpy(text, start, sizeof(start) - 1);
	assert_int_equal(scan(text, n - 1, 0, &h), HEAD_MORE);
	assert_int_equal(scan(text, n, 0, &h), HEAD_LONG);
	memcpy(text + n - 4, "\r\n\r\n", 4);
	assert_int_equal(scan(text, n, 0, &h), HEAD_DONE);
	assert_int_equal(h.head_len, n);
	/* as many steps as bytes */
	memset(text + sizeof(start) - 1, '\t', n - sizeof(start) - 3);
	assert_int_equal(scan(text, n, 0, &h), HEAD_DONE);
	/* one long target */
	memset(text, 'x', sizeof(text));
	memcpy(text, "GET /", 5);
	assert_int_equal(scan(text, n, 0, &h), HEAD_LONG);
	memcpy(text + n - 24, " HTTP/1.1\r\nHost: a.b\r\n\r\n", 24);
	assert_int_equal(scan(text, n, 0, &h), HEAD_DONE);
	assert_int_equal(h.path_len, n - 28);
}

struct rewrite_case {
	const char *target;
	u32 strip;
	const char *want; /* NULL: refused */
};

static const struct rewrite_case rewrites[] = {
	{"/", 0, "/"},
	{"/a", 0, "/a"},
	{"/.well-known/x", 0, "/.well-known/x"},
	{"//", 0, "/"},
	{"/////", 0, "/"},
	{"/a//b//", 0, "/a/b/"},
	{"/.", 0, "/"},
	{"/./", 0, "/"},
	{"/a/.", 0, "/a/"},
	{"/a/./b", 0, "/a/b"},
	{"/a/..", 0, "/"},
	{"/a/../", 0, "/"},
	{"/a/b/../c", 0, "/a/c"},
	{"/a//../b", 0, "/b"},
	{"/a/b/c/./../../g", 0, "/a/g"},
	{"/a/b/..", 0, "/a/"},
	{"/a/...", 0, "/a/..."},
	{"/a/..b/.c", 0, "/a/..b/.c"},
	{"/..", 0, NULL},
	{"/../a", 0, NULL},
	{"/a/../..", 0, NULL},
	{"/a/%2e%2E/%2e./b", 0, NULL},
	{"/a/%2e%2E/b", 0, "/b"},
	{"/a/%2e/b", 0, "/a/b"},
	{"/%41%7a%30%2D%2e%5F%7e", 0, "/Az0-._~"},
	{"/%2f%2F%3f", 0, "/%2F%2F%3F"},
	{"/%21%2a%25", 0, "/%21%2A%25"},
	{"/a%20b%c3%b8", 0, "/a%20b%C3%B8"},
	{"/endel%C3%B8st", 0, "/endel%C3%B8st"},
	{"/a b", 0, NULL}, /* refused by the scan */
	{"/%00", 0, NULL},
	{"/%", 0, NULL},
	{"/%4", 0, NULL},
	{"/%g0", 0, NULL},
	{"/%4?1", 0, NULL},
	{"/%%41", 0, NULL},
	{"/a%3Fx?y=%zz//..", 0, "/a%3Fx?y=%zz//.."},
	{"/a//b?x=//", 0, "/a/b?x=//"},
	{"http://a.b", 0, "/"},
	{"http://a.b?x", 0, "/?x"},
	{"http://a.b/", 0, "/"},
	{"http://a.b/c/../d?x", 0, "/d?x"},
	/* strip-path */
	{"/echo", 5, "/"},
	{"/echo/", 5, "/"},
	{"/echo/hello", 5, "/hello"},
	{"/echo/hello/", 5, "/hello/"},
	{"/echo?x=1", 5, "/?x=1"},
	{"/echofoo", 5, "/foo"},
	{"/echo/x", 6, "/x"},
	{"/echo%2Fy", 5, "/%2Fy"},
	{"/", 1, "/"},
	{"/a/b", 1, "/a/b"},
	{"/foo./x", 4, "/x"},
	{"/foo../x", 4, "/x"},
	{"/foo.", 4, "/"},
	{"/foo..", 4, "/"},
	{"/foo...", 4, "/..."},
	{"/foo.x", 4, "/.x"},
	{"/foo..?x", 4, "/?x"},
	{"//foo/bar", 4, "/bar"},
	{"http://a.b/foo/bar", 4, "/bar"},
	{"/foo", 5, NULL},
};

static void rewriting(void **state)
{
	size_t i;

	for (i = 0; i < sizeof(rewrites) / sizeof(rewrites[0]); i++) {
		const struct rewrite_case *c = &rewrites[i];
		static const char rest[] = " HTTP/1.1\r\nHost:  a.b\r\nX: y\r\n\r\n";
		char text[256], want[256];
		struct http_head h;
		int n, r, shift;

		n = snprintf(text, sizeof(text), "GET %s%s", c->target, rest);
		r = scan(text, n, 0xee, &h);
		if (r == HEAD_DONE)
			r = head_rewrite(&buf, &h, 0);
		else
			r = -1;
		if (r >= 0)
			r = head_rewrite(&buf, &h, c->strip);
		if (!c->want) {
			if (r >= 0)
				fail_msg("%s: not refused", c->target);
			continue;
		}
		if (r < 0)
			fail_msg("%s: refused", c->target);
		shift = strlen(c->target) - strlen(c->want);
		snprintf(want, sizeof(want),
			 "GET %s HTTP/1.1\r\nHost:%*s  a.b\r\nX: y\r\n\r\n", c->want,
			 shift, "");
		if (memcmp(buf.data, want, n))
			fail_msg("%s: %.*s", c->target, n, buf.data);
		assert_int_equal(buf.data[n], 0xee);
		assert_int_equal(h.head_len, n);
		assert_span(h.target_off, h.target_len, c->want);
		assert_int_equal(h.path_len, strcspn(c->want, "?"));
		assert_span(h.host_off, h.host_len, "a.b");
		assert_int_equal(buf.data[h.colon_end - 1], ':');
		/* the changed region: all of it, and nothing without a change */
		assert_int_equal(r, h.changed);
		assert_true(!memcmp(buf.data + r, text + r, n - r));
		assert_int_equal(r == 0, !memcmp(buf.data, text, n));
	}
}

/* Moves of every length around the word size. */
static void rewriting_long(void **state)
{
	static char text[WEIR_HEAD_MAX], want[WEIR_HEAD_MAX];
	struct http_head h;
	int strip, query;

	for (strip = 1; strip < 40; strip++) {
		for (query = 0; query < 140; query += strip < 10 ? 1 : 23) {
			int n = snprintf(
				text, sizeof(text),
				"GET /%0*d/x?%0*d HTTP/1.1\r\nA:b\r\nHost: a\r\n\r\n",
				strip, 1, query, 2);

			snprintf(want, sizeof(want),
				 "GET /x?%0*d HTTP/1.1\r\nA:%*sb\r\nHost: a\r\n\r\n",
				 query, 2, strip + 1, "");
			assert_int_equal(scan(text, n, 0, &h), HEAD_DONE);
			assert_true(head_rewrite(&buf, &h, strip + 1) > 0);
			assert_memory_equal(buf.data, want, n);
		}
	}
	/* nearly the whole buffer */
	memset(text, 'q', sizeof(text));
	memcpy(text, "GET /abc/x?", 11);
	memcpy(text + sizeof(text) - 21, " HTTP/1.1\r\nHost:a\r\n\r\n", 21);
	assert_int_equal(scan(text, sizeof(text), 0, &h), HEAD_DONE);
	assert_int_equal(head_rewrite(&buf, &h, 4), sizeof(text) - 5);
	assert_memory_equal(buf.data, "GET /x?qqq", 10);
	assert_memory_equal(buf.data + sizeof(text) - 26,
			    "q HTTP/1.1\r\nHost:    a\r\n\r\n", 26);
}

static void rewriting_without_header(void **state)
{
	static const struct {
		const char *head, *want; /* want NULL: refused */
		u32 strip;
	} bare[] = {
		{"GET /a//b HTTP/1.0\r\n\r\n", NULL, 0},
		{"GET /a/.b HTTP/1.0\r\n\r\n", "GET /a/.b HTTP/1.0\r\n\r\n", 0},
		{"GET /abc/b HTTP/1.0\r\n\r\n", "GET /b HTTP/1.0\r\nX:\r\n\r\n", 4},
		{"GET /ab/b HTTP/1.0\r\n\r\n", NULL, 3},
		{"GET /echoes/b HTTP/1.0\r\n\r\n", "GET /b HTTP/1.0\r\nX:   \r\n\r\n",
		 7},
		{"GET /x/../abcd/b HTTP/1.0\r\n\r\n",
		 "GET /b HTTP/1.0\r\nX:      \r\n\r\n", 5},
	};
	size_t i;

	for (i = 0; i < sizeof(bare) / sizeof(bare[0]); i++) {
		struct http_head h, again;
		size_t n = strlen(bare[i].head);
		int r;

		assert_int_equal(scan(bare[i].head, n, 0, &h), HEAD_DONE);
		r = head_rewrite(&buf, &h, 0);
		if (r >= 0)
			r = head_rewrite(&buf, &h, bare[i].strip);
		if (!bare[i].want) {
			assert_true(r < 0);
			continue;
		}
		assert_int_equal(r, strcmp(bare[i].head, bare[i].want) ? n - 2 : 0);
		assert_memory_equal(buf.data, bare[i].want, n);
		assert_int_equal(head_scan(&buf, n, &again), HEAD_DONE);
		assert_int_equal(again.colon_end, h.colon_end);
		assert_int_equal(again.fields, h.fields);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vectors),
		cmocka_unit_test(limits),
		cmocka_unit_test(rewriting),
		cmocka_unit_test(rewriting_long),
		cmocka_unit_test(rewriting_without_header),
	};

	return cmocka_run_group_tests_name("head", tests, NULL, NULL);
}

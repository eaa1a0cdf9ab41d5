/* SPDX-License-Identifier: BSD-2-Clause */
/* Heads of responses, whole and cut at every byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "pure/response.h"

/* Feeds `text` in pieces of `piece` bytes; returns the bytes of the head. */
static int feed(struct weir_response *r, const char *text, size_t len, size_t piece)
{
	struct response_text t;
	size_t at = 0;

	while (at < len && r->state == WEIR_RESPONSE_HEAD) {
		size_t n = len - at < piece ? len - at : piece;
		u32 carried = r->carried;
		int used;

		memset(&t, '\n', sizeof(t)); /* nothing behind counts */
		memcpy(t.data, r->carry, sizeof(r->carry));
		memcpy(t.data + carried, text + at, n);
		used = response_scan(&t, carried + n, r);
		assert_true(used >= (int)carried && used <= (int)(carried + n));
		at += used - carried;
	}
	return at;
}

/* The state behind this head; a body that follows is not touched. */
static void same(const char *head, unsigned flags, unsigned state, unsigned status,
		 uint64_t left)
{
	char text[4096];
	size_t piece, len = snprintf(text, sizeof(text), "%sHTTP/1.1 9\r\n\r\n", head);

	for (piece = 1; piece <= RESPONSE_PIECE; piece++) {
		struct weir_response r = {.state = WEIR_RESPONSE_HEAD, .flags = flags};
		int used = feed(&r, text, len, piece);

		assert_int_equal(r.state, state);
		if (state == WEIR_RESPONSE_LOST)
			continue;
		assert_int_equal(used, strlen(head));
		assert_int_equal(r.status, status);
		if (state == WEIR_RESPONSE_BODY)
			assert_int_equal(r.left, left);
	}
}

#define TEXT60 "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz01234567"

static void test_framing(void **state)
{
	same("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n", 0, WEIR_RESPONSE_BODY, 200,
	     2);
	same("HTTP/1.0 200\r\nserver: x\r\ncontent-LENGTH:18446744073\t\r\n\r\n", 0,
	     WEIR_RESPONSE_BODY, 200, 18446744073u);
	same("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nA: b\r\n\r\n", 0,
	     WEIR_RESPONSE_BODY, 404, 0);
	same("HTTP/1.1 200 OK\nContent-Length: 7\n\n", 0, WEIR_RESPONSE_BODY, 200, 7);
	same("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", 0,
	     WEIR_RESPONSE_CHUNKS, 200, 0);
	same("HTTP/1.1 200 OK\r\ntransfer-encoding:gzip,Chunked\r\n"
	     "Content-Length: 5\r\n\r\n",
	     0, WEIR_RESPONSE_CHUNKS, 200, 0);
	same("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", 0, WEIR_RESPONSE_FIN, 200,
	     0);
	same("HTTP/1.1 204 No\r\n\r\n", 0, WEIR_RESPONSE_OVER, 204, 0);
	same("HTTP/1.1 304 No\r\nContent-Length: 9\r\n\r\n", 0, WEIR_RESPONSE_OVER, 304,
	     0);
	same("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", WEIR_RESPONSE_BODYLESS,
	     WEIR_RESPONSE_OVER, 200, 0);
	same("HTTP/1.1 100 Continue\r\n\r\n", 0, WEIR_RESPONSE_INTERIM, 100, 0);
	same("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", 0,
	     WEIR_RESPONSE_TUNNEL, 101, 0);
	/* long lines, and names that only begin alike */
	same("HTTP/1.1 200 " TEXT60 "\r\nX: " TEXT60 TEXT60 "\r\n" TEXT60 ": \r\n"
	     "Content-Length-X: 3\r\nContent-Type: " TEXT60 "\r\n"
	     "Transfer-Encodings: chunked\r\nContent-Length: 4\r\n\r\n",
	     0, WEIR_RESPONSE_BODY, 200, 4);
	same("HTTP/1.1 200 OK\r\nContent-Length: 4\r\nContent-Length: 4\r\n\r\n", 0,
	     WEIR_RESPONSE_BODY, 200, 4);
}

static void test_lost(void **state)
{
	same("HTTP/2 200 OK\r\n\r\n", 0, WEIR_RESPONSE_LOST, 0, 0);
	same("HTTP/1.1 2x0 OK\r\n\r\n", 0, WEIR_RESPONSE_LOST, 0, 0);
	same("HTTP/1.1 999 OK\r\n\r\n", 0, WEIR_RESPONSE_LOST, 0, 0);
	same("\r\nHTTP/1.1 200 OK\r\n\r\n", 0, WEIR_RESPONSE_LOST, 0, 0);
	same("HTTP/1.1 200 OK\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\n", 0,
	     WEIR_RESPONSE_LOST, 0, 0);
	same("HTTP/1.1 200 OK\r\nContent-Length: 4 5\r\n\r\n", 0, WEIR_RESPONSE_LOST, 0,
	     0);
	same("HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\n", 0, WEIR_RESPONSE_LOST, 0, 0);
	same("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", 0, WEIR_RESPONSE_LOST, 0,
	     0);
	same("HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n", 0,
	     WEIR_RESPONSE_LOST, 0, 0);
	same("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", 0,
	     WEIR_RESPONSE_LOST, 0, 0);
	same("HTTP/1.1 200 OK\r\nTransfer-Encoding: unchunked\r\n\r\n", 0,
	     WEIR_RESPONSE_LOST, 0, 0);
	same("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, gzip\r\n\r\n", 0,
	     WEIR_RESPONSE_LOST, 0, 0);
}

/* Anything at all: the same state however it is cut, or none. */
static void test_random(void **state)
{
	static const char *const parts[] = {
		"HTTP/1.1 200 OK\r\n",
		"HTTP/1.0 304\n",
		"Content-Length: ",
		"Transfer-Encoding: ",
		"chunked",
		"\r\n",
		"\n",
		"12",
		"X-Y: z\r\n",
		"\r",
		"content-length:5\r\n\r\n",
	};
	int i, k;

	srand(1);
	for (i = 0; i < 3000; i++) {
		char text[512] = "";
		unsigned first = 0, n = 0;
		size_t piece;

		for (k = rand() % 10; k >= 0; k--)
			n += snprintf(text + n, sizeof(text) - n, "%s",
				      parts[rand() % 11]);
		for (piece = RESPONSE_PIECE; piece; piece /= 2) {
			struct weir_response r = {.state = WEIR_RESPONSE_HEAD};
			int used = feed(&r, text, strlen(text), piece);

			/* a long line may be cut once too often */
			if (r.state == WEIR_RESPONSE_LOST && piece < RESPONSE_PIECE)
				break;
			if (piece == RESPONSE_PIECE)
				first = used << 8 | r.state;
			assert_int_equal(used << 8 | r.state, first);
		}
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_framing),
		cmocka_unit_test(test_lost),
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bpf/pure/response.c against a slow reader of the same grammar that sees the whole
 * stream at once: random heads of responses, cut at random places.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <cmocka.h>

#include "pure/response.h"

#define STREAMS 12000
#define CUTS 6 /* of each stream */

static char stream[4096];
static size_t stream_len;

static unsigned int below(unsigned int n)
{
	static uint32_t x = 2463534242;

	x ^= x << 13;
	x ^= x >> 17;
	x ^= x << 5;
	return x % n;
}

/* ---- the slow reader ---- */

struct verdict {
	unsigned int state, status;
	uint64_t left;
	size_t used;
};

/* status-line = HTTP-version SP 3DIGIT [ SP reason ], RFC 9112, 4; of version 1 and
 * of the five classes (RFC 9110, 15). What is behind the digits is not looked at. */
static unsigned int read_status(const char *line)
{
	unsigned int status;
	char minor, digits[4];

	if (sscanf(line, "HTTP/1.%c %3[0-9]", &minor, digits) != 2 ||
	    strlen(digits) != 3 || line[8] != ' ' || line[9] == ' ')
		return 0;
	status = (unsigned int)strtoul(digits, NULL, 10);
	return status >= 100 && status <= 599 ? status : 0;
}

/* 1*DIGIT with optional white space around (RFC 9110, 8.6 and 5.5); up to 2^59. */
static bool read_length(const char *value, uint64_t *out)
{
	unsigned __int128 n = 0;

	value += strspn(value, " \t");
	if (*value < '0' || *value > '9')
		return false;
	for (; *value >= '0' && *value <= '9'; value++) {
		if (n >> 59)
			return false;
		n = n * 10 + (*value - '0');
	}
	*out = (uint64_t)n;
	return !value[strspn(value, " \t")];
}

/* chunked must be the final coding, and stand there once (RFC 9112, 6.1). */
static bool read_coding(const char *value)
{
	size_t len = strlen(value);

	return len >= 7 && !strcasecmp(value + len - 7, "chunked") &&
	       (len == 7 || strchr(" \t,", value[len - 8]));
}

static unsigned int after_head(const struct verdict *v, bool bodyless, bool chunked,
			       bool has_length)
{
	/* RFC 9112, 6.3: the order of its list; 1xx and 101 come before. */
	if (v->status == 101)
		return WEIR_RESPONSE_TUNNEL;
	if (v->status < 200)
		return WEIR_RESPONSE_INTERIM;
	if (bodyless || v->status == 204 || v->status == 304)
		return WEIR_RESPONSE_OVER;
	if (chunked)
		return WEIR_RESPONSE_CHUNKS;
	return has_length ? WEIR_RESPONSE_BODY : WEIR_RESPONSE_FIN;
}

static bool is_named(const char *line, const char *name)
{
	return !strncasecmp(line, name, strlen(name));
}

static struct verdict read_slowly(const char *text, size_t len, bool bodyless)
{
	struct verdict v = {.state = WEIR_RESPONSE_HEAD};
	bool chunked = false, has_length = false;
	char line[4096];
	const char *lf;
	uint64_t n;

	while ((lf = memchr(text + v.used, '\n', len - v.used))) {
		size_t size = lf - (text + v.used);

		memcpy(line, text + v.used, size);
		if (size && line[size - 1] == '\r')
			size--;
		line[size] = '\0';
		v.used = lf + 1 - text;
		if (!v.status) {
			v.status = read_status(line);
			v.state = v.status ? v.state : WEIR_RESPONSE_LOST;
		} else if (!size) {
			v.state = after_head(&v, bodyless, chunked, has_length);
		} else if (is_named(line, "content-length:")) {
			if (!read_length(line + 15, &n) || (has_length && n != v.left))
				v.state = WEIR_RESPONSE_LOST;
			v.left = n;
			has_length = true;
		} else if (is_named(line, "transfer-encoding:")) {
			if (chunked || !read_coding(line + 18))
				v.state = WEIR_RESPONSE_LOST;
			chunked = true;
		}
		if (v.state != WEIR_RESPONSE_HEAD)
			return v;
	}
	v.used = len;
	return v;
}

/* ---- streams ---- */

static void put(const char *text)
{
	size_t len = strlen(text);

	if (stream_len + len < sizeof(stream)) {
		memcpy(stream + stream_len, text, len + 1);
		stream_len += len;
	}
}

static const char *one_of(const char *const *list, size_t n)
{
	return list[below(n)];
}

#define ONE_OF(...)                                \
	one_of((const char *const[]){__VA_ARGS__}, \
	       sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

static void put_padding(unsigned int most)
{
	unsigned int n = below(most);

	while (n--)
		put(ONE_OF("x", "y", "-", "content-length", " ", "chunked"));
}

static void put_field(void)
{
	switch (below(6)) {
	case 0:
		put(ONE_OF("Content-Length:", "content-length: ", "CONTENT-LENGTH:\t",
			   "Content-Length :", "Content-Lengths: "));
		put(ONE_OF("0", "5", "5", "12", "576460752303423488", "00005", "", "-1",
			   "5 5", "5,5", "5 ", "\t5\t ", "18446744073709551616", "5x"));
		break;
	case 1:
		put(ONE_OF("Transfer-Encoding:", "transfer-encoding: ",
			   "TRANSFER-ENCODING:\t", "Transfer-Encodin: "));
		put(ONE_OF("chunked", "Chunked", "gzip, chunked", "gzip,chunked",
			   "chunked, gzip", "gzip", "unchunked", "xchunked", "",
			   "\tchunked", "chunked x"));
		break;
	case 2:
		put("X: ");
		put_padding(90);
		break;
	case 3:
		put_padding(12);
		put(":");
		break;
	default:
		put(ONE_OF("Server: x", "Date: y", "Connection: close",
			   "Content-Type: z", ":", "Transfer: chunked",
			   "Content-Length"));
	}
	put(ONE_OF("\r\n", "\r\n", "\r\n", "\n", "\r\r\n", "\r"));
}

static void make_stream(void)
{
	unsigned int n = below(6);

	stream_len = 0;
	put(ONE_OF("HTTP/1.1 200 OK", "HTTP/1.1 200", "HTTP/1.0 404 Not Found",
		   "HTTP/1.1 100 Continue", "HTTP/1.1 101 Switching Protocols",
		   "HTTP/1.1 204 ", "HTTP/1.1 304 Not Modified", "HTTP/1.1 999 x",
		   "HTTP/2 200", "HTTP/1.1  200", "", "HTTP/1.1 20", "http/1.1 200",
		   "HTTP/1.1 2000", "HTTP/1.1 099 x"));
	if (!below(8))
		put_padding(60);
	put(ONE_OF("\r\n", "\r\n", "\r\n", "\n"));
	while (n--)
		put_field();
	if (below(8))
		put(ONE_OF("\r\n", "\r\n", "\n"));
	put(ONE_OF("", "body", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n"));
}

/* ---- both ---- */

/* In segments of random sizes; what is behind the new bytes is any byte. */
static size_t feed(struct weir_response *r, unsigned int most)
{
	static struct response_text t;
	size_t at = 0;

	while (at < stream_len && r->state == WEIR_RESPONSE_HEAD) {
		size_t n = 1 + below(most);
		u32 carried = r->carried;
		int used;

		if (n > stream_len - at)
			n = stream_len - at;
		memset(t.data, below(2) ? '\n' : '5', sizeof(t.data));
		memcpy(t.data, r->carry, carried);
		memcpy(t.data + carried, stream + at, n);
		used = response_scan(&t, carried + n, r);
		assert_true(used >= (int)carried && used <= (int)(carried + n));
		at += used - carried;
	}
	return at;
}

static void test_random(void **state)
{
	static const unsigned int most[CUTS] = {1, 3, 10, 40, 200, RESPONSE_PIECE};
	unsigned int seen[16] = {}, given_up = 0;
	size_t i, k;

	for (i = 0; i < STREAMS; i++) {
		bool bodyless = !below(8);
		struct verdict want;

		make_stream();
		want = read_slowly(stream, stream_len, bodyless);
		for (k = 0; k < CUTS; k++) {
			struct weir_response r = {
				.state = WEIR_RESPONSE_HEAD,
				.flags = bodyless ? WEIR_RESPONSE_BODYLESS : 0};
			size_t used = feed(&r, most[k]);

			/* A line that matters and is cut when it is too long to be
			 * carried is given up, which is allowed; never guessed. */
			if (r.state == WEIR_RESPONSE_LOST &&
			    want.state != WEIR_RESPONSE_LOST) {
				given_up++;
				continue;
			}
			if (r.state != want.state)
				fail_msg("%u, not %u:\n%s", r.state, want.state,
					 stream);
			seen[r.state]++;
			if (r.state == WEIR_RESPONSE_LOST)
				continue;
			if (used != want.used || r.status != want.status)
				fail_msg("%zu bytes, not %zu, status %u, not %u:\n%s",
					 used, want.used, r.status, want.status,
					 stream);
			if (r.state == WEIR_RESPONSE_BODY)
				assert_int_equal(r.left, want.left);
		}
	}
	for (i = WEIR_RESPONSE_HEAD; i <= WEIR_RESPONSE_LOST; i++)
		assert_true(seen[i] > STREAMS / 100);
	if (given_up > STREAMS * CUTS / 100)
		fail_msg("%u given up", given_up);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests_name("response_twin", tests, NULL, NULL);
}

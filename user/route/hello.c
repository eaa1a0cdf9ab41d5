/* SPDX-License-Identifier: BSD-2-Clause */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "route/explain.h"

#define RECORD_HANDSHAKE 22
#define RECORD_MAX 16384u /* RFC 8446, 5.1 */
#define HANDSHAKE_CLIENT_HELLO 1
#define HELLO_MAX 65536u
#define EXTENSION_SNI 0
#define EXTENSION_ALPN 16

/* What is left to read; `bad` once more was wanted than is there. */
struct reader {
	const unsigned char *at;
	size_t left;
	bool bad;
};

static unsigned int take_number(struct reader *r, size_t bytes)
{
	unsigned int v = 0;

	if (r->left < bytes) {
		r->bad = true;
		r->left = 0;
		return 0;
	}
	r->left -= bytes;
	while (bytes--)
		v = v << 8 | *r->at++;
	return v;
}

/* A vector with a length of `bytes` in front of it. */
static struct reader take_vector(struct reader *r, size_t bytes)
{
	size_t len = take_number(r, bytes);
	struct reader v = {.at = r->at, .left = len};

	if (r->left < len) {
		r->bad = true;
		r->left = 0;
		v.left = 0;
		return v;
	}
	r->at += len;
	r->left -= len;
	return v;
}

static bool read_sni(struct reader ext, struct tls_hello *out)
{
	struct reader list = take_vector(&ext, 2);

	while (list.left) {
		unsigned int type = take_number(&list, 1);
		struct reader name = take_vector(&list, 2);
		size_t i;

		if (list.bad || !name.left)
			return false;
		if (type)
			continue;
		if (name.left >= sizeof(out->sni) || *out->sni ||
		    memchr(name.at, '\0', name.left))
			return false;
		for (i = 0; i < name.left; i++)
			out->sni[i] = tolower(name.at[i]);
		out->sni[i] = '\0';
		if (i > 1 && out->sni[i - 1] == '.')
			out->sni[i - 1] = '\0';
	}
	return !ext.bad && !ext.left && *out->sni;
}

static bool read_alpn(struct reader ext, struct tls_hello *out)
{
	struct reader list = take_vector(&ext, 2);

	while (list.left) {
		struct reader name = take_vector(&list, 1);

		if (list.bad || !name.left)
			return false;
		if (out->protocol_count == HELLO_PROTOCOLS)
			continue;
		memcpy(out->protocols[out->protocol_count], name.at, name.left);
		out->protocols[out->protocol_count++][name.left] = '\0';
	}
	return !ext.bad && !ext.left;
}

static enum hello_status read_hello(struct reader r, struct tls_hello *out)
{
	struct reader session, suites, compression, extensions;

	take_number(&r, 2); /* legacy_version */
	if (r.left < 32)
		return HELLO_BAD;
	r.at += 32; /* random */
	r.left -= 32;
	session = take_vector(&r, 1);
	suites = take_vector(&r, 2);
	compression = take_vector(&r, 1);
	if (r.bad || session.left > 32 || suites.left < 2 || suites.left % 2 ||
	    !compression.left)
		return HELLO_BAD;
	if (!r.left)
		return HELLO_DONE; /* no extensions */
	extensions = take_vector(&r, 2);
	if (r.bad || r.left)
		return HELLO_BAD;
	while (extensions.left) {
		unsigned int type = take_number(&extensions, 2);
		struct reader ext = take_vector(&extensions, 2);

		if (extensions.bad || (type == EXTENSION_SNI && !read_sni(ext, out)) ||
		    (type == EXTENSION_ALPN && !read_alpn(ext, out)))
			return HELLO_BAD;
	}
	return HELLO_DONE;
}

enum hello_status hello_read(const void *bytes, size_t len, struct tls_hello *out)
{
	struct reader in = {.at = bytes, .left = len};
	auto_free unsigned char *message = malloc(HELLO_MAX + RECORD_MAX);
	size_t have = 0, want = 4;

	memset(out, 0, sizeof(*out));
	if (!message)
		return HELLO_BAD;
	/* records until the message is whole */
	while (have < want) {
		size_t size;

		if (in.left && in.at[0] != RECORD_HANDSHAKE)
			return HELLO_BAD;
		if (in.left > 1 && in.at[1] != 3)
			return HELLO_BAD;
		if (in.left < 5)
			return HELLO_MORE;
		size = (size_t)in.at[3] << 8 | in.at[4];
		if (!size || size > RECORD_MAX)
			return HELLO_BAD;
		in.at += 5;
		in.left -= 5;
		if (size > in.left)
			size = in.left;
		memcpy(message + have, in.at, size);
		in.at += size;
		in.left -= size;
		have += size;
		if (have && message[0] != HANDSHAKE_CLIENT_HELLO)
			return HELLO_BAD;
		if (have >= 4)
			want = 4 + ((size_t)message[1] << 16 | message[2] << 8 |
				    message[3]);
		if (want > HELLO_MAX)
			return HELLO_BAD;
		if (!in.left && have < want)
			return HELLO_MORE;
	}
	return read_hello((struct reader){.at = message + 4, .left = want - 4}, out);
}

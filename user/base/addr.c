/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/addr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "base/number.h"

static const uint8_t v4_mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

bool addr_is_v4(const struct weir_addr *a)
{
	return !memcmp(a->b, v4_mapped, sizeof(v4_mapped));
}

bool addr_is_unspecified(const struct weir_addr *a)
{
	return !a->w[3] && !a->d[0] && (!a->w[2] || addr_is_v4(a));
}

void addr_from_v4(__be32 v4, struct weir_addr *out)
{
	memcpy(out->b, v4_mapped, sizeof(v4_mapped));
	out->w[3] = v4;
}

static int parse_span(const char *text, size_t len, struct weir_addr *out)
{
	char buf[INET6_ADDRSTRLEN];
	struct in_addr v4;

	if (len >= 2 && text[0] == '[' && text[len - 1] == ']') {
		text++;
		len -= 2;
	}
	if (!len || len >= sizeof(buf))
		return -EINVAL;
	memcpy(buf, text, len);
	buf[len] = '\0';
	if (inet_pton(AF_INET, buf, &v4) == 1) {
		addr_from_v4(v4.s_addr, out);
		return 0;
	}
	return inet_pton(AF_INET6, buf, out->b) == 1 ? 0 : -EINVAL;
}

int addr_parse(const char *text, struct weir_addr *out)
{
	return parse_span(text, strlen(text), out);
}

int addr_parse_prefix(const char *text, struct weir_addr *out, unsigned int *bits)
{
	const char *slash = strchrnul(text, '/');
	struct weir_addr addr;
	unsigned int most;
	uint64_t n;

	if (parse_span(text, slash - text, &addr))
		return -EINVAL;
	n = most = addr_is_v4(&addr) ? 32 : 128;
	if (*slash && number_parse(slash + 1, most, &n))
		return -EINVAL;
	*out = addr;
	*bits = n + 128 - most;
	return 0;
}

bool addr_has_prefix(const struct weir_addr *a, const struct weir_addr *prefix,
		     unsigned int bits)
{
	unsigned int whole = bits / 8, rest = bits % 8;

	if (memcmp(a->b, prefix->b, whole) != 0)
		return false;
	return !rest || !((a->b[whole] ^ prefix->b[whole]) >> (8 - rest));
}

int addr_parse_port(const char *text, struct weir_addr *out, uint16_t *port)
{
	const char *colon = strrchr(text, ':');
	struct weir_addr addr;
	unsigned int n = 0;
	const char *p;

	if (!colon || !colon[1] || strlen(colon + 1) > 5)
		return -EINVAL;
	/* Without brackets the last group of an IPv6 address would be the port. */
	if (text[0] != '[' && memchr(text, ':', colon - text))
		return -EINVAL;
	for (p = colon + 1; *p; p++) {
		if (*p < '0' || *p > '9')
			return -EINVAL;
		n = n * 10 + (*p - '0');
	}
	if (!n || n > 65535 || parse_span(text, colon - text, &addr))
		return -EINVAL;
	*out = addr;
	*port = n;
	return 0;
}

const char *addr_format(const struct weir_addr *a, char *buf)
{
	if (addr_is_v4(a))
		inet_ntop(AF_INET, &a->w[3], buf, WEIR_ADDR_TEXT);
	else
		inet_ntop(AF_INET6, a->b, buf, WEIR_ADDR_TEXT);
	return buf;
}

const char *addr_format_port(const struct weir_addr *a, uint16_t port, char *buf)
{
	char text[WEIR_ADDR_TEXT];
	bool v4 = addr_is_v4(a);

	snprintf(buf, WEIR_ADDR_TEXT, "%s%.46s%s:%u", v4 ? "" : "[",
		 addr_format(a, text), v4 ? "" : "]", port);
	return buf;
}

socklen_t addr_to_sockaddr(const struct weir_addr *a, uint16_t port,
			   struct sockaddr_storage *out)
{
	memset(out, 0, sizeof(*out));
	if (addr_is_v4(a)) {
		struct sockaddr_in *v4 = (struct sockaddr_in *)out;

		v4->sin_family = AF_INET;
		v4->sin_port = htons(port);
		v4->sin_addr.s_addr = a->w[3];
		return sizeof(*v4);
	}
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)out;

	v6->sin6_family = AF_INET6;
	v6->sin6_port = htons(port);
	memcpy(&v6->sin6_addr, a->b, sizeof(a->b));
	return sizeof(*v6);
}

int addr_from_sockaddr(const struct sockaddr *sa, struct weir_addr *out)
{
	switch (sa->sa_family) {
	case AF_INET:
		addr_from_v4(((const struct sockaddr_in *)sa)->sin_addr.s_addr, out);
		return 0;
	case AF_INET6:
		memcpy(out->b, &((const struct sockaddr_in6 *)sa)->sin6_addr,
		       sizeof(out->b));
		return 0;
	default:
		return -EAFNOSUPPORT;
	}
}

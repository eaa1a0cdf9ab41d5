/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/number.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

static int parse_span(const char *text, size_t len, uint64_t max, uint64_t *out)
{
	uint64_t n = 0;
	size_t i;

	if (!len)
		return -EINVAL;
	for (i = 0; i < len; i++) {
		unsigned int digit = text[i] - '0';

		if (digit > 9)
			return -EINVAL;
		if (digit > max || n > (max - digit) / 10)
			return -ERANGE;
		n = n * 10 + digit;
	}
	*out = n;
	return 0;
}

int number_parse(const char *text, uint64_t max, uint64_t *out)
{
	return parse_span(text, strlen(text), max, out);
}

int number_parse_ms(const char *text, uint64_t *out)
{
	const char *dot = strchrnul(text, '.');
	char digits[4] = "000";
	uint64_t whole = 0, part = 0;
	size_t len = *dot ? strlen(dot + 1) : 0;
	int r = 0;

	if (len > 3 || (*dot && !len))
		return -EINVAL;
	if (dot > text || !len)
		r = parse_span(text, dot - text, UINT32_MAX, &whole);
	memcpy(digits, dot + (*dot != 0), len);
	if (!r)
		r = parse_span(digits, 3, 999, &part);
	if (!r)
		*out = whole * 1000 + part;
	return r;
}

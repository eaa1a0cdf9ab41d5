/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Patterns and an input, parted by \n -> parse, build, walk. The last line is the
 * input; which patterns are built with their length the first byte says. What
 * holds for each pattern alone must hold for all together.
 */
#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "regex/moore.h"
#include "route/regex.h"

#define PATTERNS 4

static const struct dfa_limits limits = {
	.nodes = 2000,
	.states = 300,
	.work = 1 << 18,
};

static struct regex *parse(const char *text, size_t len)
{
	struct regex *re = NULL;
	struct err err = {};
	size_t at = len;
	int ret;

	ret = regex_parse(text, len, &re, &at, &err);
	assert(ret == err.code && !ret == !!re && !ret == !err.what[0]);
	assert(!ret || ret == -EINVAL || ret == -EOPNOTSUPP || ret == -E2BIG);
	assert(at <= len);
	return re;
}

static bool build(const struct dfa_pattern *p, size_t n, struct dfa *d)
{
	struct err err = {};
	int ret = dfa_build(p, n, &limits, d, &err);

	assert(ret == err.code && (!ret || ret == -E2BIG));
	if (!ret)
		moore_check(d);
	return !ret;
}

/* 1: matches, 0: not, -1: too big */
static int find_alone(struct dfa_pattern p, bool length, const char *text, size_t len,
		      struct dfa_match *m)
{
	struct dfa d;
	int found;

	p.length = length;
	if (!build(&p, 1, &d))
		return -1;
	found = dfa_find(&d, text, len, m);
	assert(!found || (m->rank == p.rank && m->length <= len));
	dfa_free(&d);
	return found;
}

static void check_together(const struct dfa_pattern *p, size_t n, const char *text,
			   size_t len)
{
	struct dfa_match all = {}, one;
	struct dfa d;
	bool found;
	size_t i;
	int with, without;

	if (!build(p, n, &d))
		return;
	found = dfa_find(&d, text, len, &all);
	assert(!found ||
	       (all.length <= len && all.rank < n && all.rank == p[all.rank].rank));
	dfa_free(&d);
	for (i = 0; i < n; i++) {
		without = find_alone(p[i], false, text, len, &one);
		with = find_alone(p[i], true, text, len, &one);
		assert(with < 0 || without < 0 || with == without);
		if (with < 0)
			continue;
		if (found && i == all.rank) {
			assert(with);
			assert(!p[i].length || one.length == all.length);
		}
		assert(!with || (found && all.rank <= i));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct dfa_pattern p[PATTERNS] = {};
	const char *text = (const char *)data + 1, *end;
	size_t n = 0, i;

	if (!size || size > 400)
		return 0;
	size--;
	while (n < PATTERNS && (end = memchr(text, '\n', size))) {
		struct regex *re = parse(text, (size_t)(end - text));

		size -= (size_t)(end - text) + 1;
		text = end + 1;
		if (!re)
			continue;
		p[n] = (struct dfa_pattern){re, (u32)n, data[0] >> n & 1};
		n++;
	}
	check_together(p, n, text, size);
	for (i = 0; i < n; i++)
		regex_free((struct regex *)p[i].re);
	return 0;
}

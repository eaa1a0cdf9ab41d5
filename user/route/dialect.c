/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where Kong's `traditional` router would answer otherwise than we do. One
 * warning for each kind of difference, about the first rule that has it.
 */
#include "route/builder.h"

#include <ctype.h>
#include <string.h>

struct difference {
	const char *what;
	const struct ir_route *first;
	size_t count;
};

enum {
	DIFF_WILDCARD,
	DIFF_PATTERN,
	DIFF_EXACT,
	DIFF_CRITERIA,
	DIFF_HEADER_CASE,
	DIFF_COUNT,
};

/* Kinds of conditions: host, path, methods, headers. */
static unsigned int criteria(const struct ir_route *r)
{
	return 1 + (r->host_kind != IR_HOST_ANY) + !!r->methods.len + !!r->headers.len;
}

static void see(struct difference *d, const struct ir_route *r)
{
	if (!d->count++)
		d->first = r;
}

static bool has_letters(const struct ir_route *r)
{
	size_t i, k;
	const char *c;

	for (i = 0; i < r->headers.len; i++)
		for (k = 0; k < r->headers.item[i].values.len; k++)
			for (c = r->headers.item[i].values.item[k]; *c; c++)
				if (isalpha((unsigned char)*c))
					return true;
	return false;
}

struct survey {
	unsigned int least_with_host; /* conditions of the poorest rule with a host */
	bool has_exact;
};

static struct survey look(const struct ir *ir)
{
	struct survey s = {.least_with_host = 99};
	size_t i;

	for (i = 0; i < ir->routes.len; i++) {
		const struct ir_route *r = &ir->routes.item[i];

		s.has_exact |= r->type == WEIR_PATH_EXACT;
		if (r->host_kind != IR_HOST_ANY && criteria(r) < s.least_with_host)
			s.least_with_host = criteria(r);
	}
	return s;
}

static void compare(const struct survey *s, const struct ir_route *r,
		    struct difference *found)
{
	if (r->type == WEIR_PATH_DEFAULT)
		return;
	if (r->host_kind == IR_HOST_WILDCARD)
		see(&found[DIFF_WILDCARD], r);
	if ((r->type == WEIR_PATH_EXACT || r->type == WEIR_PATH_PREFIX) &&
	    strpbrk(r->match, ".+*?()[]{}|^$\\"))
		see(&found[DIFF_PATTERN], r);
	if (r->type == WEIR_PATH_REGEX && r->priority > 0 && s->has_exact)
		see(&found[DIFF_EXACT], r);
	if (r->host_kind == IR_HOST_ANY && criteria(r) > s->least_with_host)
		see(&found[DIFF_CRITERIA], r);
	if (has_letters(r))
		see(&found[DIFF_HEADER_CASE], r);
}

int dialect_warn(struct builder *b)
{
	struct difference found[DIFF_COUNT] = {
		[DIFF_WILDCARD] = {"a wildcard host takes more than one label"},
		[DIFF_PATTERN] = {"Exact and Prefix paths are patterns"},
		[DIFF_EXACT] = {"konghq.com/regex-priority goes before Exact"},
		[DIFF_CRITERIA] = {"more conditions go before a host"},
		[DIFF_HEADER_CASE] = {"values of headers compare without case"},
	};
	struct survey s = look(b->ir);
	size_t i;
	int ret = 0;

	for (i = 0; i < b->ir->routes.len; i++)
		compare(&s, &b->ir->routes.item[i], found);
	for (i = 0; i < DIFF_COUNT && !ret; i++) {
		const struct difference *d = &found[i];

		if (d->count)
			ret = build_warn(
				b, (struct place){.source = d->first->where},
				"Ingress %s: Kong's traditional router differs: %s "
				"(rules: %zu)",
				d->first->ingress, d->what, d->count);
	}
	return ret;
}

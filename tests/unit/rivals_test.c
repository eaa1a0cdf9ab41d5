/* SPDX-License-Identifier: BSD-2-Clause */
/* Pairs of rules that a request could match both: against a look at every pair. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "route/rivals.h"

#define RIVALS 120

static struct ir_route routes[RIVALS];
static struct rival rivals[RIVALS];
static char texts[RIVALS][8];
static unsigned char seen[RIVALS][RIVALS];
static size_t count;

static unsigned int below(unsigned int n)
{
	static uint32_t x = 88172645;

	x ^= x << 13;
	x ^= x >> 17;
	x ^= x << 5;
	return x % n;
}

static enum ir_host_kind kind_of(const char *host)
{
	if (!*host)
		return IR_HOST_ANY;
	if (*host == '*')
		return IR_HOST_WILDCARD;
	return host[strlen(host) - 1] == '*' ? IR_HOST_TRAILING : IR_HOST_EXACT;
}

static void add(const char *host, const char *text, bool is_whole)
{
	routes[count] = (struct ir_route){.host = host, .host_kind = kind_of(host)};
	rivals[count] = (struct rival){&routes[count], text, is_whole};
	count++;
}

/* ---- the slow way ---- */

static bool covers(const struct ir_route *a, const struct ir_route *b)
{
	size_t n = strlen(a->host + (a->host_kind == IR_HOST_WILDCARD));

	if (a->host_kind == IR_HOST_ANY || !strcmp(a->host, b->host))
		return true;
	return a->host_kind == IR_HOST_WILDCARD && b->host_kind == IR_HOST_EXACT &&
	       strlen(b->host) > n &&
	       !strcmp(b->host + strlen(b->host) - n, a->host + 1);
}

static bool are_rivals(const struct rival *a, const struct rival *b)
{
	size_t n = strlen(a->text), m = strlen(b->text);

	if (!covers(a->route, b->route) && !covers(b->route, a->route))
		return false;
	if (n == m)
		return !strcmp(a->text, b->text);
	if (n < m)
		return !a->is_whole && !strncmp(a->text, b->text, n);
	return !b->is_whole && !strncmp(a->text, b->text, m);
}

static bool mark(void *arg, size_t a, size_t b)
{
	seen[a][b]++;
	seen[b][a]++;
	return true;
}

static void check(void)
{
	size_t a, b;

	memset(seen, 0, sizeof(seen));
	assert_int_equal(rivals_each(rivals, count, mark, NULL), 0);
	for (a = 0; a < count; a++)
		for (b = 0; b < a; b++)
			if (seen[a][b] != are_rivals(&rivals[a], &rivals[b]))
				fail_msg("%s%s and %s%s: %u", routes[a].host,
					 rivals[a].text, routes[b].host, rivals[b].text,
					 seen[a][b]);
}

static void test_random(void **state)
{
	static const char *const hosts[] = {
		"",    "a.b.c",	  "*.b.c", "*.c",   "b.c",     "c",	 "x.b.c",
		"a.*", "*.a.b.c", "a.b",   "a.b.d", "*.a.b.d", "aa.b.c", "*.cc",
	};
	int round;

	for (round = 0; round < 300; round++) {
		count = 0;
		while (count < RIVALS) {
			char *text = texts[count];
			size_t len = below(7), i;

			*text = '/';
			for (i = 1; i <= len; i++)
				text[i] = "/ab"[below(3)];
			text[i] = '\0';
			add(hosts[below(sizeof(hosts) / sizeof(*hosts))], text,
			    below(2));
		}
		check();
	}
}

/* Lengths that share a bit. */
static void test_long(void **state)
{
	static char text[4][200];
	size_t i, k;

	count = 0;
	for (i = 0; i < 4; i++) {
		memset(text[i], 'x', 60 + 20 * i);
		for (k = 0; k < 4; k++)
			add(k & 1 ? "a.b" : k & 2 ? "*.b" : "", text[i], k & 2);
	}
	check();
}

static bool stop(void *arg, size_t a, size_t b)
{
	return --*(int *)arg;
}

static void test_enough(void **state)
{
	int most = 3;
	size_t i;

	for (count = i = 0; i < 100; i++)
		add("a", "/", false);
	assert_int_equal(rivals_each(rivals, count, stop, &most), 1);
	assert_int_equal(most, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_long),
		cmocka_unit_test(test_enough),
	};

	return cmocka_run_group_tests_name("rivals", tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Random patterns in a route table, walked by the kernel's own code: of those that
 * match by themselves the longest pattern is found, with the length that it has by
 * itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <weir/table.h>

#include "pure/walk.h"
#include "route/regex.h"
#include "route/table.h"

#define PATTERNS 20
#define PATTERN_BYTES 128
#define PATHS 40
#define ROUNDS 60

static u64 seed = 20;

static u32 below(u32 n)
{
	seed = seed * 6364136223846793005ull + 1442695040888963407ull;
	return (u32)(seed >> 33) % n;
}

static const char *const parts[] = {
	"a",	      "b",	 "c",	"ab",  "/",    "/a",	    "/b",    "[ab]",
	"[^/]",	      "[^/]+",	 ".*",	".*?", "\\d+", "\\d{1,3}",  "\\w+",  "(a|ab)",
	"(?:/a|/b)?", "(b|c/)*", "\\b", "\\B", "x?",   "[a-c]{2,}", "(?i)A", "-",
};

static void make_pattern(char *out, size_t size)
{
	u32 n = 1 + below(6);
	size_t at = 1;

	out[0] = '/';
	out[1] = '\0';
	for (; n; n--) {
		const char *part = parts[below(sizeof(parts) / sizeof(*parts))];
		int len = snprintf(out + at, size - at, "%s%s", part,
				   n == 1 && !below(4) ? "$" : "");

		assert_true(len > 0 && (size_t)len < size - at);
		at += (size_t)len;
	}
}

/* One that is in normal form: no empty elements. */
static void make_path(char *out)
{
	u32 n = below(14), i;

	out[0] = '/';
	for (i = 1; i <= n; i++) {
		out[i] = "aaabbbcc1A-_x//"[below(15)];
		if (out[i] == '/' && out[i - 1] == '/')
			out[i] = 'a';
	}
	out[i] = '\0';
}

static void add_route(struct ir *ir, const char *pattern)
{
	struct ir_route *r = vec_push(&ir->routes);

	*r = (struct ir_route){
		.id = (u32)ir->routes.len,
		.host_kind = IR_HOST_ANY,
		.host = ir_text(ir, ""),
		.path = ir_text(ir, pattern),
		.match = ir_text(ir, pattern),
		.type = WEIR_PATH_REGEX,
		.action = WEIR_ACTION_GROUP,
		.flags = below(2) ? WEIR_ROUTE_STRIP : 0,
		.reply = -1,
		.ingress = "a/b",
		.backend = "a/c:80",
		.at = {"x.yaml", 1, 1},
	};
}

static void build_alone(const char *pattern, struct dfa *d)
{
	struct dfa_pattern p = {.rank = 1, .length = true};
	struct regex *re;

	assert_int_equal(regex_parse(pattern, strlen(pattern), &re, NULL, NULL), 0);
	p.re = re;
	assert_int_equal(dfa_build(&p, 1, NULL, d, NULL), 0);
	regex_free(re);
}

/* Padded as the kernel's map value is. */
static void *build_table(const struct ir *ir, u32 *mask)
{
	size_t size, full = WEIR_TABLE_MIN;
	struct err err = {};
	void *blob, *padded;

	if (table_compile(ir, &blob, &size, &err))
		fail_msg("%s", err.what);
	if (table_check(blob, size, &err))
		fail_msg("%s", err.what);
	while (full < size)
		full *= 2;
	padded = calloc(1, full);
	assert_non_null(padded);
	memcpy(padded, blob, size);
	free(blob);
	*mask = (u32)(full - 1);
	return padded;
}

static struct weir_head head;

static void check_path(const void *table, u32 mask, const struct ir *ir,
		       const struct dfa *alone, const char *path)
{
	struct route_match m = {};
	struct dfa_match want = {};
	struct http_head h;
	u32 id = 0;
	int len, r;

	while (id < ir->routes.len && !dfa_find(&alone[id], path, strlen(path), &want))
		id++;
	len = snprintf((char *)head.data, WEIR_HEAD_MAX,
		       "GET %s HTTP/1.0\r\nX: y\r\n\r\n", path);
	assert_int_equal(head_scan(&head, (u32)len, &h), HEAD_DONE);
	assert_true(h.flags & HEAD_NORMAL);
	r = table_find(table, mask, &head, &h, &m);
	if (id == ir->routes.len) {
		if (r != TABLE_NONE)
			fail_msg("%s: %s and should nothing", path,
				 ir->routes.item[m.route_id - 1].path);
		return;
	}
	if (r != TABLE_FOUND || m.route_id != id + 1)
		fail_msg("%s: route %u %s instead of %u %s", path, m.route_id,
			 m.route_id ? ir->routes.item[m.route_id - 1].path : "", id + 1,
			 ir->routes.item[id].path);
	if (m.flags & WEIR_ROUTE_STRIP && m.strip_len != want.length)
		fail_msg("%s: %u of it instead of %zu for %s", path, m.strip_len,
			 want.length, ir->routes.item[id].path);
}

static int longer_first(const void *a, const void *b)
{
	size_t x = strlen(a), y = strlen(b);

	return x > y ? -1 : x < y ? 1 : strcmp(a, b);
}

static void test_random(void **state)
{
	char pattern[PATTERNS][PATTERN_BYTES], path[32];
	struct dfa alone[PATTERNS];
	u32 round, i, n, mask;

	for (round = 0; round < ROUNDS; round++) {
		struct ir ir = {};
		struct ir_group *g = vec_push(&ir.groups);
		void *table;

		g->id = 7;
		g->name = strdup("a/c:80");
		n = 1 + below(PATTERNS);
		for (i = 0; i < n; i++)
			make_pattern(pattern[i], sizeof(pattern[i]));
		qsort(pattern, n, sizeof(*pattern), longer_first);
		for (i = 0; i < n; i++) {
			add_route(&ir, pattern[i]);
			build_alone(pattern[i], &alone[i]);
		}
		table = build_table(&ir, &mask);
		for (i = 0; i < PATHS; i++) {
			make_path(path);
			check_path(table, mask, &ir, alone, path);
		}
		for (i = 0; i < n; i++)
			dfa_free(&alone[i]);
		free(table);
		ir_free(&ir);
	}
}

/* ---- patterns on headers ---- */

static u32 find_header(const void *table, u32 mask, const char *lines)
{
	struct route_match m = {};
	struct http_head h;
	int len = snprintf((char *)head.data, WEIR_HEAD_MAX,
			   "GET /x HTTP/1.1\r\nHost: a\r\n%s\r\n", lines);

	assert_int_equal(head_scan(&head, (u32)len, &h), HEAD_DONE);
	return table_find(table, mask, &head, &h, &m) == TABLE_FOUND ? m.route_id : 0;
}

static void add_header(struct ir *ir, const char *name, const char *pattern,
		       const char *value)
{
	struct ir_header *h;

	add_route(ir, "/");
	h = vec_push(&ir->routes.item[ir->routes.len - 1].headers);
	h->name = ir_text(ir, name);
	if (pattern)
		*(const char **)vec_push(&h->patterns) = ir_text(ir, pattern);
	if (value)
		*(const char **)vec_push(&h->values) = ir_text(ir, value);
}

static void test_headers(void **state)
{
	static const struct {
		const char *lines;
		u32 id;
	} asked[] = {
		{"X-A: a\r\n", 1},
		{"X-A:abcABC\r\n", 1},
		{"X-A: abcd\r\n", 5},
		{"X-A:\r\n", 5},
		{"X-A: d\r\nX-A: \t b \t\r\n", 1},
		{"X-B: some v7 here\r\n", 2},
		{"X-B: v\r\nX-A: e\r\n", 5},
		{"X-B: literal\r\n", 2},
		{"X-B: literals\r\n", 5},
		/* to the end of the value, and not of the line */
		{"X-C: x-end  \r\n", 3},
		{"X-C: end-x\r\n", 5},
		{"x_d: word\r\n", 4},
		{"x_d: words\r\n", 5},
		{"x-d: a word, or two\r\n", 4},
		{"X-None: anything\r\n", 5},
		{"X-Upper: Up\r\n", 5},
	};
	struct ir ir = {};
	struct ir_group *g = vec_push(&ir.groups);
	void *table;
	size_t i;
	u32 mask;

	g->name = strdup("a/c:80");
	add_header(&ir, "x-a", "^[abc]+$", NULL);
	add_header(&ir, "x-b", "v\\d", "literal");
	add_header(&ir, "x-c", "end$", NULL);
	add_header(&ir, "x-d", "\\bword\\b", NULL);
	add_route(&ir, "/");
	/* values are in lower case there */
	add_header(&ir, "x-upper", "Up", NULL);
	/* nothing is in an empty class */
	add_header(&ir, "x-none", "[^\\x00-\\xff]", NULL);
	table = build_table(&ir, &mask);
	for (i = 0; i < sizeof(asked) / sizeof(asked[0]); i++)
		if (find_header(table, mask, asked[i].lines) != asked[i].id)
			fail_msg("%s: not %u", asked[i].lines, asked[i].id);
	free(table);
	ir_free(&ir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_headers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

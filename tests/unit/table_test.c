/* SPDX-License-Identifier: BSD-2-Clause */
/* Route tables: compiled, checked, and walked by the kernel's own code. */
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <weir/reply.h>
#include <weir/table.h>

#include "pure/walk.h"
#include "route/table.h"

#define ANY ""

struct rule {
	const char *host;
	enum weir_path_type type;
	const char *match;
	u32 flags;
};

struct table {
	void *blob;  /* padded as the kernel's map value is */
	size_t size; /* not padded */
	u32 mask;
};

static void add_rule(struct ir *ir, const struct rule *rule)
{
	struct ir_route *r = vec_push(&ir->routes);

	*r = (struct ir_route){
		.id = ir->routes.len, /* the first one is 1 */
		.host_kind = !*rule->host	  ? IR_HOST_ANY
			     : *rule->host == '*' ? IR_HOST_WILDCARD
						  : IR_HOST_EXACT,
		.host = ir_text(ir, rule->host),
		.path = ir_text(ir, rule->match),
		.match = ir_text(ir, rule->match),
		.type = rule->type,
		.action = WEIR_ACTION_GROUP,
		.flags = rule->flags,
		.reply = -1,
		.ingress = "a/b",
		.backend = "a/c:80",
		.at = {"x.yaml", 1, 1},
	};
}

static void pad(struct table *t, void *blob, size_t size)
{
	size_t full = WEIR_TABLE_MIN;

	while (full < size)
		full *= 2;
	t->blob = calloc(1, full);
	assert_non_null(t->blob);
	memcpy(t->blob, blob, size);
	t->size = size;
	t->mask = full - 1;
	free(blob);
}

static void build_ir(struct table *t, struct ir *ir)
{
	struct err err = {0};
	void *blob = NULL;
	size_t size;

	if (table_compile(ir, &blob, &size, &err))
		fail_msg("%s", err.what);
	if (table_check(blob, size, &err))
		fail_msg("%s", err.what);
	pad(t, blob, size);
}

static void build(struct table *t, const struct rule *rules, size_t count)
{
	struct ir ir = {0};
	struct ir_group *g = vec_push(&ir.groups);
	size_t i;

	g->id = 77;
	g->name = strdup("a/c:80");
	for (i = 0; i < count; i++)
		add_rule(&ir, &rules[i]);
	build_ir(t, &ir);
	ir_free(&ir);
}

static struct weir_head head;

/* The route's id, 0: none, -1: no table. */
static int find(const struct table *t, const char *host, const char *target,
		struct route_match *m)
{
	struct http_head h;
	int n = snprintf((char *)head.data, WEIR_HEAD_MAX,
			 "GET %s HTTP/1.%d\r\n%s%s\r\n\r\n", target, host ? 1 : 0,
			 host ? "Host: " : "X: ", host ? host : "");
	int r;

	if (head_scan(&head, n, &h) != HEAD_DONE)
		fail_msg("%s %s: not a head", host, target);
	if (!(h.flags & HEAD_NORMAL))
		assert_true(head_rewrite(&head, &h, 0) >= 0);
	r = table_find(t->blob, t->mask, &head, &h, m);
	return r == TABLE_FOUND ? (int)m->route_id : r == TABLE_NONE ? 0 : -1;
}

struct query {
	const char *host; /* NULL: HTTP/1.0 without one */
	const char *target;
	int id;
	u32 strip;
};

static void ask(const struct table *t, const struct query *q, size_t count)
{
	struct route_match m;
	size_t i;

	for (i = 0; i < count; i++) {
		int id = find(t, q[i].host, q[i].target, &m);

		if (id != q[i].id)
			fail_msg("%s %s: route %d, not %d", q[i].host, q[i].target, id,
				 q[i].id);
		if (id > 0 && m.strip_len != q[i].strip)
			fail_msg("%s %s: strips %u", q[i].host, q[i].target,
				 m.strip_len);
	}
}

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void paths(void **state)
{
	static const struct rule rules[] = {
		{"h", WEIR_PATH_PREFIX, "/foo", 0},			     /* 1 */
		{"h", WEIR_PATH_EXACT, "/foo", 0},			     /* 2 */
		{"h", WEIR_PATH_IMPLEMENTATION, "/fo", 0},		     /* 3 */
		{"h", WEIR_PATH_EXACT, "/foo/", 0},			     /* 4 */
		{"h", WEIR_PATH_PREFIX, "/foo/bar/baz", 0},		     /* 5 */
		{"h", WEIR_PATH_IMPLEMENTATION, "/foo/b", WEIR_ROUTE_STRIP}, /* 6 */
		{"h", WEIR_PATH_PREFIX, "/same", 0},			     /* 7 */
		{"h", WEIR_PATH_IMPLEMENTATION, "/same", 0},		     /* 8 */
		{"h", WEIR_PATH_PREFIX, "/same", 0},			     /* 9 */
		{"root", WEIR_PATH_PREFIX, "", 0},			     /* 10 */
		{"strip", WEIR_PATH_PREFIX, "/echo", WEIR_ROUTE_STRIP},	     /* 11 */
		{"strip", WEIR_PATH_EXACT, "/a b", WEIR_ROUTE_STRIP},	     /* 12 */
		{"strip", WEIR_PATH_IMPLEMENTATION, "/", WEIR_ROUTE_STRIP},  /* 13 */
		{"h", WEIR_PATH_PREFIX, "/caf\xc3\xa9", 0},		     /* 14 */
		{"h", WEIR_PATH_PREFIX, "/%2F", 0},			     /* 15 */
		{"tail", WEIR_PATH_IMPLEMENTATION, "/a/a.b/", 0},	     /* 16 */
	};
	static const struct query queries[] = {
		{"h", "/foo", 2, 0},
		{"h", "/foo?x", 2, 0},
		{"h", "/foo/", 4, 0},
		{"h", "/foo/x", 1, 0},
		{"h", "/foox", 3, 0},
		{"h", "/fo", 3, 0},
		{"h", "/f", 0, 0},
		{"h", "/", 0, 0},
		{"h", "/FOO", 0, 0},
		{"h", "/foo/bar/baz", 5, 0},
		{"h", "/foo/bar/baz/", 5, 0},
		{"h", "/foo/bar/baz/x", 5, 0},
		{"h", "/foo/bar/bazx", 6, 6},
		{"h", "/foo/ba", 6, 6},
		{"h", "/foo/x/../b", 6, 6},
		{"h", "/same", 7, 0},
		{"h", "/same/x", 7, 0},
		{"h", "/samex", 8, 0},
		{"h", "/caf%C3%A9/x", 14, 0},
		{"h", "/caf\xc3\xa9/x", 14, 0},
		{"h", "/caf%c3%a9", 14, 0},
		{"h", "/caf%c3", 0, 0},
		{"h", "/%2f/x", 15, 0},
		{"h", "/%2fx", 0, 0},
		{"tail", "/a/a.b/%2F", 16, 0},
		{"tail", "/a/a.b%20/%2F", 0, 0},
		{"root", "/", 10, 0},
		{"root", "/x", 10, 0},
		{"strip", "/echo", 11, 5},
		{"strip", "/echo/x", 11, 5},
		{"strip", "/echox", 13, 1},
		{"strip", "/a%20b", 12, 6},
		{"strip", "/a%20bc", 13, 1},
		{"other", "/foo", 0, 0},
		{NULL, "/foo", 0, 0},
	};
	struct table t;

	build(&t, rules, COUNT(rules));
	ask(&t, queries, COUNT(queries));
	free(t.blob);
}

static void hosts(void **state)
{
	static const struct rule rules[] = {
		{"example.com", WEIR_PATH_PREFIX, "/a", 0},	/* 1 */
		{"*.example.com", WEIR_PATH_PREFIX, "/a", 0},	/* 2 */
		{"www.example.com", WEIR_PATH_PREFIX, "/b", 0}, /* 3 */
		{"*.b.example.com", WEIR_PATH_PREFIX, "", 0},	/* 4 */
		{ANY, WEIR_PATH_PREFIX, "/any", 0},		/* 5 */
		{"*.com", WEIR_PATH_PREFIX, "/c", 0},		/* 6 */
		{"Upper.Example.Org", WEIR_PATH_PREFIX, "", 0}, /* 7 */
		{"a-label-of-more-than-sixty-bytes-which-is-nearly-the-longest-one."
		 "and-a-second-label-so-that-no-tail-holds-all-of-it.test",
		 WEIR_PATH_PREFIX, "", 0},				/* 8 */
		{"*.example.com", WEIR_PATH_PREFIX, "/longer/path", 0}, /* 9 */
	};
	static const struct query queries[] = {
		{"example.com", "/a", 1, 0},
		{"EXAMPLE.com.", "/a", 1, 0},
		{"example.com:8080", "/a", 1, 0},
		{"example.com", "/any", 5, 0},
		{"example.com", "/c", 6, 0},
		{"xexample.com", "/a", 0, 0},
		{"www.example.com", "/b", 3, 0},
		{"www.example.com", "/a", 2, 0},
		{"www.example.com", "/any", 5, 0},
		{"www.example.com", "/c", 0, 0},
		{"x.example.com", "/a", 2, 0},
		{"x.example.com", "/longer/path/x", 9, 0},
		{"x.y.example.com", "/a", 0, 0},
		{".example.com", "/a", 0, 0},
		{"x.b.example.com", "/q", 4, 0},
		{"b.example.com", "/a", 2, 0},
		{"b.example.com", "/q", 0, 0},
		{"x.y.b.example.com", "/q", 0, 0},
		{"x.com", "/c", 6, 0},
		{"com", "/c", 0, 0},
		{"upper.example.org", "/", 7, 0},
		{"UPPER.EXAMPLE.ORG", "/", 7, 0},
		{"a-label-of-more-than-sixty-bytes-which-is-nearly-the-longest-one."
		 "and-a-second-label-so-that-no-tail-holds-all-of-it.test",
		 "/", 8, 0},
		{"b-label-of-more-than-sixty-bytes-which-is-nearly-the-longest-one."
		 "and-a-second-label-so-that-no-tail-holds-all-of-it.test",
		 "/", 0, 0},
		{"[::1]", "/any", 5, 0},
		{NULL, "/any", 5, 0},
		{NULL, "/a", 0, 0},
	};
	struct table t;

	build(&t, rules, COUNT(rules));
	ask(&t, queries, COUNT(queries));
	free(t.blob);
}

static void default_backend(void **state)
{
	static const struct rule rules[] = {
		{"h", WEIR_PATH_PREFIX, "/a", 0},
		{ANY, WEIR_PATH_DEFAULT, "", WEIR_ROUTE_FALLBACK | WEIR_ROUTE_STRIP},
		{ANY, WEIR_PATH_DEFAULT, "", WEIR_ROUTE_FALLBACK},
	};
	static const struct query queries[] = {
		{"h", "/a", 1, 0},
		{"h", "/b", 2, 0},
		{"x", "/a", 2, 0},
		{NULL, "/", 2, 0},
	};
	struct route_match m;
	struct table t;

	build(&t, rules, COUNT(rules));
	ask(&t, queries, COUNT(queries));
	assert_int_equal(find(&t, "x", "/", &m), 2);
	assert_true(m.flags & WEIR_ROUTE_FALLBACK);
	assert_int_equal(m.group_id, 77);
	assert_int_equal(m.action, WEIR_ACTION_GROUP);
	free(t.blob);
}

static void nothing(void **state)
{
	struct route_match m;
	struct table t;

	build(&t, NULL, 0);
	assert_int_equal(find(&t, "x", "/", &m), 0);
	memset(t.blob, 0, t.size);
	assert_int_equal(find(&t, "x", "/", &m), -1);
	free(t.blob);
}

static void replies(void **state)
{
	struct ir ir = {0};
	struct rule rule = {"h", WEIR_PATH_EXACT, "/", 0};
	struct route_match m;
	struct table t;

	add_rule(&ir, &rule);
	ir.routes.item[0].action = WEIR_ACTION_REPLY;
	ir.routes.item[0].reply = 3;
	build_ir(&t, &ir);
	ir_free(&ir);
	assert_int_equal(find(&t, "h", "/", &m), 1);
	assert_int_equal(m.action, WEIR_ACTION_REPLY);
	assert_int_equal(m.reply_id, WEIR_REPLY_FIRST_FREE + 3);
	free(t.blob);
}

static void regexes(void **state)
{
	static const struct rule rules[] = {
		{"h", WEIR_PATH_PREFIX, "/api/users", 0},		       /* 1 */
		{"h", WEIR_PATH_REGEX, "/api/.*", 0},			       /* 2 */
		{"h", WEIR_PATH_REGEX, "/api/users/\\d+$", 0},		       /* 3 */
		{"h", WEIR_PATH_EXACT, "/api/users/7", 0},		       /* 4 */
		{"h", WEIR_PATH_REGEX, "/strip/[a-z]+", WEIR_ROUTE_STRIP},     /* 5 */
		{"h", WEIR_PATH_REGEX, "/word/\\w+\\b", WEIR_ROUTE_STRIP},     /* 6 */
		{"h", WEIR_PATH_REGEX, "/caf\xc3\xa9+/x y", WEIR_ROUTE_STRIP}, /* 7 */
		{"h", WEIR_PATH_REGEX, "/q|/b", 0},			       /* 8 */
		{ANY, WEIR_PATH_REGEX, "/(?i)any$", 0},			       /* 9 */
	};
	static const struct query queries[] = {
		{"h", "/api/users", 2, 0},
		{"h", "/api/users/7", 4, 0},
		{"h", "/api/users/77", 3, 0},
		{"h", "/api/users/77?x", 3, 0},
		{"h", "/api/users/7x", 2, 0},
		{"h", "/api", 0, 0},
		{"h", "/strip/abc/d", 5, 10},
		{"h", "/strip/abc", 5, 10},
		{"h", "/strip/9", 0, 0},
		{"h", "/word/ab-c", 6, 8},
		{"h", "/word/ab", 6, 8},
		{"h", "/word/ab%20", 6, 8},
		{"h", "/word/a%20b%20", 6, 7},
		{"h", "/caf%c3%a9/x%20y/z", 7, 16},
		{"h", "/q", 8, 0},
		{"h", "/bcd", 8, 0},
		{"h", "/x/b", 0, 0},
		{"h", "/ANY", 9, 0},
		{"x", "/aNy", 9, 0},
		{"x", "/any/", 0, 0},
	};
	struct table t;

	build(&t, rules, COUNT(rules));
	ask(&t, queries, COUNT(queries));
	free(t.blob);
}

/* More patterns than one automaton takes: they are parted, and the order among
 * them stays. */
static void many_regexes(void **state)
{
	enum { MANY = 150 };
	static struct rule rules[MANY + 1];
	static char text_of[MANY][64];
	struct route_match m;
	struct table t;
	char path[64];
	int i;

	for (i = 0; i < MANY; i++) {
		snprintf(text_of[i], sizeof(text_of[i]), "/.*/x%03d/[0-9]{1,9}.*y", i);
		rules[i] = (struct rule){"h", WEIR_PATH_REGEX, text_of[i], 0};
	}
	rules[MANY] = (struct rule){"h", WEIR_PATH_REGEX, "/.*", 0};
	build(&t, rules, COUNT(rules));
	for (i = 0; i < MANY; i++) {
		snprintf(path, sizeof(path), "/p/x%03d/12/y", i);
		assert_int_equal(find(&t, "h", path, &m), i + 1);
		snprintf(path, sizeof(path), "/p/x%03d/y", i);
		assert_int_equal(find(&t, "h", path, &m), MANY + 1);
	}
	free(t.blob);
}

static void broken_regex(void **state)
{
	struct rule rule = {"h", WEIR_PATH_REGEX, "/a(", 0};
	struct ir ir = {0};
	struct err err = {0};
	void *blob = NULL;
	size_t size;

	add_rule(&ir, &rule);
	assert_int_equal(table_compile(&ir, &blob, &size, &err), -EINVAL);
	assert_non_null(strstr(err.what, "a/b: path \"/a(\""));
	assert_string_equal(err.where, "x.yaml:1:1");
	assert_null(blob);
	ir_free(&ir);
}

/* regex-priority decides between patterns, and between nothing else. */
static void priorities(void **state)
{
	static const struct rule rules[] = {{"h", WEIR_PATH_REGEX, "/a/[0-9]+", 0},
					    {"h", WEIR_PATH_REGEX, "/a/.*", 0},
					    {"h", WEIR_PATH_PREFIX, "/p/long", 0},
					    {"h", WEIR_PATH_PREFIX, "/p", 0}};
	struct ir ir = {0};
	struct route_match m;
	struct table t;
	size_t i;

	for (i = 0; i < COUNT(rules); i++) {
		add_rule(&ir, &rules[i]);
		ir.routes.item[i].priority = i & 1;
	}
	build_ir(&t, &ir);
	ir_free(&ir);
	assert_int_equal(find(&t, "h", "/a/1", &m), 2);
	assert_int_equal(find(&t, "h", "/p/long", &m), 3);
	free(t.blob);
}

/* ---- criteria ---- */

/* "GET,POST name=value|value other" onto the last route. */
static void add_criteria(struct ir *ir, const char *spec)
{
	struct ir_route *r = &ir->routes.item[ir->routes.len - 1];
	char *copy = strdup(spec), *rest = copy, *word;

	while ((word = strsep(&rest, " "))) {
		char *equals = strchr(word, '='), *list = equals ? equals + 1 : word,
		     *one;
		struct ir_header *h = NULL;

		if (!*word)
			continue;
		if (equals || islower((unsigned char)*word)) {
			h = vec_push(&r->headers);
			if (equals)
				*equals = '\0';
			h->name = ir_text(ir, word);
			if (!equals)
				continue;
		}
		while ((one = strsep(&list, ","))) {
			const char **slot = h ? (const char **)vec_push(&h->values)
					      : (const char **)vec_push(&r->methods);

			*slot = ir_text(ir, one);
		}
	}
	free(copy);
}

static int find_head(const struct table *t, const char *lines)
{
	struct route_match m;
	struct http_head h;
	int n = snprintf((char *)head.data, WEIR_HEAD_MAX, "%s\r\n", lines);

	assert_int_equal(head_scan(&head, n, &h), HEAD_DONE);
	if (!(h.flags & HEAD_NORMAL))
		assert_true(head_rewrite(&head, &h, 0) >= 0);
	return table_find(t->blob, t->mask, &head, &h, &m) == TABLE_FOUND
		       ? (int)m.route_id
		       : 0;
}

static void criteria(void **state)
{
	static const struct {
		struct rule rule;
		const char *criteria;
	} rules[] = {
		{{"h", WEIR_PATH_PREFIX, "/a", 0}, ""},			   /* 1 */
		{{"h", WEIR_PATH_PREFIX, "/a", 0}, "GET,POST"},		   /* 2 */
		{{"h", WEIR_PATH_PREFIX, "/a/b", 0}, "PUT,POST"},	   /* 3 */
		{{"h", WEIR_PATH_PREFIX, "/a", 0}, "GET x-one=1,two"},	   /* 4 */
		{{"h", WEIR_PATH_EXACT, "/a/b/c", 0}, ""},		   /* 5 */
		{{"h", WEIR_PATH_PREFIX, "/a", 0}, "GET x-one=1 x_two=2"}, /* 6 */
		{{"h", WEIR_PATH_PREFIX, "", 0}, "x-any"},		   /* 7 */
		{{"h", WEIR_PATH_PREFIX, "/q", 0},
		 "x-long=a-value-of-more-than-eight-bytes"},
		{{"*.h", WEIR_PATH_PREFIX, "", 0}, "POST,GET"}, /* 9 */
		{{ANY, WEIR_PATH_PREFIX, "/a", 0}, ""},		/* 10 */
	};
	static const struct {
		const char *head;
		int id;
	} asked[] = {
		{"GET /a HTTP/1.1\r\nHost: h\r\n", 2},
		{"POST /a/x HTTP/1.1\r\nHost: h\r\n", 2},
		{"PUT /a HTTP/1.1\r\nHost: h\r\n", 1},
		{"PUT /a/b HTTP/1.1\r\nHost: h\r\n", 3},
		/* both sets have one kind: the longer path wins */
		{"POST /a/b HTTP/1.1\r\nHost: h\r\n", 3},
		{"GET /a/b/c HTTP/1.1\r\nHost: h\r\n", 2},
		{"PUT /a/b/c HTTP/1.1\r\nHost: h\r\n", 3},
		{"DELETE /a/b/c HTTP/1.1\r\nHost: h\r\n", 5},
		{"get /a HTTP/1.1\r\nHost: h\r\n", 1},
		{"GETS /a HTTP/1.1\r\nHost: h\r\n", 1},
		{"GET /a HTTP/1.1\r\nHost: h\r\nX-One: 1\r\n", 4},
		{"GET /a HTTP/1.1\r\nX_ONE: \t TWO \t\r\nHost: h\r\n", 4},
		{"GET /a HTTP/1.1\r\nHost: h\r\nX-One: 12\r\n", 2},
		{"GET /a HTTP/1.1\r\nHost: h\r\nX-One:\r\n", 2},
		{"GET /a HTTP/1.1\r\nHost: h\r\nX-One: 0\r\nX-One: two\r\n", 4},
		{"GET /a HTTP/1.1\r\nHost: h\r\nXX-One: 1\r\nX-Ones: 1\r\n", 2},
		{"GET /a HTTP/1.1\r\nHost: h\r\nX-One: 1\r\nx-two: 2\r\n", 6},
		{"GET /a HTTP/1.1\r\nHost: h\r\nX-Two: 2\r\n", 2},
		{"PUT /z HTTP/1.1\r\nHost: h\r\nX-Any:\r\n", 7},
		{"PUT /z HTTP/1.1\r\nHost: h\r\nX-An: y\r\n", 0},
		{"PUT /q HTTP/1.1\r\nHost: h\r\n"
		 "Pad: "
		 "0123456789012345678901234567890123456789012345678901234567890123456\r"
		 "\n"
		 "X-Long: A-Value-Of-More-Than-Eight-Bytes\r\n",
		 8},
		{"PUT /q HTTP/1.1\r\nHost: h\r\nX-Long: "
		 "a-value-of-more-than-eight-bytez\r\n",
		 0},
		{"GET /a//b HTTP/1.1\r\nX-One: 1\r\nHost: h\r\n", 4},
		{"GET /a HTTP/1.1\r\nHost: x.h\r\n", 9},
		{"PUT /a HTTP/1.1\r\nHost: x.h\r\n", 10},
	};
	struct ir ir = {0};
	struct table t;
	size_t i;

	for (i = 0; i < COUNT(rules); i++) {
		add_rule(&ir, &rules[i].rule);
		add_criteria(&ir, rules[i].criteria);
	}
	build_ir(&t, &ir);
	ir_free(&ir);
	for (i = 0; i < COUNT(asked); i++) {
		int id = find_head(&t, asked[i].head);

		if (id != asked[i].id)
			fail_msg("route %d, not %d: %s", id, asked[i].id,
				 asked[i].head);
	}
	free(t.blob);
}

/* ---- against a plain reading of the rules ---- */

static u32 seed;

static u32 roll(u32 n)
{
	seed = seed * 1664525 + 1013904223;
	return (seed >> 10) % n;
}

static bool path_matches(const struct rule *r, const char *path)
{
	size_t len = strlen(r->match);

	if (r->type == WEIR_PATH_EXACT)
		return !strcmp(path, r->match);
	if (strncmp(path, r->match, len))
		return false;
	return r->type != WEIR_PATH_PREFIX || !path[len] || path[len] == '/';
}

static int host_rank(const char *rule, const char *host)
{
	const char *dot = strchr(host, '.');

	if (!*rule)
		return 1;
	if (*rule == '*')
		return dot && dot != host && !strcmp(dot, rule + 1) ? 2 : 0;
	return strcmp(rule, host) ? 0 : 3;
}

static int plain_find(const struct rule *rules, size_t count, const char *host,
		      const char *path)
{
	int best = -1, best_host = 0;
	size_t i;

	for (i = 0; i < count; i++) {
		int rank = host_rank(rules[i].host, host);
		bool is_exact = rules[i].type == WEIR_PATH_EXACT;
		bool best_exact = best >= 0 && rules[best].type == WEIR_PATH_EXACT;

		if (!rank || !path_matches(&rules[i], path) || rank < best_host)
			continue;
		if (best < 0 || rank > best_host || is_exact > best_exact ||
		    (is_exact == best_exact && !is_exact &&
		     /* the prefix "/" has no byte of its own */
		     strlen(rules[i].match) + !*rules[i].match >
			     strlen(rules[best].match) + !*rules[best].match)) {
			best = i;
			best_host = rank;
		}
	}
	return best + 1;
}

#define PATH_ROOM 160

/* As it stands in a request. */
static const char *encoded(const char *path)
{
	static char to[3 * PATH_ROOM];
	size_t len = 0;

	for (; *path; path++)
		len += snprintf(to + len, sizeof(to) - len,
				*path == ' ' ? "%%20" : "%c", *path);
	return to;
}

static void add_slash(char *path)
{
	size_t len = strlen(path);

	memcpy(path + len, "/", 2);
}

static void random_path(char *to, size_t depth)
{
	static const char *const parts[] = {
		"a", "ab", "b", "abc", "a-long-element-of-a-path", "s p"};

	size_t len = 0;

	*to = '\0';
	while (depth--)
		len += snprintf(to + len, PATH_ROOM - len, "/%s",
				parts[roll(COUNT(parts))]);
}

static void random_rules(void **state)
{
	static const char *const names[] = {ANY,     "a",    "*.a",    "b.a", "*.b.a",
					    "c.b.a", "ab.a", "*.ab.a", "aa"};
	static const char *const asked[] = {"a",    "b.a",    "c.b.a", "d.c.b.a",
					    "ab.a", "c.ab.a", "aa",    "z"};
	int round;

	for (round = 0; round < 300; round++) {
		static char store[200][PATH_ROOM];
		struct rule rules[200];
		size_t count = 1 + roll(round < 100 ? 8 : 200), i;
		struct table t;

		seed = round + 1;
		for (i = 0; i < count; i++) {
			random_path(store[i], roll(4));
			rules[i] = (struct rule){
				.host = names[roll(COUNT(names))],
				.type = WEIR_PATH_EXACT + roll(3),
				.match = store[i],
			};
			if (rules[i].type != WEIR_PATH_PREFIX &&
			    (!*store[i] || !roll(4)))
				add_slash(store[i]);
		}
		build(&t, rules, count);
		for (i = 0; i < 300; i++) {
			const char *host = asked[roll(COUNT(asked))];
			char path[PATH_ROOM];
			struct route_match m;
			int want, got;

			random_path(path, roll(5));
			if (!*path || !roll(3))
				add_slash(path);
			want = plain_find(rules, count, host, path);
			got = find(&t, host, encoded(path), &m);
			if (got != want)
				fail_msg("round %d: %s%s: route %d, not %d", round,
					 host, path, got, want);
		}
		free(t.blob);
	}
}

/* ---- damaged tables ---- */

static void damage(void **state)
{
	static const struct rule rules[] = {
		{"example.com", WEIR_PATH_PREFIX, "/a", 0},
		{"example.com", WEIR_PATH_PREFIX, "/ab", 0},
		{"*.example.com", WEIR_PATH_EXACT, "/b/c", 0},
		{ANY, WEIR_PATH_IMPLEMENTATION, "/d", 0},
		{ANY, WEIR_PATH_DEFAULT, "", WEIR_ROUTE_FALLBACK},
	};
	struct weir_table_header *h;
	struct err err = {0};
	struct table t;
	size_t i, accepted = 0;

	build(&t, rules, COUNT(rules));
	h = t.blob;
	/* a flipped bit is seen by the checksum, but for the generation's */
	for (i = 0; i < t.size * 8; i++) {
		u8 *byte = (u8 *)t.blob + i / 8;

		if (i / 8 >= offsetof(struct weir_table_header, generation) &&
		    i / 8 < offsetof(struct weir_table_header, crc32))
			continue;
		*byte ^= 1 << i % 8;
		if (!table_check(t.blob, t.size, &err))
			fail_msg("bit %zu", i);
		*byte ^= 1 << i % 8;
	}
	for (i = 0; i < t.size; i++)
		assert_int_not_equal(table_check(t.blob, i, &err), 0);
	/* with the checksum made right the walk still stays within the table:
	 * the sanitizer is the judge */
	seed = 1;
	for (i = 0; i < 20000; i++) {
		u32 off = roll(t.size / 4) * 4, old;
		u8 *at = (u8 *)t.blob + off;
		struct route_match m;

		memcpy(&old, at, 4);
		off = roll(3) ? roll(t.size + 64) | roll(8) : 0xffffff00u | roll(256);
		memcpy(at, &off, 4);
		if (h->magic == WEIR_TABLE_MAGIC && h->bytes <= t.size &&
		    h->bytes >= sizeof(*h)) {
			h->crc32 = table_checksum(t.blob, h->bytes);
			accepted += !table_check(t.blob, t.size, &err);
		}
		find(&t, "www.example.com", "/ab/c", &m);
		find(&t, "example.com", "/d%20", &m);
		memcpy(at, &old, 4);
	}
	/* ids and the like may hold anything, offsets may not */
	assert_in_range(accepted, 1, 19999);
	free(t.blob);
}

static void long_input(void **state)
{
	static char path[12000], host[TABLE_HOST_MAX + 1];
	struct rule rules[] = {
		{"h", WEIR_PATH_PREFIX, path, 0},
		{host, WEIR_PATH_PREFIX, "", 0},
	};
	struct route_match m;
	struct table t;

	memset(path, 'p', sizeof(path) - 1);
	path[0] = '/';
	memset(host, 'n', sizeof(host) - 1);
	build(&t, rules, COUNT(rules));
	assert_int_equal(find(&t, "h", path, &m), 1);
	assert_int_equal(find(&t, host, "/", &m), 2);
	path[6000] = 'q';
	host[1] = 'q';
	assert_int_equal(find(&t, "h", path, &m), 0);
	assert_int_equal(find(&t, host, "/", &m), 0);
	free(t.blob);

	/* a name over the limit is compiled, and never found */
	{
		static char longer[TABLE_HOST_MAX + 2];
		struct rule rule = {longer, WEIR_PATH_PREFIX, "", 0};

		memset(longer, 'm', sizeof(longer) - 1);
		build(&t, &rule, 1);
		assert_int_equal(find(&t, longer, "/", &m), 0);
		free(t.blob);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(paths),	   cmocka_unit_test(hosts),
		cmocka_unit_test(default_backend), cmocka_unit_test(nothing),
		cmocka_unit_test(replies),	   cmocka_unit_test(regexes),
		cmocka_unit_test(many_regexes),	   cmocka_unit_test(broken_regex),
		cmocka_unit_test(priorities),	   cmocka_unit_test(criteria),
		cmocka_unit_test(random_rules),	   cmocka_unit_test(damage),
		cmocka_unit_test(long_input),
	};

	return cmocka_run_group_tests_name("table", tests, NULL, NULL);
}

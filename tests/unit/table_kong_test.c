/* SPDX-License-Identifier: BSD-2-Clause */
/* A table in Kong's order: what each of its criteria decides, and which hosts are
 * asked. tests/routing has random rules against a model of the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <weir/table.h>

#include "pure/walk.h"
#include "route/table.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define EXACT WEIR_PATH_EXACT
#define PREFIX WEIR_PATH_PREFIX
#define STRING WEIR_PATH_IMPLEMENTATION
#define REGEX WEIR_PATH_REGEX
#define DEFAULT WEIR_PATH_DEFAULT

struct rule {
	const char *host;
	enum weir_path_type type;
	const char *match;
	const char *method, *header; /* X-H: header; NULL: none */
	int priority;
	bool mixed_hosts;
	const char *pattern;
};

#define RULE(host_, type_, match_, ...) \
	((struct rule){.host = host_, .type = type_, .match = match_, ##__VA_ARGS__})

/* The rule that wins a request, counted from 1; 0: none. */
struct query {
	const char *host, *target;
	int winner;
};

static enum ir_host_kind host_kind(const char *host)
{
	if (!*host)
		return IR_HOST_ANY;
	if (*host == '*')
		return IR_HOST_WILDCARD;
	return host[strlen(host) - 1] == '*' ? IR_HOST_TRAILING : IR_HOST_EXACT;
}

static void add_rule(struct ir *ir, const struct rule *rule)
{
	struct ir_route *r = vec_push(&ir->routes);

	*r = (struct ir_route){
		.id = ir->routes.len,
		.host_kind = host_kind(rule->host),
		.host = ir_text(ir, rule->host),
		.path = ir_text(ir, rule->match),
		.match = ir_text(ir, rule->match),
		.pattern = ir_text(ir, rule->pattern),
		.type = rule->type,
		.priority = rule->priority,
		.mixed_hosts = rule->mixed_hosts,
		.action = WEIR_ACTION_GROUP,
		.reply = -1,
		.ingress = ir_text(ir, "a/b"),
		.at = {"x.yaml", 1, 1},
	};
	if (rule->method)
		*(const char **)vec_push(&r->methods) = ir_text(ir, rule->method);
	if (rule->header) {
		struct ir_header *h = vec_push(&r->headers);

		h->name = ir_text(ir, "x-h");
		*(const char **)vec_push(&h->values) = ir_text(ir, rule->header);
	}
}

static int find(const void *table, uint32_t mask, const struct query *q)
{
	static struct weir_head head;
	static struct route_match m;
	struct http_head h;
	int n = snprintf((char *)head.data, WEIR_HEAD_MAX,
			 "GET %s HTTP/1.1\r\nHost: %s\r\nX-H: 1\r\n\r\n", q->target,
			 q->host);

	assert_int_equal(head_scan(&head, n, &h), HEAD_DONE);
	return table_find(table, mask, &head, &h, &m) == TABLE_FOUND ? (int)m.route_id
								     : 0;
}

static void ask(const struct rule *rules, size_t count, const struct query *q,
		size_t queries)
{
	struct ir ir = {.order = IR_ORDER_KONG};
	struct ir_group *g = vec_push(&ir.groups);
	struct err err = {0};
	void *blob, *table;
	size_t size, i;

	g->name = strdup("a/c:80");
	for (i = 0; i < count; i++)
		add_rule(&ir, &rules[i]);
	if (table_compile(&ir, &blob, &size, &err) || table_check(blob, size, &err))
		fail_msg("%s", err.what);
	assert_true(size <= WEIR_TABLE_MIN);
	table = calloc(1, WEIR_TABLE_MIN);
	memcpy(table, blob, size);
	for (i = 0; i < queries; i++) {
		int winner = find(table, WEIR_TABLE_MIN - 1, &q[i]);

		if (winner != q[i].winner)
			fail_msg("%s %s: %d, not %d", q[i].host, q[i].target, winner,
				 q[i].winner);
	}
	free(blob);
	free(table);
	ir_free(&ir);
}

/* Each of two rules takes the request; the second one wins. */
static void second_wins(struct rule first, struct rule second, const char *host,
			const char *target)
{
	const struct rule rules[] = {first, second}, swapped[] = {second, first};

	ask(rules, 2, &(struct query){host, target, 2}, 1);
	ask(swapped, 2, &(struct query){host, target, 1}, 1);
}

static void criteria(void **state)
{
	/* more kinds of conditions, whatever the host */
	second_wins(RULE("a.b", EXACT, "/x"),
		    RULE("", STRING, "/", .method = "GET", .header = "1"), "a.b", "/x");
	/* of one kind: host, headers, methods */
	second_wins(RULE("", EXACT, "/x", .header = "1"), RULE("*.b", STRING, "/"),
		    "a.b", "/x");
	second_wins(RULE("", EXACT, "/x", .method = "GET"),
		    RULE("", STRING, "/", .header = "1"), "a.b", "/x");
	/* plain hosts only, then patterns, then regex-priority */
	second_wins(RULE("*.b", EXACT, "/x"), RULE("a.b", STRING, "/"), "a.b", "/x");
	second_wins(RULE("a.b", EXACT, "/x", .mixed_hosts = true),
		    RULE("a.b", STRING, "/"), "a.b", "/x");
	second_wins(RULE("a.b", STRING, "/x/y"), RULE("a.b", REGEX, "/."), "a.b",
		    "/x/y");
	second_wins(RULE("a.b", EXACT, "/x"), RULE("a.b", REGEX, "/.", .priority = 1),
		    "a.b", "/x");
	second_wins(RULE("a.b", REGEX, "/[xyz]"),
		    RULE("a.b", PREFIX, "/x", .priority = 1), "a.b", "/x");
	/* no order among wildcards but the path's */
	second_wins(RULE("*.c.b", STRING, "/x"), RULE("*.b", STRING, "/x/y"), "a.c.b",
		    "/x/y");
}

static void ties(void **state)
{
	/* where Kong's order ends, ours begins */
	second_wins(RULE("a.b", PREFIX, "/x"), RULE("a.b", EXACT, "/x"), "a.b", "/x");
	second_wins(RULE("a.b", REGEX, "/x"), RULE("a.b", REGEX, "/x$"), "a.b", "/x");
	second_wins(RULE("*.b", STRING, "/x"), RULE("*.c.b", STRING, "/x"), "a.c.b",
		    "/x");
	second_wins(RULE("", DEFAULT, ""), RULE("", PREFIX, ""), "a", "/x");
}

static void halves_of_a_prefix(void **state)
{
	static const struct rule rules[] = {
		RULE("", PREFIX, "/x"),
		RULE("", STRING, "/x/yyy"),
		RULE("", PREFIX, "/v1.0", .pattern = "/v1.0$"),
	};
	static const struct query queries[] = {
		{"a", "/x", 1},	     {"a", "/x/", 1},	  {"a", "/x/y", 1},
		{"a", "/x/yyyy", 2}, {"a", "/xy", 0},	  {"a", "/v1.0", 3},
		{"a", "/v1X0", 3},   {"a", "/v1.0/a", 3}, {"a", "/v1X0/a", 0},
	};

	ask(rules, COUNT(rules), queries, COUNT(queries));
}

static void hosts(void **state)
{
	static const struct rule rules[] = {
		RULE("*.x.com", STRING, "/w"),		 RULE("x.*", STRING, "/t"),
		RULE("", STRING, "/", .method = "POST"), RULE("", DEFAULT, ""),
		RULE("a.x.com", STRING, "/only"),
	};
	static const struct query queries[] = {
		{"a.x.com", "/w", 1},	 {"a.b.x.com", "/w", 1},
		{"x.com", "/w", 4},	 {"A.X.Com:80", "/w", 1},
		{"x.com", "/t", 2},	 {"x.co.uk", "/t", 2},
		{"ax.com", "/t", 4},	 {"x", "/t", 4},
		{"a.x.com", "/only", 5}, {"a.x.com", "/no", 4},
		{"10.0.0.1", "/w", 4},	 {"[::1]", "/w", 4},
	};
	char host[300];
	size_t i;

	ask(rules, COUNT(rules), queries, COUNT(queries));
	/* over 256 bytes a name is looked for nowhere */
	for (i = 0; i < sizeof(host); i++)
		host[i] = i % 49 ? 'n' : '.';
	*host = 'n';
	memcpy(host + 250, ".x.com", 7);
	ask(rules, COUNT(rules), &(struct query){host, "/w", 1}, 1);
	memcpy(host + 250, "n.x.com", 8);
	ask(rules, COUNT(rules), &(struct query){host, "/w", 4}, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(criteria),
		cmocka_unit_test(ties),
		cmocka_unit_test(halves_of_a_prefix),
		cmocka_unit_test(hosts),
	};

	return cmocka_run_group_tests_name("table in Kong's order", tests, NULL, NULL);
}

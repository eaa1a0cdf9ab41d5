/* SPDX-License-Identifier: BSD-2-Clause */
#include "route/table_entries.h"

#include <stdbool.h>
#include <string.h>

static enum path_class class_of(enum weir_path_type type)
{
	switch (type) {
	case WEIR_PATH_EXACT:
		return CLASS_EXACT;
	case WEIR_PATH_REGEX:
		return CLASS_REGEX;
	default:
		return CLASS_PREFIX;
	}
}

static struct entry entry(const struct ir_route *route, enum path_class class,
			  const char *text)
{
	return (struct entry){
		.route = route,
		.class = class,
		.text = text,
		.length = strlen(text),
		.priority = class == CLASS_PREFIX ? 0 : route->priority,
	};
}

/*
 * Kong's traditional router has an entry for each path that its ingress
 * controller makes: of Exact /a the pattern /a$, of Prefix /a that one and the
 * string /a/, of a default backend the string /. A pattern without signs in it
 * is matched as what it is, a path.
 */
static size_t kong_entries(const struct ir_route *r, struct pool *pool,
			   struct entry *out)
{
	struct entry whole = r->pattern ? entry(r, CLASS_REGEX, r->pattern)
					: entry(r, CLASS_EXACT, r->match);
	const char *below;

	switch (r->type) {
	case WEIR_PATH_EXACT:
		out[0] = whole;
		return 1;
	case WEIR_PATH_REGEX:
		out[0] = entry(r, CLASS_REGEX, r->match);
		return 1;
	case WEIR_PATH_PREFIX:
		below = pool_concat(pool, r->match, "/");
		if (!below)
			return 0;
		out[0] = entry(r, CLASS_PREFIX, below);
		out[1] = whole;
		return *r->match ? 2 : 1;
	default:
		out[0] = entry(r, CLASS_PREFIX, *r->match ? r->match : "/");
		return 1;
	}
}

/* Kinds of conditions beside the path, their number above their bits: the more
 * there are the better, then host before headers before methods, then a rule
 * with plain hosts only. */
static uint32_t kinds_of(const struct ir_route *r)
{
	bool has_host = r->host_kind != IR_HOST_ANY, has_headers = r->headers.len,
	     has_methods = r->methods.len;

	return (uint32_t)(has_host + has_headers + has_methods) << 4 | has_host << 3 |
	       has_headers << 2 | has_methods << 1 |
	       (r->host_kind == IR_HOST_EXACT && !r->mixed_hosts);
}

size_t entries_of(const struct ir_route *route, enum ir_order order, struct pool *pool,
		  struct entry out[ENTRIES_OF_ROUTE])
{
	size_t count = 1, i;

	if (order == IR_ORDER_KUBERNETES) {
		out[0] = entry(route, class_of(route->type), route->match);
		out[0].is_element = route->type == WEIR_PATH_PREFIX;
		/* "/" is as long under either type */
		if (out[0].is_element && !out[0].length)
			out[0].length = 1;
		/* between Exact paths it decides nothing */
		if (route->type != WEIR_PATH_REGEX)
			out[0].priority = 0;
		return 1;
	}
	count = kong_entries(route, pool, out);
	for (i = 0; i < count; i++)
		out[i].kinds = kinds_of(route);
	return count;
}

static int compare(int64_t a, int64_t b)
{
	return a < b ? -1 : a > b;
}

/* `r` is the comparison that `rule` states. */
static int decide(int r, const char *rule, const char **why)
{
	if (r)
		*why = rule;
	return r;
}

static int decide_by_age(const struct entry *a, const struct entry *b, const char **why)
{
	int r = decide(compare(a->route->created, b->route->created),
		       "the older Ingress", why);

	if (!r)
		r = decide(strcmp(a->route->ingress, b->route->ingress),
			   "the Ingress whose name comes first", why);
	return r
		       ?: decide(compare(a->order, b->order),
				 "the place within the Ingress", why);
}

/* Of two paths of one host and with conditions of one rank. */
static int decide_paths(const struct entry *a, const struct entry *b, const char **why)
{
	int r = decide(compare(class_of(a->route->type), class_of(b->route->type)),
		       "an exact path, then an expression, then a prefix", why);

	if (!r)
		r = decide(compare(b->priority, a->priority),
			   "the higher konghq.com/regex-priority", why);
	/* an exact path is as good as another one, whatever its length */
	if (!r && a->route->type != WEIR_PATH_EXACT)
		r = decide(compare(b->length, a->length), "the longer path", why);
	return r;
}

/* Of two in order of their place in the ir: that is by age and name. */
static int compare_paths(const struct entry *a, const struct entry *b)
{
	const char *why;

	return decide_paths(a, b, &why) ?: compare(a->order, b->order);
}

int entries_compare_kubernetes(const void *left, const void *right)
{
	const struct entry *a = left, *b = right;
	int r = compare(a->host, b->host);

	if (!r)
		r = compare(a->rank, b->rank);
	return r ?: compare_paths(a, b);
}

/* What stands in the numbers of host and rank, asked of the routes. */
static int decide_kubernetes(const struct entry *a, const struct entry *b,
			     const char **why)
{
	const struct ir_route *x = a->route, *y = b->route;
	int r = decide(
		compare(x->type == WEIR_PATH_DEFAULT, y->type == WEIR_PATH_DEFAULT),
		"a rule, then the default backend", why);

	if (!r)
		r = decide(compare(x->host_kind, y->host_kind),
			   "a plain host, then a wildcard, then none", why);
	if (!r)
		r = decide(compare(!!y->methods.len + !!y->headers.len,
				   !!x->methods.len + !!x->headers.len),
			   "more kinds of conditions", why);
	if (!r)
		r = decide(compare(y->headers.len, x->headers.len), "more header names",
			   why);
	return r ?: decide_paths(a, b, why);
}

/*
 * Kong compares kinds of conditions, plain hosts, patterns before strings, the
 * number of headers, regex-priority between patterns and the length between
 * strings; beyond that either one may win there, and our own order decides.
 */
static int decide_kong(const struct entry *a, const struct entry *b, const char **why)
{
	bool is_string = a->class == CLASS_PREFIX;
	int r = decide(compare(b->kinds >> 4, a->kinds >> 4),
		       "more kinds of conditions", why);

	if (!r)
		r = decide(compare(b->kinds >> 1, a->kinds >> 1),
			   "a host, then headers, then methods", why);
	if (!r)
		r = decide(compare(b->kinds, a->kinds), "plain hosts only", why);
	if (!r)
		r = decide(compare(is_string, b->class == CLASS_PREFIX),
			   "a pattern, then a string", why);
	if (!r)
		r = decide(compare(b->route->headers.len, a->route->headers.len),
			   "more header names", why);
	if (!r)
		r = decide(compare(b->priority, a->priority),
			   "the higher konghq.com/regex-priority", why);
	if (!r && is_string)
		r = decide(compare(b->length, a->length), "the longer string", why);
	return r;
}

int entries_decide(enum ir_order order, const struct entry *a, const struct entry *b)
{
	const char *why;

	return order == IR_ORDER_KONG ? decide_kong(a, b, &why)
				      : decide_kubernetes(a, b, &why);
}

static int decide_ties(const struct entry *a, const struct entry *b, const char **why)
{
	int r = decide(compare(a->route->type == WEIR_PATH_DEFAULT,
			       b->route->type == WEIR_PATH_DEFAULT),
		       "a rule, then the default backend (Kong: either)", why);

	if (!r)
		r = decide(compare(a->route->host_kind, b->route->host_kind),
			   "a wildcard in front, then one at the end (Kong: either)",
			   why);
	if (!r)
		r = decide(compare(strlen(b->route->host), strlen(a->route->host)),
			   "the longer host (Kong: either)", why);
	return r;
}

int entries_compare_kong(const void *left, const void *right)
{
	const struct entry *a = left, *b = right;
	const char *why;
	int r = decide_kong(a, b, &why);

	if (!r)
		r = decide_ties(a, b, &why);
	return r ?: compare_paths(a, b);
}

/* The half of a route that takes this path; patterns are not tried. */
static struct entry entry_for(const struct ir_route *route, enum ir_order order,
			      const char *path, struct pool *pool)
{
	struct entry e[ENTRIES_OF_ROUTE] = {};
	size_t count = entries_of(route, order, pool, e);

	return e[count == 2 && strncmp(path, e[0].text, e[0].length)];
}

const char *entries_why(const struct ir *ir, size_t first, size_t second,
			const char *path)
{
	struct pool pool = {};
	struct entry a = entry_for(&ir->routes.item[first], ir->order, path, &pool),
		     b = entry_for(&ir->routes.item[second], ir->order, path, &pool);
	const char *why = "";
	int r;

	a.order = first;
	b.order = second;
	if (!a.route || !b.route)
		r = 0;
	else if (ir->order == IR_ORDER_KUBERNETES)
		r = decide_kubernetes(&a, &b, &why);
	else
		r = decide_kong(&a, &b, &why) ?: decide_ties(&a, &b, &why) ?:
			decide_paths(&a, &b, &why);
	if (!r && a.route && b.route)
		decide_by_age(&a, &b, &why);
	pool_free(&pool);
	return why;
}

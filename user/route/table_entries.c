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
		below = pool_printf(pool, "%s/", r->match);
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

/* Of two paths of one host and with conditions of one rank. */
static int compare_paths(const struct entry *a, const struct entry *b)
{
	int r = compare(class_of(a->route->type), class_of(b->route->type));

	if (!r)
		r = compare(b->priority, a->priority);
	/* an exact path is as good as another one, whatever its length */
	if (!r && a->route->type != WEIR_PATH_EXACT)
		r = compare(b->length, a->length);
	if (!r)
		r = compare(a->order, b->order);
	return r;
}

int entries_compare_kubernetes(const void *left, const void *right)
{
	const struct entry *a = left, *b = right;
	int r = compare(a->host, b->host);

	if (!r)
		r = compare(a->rank, b->rank);
	return r ?: compare_paths(a, b);
}

/*
 * Kong compares kinds of conditions, plain hosts, patterns before strings, the
 * number of headers, regex-priority between patterns and the length between
 * strings; beyond that either one may win there, and our own order decides.
 */
int entries_compare_kong(const void *left, const void *right)
{
	const struct entry *a = left, *b = right;
	bool is_string = a->class == CLASS_PREFIX;
	int r = compare(b->kinds, a->kinds);

	if (!r)
		r = compare(is_string, b->class == CLASS_PREFIX);
	if (!r)
		r = compare(b->route->headers.len, a->route->headers.len);
	if (!r)
		r = compare(b->priority, a->priority);
	if (!r && is_string)
		r = compare(b->length, a->length);
	if (!r)
		r = compare(a->route->type == WEIR_PATH_DEFAULT,
			    b->route->type == WEIR_PATH_DEFAULT);
	if (!r)
		r = compare(a->route->host_kind, b->route->host_kind);
	if (!r)
		r = compare(strlen(b->route->host), strlen(a->route->host));
	return r ?: compare_paths(a, b);
}

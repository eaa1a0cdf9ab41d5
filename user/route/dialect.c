/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where Kong's `traditional` router would answer otherwise than we do. One
 * warning for each kind of difference, about the first rule that has it.. The orders are those that the table is sorted by,
 * table_entries.c; which requests two rules share is found out from their texts.
 */
#include "route/annotations.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "route/table_entries.h"

/* Each rule is compared with those behind it: all of them among 5000 rules. */
#define PAIRS_COMPARED 25000000u

enum difference {
	DIFF_NONE,
	DIFF_WILDCARD,
	DIFF_PATTERN,
	DIFF_METHOD,
	DIFF_CONDITIONS,
	DIFF_HEADERS,
	DIFF_PRIORITY,
	DIFF_ELEMENT,
	DIFF_PATTERN_TIE,
	DIFF_STRING_TIE,
	DIFF_DEFAULT,
	DIFF_COUNT,
};

static const char *const difference_text[DIFF_COUNT] = {
	[DIFF_WILDCARD] = "a wildcard host takes more than one label",
	[DIFF_PATTERN] = "Exact and Prefix paths are patterns",
	[DIFF_METHOD] = "a method that has not only letters voids the list",
	[DIFF_CONDITIONS] = "more conditions go before a host",
	[DIFF_HEADERS] = "a pattern, Exact or Prefix goes before more headers",
	[DIFF_PRIORITY] = "konghq.com/regex-priority goes before Exact",
	[DIFF_ELEMENT] = "between Prefix and ImplementationSpecific it decides by "
			 "other lengths",
	[DIFF_PATTERN_TIE] = "of patterns, Exact and Prefix either one may win",
	[DIFF_STRING_TIE] = "of paths as long as each other either one may win",
	[DIFF_DEFAULT] = "a rule for / and the default backend: either one may win",
};

/* A rule as both have it. */
struct view {
	const struct ir_route *route;
	struct entry here[ENTRIES_OF_ROUTE];
	struct entry there[ENTRIES_OF_ROUTE];
	const char *text[ENTRIES_OF_ROUTE]; /* what matches of these begin with */
	size_t count;
	bool seen[DIFF_COUNT];
};

struct survey {
	struct view *views;
	size_t count;
	const struct ir_route *first[DIFF_COUNT]; /* that wins here... */
	const struct ir_route *other[DIFF_COUNT]; /* ...and that may there */
	size_t rules[DIFF_COUNT];
};

static void see(struct survey *s, struct view *v, enum difference d,
		const struct ir_route *other)
{
	if (d == DIFF_NONE || v->seen[d])
		return;
	v->seen[d] = true;
	if (s->rules[d]++)
		return;
	s->first[d] = v->route;
	s->other[d] = other;
}

static int read_view(struct builder *b, const struct ir_route *r, size_t place,
		     struct view *v)
{
	size_t i;

	v->route = r;
	entries_of(r, IR_ORDER_KUBERNETES, &b->pool, v->here);
	v->count = entries_of(r, IR_ORDER_KONG, &b->pool, v->there);
	if (!v->count)
		return build_memory(b);
	for (i = 0; i < v->count; i++) {
		bool is_regex = v->there[i].class == CLASS_REGEX;

		v->there[i].order = place;
		v->text[i] = is_regex ? rule_literal_prefix(b, v->there[i].text)
				      : v->there[i].text;
		if (!v->text[i])
			return build_memory(b);
	}
	return 0;
}

/* ---- is there a request for both? ---- */

static bool begins(const char *s, const char *with)
{
	return !strncmp(s, with, strlen(with));
}

static bool share_path(const struct view *v, size_t i, const struct view *w, size_t k)
{
	bool is_whole = v->there[i].class == CLASS_EXACT,
	     other = w->there[k].class == CLASS_EXACT;

	if (is_whole && other)
		return !strcmp(v->text[i], w->text[k]);
	return (!other && begins(v->text[i], w->text[k])) ||
	       (!is_whole && begins(w->text[k], v->text[i]));
}

static bool is_below(const char *host, const char *wildcard)
{
	size_t n = strlen(host), m = strlen(wildcard + 1);

	return n > m && !strcmp(host + n - m, wildcard + 1);
}

/* Of different wildcards a name has only one here: DIFF_WILDCARD. */
static bool share_host(const struct ir_route *a, const struct ir_route *b)
{
	if (a->host_kind == IR_HOST_ANY || b->host_kind == IR_HOST_ANY)
		return true;
	if (a->host_kind == b->host_kind)
		return !strcmp(a->host, b->host);
	return a->host_kind == IR_HOST_WILDCARD ? is_below(b->host, a->host)
						: is_below(a->host, b->host);
}

static bool share_method(const struct ir_route *a, const struct ir_route *b)
{
	size_t i, k;

	for (i = 0; i < a->methods.len; i++)
		for (k = 0; k < b->methods.len; k++)
			if (!strcmp(a->methods.item[i], b->methods.item[k]))
				return true;
	return !a->methods.len || !b->methods.len;
}

static bool share_value(const struct ir_header *a, const struct ir_header *b)
{
	size_t i, k;

	for (i = 0; i < a->values.len; i++)
		for (k = 0; k < b->values.len; k++)
			if (!strcasecmp(a->values.item[i], b->values.item[k]))
				return true;
	/* what a pattern takes is not looked into */
	return !a->values.len || !b->values.len || a->patterns.len || b->patterns.len;
}

static bool share_headers(const struct ir_route *a, const struct ir_route *b)
{
	size_t i, k;

	for (i = 0; i < a->headers.len; i++)
		for (k = 0; k < b->headers.len; k++)
			if (!strcmp(a->headers.item[i].name, b->headers.item[k].name) &&
			    !share_value(&a->headers.item[i], &b->headers.item[k]))
				return false;
	return true;
}

/* What a client sees is the same, whichever wins. */
static bool same_answer(const struct ir_route *a, const struct ir_route *b)
{
	if ((a->flags | b->flags) & WEIR_ROUTE_STRIP || a->action != b->action)
		return false;
	return a->action == WEIR_ACTION_REPLY ? a->reply == b->reply
					      : a->group == b->group;
}

/* ---- the two orders ---- */

/* How Kong's order of these entries differs when `v` goes first here. */
static enum difference differs(const struct view *v, const struct entry *e,
			       const struct view *w, const struct entry *f)
{
	bool is_pattern = e->class != CLASS_PREFIX, other = f->class != CLASS_PREFIX;
	int c = entries_decide(IR_ORDER_KONG, e, f);

	if (c < 0)
		return DIFF_NONE;
	if (!c && is_pattern)
		return DIFF_PATTERN_TIE;
	if (!c)
		return w->route->type == WEIR_PATH_DEFAULT ? DIFF_DEFAULT
							   : DIFF_STRING_TIE;
	if (e->kinds != f->kinds)
		return DIFF_CONDITIONS;
	if (is_pattern && other)
		return DIFF_PRIORITY;
	return v->route->headers.len > w->route->headers.len ? DIFF_HEADERS
							     : DIFF_ELEMENT;
}

static void compare_pair(struct survey *s, struct view *v, struct view *w)
{
	size_t i, k;

	if (!share_host(v->route, w->route) || same_answer(v->route, w->route) ||
	    twins_are(v->route, w->route) || !share_method(v->route, w->route) ||
	    !share_headers(v->route, w->route))
		return;
	/* v is the older one */
	if (entries_decide(IR_ORDER_KUBERNETES, v->here, w->here) > 0) {
		struct view *swap = v;

		v = w;
		w = swap;
	}
	for (i = 0; i < v->count; i++)
		for (k = 0; k < w->count; k++)
			if (share_path(v, i, w, k))
				see(s, v, differs(v, &v->there[i], w, &w->there[k]),
				    w->route);
}

/* ---- single rules ---- */

static bool is_odd_method(const char *m)
{
	for (; *m; m++)
		if (!isalpha((unsigned char)*m))
			return true;
	return false;
}

static void look_at(struct survey *s, struct view *v)
{
	const struct ir_route *r = v->route;
	size_t i;

	if (r->host_kind == IR_HOST_WILDCARD)
		see(s, v, DIFF_WILDCARD, NULL);
	if ((r->type == WEIR_PATH_EXACT || r->type == WEIR_PATH_PREFIX) &&
	    strpbrk(r->match, RULE_PATTERN_SIGNS))
		see(s, v, DIFF_PATTERN, NULL);
	for (i = 0; i < r->methods.len; i++)
		if (is_odd_method(r->methods.item[i]))
			see(s, v, DIFF_METHOD, NULL);
}

/* Is a path in the form in which requests are matched? Slashes do not count. */
static bool is_normal(const char *text, const char *match)
{
	for (; *text; text++) {
		if (*text == *match)
			match++;
		else if (*text != '/')
			return false;
	}
	return !*match;
}

int dialect_warn_path(struct builder *b, const struct ingress_path *p,
		      const struct subject *what, const struct meaning *m,
		      const struct rule_path *path)
{
	static const char refuses[] = "it refuses all its configuration for a path";
	const char *verdict = refuses, *why = NULL;

	if (path->type == WEIR_PATH_REGEX || path->reason)
		return 0;
	if (!is_normal(path->text, path->match)) {
		why = " in which a character is escaped that need not be";
		if (p->kind == PATH_KIND_EXACT)
			verdict = "nothing matches an Exact path";
	}
	if (path->type != WEIR_PATH_IMPLEMENTATION &&
	    begins(path->text, m->regex_prefix)) {
		verdict = refuses;
		why = " of this type with the sign of a pattern in front";
	}
	if (!why)
		return 0;
	return build_warn(b, p->at,
			  "%s.path: \"%.80s\": Kong's traditional router differs: %s%s",
			  subject_text(b, what), path->text, verdict, why);
}

/* Who answers otherwise than the dialect in use. */
static const char *differs_text(const struct builder *b)
{
	return b->opt->dialect == DIALECT_KONG ? "other than in the kubernetes dialect"
					       : "Kong's traditional router differs";
}

int dialect_warn_default(struct builder *b, const struct ingress *ing,
			 const struct meaning *m)
{
	if (!m->methods.len && !m->headers.len && !m->aliases.len)
		return 0;
	return build_warn(b, ing->default_backend.at,
			  "Ingress %s/%s: %s: methods, headers and host-aliases narrow "
			  "the default backend too, and "
			  "put it before rules with fewer conditions",
			  ing->meta.ns, ing->meta.name, differs_text(b));
}

static int survey_all(struct builder *b, struct survey *s)
{
	size_t i, k, window = PAIRS_COMPARED / (s->count + 1);
	int ret = 0;

	for (i = 0; i < s->count && !ret; i++) {
		ret = read_view(b, &b->ir->routes.item[i], i, &s->views[i]);
		look_at(s, &s->views[i]);
	}
	for (i = 0; i < s->count && !ret; i++)
		for (k = i + 1; k < s->count && k - i <= window; k++)
			compare_pair(s, &s->views[i], &s->views[k]);
	return ret;
}

static const char *rule_text(struct builder *b, const struct ir_route *r)
{
	static const char *const types[] = {
		[WEIR_PATH_EXACT] = "Exact",
		[WEIR_PATH_PREFIX] = "Prefix",
		[WEIR_PATH_IMPLEMENTATION] = "ImplementationSpecific",
		[WEIR_PATH_REGEX] = "a pattern",
	};

	if (r->type == WEIR_PATH_DEFAULT)
		return "the default backend";
	return pool_printf(&b->pool, "%.60s%.80s (%s)", r->host, r->path,
			   types[r->type]);
}

/* With both answers, when it is about two rules. */
static int warn(struct builder *b, const struct survey *s, enum difference d)
{
	bool is_kong = b->opt->dialect == DIALECT_KONG && s->other[d];
	const struct ir_route *first = is_kong ? s->other[d] : s->first[d];
	const struct ir_route *other = is_kong ? s->first[d] : s->other[d];
	const char *here = rule_text(b, first), *there = "", *answers = "";

	/* where Kong has no order, both dialects have the same one */
	if (is_kong && d >= DIFF_PATTERN_TIE)
		return 0;
	if (other)
		there = rule_text(b, other);
	if (other && here && there)
		answers = pool_printf(
			&b->pool, ": here %s, there %s%s of Ingress %.120s", here,
			d >= DIFF_PATTERN_TIE ? "it or " : "", there, other->ingress);
	if (!here || !there || !answers)
		return build_memory(b);
	return build_warn(b, first->at, "Ingress %s: %s: %s (rules: %zu)%s",
			  first->ingress, differs_text(b), difference_text[d],
			  s->rules[d], answers);
}

int dialect_warn(struct builder *b)
{
	auto_free struct view *views = calloc(b->ir->routes.len + 1, sizeof(*views));
	struct survey s = {.views = views, .count = b->ir->routes.len};
	enum difference d;
	int ret;

	if (!views)
		return build_memory(b);
	ret = survey_all(b, &s);
	for (d = DIFF_NONE + 1; d < DIFF_COUNT && !ret; d++)
		if (s.rules[d])
			ret = warn(b, &s, d);
	if (ret || s.count <= PAIRS_COMPARED / (s.count + 1))
		return ret;
	return build_warn(b, (struct place){.source = ""},
			  "too many rules to compare all with Kong's order: each one "
			  "with the %zu behind it",
			  PAIRS_COMPARED / (s.count + 1));
}

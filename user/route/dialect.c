/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where Kong's `traditional` router would answer otherwise than we do. One
 * warning for each kind of difference, about the first rule that has it.
 *
 * Kong takes every Ingress path for one or two entries: Exact /a is the pattern
 * /a$, Prefix /a the pattern /a$ and the string /a/. Its order: kinds of
 * conditions (host, headers, path, method), more of them first; which ones; plain
 * host; pattern; headers; regex-priority; length of a string.
 */
#include "route/annotations.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"

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

enum entry_kind {
	ENTRY_STRING, /* every path that begins with text */
	ENTRY_WHOLE,  /* a pattern for one path: text */
	ENTRY_REGEX,  /* a pattern whose matches begin with text */
};

struct entry {
	enum entry_kind kind;
	const char *text;
	size_t len; /* of a string */
};

/* A rule as Kong has it. */
struct view {
	const struct ir_route *route;
	struct entry entry[2];
	unsigned int entry_count;
	unsigned int kinds; /* of conditions, their number above their bits */
	bool seen[DIFF_COUNT];
};

struct survey {
	struct view *views;
	size_t count;
	const struct ir_route *first[DIFF_COUNT];
	size_t rules[DIFF_COUNT];
};

static void see(struct survey *s, struct view *v, enum difference d)
{
	if (d == DIFF_NONE || v->seen[d])
		return;
	v->seen[d] = true;
	if (!s->rules[d]++)
		s->first[d] = v->route;
}

/* ---- Kong's view ---- */

static void add_entry(struct view *v, enum entry_kind kind, const char *text)
{
	v->entry[v->entry_count++] = (struct entry){kind, text, strlen(text)};
}

static int read_view(struct builder *b, const struct ir_route *r, struct view *v)
{
	bool has_host = r->host_kind != IR_HOST_ANY, has_headers = r->headers.len,
	     has_methods = r->methods.len;
	const char *text;

	v->route = r;
	v->kinds = (unsigned int)(has_host + has_headers + has_methods) << 3 |
		   has_host << 2 | has_headers << 1 | has_methods;
	switch (r->type) {
	case WEIR_PATH_EXACT:
		add_entry(v, ENTRY_WHOLE, r->match);
		return 0;
	case WEIR_PATH_REGEX:
		text = rule_literal_prefix(b, r->match);
		if (!text)
			return build_memory(b);
		add_entry(v, ENTRY_REGEX, text);
		return 0;
	case WEIR_PATH_PREFIX:
		text = pool_printf(&b->pool, "%s/", r->match);
		if (!text)
			return build_memory(b);
		add_entry(v, ENTRY_STRING, text);
		if (*r->match)
			add_entry(v, ENTRY_WHOLE, r->match);
		return 0;
	case WEIR_PATH_DEFAULT:
		add_entry(v, ENTRY_STRING, "/");
		return 0;
	default:
		add_entry(v, ENTRY_STRING, r->match);
		return 0;
	}
}

/* ---- is there a request for both? ---- */

static bool begins(const char *s, const char *with)
{
	return !strncmp(s, with, strlen(with));
}

static bool share_path(const struct entry *a, const struct entry *b)
{
	if (a->kind == ENTRY_WHOLE && b->kind == ENTRY_WHOLE)
		return !strcmp(a->text, b->text);
	if (a->kind == ENTRY_WHOLE)
		return begins(a->text, b->text);
	if (b->kind == ENTRY_WHOLE)
		return begins(b->text, a->text);
	return begins(a->text, b->text) || begins(b->text, a->text);
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

static int compare(int64_t a, int64_t b)
{
	return a < b ? -1 : a > b;
}

static unsigned int path_rank(const struct ir_route *r)
{
	switch (r->type) {
	case WEIR_PATH_EXACT:
		return 0;
	case WEIR_PATH_REGEX:
		return 1;
	case WEIR_PATH_DEFAULT:
		return 3;
	default:
		return 2;
	}
}

/* Ours, for a before b in the ir: true when a goes first. */
static bool is_first(const struct view *v, const struct view *w)
{
	const struct ir_route *a = v->route, *b = w->route;
	int c = compare(a->type == WEIR_PATH_DEFAULT, b->type == WEIR_PATH_DEFAULT);

	if (!c)
		c = compare(a->host_kind, b->host_kind);
	if (!c)
		c = compare(!!b->methods.len + !!b->headers.len,
			    !!a->methods.len + !!a->headers.len);
	if (!c)
		c = compare((int64_t)b->headers.len, (int64_t)a->headers.len);
	if (!c)
		c = compare(path_rank(a), path_rank(b));
	if (!c && a->type == WEIR_PATH_REGEX)
		c = compare(b->priority, a->priority);
	if (!c && a->type != WEIR_PATH_EXACT)
		c = compare((int64_t)strlen(b->match), (int64_t)strlen(a->match));
	return c <= 0;
}

/* How Kong's order of these entries differs when `v` goes first here. */
static enum difference differs(const struct view *v, const struct entry *e,
			       const struct view *w, const struct entry *f)
{
	const struct ir_route *a = v->route, *b = w->route;
	bool is_pattern = e->kind != ENTRY_STRING, other = f->kind != ENTRY_STRING;
	int c = compare(w->kinds, v->kinds);

	if (!c)
		c = compare(a->host_kind, b->host_kind);
	if (c)
		return c < 0 ? DIFF_NONE : DIFF_CONDITIONS;
	if (is_pattern != other) {
		if (is_pattern)
			return DIFF_NONE;
		return a->headers.len > b->headers.len ? DIFF_HEADERS : DIFF_ELEMENT;
	}
	c = compare((int64_t)b->headers.len, (int64_t)a->headers.len);
	if (c)
		return DIFF_NONE; /* as here */
	if (is_pattern) {
		c = compare(b->priority, a->priority);
		if (c)
			return c < 0 ? DIFF_NONE : DIFF_PRIORITY;
		return DIFF_PATTERN_TIE;
	}
	c = compare((int64_t)f->len, (int64_t)e->len);
	if (c)
		return c < 0 ? DIFF_NONE : DIFF_ELEMENT;
	return b->type == WEIR_PATH_DEFAULT ? DIFF_DEFAULT : DIFF_STRING_TIE;
}

static bool same_header(const struct ir_header *a, const struct ir_header *b)
{
	size_t i;

	for (i = 0; i < a->values.len && i < b->values.len; i++)
		if (strcmp(a->values.item[i], b->values.item[i]))
			return false;
	for (i = 0; i < a->patterns.len && i < b->patterns.len; i++)
		if (strcmp(a->patterns.item[i], b->patterns.item[i]))
			return false;
	return a->values.len == b->values.len && a->patterns.len == b->patterns.len &&
	       !strcmp(a->name, b->name);
}

/* The same rule twice: it has had its warning. */
static bool is_twin(const struct ir_route *a, const struct ir_route *b)
{
	size_t i;

	if (a->type != b->type || strcmp(a->match, b->match) ||
	    a->host_kind != b->host_kind || strcmp(a->host, b->host) ||
	    a->methods.len != b->methods.len || a->headers.len != b->headers.len)
		return false;
	for (i = 0; i < a->methods.len; i++)
		if (strcmp(a->methods.item[i], b->methods.item[i]))
			return false;
	for (i = 0; i < a->headers.len; i++)
		if (!same_header(&a->headers.item[i], &b->headers.item[i]))
			return false;
	return true;
}

static void compare_pair(struct survey *s, struct view *v, struct view *w)
{
	unsigned int i, k;

	if (!share_host(v->route, w->route) || same_answer(v->route, w->route) ||
	    is_twin(v->route, w->route) || !share_method(v->route, w->route) ||
	    !share_headers(v->route, w->route))
		return;
	if (!is_first(v, w)) {
		struct view *swap = v;

		v = w;
		w = swap;
	}
	for (i = 0; i < v->entry_count; i++)
		for (k = 0; k < w->entry_count; k++)
			if (share_path(&v->entry[i], &w->entry[k]))
				see(s, v, differs(v, &v->entry[i], w, &w->entry[k]));
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
		see(s, v, DIFF_WILDCARD);
	if ((r->type == WEIR_PATH_EXACT || r->type == WEIR_PATH_PREFIX) &&
	    strpbrk(r->match, RULE_PATTERN_SIGNS))
		see(s, v, DIFF_PATTERN);
	for (i = 0; i < r->methods.len; i++)
		if (is_odd_method(r->methods.item[i]))
			see(s, v, DIFF_METHOD);
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

int dialect_warn_path(struct builder *b, const struct ingress_path *p, const char *what,
		      const struct meaning *m, const struct rule_path *path)
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
			  what, path->text, verdict, why);
}

int dialect_warn_default(struct builder *b, const struct ingress *ing,
			 const struct meaning *m)
{
	if (!m->methods.len && !m->headers.len && !m->aliases.len)
		return 0;
	return build_warn(
		b, ing->default_backend.at,
		"Ingress %s/%s: Kong's traditional router differs: methods, "
		"headers and host-aliases narrow the default backend too, and "
		"put it before rules with fewer conditions",
		ing->meta.ns, ing->meta.name);
}

static int survey_all(struct builder *b, struct survey *s)
{
	size_t i, k, window = PAIRS_COMPARED / (s->count + 1);
	int ret = 0;

	for (i = 0; i < s->count && !ret; i++) {
		ret = read_view(b, &b->ir->routes.item[i], &s->views[i]);
		look_at(s, &s->views[i]);
	}
	for (i = 0; i < s->count && !ret; i++)
		for (k = i + 1; k < s->count && k - i <= window; k++)
			compare_pair(s, &s->views[i], &s->views[k]);
	return ret;
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
			ret = build_warn(
				b, (struct place){.source = s.first[d]->where},
				"Ingress %s: Kong's traditional router differs: %s "
				"(rules: %zu)",
				s.first[d]->ingress, difference_text[d], s.rules[d]);
	if (ret || s.count <= PAIRS_COMPARED / (s.count + 1))
		return ret;
	return build_warn(b, (struct place){.source = ""},
			  "too many rules to compare all with Kong's order: each one "
			  "with the %zu behind it",
			  PAIRS_COMPARED / (s.count + 1));
}

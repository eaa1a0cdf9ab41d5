/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where Kong's `traditional` router would answer otherwise than we do. One warning
 * for each kind of difference, about the first rule that has it. The orders are those
 * that the table is sorted by, table_entries.c; which requests two rules share is
 * found out from their texts.
 */
#include "route/annotations.h"
#include "route/rivals.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "route/table_entries.h"

/* Pairs of rules for the same requests that are looked at, at most. */
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
	DIFF_NARROWED,
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
	[DIFF_NARROWED] = "of rules with conditions of the same kinds, those with the "
			  "host or path that it meets first may win",
};

/* A rule as both have it. */
struct view {
	const struct ir_route *route;
	struct entry here[ENTRIES_OF_ROUTE];
	struct entry there[ENTRIES_OF_ROUTE];
	bool seen[DIFF_COUNT];
};

/* One of the entries that a rule has there, next to the rival that it is. */
struct way {
	uint32_t view, entry;
};

struct survey {
	struct view *views;
	size_t count;
	struct vec_of(struct way) ways;
	struct vec_of(struct rival) rivals;
	uint64_t compared;
	bool is_kong;			      /* the dialect in use */
	const struct view *first[DIFF_COUNT]; /* that wins here... */
	const struct view *other[DIFF_COUNT]; /* ...and that may there, or NULL */
	size_t rules[DIFF_COUNT];
};

/* Is this pair before the one that would be told? By the rules' places. */
static bool is_earlier(const struct survey *s, enum difference d, const struct view *v,
		       const struct view *other)
{
	const struct view *first = s->first[d], *second = s->other[d] ?: first;
	const struct view *low = v, *high = other ?: v;

	if (low > high) {
		low = high;
		high = v;
	}
	if (first > second) {
		first = second;
		second = s->first[d];
	}
	return low < first || (low == first && high < second);
}

static void see(struct survey *s, struct view *v, enum difference d,
		const struct view *other)
{
	if (d == DIFF_NONE)
		return;
	if (!s->rules[d] || is_earlier(s, d, v, other)) {
		s->first[d] = v;
		s->other[d] = other;
	}
	s->rules[d] += !v->seen[d];
	v->seen[d] = true;
}

static int read_view(struct builder *b, struct survey *s, size_t place)
{
	const struct ir_route *r = &b->ir->routes.item[place];
	struct view *v = &s->views[place];
	size_t count, i;

	v->route = r;
	entries_of(r, IR_ORDER_KUBERNETES, &b->pool, v->here);
	count = entries_of(r, IR_ORDER_KONG, &b->pool, v->there);
	if (!count)
		return build_memory(b);
	for (i = 0; i < count; i++) {
		const struct entry *e = &v->there[i];
		struct rival *rival = vec_push(&s->rivals);
		struct way *way = vec_push(&s->ways);

		if (!rival || !way)
			return build_memory(b);
		v->there[i].order = place;
		*way = (struct way){place, i};
		rival->route = r;
		rival->text = e->class == CLASS_REGEX ? rule_literal_prefix(b, e->text)
						      : e->text;
		rival->is_whole = e->class == CLASS_EXACT;
		if (!rival->text)
			return build_memory(b);
	}
	return 0;
}

/* ---- is there a request for both? ---- */

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

/* Is the path of `f` met before that of `e`? Patterns are, in the order of their
 * priorities, then the longest string. */
static bool is_met_first(const struct entry *f, const struct entry *e)
{
	bool is_pattern = f->class != CLASS_PREFIX, other = e->class != CLASS_PREFIX;

	if (is_pattern && other)
		return f->priority >= e->priority && strcmp(f->text, e->text) != 0;
	return is_pattern || (!other && f->length > e->length);
}

/*
 * Kong's router takes the host and the path that it meets first, of whatever rules,
 * and of the rules of a kind asks those with that host or those with that path first,
 * whichever are fewer (Kong issue 6031). So `f` may win though `e` is the better one:
 * when only `f` has that path, or that host.
 */
static bool may_be_narrowed(const struct entry *e, const struct entry *f)
{
	const struct ir_route *a = e->route, *b = f->route;

	if ((e->kinds | 1) != (f->kinds | 1) || !strcmp(a->host, b->host))
		return false;
	return is_met_first(f, e) ||
	       (b->host_kind == IR_HOST_EXACT && a->host_kind != IR_HOST_EXACT);
}

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

/* `e` of `v` goes before `f` of `w` in the dialect in use, and in Kong's order. */
static void see_narrowed(struct survey *s, struct view *v, const struct entry *e,
			 struct view *w, const struct entry *f)
{
	int c = entries_decide(IR_ORDER_KONG, e, f);

	if (c < 0 && may_be_narrowed(e, f))
		see(s, v, DIFF_NARROWED, w);
	else if (c > 0 && s->is_kong && may_be_narrowed(f, e))
		see(s, w, DIFF_NARROWED, v);
}

/* Two ways of matching: rivals by host and path. */
static bool compare_pair(void *arg, size_t a, size_t b)
{
	struct survey *s = arg;
	struct way *x = &s->ways.item[a], *y = &s->ways.item[b];
	struct view *v = &s->views[x->view], *w = &s->views[y->view];

	if (x->view == y->view || same_answer(v->route, w->route) ||
	    twins_are(v->route, w->route) || !share_method(v->route, w->route) ||
	    !share_headers(v->route, w->route))
		return true;
	if (x->view > y->view) { /* the older one first */
		struct way *swap = x;

		x = y;
		y = swap;
	}
	if (entries_decide(IR_ORDER_KUBERNETES, s->views[x->view].here,
			   s->views[y->view].here) > 0) {
		struct way *swap = x;

		x = y;
		y = swap;
	}
	v = &s->views[x->view];
	w = &s->views[y->view];
	see(s, v, differs(v, &v->there[x->entry], w, &w->there[y->entry]), w);
	see_narrowed(s, v, &v->there[x->entry], w, &w->there[y->entry]);
	return ++s->compared < PAIRS_COMPARED;
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

static bool begins(const char *s, const char *with)
{
	return !strncmp(s, with, strlen(with));
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
static const char *differs_text(const struct builder *b, enum difference d)
{
	return b->opt->dialect == DIALECT_KONG && d != DIFF_NARROWED
		       ? "other than in the kubernetes dialect"
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
			  ing->meta.ns, ing->meta.name, differs_text(b, DIFF_DEFAULT));
}

/* 1: too many pairs for all of them. */
static int survey_all(struct builder *b, struct survey *s)
{
	size_t i;
	int ret = 0;

	for (i = 0; i < s->count && !ret; i++) {
		ret = read_view(b, s, i);
		look_at(s, &s->views[i]);
	}
	if (ret)
		return ret;
	ret = rivals_each(s->rivals.item, s->rivals.len, compare_pair, s);
	return ret < 0 ? build_memory(b) : ret;
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
	bool is_kong = s->is_kong && s->other[d] && d != DIFF_NARROWED;
	const struct view *by_kong = is_kong ? s->first[d] : s->other[d];
	const struct ir_route *first = (is_kong ? s->other[d] : s->first[d])->route;
	const struct ir_route *other = by_kong ? by_kong->route : NULL;
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
			  first->ingress, differs_text(b, d), difference_text[d],
			  s->rules[d], answers);
}

int dialect_warn(struct builder *b)
{
	auto_free struct view *views = calloc(b->ir->routes.len + 1, sizeof(*views));
	struct survey s = {.views = views,
			   .count = b->ir->routes.len,
			   .is_kong = b->opt->dialect == DIALECT_KONG};
	bool is_cut;
	enum difference d;
	int ret;

	if (!views)
		return build_memory(b);
	ret = survey_all(b, &s);
	is_cut = ret > 0;
	vec_free(&s.ways);
	vec_free(&s.rivals);
	if (ret < 0)
		return ret;
	for (d = DIFF_NONE + 1, ret = 0; d < DIFF_COUNT && !ret; d++)
		if (s.rules[d])
			ret = warn(b, &s, d);
	if (ret || !is_cut)
		return ret;
	return build_warn(b, (struct place){.source = ""},
			  "too many rules for the same requests to compare all of them "
			  "with Kong's order: only %u pairs were",
			  PAIRS_COMPARED);
}

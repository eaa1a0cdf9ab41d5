/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * NFA -> DFA. A state is what a backtracking engine still has in hand after
 * some input: a list of NFA nodes, those it would try first in front. A match
 * in the list cuts what stands behind it, be it a less wanted way through the
 * same pattern or a pattern of lesser rank.
 *
 * A look that depends on the byte to come stays in the list, and the state
 * remembers what kind of byte came before it. It is decided by the next step:
 * when it lets a match through, that match ended one byte before the new state.
 */
#include "route/regex.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "base/vec.h"
#include "route/regex_dfa.h"
#include "route/regex_nfa.h"

#define ITEMS_MAX (1u << 24) /* of all lists */
#define NO_PATTERN 0xffffffffu

/* What stands on one side of a position. */
enum edge {
	EDGE_TEXT, /* nothing: the start or the end */
	EDGE_NEWLINE,
	EDGE_WORD,
	EDGE_OTHER,
	EDGE_UNKNOWN, /* the byte to come */
};

struct list {
	u32 *item;
	u32 len;
};

struct state {
	u32 items; /* its first, in builder.items */
	u32 len;
	enum edge before; /* EDGE_OTHER unless there are looks */
	bool has_look;
	u32 late; /* pattern that matched one byte ago, NO_PATTERN */
	u32 accept, accept_end;
	u8 back;
};

struct builder {
	struct nfa nfa;
	const struct dfa_pattern **patterns; /* in order of precedence */
	u32 max_states;
	u64 max_work, work;
	struct err *err;

	u32 classes;
	u8 class_of[256];
	u8 byte_of[256]; /* one of each class */

	struct vec_of(struct state) states; /* [0] is DFA_DEAD */
	u32 *items;
	size_t item_count, item_cap;
	u32 *next;
	size_t next_cap; /* states */
	u32 *table;	 /* state numbers by hash, 0: free */
	size_t table_size;

	struct list now, then; /* before and after a step */
	u32 *stamp, generation;
	u32 *stack;
};

static int builder_memory(struct builder *b)
{
	return err_set(b->err, -ENOMEM, "out of memory");
}

static enum edge edge_of(u32 byte)
{
	if (byte == '\n')
		return EDGE_NEWLINE;
	return byte_is_word(byte) ? EDGE_WORD : EDGE_OTHER;
}

/* 1, 0, or -1: depends on the byte to come */
static int look_holds(enum regex_look look, enum edge before, enum edge after)
{
	switch (look) {
	case LOOK_TEXT_START:
		return before == EDGE_TEXT;
	case LOOK_LINE_START:
		return before == EDGE_TEXT || before == EDGE_NEWLINE;
	case LOOK_TEXT_END:
		return after == EDGE_UNKNOWN ? -1 : after == EDGE_TEXT;
	case LOOK_LINE_END:
		if (after == EDGE_UNKNOWN)
			return -1;
		return after == EDGE_TEXT || after == EDGE_NEWLINE;
	case LOOK_WORD:
	case LOOK_NOT_WORD:
		if (after == EDGE_UNKNOWN)
			return -1;
		return ((before == EDGE_WORD) != (after == EDGE_WORD)) ==
		       (look == LOOK_WORD);
	}
	return 0;
}

/* ---- lists ---- */

static void list_begin(struct builder *b, struct list *l)
{
	l->len = 0;
	b->generation++;
}

static bool list_is_new(struct builder *b, u32 node)
{
	b->work++;
	if (b->stamp[node] == b->generation)
		return false;
	b->stamp[node] = b->generation;
	return true;
}

/* Where only whether it matches is asked, other ways through it are over. */
static void list_match(struct builder *b, struct list *l, u32 node)
{
	u32 pattern = b->nfa.nodes.item[node].pattern;

	if (!b->patterns[pattern]->length) {
		while (l->len && l->item[l->len - 1] >= b->nfa.first.item[pattern])
			l->len--;
	}
	l->item[l->len++] = node;
}

/* Append all that `node` leads to without a byte. True: a match cuts the rest. */
static bool list_follow(struct builder *b, struct list *l, u32 node, enum edge before,
			enum edge after)
{
	u32 depth = 0;

	b->stack[depth++] = node;
	while (depth) {
		const struct nfa_node *n;
		int holds = 0;

		node = b->stack[--depth];
		if (!list_is_new(b, node))
			continue;
		n = &b->nfa.nodes.item[node];
		switch (n->op) {
		case NFA_SPLIT:
			b->stack[depth++] = n->alt;
			b->stack[depth++] = n->out;
			break;
		case NFA_LOOK:
			holds = look_holds(n->look, before, after);
			if (holds > 0)
				b->stack[depth++] = n->out;
			else if (holds < 0)
				l->item[l->len++] = node;
			break;
		case NFA_SET:
			l->item[l->len++] = node;
			break;
		case NFA_MATCH:
			list_match(b, l, node);
			return true;
		}
	}
	return false;
}

static u32 list_pattern(const struct builder *b, const u32 *items, u32 len)
{
	const struct nfa_node *n;

	if (!len)
		return NO_PATTERN;
	n = &b->nfa.nodes.item[items[len - 1]];
	return n->op == NFA_MATCH ? n->pattern : NO_PATTERN;
}

/* The list of s with its looks decided, in b->now; returns the pattern that
 * matches by then, which the list ends with. */
static u32 list_decide(struct builder *b, const struct state *s, enum edge after)
{
	struct list *l = &b->now;
	u32 i;

	list_begin(b, l);
	for (i = 0; i < s->len; i++) {
		if (list_follow(b, l, b->items[s->items + i], s->before, after))
			break;
	}
	return list_pattern(b, l->item, l->len);
}

/* ---- states ---- */

static int compare_u32(const void *a, const void *b)
{
	u32 x = *(const u32 *)a, y = *(const u32 *)b;

	return x < y ? -1 : x > y;
}

/* The order within a pattern means nothing where its length is not asked. */
static void list_sort(struct builder *b, struct list *l)
{
	u32 from = 0, to, pattern = 0, end;

	while (from < l->len) {
		while (pattern + 1 < b->nfa.first.len &&
		       l->item[from] >= b->nfa.first.item[pattern + 1])
			pattern++;
		end = pattern + 1 < b->nfa.first.len ? b->nfa.first.item[pattern + 1]
						     : (u32)b->nfa.nodes.len;
		for (to = from; to < l->len && l->item[to] < end;)
			to++;
		if (!b->patterns[pattern]->length && to - from > 1)
			qsort(l->item + from, to - from, sizeof(*l->item), compare_u32);
		from = to;
	}
}

static u64 state_hash(const struct state *s, const u32 *items)
{
	return hash64(items, s->len * sizeof(*items),
		      (u64)s->late << 3 | (u64)s->before);
}

static bool state_equal(const struct builder *b, const struct state *s,
			const struct state *with, const u32 *items)
{
	return s->len == with->len && s->late == with->late &&
	       s->before == with->before &&
	       !memcmp(b->items + s->items, items, s->len * sizeof(*items));
}

static int table_grow(struct builder *b)
{
	size_t size = b->table_size ? b->table_size * 2 : 1024, i, at;
	u32 *table = calloc(size, sizeof(*table));

	if (!table)
		return builder_memory(b);
	for (i = 1; i < b->states.len; i++) {
		const struct state *s = &b->states.item[i];

		at = state_hash(s, b->items + s->items) & (size - 1);
		while (table[at])
			at = (at + 1) & (size - 1);
		table[at] = (u32)i;
	}
	free(b->table);
	b->table = table;
	b->table_size = size;
	return 0;
}

static int items_keep(struct builder *b, const struct list *l)
{
	size_t want = b->item_cap;
	u32 *p;

	if (b->item_count + l->len > ITEMS_MAX)
		return err_set(b->err, -E2BIG,
			       "the states of its automaton are "
			       "over the limit of %u items",
			       ITEMS_MAX);
	while (b->item_count + l->len > want)
		want *= 2;
	if (want != b->item_cap) {
		p = realloc(b->items, want * sizeof(*p));
		if (!p)
			return builder_memory(b);
		b->items = p;
		b->item_cap = want;
	}
	if (l->len)
		memcpy(b->items + b->item_count, l->item, l->len * sizeof(*l->item));
	b->item_count += l->len;
	return 0;
}

static int next_grow(struct builder *b)
{
	size_t want = b->next_cap ? b->next_cap * 2 : 64;
	u32 *p;

	if (b->states.len <= b->next_cap)
		return 0;
	if (b->states.len * b->classes > DFA_CELLS_MAX)
		return err_set(b->err, -E2BIG,
			       "%zu states of %u kinds of bytes, "
			       "over the limit of %u cells",
			       b->states.len, b->classes, DFA_CELLS_MAX);
	p = realloc(b->next, want * b->classes * sizeof(*p));
	if (!p)
		return builder_memory(b);
	b->next = p;
	b->next_cap = want;
	return 0;
}

/* What is accepted in b->states.item[at]. Uses b->now. */
static void state_accept(struct builder *b, u32 at)
{
	struct state *s = &b->states.item[at];
	u32 plain = list_pattern(b, b->items + s->items, s->len), end;
	bool is_late = plain == NO_PATTERN && s->late != NO_PATTERN;

	s->accept = is_late ? s->late : plain;
	s->accept_end = s->accept;
	if (is_late && b->patterns[s->late]->length)
		s->back = DFA_BACK | DFA_BACK_END;
	end = s->has_look ? list_decide(b, s, EDGE_TEXT) : NO_PATTERN;
	if (end != NO_PATTERN) {
		s->accept_end = end;
		s->back &= DFA_BACK;
	}
}

/* The state of list l, an old one or a new one. */
static int state_of(struct builder *b, struct list *l, enum edge before, u32 late,
		    u32 *out)
{
	struct state s = {.len = l->len, .before = EDGE_OTHER, .late = late}, *new;
	size_t at;
	int ret;
	u32 i;

	*out = DFA_DEAD;
	if (!l->len && late == NO_PATTERN)
		return 0;
	for (i = 0; i < l->len && !s.has_look; i++)
		s.has_look = b->nfa.nodes.item[l->item[i]].op == NFA_LOOK;
	if (s.has_look)
		s.before = before;
	list_sort(b, l);
	for (at = state_hash(&s, l->item) & (b->table_size - 1); b->table[at];
	     at = (at + 1) & (b->table_size - 1)) {
		*out = b->table[at];
		if (state_equal(b, &b->states.item[*out], &s, l->item))
			return 0;
	}
	if (b->states.len >= b->max_states)
		return err_set(b->err, -E2BIG,
			       "over the limit of %u states of its "
			       "automaton",
			       b->max_states);
	s.items = (u32)b->item_count;
	ret = items_keep(b, l);
	if (ret)
		return ret;
	new = vec_push(&b->states);
	if (!new)
		return builder_memory(b);
	*new = s;
	*out = (u32)b->states.len - 1;
	b->table[at] = *out;
	state_accept(b, *out);
	ret = next_grow(b);
	if (!ret && b->states.len * 2 > b->table_size)
		ret = table_grow(b);
	return ret;
}

static int state_step(struct builder *b, u32 from, u32 kind)
{
	struct state s = b->states.item[from];
	u32 byte = b->byte_of[kind], late = NO_PATTERN, i, len = s.len, to;
	const u32 *items = b->items + s.items;
	enum edge edge = edge_of(byte);
	int ret;

	if (s.has_look) {
		late = list_decide(b, &s, edge);
		items = b->now.item;
		len = b->now.len;
		/* one that has been noted at `from` already */
		if (list_pattern(b, b->items + s.items, s.len) == late)
			late = NO_PATTERN;
	}
	list_begin(b, &b->then);
	b->work += len;
	for (i = 0; i < len; i++) {
		const struct nfa_node *n = &b->nfa.nodes.item[items[i]];

		if (n->op == NFA_SET && byte_set_has(n->set, byte) &&
		    list_follow(b, &b->then, n->out, edge, EDGE_UNKNOWN))
			break;
	}
	ret = state_of(b, &b->then, edge, late, &to);
	if (!ret)
		b->next[(size_t)from * b->classes + kind] = to;
	return ret;
}

static int determinise(struct builder *b, u32 *start)
{
	struct state *dead = vec_push(&b->states);
	u32 kind, s, i;
	int ret;

	if (!dead)
		return builder_memory(b);
	dead->accept = dead->accept_end = dead->late = NO_PATTERN;
	ret = table_grow(b);
	if (!ret)
		ret = next_grow(b);
	if (ret)
		return ret;
	list_begin(b, &b->then);
	for (i = 0; i < b->nfa.start.len; i++) {
		if (list_follow(b, &b->then, b->nfa.start.item[i], EDGE_TEXT,
				EDGE_UNKNOWN))
			break;
	}
	ret = state_of(b, &b->then, EDGE_TEXT, NO_PATTERN, start);
	for (s = 0; !ret && s < b->states.len; s++) {
		for (kind = 0; !ret && kind < b->classes; kind++)
			ret = state_step(b, s, kind);
		if (!ret && b->work > b->max_work)
			ret = err_set(b->err, -E2BIG,
				      "over the limit of %llu "
				      "steps to build its automaton",
				      (unsigned long long)b->max_work);
	}
	return ret;
}

/* ---- outside ---- */

static u32 rank_of(const struct builder *b, u32 pattern)
{
	return pattern == NO_PATTERN ? DFA_NO_RANK : b->patterns[pattern]->rank;
}

static int builder_emit(struct builder *b, u32 start, struct dfa *out)
{
	struct dfa d = {.classes = b->classes, .start = start};
	u32 i;
	int ret;

	memcpy(d.class_of, b->class_of, sizeof(d.class_of));
	ret = dfa_alloc(&d, (u32)b->states.len, b->err);
	if (ret)
		return ret;
	for (i = 0; i < d.states; i++) {
		const struct state *s = &b->states.item[i];

		d.accept[i] = rank_of(b, s->accept);
		d.accept_end[i] = rank_of(b, s->accept_end);
		d.back[i] = s->back;
	}
	memcpy(d.next, b->next, (size_t)d.states * d.classes * sizeof(*d.next));
	ret = dfa_minimise(&d, b->err);
	if (ret) {
		dfa_free(&d);
		return ret;
	}
	for (i = 0; i < d.states; i++)
		d.has_back |= !!d.back[i];
	*out = d;
	return 0;
}

static int compare_patterns(const void *a, const void *b)
{
	const struct dfa_pattern *x = *(const struct dfa_pattern *const *)a;
	const struct dfa_pattern *y = *(const struct dfa_pattern *const *)b;

	if (x->rank != y->rank)
		return x->rank < y->rank ? -1 : 1;
	return x < y ? -1 : x > y;
}

static int builder_add(struct builder *b, const struct dfa_pattern *patterns, size_t n,
		       const struct dfa_limits *limits)
{
	u32 nodes = limits && limits->nodes ? limits->nodes : REGEX_NODES_MAX;
	size_t i;
	int ret;

	b->patterns = calloc(n + 1, sizeof(*b->patterns));
	if (!b->patterns)
		return builder_memory(b);
	for (i = 0; i < n; i++)
		b->patterns[i] = &patterns[i];
	qsort(b->patterns, n, sizeof(*b->patterns), compare_patterns);
	for (i = 0; i < n; i++) {
		ret = nfa_add(&b->nfa, b->patterns[i]->re, nodes, b->err);
		if (ret)
			return ret;
	}
	b->max_work = limits && limits->work ? limits->work : DFA_WORK_MAX;
	b->max_states = limits && limits->states
				? limits->states
				: DFA_STATES_MAX + (u32)b->nfa.nodes.len;
	return 0;
}

static int builder_prepare(struct builder *b)
{
	size_t nodes = b->nfa.nodes.len + 1;
	u32 c;

	b->classes = nfa_classes(&b->nfa, b->class_of);
	for (c = 0; c < 256; c++)
		b->byte_of[b->class_of[c]] = (u8)c;
	b->item_cap = 1024;
	b->items = calloc(b->item_cap, sizeof(u32));
	b->now.item = calloc(nodes, sizeof(u32));
	b->then.item = calloc(nodes, sizeof(u32));
	b->stamp = calloc(nodes, sizeof(u32));
	b->stack = calloc(nodes * 2, sizeof(u32)); /* two for each split */
	if (!b->items || !b->now.item || !b->then.item || !b->stamp || !b->stack)
		return builder_memory(b);
	return 0;
}

static void builder_free(struct builder *b)
{
	nfa_free(&b->nfa);
	free(b->patterns);
	vec_free(&b->states);
	free(b->items);
	free(b->next);
	free(b->table);
	free(b->now.item);
	free(b->then.item);
	free(b->stamp);
	free(b->stack);
}

int dfa_build(const struct dfa_pattern *patterns, size_t n,
	      const struct dfa_limits *limits, struct dfa *out, struct err *err)
{
	struct builder b = {.err = err};
	u32 start = DFA_DEAD;
	int ret;

	ret = builder_add(&b, patterns, n, limits);
	if (!ret)
		ret = builder_prepare(&b);
	if (!ret)
		ret = determinise(&b, &start);
	if (!ret)
		ret = builder_emit(&b, start, out);
	builder_free(&b);
	return ret;
}

int dfa_alloc(struct dfa *d, u32 states, struct err *err)
{
	u32 i;

	d->states = states;
	d->next = calloc((size_t)states * d->classes, sizeof(*d->next));
	d->accept = calloc(states, sizeof(*d->accept));
	d->accept_end = calloc(states, sizeof(*d->accept_end));
	d->back = calloc(states, sizeof(*d->back));
	if (!d->next || !d->accept || !d->accept_end || !d->back) {
		dfa_free(d);
		return err_set(err, -ENOMEM, "out of memory");
	}
	for (i = 0; i < states; i++)
		d->accept[i] = d->accept_end[i] = DFA_NO_RANK;
	return 0;
}

void dfa_free(struct dfa *d)
{
	free(d->next);
	free(d->accept);
	free(d->accept_end);
	free(d->back);
	*d = (struct dfa){};
}

bool dfa_find(const struct dfa *d, const void *text, size_t len, struct dfa_match *out)
{
	struct dfa_match m = {.rank = DFA_NO_RANK};
	const u8 *byte = text;
	u32 s = d->start, rank;
	size_t i;

	for (i = 0; s != DFA_DEAD; s = dfa_step(d, s, byte[i++])) {
		bool is_end = i == len;

		rank = is_end ? d->accept_end[s] : d->accept[s];
		if (rank != DFA_NO_RANK) {
			m.rank = rank;
			m.length =
				i - !!(d->back[s] & (is_end ? DFA_BACK_END : DFA_BACK));
		}
		if (is_end)
			break;
	}
	if (m.rank == DFA_NO_RANK)
		return false;
	*out = m;
	return true;
}

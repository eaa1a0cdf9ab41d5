/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tree -> NFA (Thompson's construction), built from the end of a pattern to its
 * start. Of the two ways out of a split the first is preferred.
 */
#include "route/regex_nfa.h"

#include <errno.h>
#include <string.h>

#include "route/regex.h"

struct compiler {
	struct nfa *nfa;
	u32 limit;
	u64 steps; /* repeats of what makes no node are bounded too */
	struct err *err;
};

static int nfa_push(struct compiler *c, struct nfa_node node, u32 *at)
{
	struct nfa_node *n;

	if (c->nfa->nodes.len >= c->limit)
		return err_set(c->err, -E2BIG, "over the limit of %u NFA nodes",
			       c->limit);
	n = vec_push(&c->nfa->nodes);
	if (!n)
		return err_set(c->err, -ENOMEM, "out of memory");
	*n = node;
	*at = (u32)c->nfa->nodes.len - 1;
	return 0;
}

static void split_set(struct compiler *c, u32 at, u32 within, u32 beyond, bool lazy)
{
	struct nfa_node *n = &c->nfa->nodes.item[at];

	n->out = lazy ? beyond : within;
	n->alt = lazy ? within : beyond;
}

static int split_push(struct compiler *c, u32 within, u32 beyond, bool lazy, u32 *at)
{
	int ret = nfa_push(c, (struct nfa_node){.op = NFA_SPLIT}, at);

	if (!ret)
		split_set(c, *at, within, beyond, lazy);
	return ret;
}

/*
 * Make at[0], which is what follows n, lead to n.
 *
 * An engine that backtracks leaves a loop after a round that took no byte. So
 * within a loop whose body may be empty each node is there once for when the
 * round has taken something and once for when not, and with loops in loops: at[i]
 * is for when the innermost i of them have had nothing yet. A byte leads to at[0].
 */
static int compile(struct compiler *c, const struct regex_node *n, u32 *at, u32 width);

#define WIDTH_MAX (REGEX_NESTING_MAX + 2)

static int compile_set(struct compiler *c, const struct regex_node *n, u32 *at)
{
	return nfa_push(c, (struct nfa_node){.op = NFA_SET, .set = &n->set, .out = *at},
			at);
}

static int compile_look(struct compiler *c, const struct regex_node *n, u32 *at,
			u32 width)
{
	struct nfa_node node = {.op = NFA_LOOK, .look = n->look};
	int ret = 0;

	if (n->look == LOOK_WORD || n->look == LOOK_NOT_WORD)
		c->nfa->has_words = true;
	if (n->look == LOOK_LINE_START || n->look == LOOK_LINE_END)
		c->nfa->has_lines = true;
	for (; width && !ret; width--, at++) {
		node.out = *at;
		ret = nfa_push(c, node, at);
	}
	return ret;
}

static int compile_alternatives(struct compiler *c, const struct regex_node *n, u32 *at,
				u32 width)
{
	u32 next[WIDTH_MAX], branch[WIDTH_MAX], split[WIDTH_MAX], i, new;
	bool first = true;
	int ret;

	memcpy(next, at, width * sizeof(*at));
	for (n = n->child; n; n = n->next, first = false) {
		memcpy(branch, next, width * sizeof(*at));
		ret = compile(c, n, branch, width);
		for (i = 0; i < width && !ret; i++) {
			new = branch[i];
			if (n->next)
				ret = split_push(c, new, new, false, &new);
			if (first)
				at[i] = new;
			else
				c->nfa->nodes.item[split[i]].alt = new;
			split[i] = new;
		}
		if (ret)
			return ret;
	}
	return 0;
}

/* A split before each: `within`, or past it to `beyond`. */
static int split_each(struct compiler *c, const struct regex_node *n, const u32 *within,
		      const u32 *beyond, u32 *at, u32 width)
{
	int ret = 0;

	for (; width && !ret; width--)
		ret = split_push(c, *within++, *beyond++, n->lazy, at++);
	return ret;
}

static int compile_loop(struct compiler *c, const struct regex_node *n, u32 *at,
			u32 width)
{
	u32 next[WIDTH_MAX], body[WIDTH_MAX + 1], loop, i;
	u32 empty = n->child->nullable; /* one more loop that may have had nothing */
	int ret;

	memcpy(next, at, width * sizeof(*at));
	ret = split_push(c, *next, *next, n->lazy, &loop);
	if (ret)
		return ret;
	memcpy(body + 1, next, width * sizeof(*at));
	body[0] = loop;
	ret = compile(c, n->child, body, empty ? width + 1 : 1);
	if (ret)
		return ret;
	split_set(c, loop, body[empty], *next, n->lazy);
	if (!empty) {
		for (i = 1; i < width; i++)
			body[i] = body[0];
	}
	if (!n->min)
		return split_each(c, n, body + empty, next, at, width);
	memcpy(at, body + empty, width * sizeof(*at));
	for (i = 1; i < n->min && !ret; i++)
		ret = compile(c, n->child, at, width);
	return ret;
}

static int compile_repeat(struct compiler *c, const struct regex_node *n, u32 *at,
			  u32 width)
{
	u32 next[WIDTH_MAX], i;
	int ret = 0;

	if (n->max == REGEX_FOREVER)
		return compile_loop(c, n, at, width);
	memcpy(next, at, width * sizeof(*at));
	for (i = n->min; i < n->max && !ret; i++) {
		ret = compile(c, n->child, at, width);
		if (!ret)
			ret = split_each(c, n, at, next, at, width);
	}
	for (i = 0; i < n->min && !ret; i++)
		ret = compile(c, n->child, at, width);
	return ret;
}

static int compile_node(struct compiler *c, const struct regex_node *n, u32 *at,
			u32 width)
{
	int ret = 0;

	switch (n->op) {
	case REGEX_EMPTY:
		return 0;
	case REGEX_SET:
		return compile_set(c, n, at);
	case REGEX_CAT:
		for (n = n->child; n && !ret; n = n->next)
			ret = compile(c, n, at, width);
		return ret;
	case REGEX_ALT:
		return compile_alternatives(c, n, at, width);
	case REGEX_REPEAT:
		return compile_repeat(c, n, at, width);
	case REGEX_LOOK:
		return compile_look(c, n, at, width);
	}
	return 0;
}

static int compile(struct compiler *c, const struct regex_node *n, u32 *at, u32 width)
{
	u32 kinds = 1, i;
	int ret;

	if (c->steps++ > 4ull * c->limit)
		return err_set(c->err, -E2BIG,
			       "repeats in repeats, over the limit "
			       "of %u steps",
			       4 * c->limit);
	/* behind what takes a byte it does not matter what came before */
	for (i = 1; i < width && n->nullable; i++)
		kinds = at[i] == at[0] ? kinds : width;
	ret = compile_node(c, n, at, kinds);
	for (i = kinds; i < width; i++)
		at[i] = at[0];
	return ret;
}

int nfa_add(struct nfa *nfa, const struct regex *re, u32 limit, struct err *err)
{
	struct compiler c = {.nfa = nfa, .limit = limit, .err = err};
	u32 *first = vec_push(&nfa->first), *start = vec_push(&nfa->start), at = 0;
	struct nfa_node match = {.op = NFA_MATCH, .pattern = (u32)nfa->first.len - 1};
	int ret;

	if (!first || !start)
		return err_set(err, -ENOMEM, "out of memory");
	*first = (u32)nfa->nodes.len;
	ret = nfa_push(&c, match, &at);
	if (!ret)
		ret = compile(&c, re->root, &at, 1);
	if (!ret)
		*start = at;
	return ret;
}

void nfa_free(struct nfa *nfa)
{
	vec_free(&nfa->nodes);
	vec_free(&nfa->first);
	vec_free(&nfa->start);
}

/* ---- classes of bytes ---- */

struct classes {
	u8 *of;
	u32 count;
};

bool byte_is_word(u32 byte)
{
	u32 lower = byte | 0x20;

	return (byte >= '0' && byte <= '9') || byte == '_' ||
	       (lower >= 'a' && lower <= 'z');
}

/* Part the bytes of `set` from the others. */
static void classes_refine(struct classes *k, const struct byte_set *set)
{
	u32 in[256] = {}, out[256] = {}, c;
	int moved[256] = {};

	for (c = 0; c < 256; c++) {
		if (byte_set_has(set, c))
			in[k->of[c]]++;
		else
			out[k->of[c]]++;
	}
	for (c = k->count; c-- > 0;)
		moved[c] = in[c] && out[c] ? (int)k->count++ : -1;
	for (c = 0; c < 256; c++) {
		if (byte_set_has(set, c) && moved[k->of[c]] >= 0)
			k->of[c] = (u8)moved[k->of[c]];
	}
}

static bool set_equal(const struct byte_set *a, const struct byte_set *b)
{
	return !memcmp(a, b, sizeof(*a));
}

u32 nfa_classes(const struct nfa *nfa, u8 class_of[256])
{
	struct byte_set seen[64] = {}, words = {}, newline = {};
	struct classes k = {.of = class_of, .count = 1};
	u32 c, hash;
	size_t i;

	memset(class_of, 0, 256);
	for (i = 0; i < nfa->nodes.len; i++) {
		const struct byte_set *s = nfa->nodes.item[i].set;

		if (nfa->nodes.item[i].op != NFA_SET)
			continue;
		/* most are single letters, over and over */
		hash = (u32)((s->w[0] ^ s->w[1] ^ s->w[2] ^ s->w[3]) *
				     0x9e3779b97f4a7c15ull >>
			     58);
		if (set_equal(s, &seen[hash]))
			continue;
		seen[hash] = *s;
		classes_refine(&k, s);
	}
	for (c = 0; c < 256; c++) {
		if (byte_is_word(c))
			byte_set_add(&words, c);
	}
	byte_set_add(&newline, '\n');
	if (nfa->has_words)
		classes_refine(&k, &words);
	if (nfa->has_lines)
		classes_refine(&k, &newline);
	return k.count;
}

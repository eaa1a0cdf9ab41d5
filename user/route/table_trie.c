/* SPDX-License-Identifier: BSD-2-Clause */
#include "route/table_trie.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static struct trie_node *node_new(struct trie *t)
{
	struct trie_node *n = vec_push(&t->nodes);
	size_t i;

	if (!n)
		return NULL;
	for (i = 0; i < TRIE_ACCEPT_COUNT; i++)
		n->accept[i] = TABLE_NO_REF;
	return n;
}

int trie_init(struct trie *t)
{
	t->nodes.len = 0;
	return node_new(t) ? 0 : -ENOMEM;
}

void trie_fini(struct trie *t)
{
	vec_free(&t->nodes);
}

/* The child of `at` for this byte, made when there is none; 0: no memory. */
static uint32_t trie_child(struct trie *t, uint32_t at, uint8_t byte)
{
	uint32_t before = 0, child = t->nodes.item[at].child, made;
	struct trie_node *n;

	while (child && t->nodes.item[child].byte < byte) {
		before = child;
		child = t->nodes.item[child].sibling;
	}
	if (child && t->nodes.item[child].byte == byte)
		return child;
	n = node_new(t);
	if (!n)
		return 0;
	made = t->nodes.len - 1;
	n->byte = byte;
	n->sibling = child;
	if (before)
		t->nodes.item[before].sibling = made;
	else
		t->nodes.item[at].child = made;
	return made;
}

int trie_add(struct trie *t, const char *s, size_t len, enum trie_accept kind,
	     uint32_t ref)
{
	uint32_t at = 0, *slot;
	size_t i;

	for (i = 0; i < len; i++) {
		at = trie_child(t, at, s[i]);
		if (!at)
			return -ENOMEM;
	}
	slot = &t->nodes.item[at].accept[kind];
	if (ref < *slot)
		*slot = ref;
	return 0;
}

static bool node_accepts(const struct trie_node *n)
{
	return n->accept[TRIE_AT_END] != TABLE_NO_REF ||
	       n->accept[TRIE_ELEMENT] != TABLE_NO_REF ||
	       n->accept[TRIE_PREFIX] != TABLE_NO_REF;
}

struct writer {
	const struct trie *t;
	struct rows *rows;
	struct tails *tails;
	uint32_t *state; /* of each node */
	uint8_t *chain;	 /* bytes below without a choice... */
	uint32_t *end;	 /* ...and the node where they end */
	bool *is_wanted; /* something leads to its state */
};

/* The tail that begins at `at`, its bytes those of the nodes below. */
static int write_tail(struct writer *w, uint32_t at)
{
	const struct trie_node *item = w->t->nodes.item;
	struct tails *to = w->tails;
	uint8_t bytes[TABLE_TAIL_MAX] = {0};
	struct weir_table_tail tail = {};
	uint32_t start = at;
	size_t size;

	while (at != w->end[start]) {
		at = item[at].child;
		bytes[tail.len++] = item[at].byte;
	}
	tail.at_end = item[at].accept[TRIE_AT_END];
	tail.element = item[at].accept[TRIE_ELEMENT];
	tail.prefix = item[at].accept[TRIE_PREFIX];
	if (item[at].child)
		tail.next = w->state[at];
	w->state[start] = to->len | TABLE_TAIL;
	size = sizeof(tail) + ((tail.len + 7) & ~7u);
	if (to->len + size > WEIR_TABLE_MAX)
		return -E2BIG;
	if (to->len + size > to->cap) {
		size_t cap = to->cap ? to->cap * 2 : 4096;
		uint8_t *data = realloc(to->data, cap);

		if (!data)
			return -ENOMEM;
		to->data = data;
		to->cap = cap;
	}
	memcpy(to->data + to->len, &tail, sizeof(tail));
	memcpy(to->data + to->len + sizeof(tail), bytes, size - sizeof(tail));
	to->len += size;
	return 0;
}

static int write_row(struct writer *w, uint32_t at)
{
	const struct trie_node *item = w->t->nodes.item, *n = &item[at];
	uint16_t symbols[TABLE_SYMBOL_END + 1];
	size_t count = 0;
	uint32_t child;
	int r;

	for (child = n->child; child; child = item[child].sibling)
		symbols[count++] = item[child].byte;
	if (node_accepts(n))
		symbols[count++] = TABLE_SYMBOL_END;
	r = rows_place(w->rows, symbols, count, &w->state[at]);
	if (r)
		return r;
	for (child = n->child; child; child = item[child].sibling)
		rows_edge(w->rows, w->state[at], item[child].byte, w->state[child]);
	if (node_accepts(n))
		rows_accept(w->rows, w->state[at], n->accept[TRIE_AT_END],
			    n->accept[TRIE_ELEMENT], n->accept[TRIE_PREFIX]);
	return 0;
}

/* A chain of fewer bytes in front of a row is not worth a tail. */
#define CHAIN_WORTH 4

/* Leaves and long chains become tails, the rest rows. */
static bool is_tail(const struct writer *w, uint32_t at)
{
	return w->chain[at] >= CHAIN_WORTH || !w->t->nodes.item[w->end[at]].child;
}

/* Every child has a greater number than its parent: backwards, children come
 * before their parents, without recursion. */
static void find_chains(struct writer *w)
{
	const struct trie_node *item = w->t->nodes.item;
	size_t i = w->t->nodes.len;

	while (i--) {
		uint32_t child = item[i].child;
		bool is_single = child && !item[child].sibling;

		w->chain[i] = 0;
		w->end[i] = i;
		if (is_single && !node_accepts(&item[i]) &&
		    w->chain[child] < TABLE_TAIL_MAX) {
			w->chain[i] = w->chain[child] + 1;
			w->end[i] = w->end[child];
		}
	}
}

static void find_wanted(struct writer *w)
{
	const struct trie_node *item = w->t->nodes.item;
	size_t i;

	w->is_wanted[0] = true;
	for (i = 0; i < w->t->nodes.len; i++) {
		uint32_t child = item[i].child;

		if (!w->is_wanted[i])
			continue;
		if (is_tail(w, i)) {
			if (w->end[i] != i)
				w->is_wanted[w->end[i]] = item[w->end[i]].child;
			continue;
		}
		for (; child; child = item[child].sibling)
			w->is_wanted[child] = true;
	}
}

static int write_nodes(struct writer *w)
{
	size_t i = w->t->nodes.len;
	int r = 0;

	find_chains(w);
	find_wanted(w);
	while (i-- && !r)
		if (w->is_wanted[i])
			r = is_tail(w, i) ? write_tail(w, i) : write_row(w, i);
	return r;
}

int trie_write(struct trie *t, struct rows *rows, struct tails *tails, uint32_t *root)
{
	struct writer w = {
		.t = t,
		.rows = rows,
		.tails = tails,
	};
	int r = -ENOMEM;

	w.state = calloc(t->nodes.len, sizeof(*w.state));
	w.chain = calloc(t->nodes.len, sizeof(*w.chain));
	w.end = calloc(t->nodes.len, sizeof(*w.end));
	w.is_wanted = calloc(t->nodes.len, sizeof(*w.is_wanted));
	if (w.state && w.chain && w.end && w.is_wanted)
		r = write_nodes(&w);
	if (!r)
		*root = w.state[0];
	free(w.state);
	free(w.chain);
	free(w.end);
	free(w.is_wanted);
	return r;
}

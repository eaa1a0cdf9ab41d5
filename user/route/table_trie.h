/* SPDX-License-Identifier: BSD-2-Clause */
/* A trie of byte strings, built in memory and written as rows and tails. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/vec.h"
#include "route/table_rows.h"

enum trie_accept {
	TRIE_AT_END,  /* hosts: the name itself */
	TRIE_ELEMENT, /* hosts: a label in front of it */
	TRIE_PREFIX,
	TRIE_ACCEPT_COUNT,
};

struct trie_node {
	uint32_t child, sibling; /* 0: none; children ascend by byte */
	uint32_t accept[TRIE_ACCEPT_COUNT];
	uint8_t byte;
};

struct trie {
	struct vec_of(struct trie_node) nodes; /* 0 is the root */
};

/* Bytes of all tails, in the order in which they were written. */
struct tails {
	uint8_t *data;
	size_t len, cap;
};

int trie_init(struct trie *t); /* also empties one for further use */
void trie_fini(struct trie *t);

/* Add the `len` bytes at s; of several references to the same thing the smallest
 * stays. 0 or -ENOMEM. */
int trie_add(struct trie *t, const char *s, size_t len, enum trie_accept kind,
	     uint32_t ref);

/*
 * Write it. *root: its state, where the offset of a tail is counted from the
 * start of `tails` (the caller adds where they end up). 0, -ENOMEM or -E2BIG.
 */
int trie_write(struct trie *t, struct rows *rows, struct tails *tails, uint32_t *root);

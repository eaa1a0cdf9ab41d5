/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The automaton of a backtracking matcher, of several patterns: between
 * regex_nfa.c and regex_dfa.c. Nodes of a pattern stand together, and patterns
 * in order of precedence.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/vec.h"
#include "route/regex_ast.h"

enum nfa_op {
	NFA_SET,   /* a byte of `set`, then out */
	NFA_SPLIT, /* out, or else alt */
	NFA_LOOK,  /* out if `look` holds */
	NFA_MATCH, /* of `pattern` */
};

struct nfa_node {
	enum nfa_op op;
	enum regex_look look;
	u32 out, alt;
	u32 pattern;
	const struct byte_set *set; /* of the tree, which must live on */
};

struct nfa {
	struct vec_of(struct nfa_node) nodes;
	struct vec_of(u32) first; /* node of each pattern */
	struct vec_of(u32) start;
	bool has_lines, has_words; /* looks of that kind */
};

/* Append a pattern. -E2BIG over `limit` nodes in all. */
int nfa_add(struct nfa *nfa, const struct regex *re, u32 limit, struct err *err);
void nfa_free(struct nfa *nfa);

/* Bytes that no node tells apart share a class; returns how many there are. */
u32 nfa_classes(const struct nfa *nfa, u8 class_of[256]);

bool byte_is_word(u32 byte);

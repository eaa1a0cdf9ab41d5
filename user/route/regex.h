/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Regular expressions of paths, compiled to automata when a table is built.
 *
 *	regex_parse(text, len, &re, &at, &err)		one pattern
 *	dfa_build(patterns, n, NULL, &dfa, &err)	one automaton for several
 *	dfa_find(&dfa, path, len, &match)		what a walker does
 *	dfa_free(&dfa), regex_free(re)
 *
 * The kind is that of RE2 and Rust, over bytes: (?i) folds ASCII, `.` is one
 * byte other than \n, `$` and \z hold at the very end only. A pattern is
 * anchored as a whole at its start, as if written ^(?:...), and not at its end.
 * A character beyond ASCII is the bytes of its UTF-8 form, repeated as one; it
 * is refused in a class and under (?i).
 *
 * Errors of regex_parse; the sentence is to be completed by the caller, who knows
 * the rule:
 *	-EINVAL		no engine would take it: err.what says why
 *	-EOPNOTSUPP	PCRE takes it, an automaton of ours cannot say it: err.what
 *			is its name, like lookahead "(?=". Only when the rest of the
 *			pattern parses too.
 *	-E2BIG		over a limit: err.what says which
 *	-ENOMEM
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <weir/types.h>

#include "base/err.h"

#define REGEX_TEXT_MAX 4096u	/* bytes of a pattern */
#define REGEX_NESTING_MAX 200u	/* groups in groups */
#define REGEX_REPEAT_MAX 1000u	/* n and m of {n,m} */
#define REGEX_NODES_MAX 400000u /* NFA nodes of all patterns of one dfa_build */
#define DFA_STATES_MAX 10000u	/* and one for each NFA node, before minimising */
#define DFA_CELLS_MAX (1u << 24)
#define DFA_WORK_MAX (1ull << 27) /* list items touched */

struct regex;

/* *at, when wanted, is the offset in text that an error is about. */
int regex_parse(const char *text, size_t len, struct regex **out, size_t *at,
		struct err *err);
void regex_free(struct regex *re);

/*
 * What the automaton shall tell of a pattern. A smaller rank is better; of the
 * patterns that match, the one with the best rank wins, of equal ranks the one
 * that stands first.
 *
 * With `length` the walker learns how much of the input the match takes: of all
 * matches the one that PCRE finds first, greedy and lazy. (RE2 and Rust differ on
 * repeats of what may be empty, such as (a??b?)*.) Without, only whether there is
 * one, with fewer states: the walk ends where that is known.
 */
struct dfa_pattern {
	const struct regex *re;
	u32 rank; /* not DFA_NO_RANK */
	bool length;
};

#define DFA_DEAD 0u
#define DFA_NO_RANK 0xffffffffu

/* The accept at this state is of a match that ended one byte before it: \b and
 * (?m:$) look at the byte that follows. */
#define DFA_BACK 1u	/* of accept */
#define DFA_BACK_END 2u /* of accept_end */

/*
 * A minimal automaton. A walker starts at `start` and takes one byte a step.
 * In each state, the start included, it notes accept[s] with its position, at
 * the end of the input accept_end[s] instead, unless DFA_NO_RANK. In
 * DFA_DEAD it stops. What was noted last is the answer: later ranks are never
 * worse, and states in which nothing better can come lead to DFA_DEAD.
 */
struct dfa {
	u32 states; /* DFA_DEAD included */
	u32 start;  /* DFA_DEAD: matches nothing */
	u32 classes;
	u8 class_of[256]; /* of a byte */
	u32 *next;	  /* states * classes */
	u32 *accept;
	u32 *accept_end;
	u8 *back; /* DFA_BACK, DFA_BACK_END */
	bool has_back;
};

/* Zero means the default above. */
struct dfa_limits {
	u32 nodes;
	u32 states;
	u64 work;
};

/* -E2BIG with the limit's name, -ENOMEM; *out is untouched then. */
int dfa_build(const struct dfa_pattern *patterns, size_t n,
	      const struct dfa_limits *limits, struct dfa *out, struct err *err);
void dfa_free(struct dfa *d);

static inline u32 dfa_step(const struct dfa *d, u32 state, u8 byte)
{
	return d->next[(size_t)state * d->classes + d->class_of[byte]];
}

struct dfa_match {
	u32 rank;
	size_t length; /* meant for patterns built with `length` */
};

/* The walk over a whole input; false: no pattern matches. */
bool dfa_find(const struct dfa *d, const void *text, size_t len, struct dfa_match *out);

/* SPDX-License-Identifier: BSD-2-Clause */
/* The number of states that an automaton needs, found in the plainest way. */
#pragma once

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "route/regex.h"

static inline bool moore_differ(const struct dfa *d, const u32 *group, u32 a, u32 b)
{
	u32 c;

	if (d->accept[a] != d->accept[b] || d->accept_end[a] != d->accept_end[b] ||
	    d->back[a] != d->back[b])
		return true;
	for (c = 0; group && c < d->classes; c++) {
		if (group[d->next[a * d->classes + c]] !=
		    group[d->next[b * d->classes + c]])
			return true;
	}
	return false;
}

/* DFA_DEAD included; quadratic. */
static inline u32 moore_states(const struct dfa *d)
{
	u32 *old = NULL, *new, groups = 0, before, s, t;

	do {
		before = groups;
		groups = 0;
		new = calloc(d->states, sizeof(*new));
		assert(new);
		for (s = 0; s < d->states; s++) {
			for (t = 0; t < s; t++) {
				if ((!old || old[s] == old[t]) &&
				    !moore_differ(d, old, s, t))
					break;
			}
			new[s] = t < s ? new[t] : groups++;
		}
		free(old);
		old = new;
	} while (groups != before);
	free(old);
	return groups;
}

/* What every automaton keeps. */
static inline void moore_check(const struct dfa *d)
{
	u32 s, c;

	assert(d->states && d->start < d->states && d->classes && d->classes <= 256);
	assert(d->accept_end[DFA_DEAD] == DFA_NO_RANK);
	for (s = 0; s < d->states; s++) {
		assert(d->accept_end[s] <= d->accept[s]);
		for (c = 0; c < d->classes; c++) {
			assert(d->next[(size_t)s * d->classes + c] < d->states);
			assert(s || !d->next[c]);
		}
	}
	if (d->states <= 100)
		assert(moore_states(d) == d->states);
}

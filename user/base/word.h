/* SPDX-License-Identifier: BSD-2-Clause */
/* Words that are alike, for "did you mean". */
#pragma once

/* Edit distance; 99 when it is far. */
unsigned int word_distance(const char *a, const char *b);

/* More than that many letters apart is another word. */
#define WORD_NEAR 2u

/*
 * Of many words the one that is most like what was given:
 *
 *	struct word_search s = {.given = name};
 *
 *	for (...)
 *		word_try(&s, candidate);
 *	if (*s.best)
 *		...
 */
struct word_search {
	const char *given;
	unsigned int distance; /* of the best one */
	char best[256];	       /* "": none is near */
};

void word_try(struct word_search *s, const char *candidate);

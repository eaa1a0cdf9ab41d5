/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/word.h"

#include <stdio.h>
#include <string.h>

#define WORD_MAX 255

unsigned int word_distance(const char *a, const char *b)
{
	size_t n = strlen(a), m = strlen(b), i, j;
	unsigned int row[WORD_MAX + 1];

	if (n > WORD_MAX || m > WORD_MAX)
		return 99;
	for (j = 0; j <= m; j++)
		row[j] = j;
	for (i = 1; i <= n; i++) {
		unsigned int diagonal = row[0];

		row[0] = i;
		for (j = 1; j <= m; j++) {
			unsigned int up = row[j];
			unsigned int best = diagonal + (a[i - 1] != b[j - 1]);

			if (up + 1 < best)
				best = up + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			row[j] = best;
			diagonal = up;
		}
	}
	return row[m];
}

void word_try(struct word_search *s, const char *candidate)
{
	unsigned int d = word_distance(candidate, s->given);

	if (d > WORD_NEAR || (*s->best && d >= s->distance))
		return;
	s->distance = d;
	snprintf(s->best, sizeof(s->best), "%s", candidate);
}

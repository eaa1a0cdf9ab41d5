/* SPDX-License-Identifier: BSD-2-Clause */
/* Words that are alike, for "did you mean". */
#pragma once

/* Edit distance; 99 when it is far. */
unsigned int word_distance(const char *a, const char *b);

/* More than that many letters apart is another word. */
#define WORD_NEAR 2u

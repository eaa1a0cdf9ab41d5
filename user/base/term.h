/* SPDX-License-Identifier: BSD-2-Clause */
/* What standard output is: how wide, which characters, whether colours. */
#pragma once

#include <stdbool.h>

/* Is it a terminal that can be drawn on, and not TERM=dumb? */
bool term_is_screen(void);

/* Characters in a line: COLUMNS of the environment, else of the terminal; 0: no
 * terminal, as wide as it comes. */
unsigned int term_width(void);

/* Does the locale (LC_ALL, LC_CTYPE, LANG) write UTF-8? */
bool term_is_utf8(void);

/* On a terminal, unless NO_COLOR is set (no-color.org) or TERM is dumb. */
bool term_has_colour(void);

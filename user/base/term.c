/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/term.h"

#include <langinfo.h>
#include <locale.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/number.h"

bool term_is_screen(void)
{
	const char *name = getenv("TERM");

	return isatty(STDOUT_FILENO) && name && *name && strcmp(name, "dumb") != 0;
}

unsigned int term_width(void)
{
	const char *columns = getenv("COLUMNS");
	struct winsize ws;
	uint64_t n;

	if (columns && !number_parse(columns, 100000, &n) && n)
		return n;
	if (!isatty(STDOUT_FILENO) || ioctl(STDOUT_FILENO, TIOCGWINSZ, &ws))
		return 0;
	return ws.ws_col;
}

/* The locale of the process stays "C": bytes of the network are no characters. */
bool term_is_utf8(void)
{
	static int known = -1;

	if (known < 0) {
		locale_t user = newlocale(LC_CTYPE_MASK, "", NULL);

		known = user && !strcmp(nl_langinfo_l(CODESET, user), "UTF-8");
		if (user)
			freelocale(user);
	}
	return known;
}

bool term_has_colour(void)
{
	const char *none = getenv("NO_COLOR");

	return term_is_screen() && !(none && *none);
}

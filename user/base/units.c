/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/units.h"

#include <stdio.h>

#include "base/term.h"

/* As small as a unit makes it; a tenth below ten, when it was divided or has one. */
static char *scale(double v, double base, const char *const *unit, bool tenths,
		   char out[UNITS_TEXT])
{
	for (; unit[1] && v >= base - .5; unit++) {
		v /= base;
		tenths = true;
	}
	snprintf(out, UNITS_TEXT, "%.*f%s", tenths && v > 0 && v < 9.95 ? 1 : 0, v,
		 *unit);
	return out;
}

static const char *const thousands[] = {"", "k", "M", "G", "T", NULL};

char *units_count(uint64_t n, char out[UNITS_TEXT])
{
	return scale(n, 1000, thousands, false, out);
}

char *units_rate(double per_second, char out[UNITS_TEXT])
{
	return scale(per_second, 1000, thousands, true, out);
}

char *units_bytes(uint64_t n, char out[UNITS_TEXT])
{
	static const char *const unit[] = {"B", "KiB", "MiB", "GiB", "TiB", NULL};

	return scale(n, 1024, unit, false, out);
}

char *units_us(double us, char out[UNITS_TEXT])
{
	static const char *const ascii[] = {"us", "ms", "s", NULL};
	static const char *const utf8[] = {"\xc2\xb5s", "ms", "s", NULL};

	return scale(us, 1000, term_is_utf8() ? utf8 : ascii, false, out);
}

/* Two units, the second one as long as it says something. */
char *units_age(uint64_t s, char out[UNITS_TEXT])
{
	unsigned long long m = s / 60, h = s / 3600, d = s / 86400;

	if (s < 120)
		snprintf(out, UNITS_TEXT, "%llus", (unsigned long long)s);
	else if (m < 10)
		snprintf(out, UNITS_TEXT, "%llum%llus", m, (unsigned long long)s % 60);
	else if (m < 180)
		snprintf(out, UNITS_TEXT, "%llum", m);
	else if (h < 8)
		snprintf(out, UNITS_TEXT, "%lluh%llum", h, m % 60);
	else if (h < 48)
		snprintf(out, UNITS_TEXT, "%lluh", h);
	else if (d < 8)
		snprintf(out, UNITS_TEXT, "%llud%lluh", d, h % 24);
	else
		snprintf(out, UNITS_TEXT, "%llud", d);
	return out;
}

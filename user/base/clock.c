/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/clock.h"

#include <stdio.h>
#include <time.h>

uint64_t clock_wall_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * 1000000000ull + now.tv_nsec;
}

char *clock_text(uint64_t wall_ns, char out[CLOCK_TEXT])
{
	time_t s = wall_ns / 1000000000;
	struct tm tm;
	size_t n;

	gmtime_r(&s, &tm);
	n = strftime(out, CLOCK_TEXT, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(out + n, CLOCK_TEXT - n, ".%06uZ",
		 (unsigned int)(wall_ns / 1000 % 1000000));
	return out;
}

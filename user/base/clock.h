/* SPDX-License-Identifier: BSD-2-Clause */
/* Points in time as text. */
#pragma once

#include <stdint.h>

#define CLOCK_TEXT 32

uint64_t clock_wall_ns(void); /* CLOCK_REALTIME */

/* RFC 3339 in UTC, to the microsecond: "2026-03-01T12:00:00.000000Z". Returns `out`. */
char *clock_text(uint64_t wall_ns, char out[CLOCK_TEXT]);

/* SPDX-License-Identifier: BSD-2-Clause */
/* Keys of the SYN cookies. */
#pragma once

#include <stdint.h>

#include "base/err.h"

struct dp;

/* How long a key makes cookies. It accepts them for as long again, so a
 * handshake may take that long (T024, T026: far more than the two minutes of
 * Linux). */
#define COOKIES_ROTATE_S 600

/* All keys anew, but for isn, which the loaded program has already. */
int cookies_init(const struct dp *dp, const uint64_t isn[2], struct err *err);

/* isn of the data path under PIN, or new random numbers where there is none. */
int cookies_isn(const char *pin, uint64_t isn[2], struct err *err);

/* The keys of the data path under PIN, for one that takes its place: handshakes that
 * have begun go on. */
int cookies_inherit(const struct dp *dp, struct err *err);

/* A new key; the one in use becomes the one before. */
int cookies_rotate(const struct dp *dp, struct err *err);

/* SPDX-License-Identifier: BSD-2-Clause */
/* Keys of the SYN cookies. */
#pragma once

#include "base/err.h"

struct dp;

/* How long a key makes cookies. It accepts them for as long again, so a
 * handshake may take that long (T024, T026: far more than the two minutes of
 * Linux). */
#define COOKIES_ROTATE_S 600

/* Both keys anew. */
int cookies_init(const struct dp *dp, struct err *err);

/* A new key; the one in use becomes the one before. */
int cookies_rotate(const struct dp *dp, struct err *err);

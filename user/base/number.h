/* SPDX-License-Identifier: BSD-2-Clause */
/* Numbers as people write them on a command line: all of the text, or nothing. */
#pragma once

#include <stdint.h>

/* Decimal, 0..max. 0, -EINVAL or -ERANGE. */
int number_parse(const char *text, uint64_t max, uint64_t *out);

/* Seconds with up to three decimals, as milliseconds. */
int number_parse_ms(const char *text, uint64_t *out);

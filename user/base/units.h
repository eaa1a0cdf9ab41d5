/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Numbers for people: three digits or so and a unit. Scripts get them as they are,
 * from JSON. Each function returns `out`.
 */
#pragma once

#include <stdint.h>

#define UNITS_TEXT 24

char *units_count(uint64_t n, char out[UNITS_TEXT]);	   /* 999, 1.2k, 34M */
char *units_rate(double per_second, char out[UNITS_TEXT]); /* 0.3, 12, 1.2k */
char *units_bytes(uint64_t n, char out[UNITS_TEXT]);	   /* 512B, 3.4MiB */
char *units_us(double us, char out[UNITS_TEXT]);	   /* 210us, 3.4ms, 1.2s */
char *units_age(uint64_t seconds, char out[UNITS_TEXT]);   /* 45s, 3m12s, 26h, 3d4h */

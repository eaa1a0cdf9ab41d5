/* SPDX-License-Identifier: BSD-2-Clause */
/* Between bench.c and bench_maps.c. */
#pragma once

#include "bench.h"

/* Ends the process, with errno's text, unless ok. */
void bench_need(bool ok, const char *what);

/* After the program is loaded; before it goes. */
void maps_fill(void);
void maps_forget(void);

/* A power of two. */
uint32_t maps_table_bytes(void);

void maps_fresh(void);
/* 0, or 1 and what has leaked on stderr */
int maps_check(void);

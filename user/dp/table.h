/* SPDX-License-Identifier: BSD-2-Clause */
/* The route table's map: filled apart, then put in place by one update. */
#pragma once

#include <stddef.h>

#include "base/err.h"

struct dp;

/* A new inner map with the blob in it: its descriptor, or -errno (-EFBIG when
 * the blob is larger than dp->table_bytes). The blob is checked by its maker. */
int table_fill(const struct dp *dp, const void *blob, size_t size, struct err *err);

/* From here on packets are routed by `inner`. A packet sees the old table or
 * the new one; the old one is freed when nobody reads it. */
int table_swap(const struct dp *dp, int inner, struct err *err);

/* The table in use, mapped read-only: *size bytes, munmap() them. -ENOENT when
 * none has been put in place. */
int table_map(const struct dp *dp, const void **blob, size_t *size, struct err *err);

/* SPDX-License-Identifier: BSD-2-Clause */
/* Whole maps, in batches of the kernel's. */
#pragma once

#include <stddef.h>

#include "base/err.h"

typedef int (*map_fn)(const void *key, const void *value, void *arg);

/* Calls fn for every entry until it returns something else than 0, which is
 * then returned. The map must not be changed by fn. -errno and the sentence
 * when it cannot be read. */
int map_each(int fd, map_fn fn, void *arg, struct err *err);

/* The value at key 0 of a map that may be another version's: what is longer is cut,
 * what is shorter filled with zeroes. 0 or -errno. */
int map_read_first(int fd, void *out, size_t size);

/* Number of entries, or -errno. */
long map_count(int fd);

/* SPDX-License-Identifier: BSD-2-Clause */
/* Whole maps, or many entries of one, in batches of the kernel's. */
#pragma once

#include <stddef.h>
#include <stdint.h>

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

/* Values for a map whose keys are ids, written many in one call. A zeroed one is
 * closed; to be freed with map_writes_free(). */
struct map_writes {
	int fd;
	size_t value_size, count;
	uint32_t *ids;
	char *values;
};

/* 0 or -errno, also of values that were put in before. */
int map_writes_open(struct map_writes *w, int fd, size_t value_size);
int map_writes_put(struct map_writes *w, uint32_t id, const void *value);
int map_writes_flush(struct map_writes *w);
void map_writes_free(struct map_writes *w);

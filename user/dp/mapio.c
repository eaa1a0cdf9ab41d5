/* SPDX-License-Identifier: BSD-2-Clause */
#include "dp/mapio.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>

#include "base/mem.h"

#define MAP_BATCH_BYTES (1u << 20)

static uint32_t batch_entries(const struct bpf_map_info *info)
{
	uint32_t n = MAP_BATCH_BYTES / (info->key_size + info->value_size);

	return n < 16 ? 16 : n;
}

int map_each(int fd, map_fn fn, void *arg, struct err *err)
{
	struct bpf_map_info info = {};
	uint32_t info_len = sizeof(info), batch;
	auto_free char *keys = NULL;
	auto_free char *values = NULL;
	auto_free char *position = NULL;
	bool first = true, last = false;

	if (bpf_obj_get_info_by_fd(fd, &info, &info_len))
		return err_set(err, -errno, "a map cannot be read: %s",
			       strerror(errno));
	batch = batch_entries(&info);
	/* Where to go on: an index for hashes and arrays alike, room for a key. */
	position = calloc(2, info.key_size + sizeof(uint64_t));

	while (!last) {
		uint32_t count = batch, i;
		int r;

		if (!keys)
			keys = malloc((size_t)batch * info.key_size);
		if (!values)
			values = malloc((size_t)batch * ((info.value_size + 7) & ~7u));
		if (!keys || !values || !position)
			return err_set(err, -ENOMEM, "map %s: out of memory",
				       info.name);
		r = bpf_map_lookup_batch(fd, first ? NULL : position, position, keys,
					 values, &count, NULL);
		if (r && errno == ENOSPC && batch < 1u << 22) {
			/* A bucket with more entries than the batch. */
			free(take(keys));
			free(take(values));
			batch *= 2;
			continue;
		}
		if (r && errno != ENOENT)
			return err_set(err, -errno, "map %s cannot be read: %s",
				       info.name, strerror(errno));
		last = r;
		first = false;
		for (i = 0; i < count; i++) {
			r = fn(keys + (size_t)i * info.key_size,
			       values + (size_t)i * info.value_size, arg);
			if (r)
				return r;
		}
	}
	return 0;
}

int map_read_first(int fd, void *out, size_t size)
{
	struct bpf_map_info info = {};
	uint32_t len = sizeof(info), zero = 0;
	auto_free char *value = NULL;

	if (bpf_obj_get_info_by_fd(fd, &info, &len))
		return -errno;
	value = calloc(1, info.value_size > size ? info.value_size : size);
	if (!value)
		return -ENOMEM;
	if (bpf_map_lookup_elem(fd, &zero, value))
		return -errno;
	memcpy(out, value, size);
	return 0;
}

static int count_one(const void *key, const void *value, void *arg)
{
	++*(long *)arg;
	return 0;
}

long map_count(int fd)
{
	long n = 0;
	int r = map_each(fd, count_one, &n, NULL);

	return r ? r : n;
}

#define WRITES 256u

int map_writes_open(struct map_writes *w, int fd, size_t value_size)
{
	*w = (struct map_writes){.fd = fd, .value_size = value_size};
	w->ids = calloc(WRITES, sizeof(*w->ids));
	w->values = calloc(WRITES, value_size);
	return w->ids && w->values ? 0 : -ENOMEM;
}

int map_writes_flush(struct map_writes *w)
{
	uint32_t count = w->count;

	w->count = 0;
	if (count && bpf_map_update_batch(w->fd, w->ids, w->values, &count, NULL))
		return -errno;
	return 0;
}

int map_writes_put(struct map_writes *w, uint32_t id, const void *value)
{
	w->ids[w->count] = id;
	memcpy(w->values + w->count * w->value_size, value, w->value_size);
	return ++w->count < WRITES ? 0 : map_writes_flush(w);
}

void map_writes_free(struct map_writes *w)
{
	free(w->ids);
	free(w->values);
}

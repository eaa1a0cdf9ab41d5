/* SPDX-License-Identifier: BSD-2-Clause */
/* The names of hosts as the route table finds them: records and buckets. */
#pragma once

#include <stdint.h>

#include <weir/table.h>

#include "base/vec.h"

struct host_names {
	struct vec_of(
		struct weir_table_host) records; /* sets and count are the caller's */
	struct vec_of(uint8_t) text;		 /* names, offsets from its start */
	struct weir_table_bucket *buckets; /* references are numbers + 1 till written */
	uint32_t bucket_count, seed;
};

/* Add a record; `name` is a host, ".example.com" for a wildcard, or NULL for one
 * that is not found by name. Upper case is folded. 0 or -ENOMEM. */
int hosts_add(struct host_names *h, const char *name);

/* Place all names in buckets. 0 or -ENOMEM. */
int hosts_hash(struct host_names *h);

/* Into sections at these offsets of the blob. */
void hosts_write(struct host_names *h, void *blob, uint32_t records, uint32_t buckets,
		 uint32_t names);

void hosts_free(struct host_names *h);

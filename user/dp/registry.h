/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names and their ids. An id belongs to one name for ever: a connection may
 * remember it long after the name is gone, so it is never given to another.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct registry_entry {
	char *key;
	uint64_t hash; /* of the key */
	uint32_t id;
	bool wanted;	 /* in the current round */
	bool is_written; /* the map has it: `content` is the hash of its value */
	uint64_t content;
};

struct registry {
	struct registry_entry *item;
	size_t len, cap;
	uint32_t *slot; /* index + 1 into item, 0 free */
	size_t slots;
	uint32_t next; /* id */
};

/* What a map has already: its name and id. NULL when out of memory, or when
 * the name is there twice. */
struct registry_entry *registry_learn(struct registry *r, const char *key, uint32_t id);

/* A new round: nothing is wanted. */
void registry_begin(struct registry *r);

/* The entry of the name, made with a new id if need be, and wanted now; whether it
 * was so before (may be NULL). NULL when out of memory. Valid until the next call. */
struct registry_entry *registry_take(struct registry *r, const char *key,
				     bool *was_wanted);

/* Forgets every entry for which drop() is true. */
void registry_drop(struct registry *r,
		   bool (*drop)(const struct registry_entry *e, void *arg), void *arg);

void registry_free(struct registry *r);

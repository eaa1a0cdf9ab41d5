/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A document as read from YAML or JSON: a tree whose nodes know their line and
 * column. YAML aliases share nodes, so it may be a DAG; it has no cycles.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/pool.h"

#define NODE_DEPTH_MAX 100u	/* nesting of a document */
#define NODE_ALIAS_MAX 1000000u /* nodes that aliases may add to it */
#define NODE_COUNT_MAX 4000000u /* nodes of a document, about 50 bytes each */
#define NODE_COUNT_TEXT "a document of more than 4000000 values"
#define NODE_FILE_MAX ((size_t)256 << 20) /* bytes of one file */

enum node_type {
	NODE_NULL,
	NODE_BOOL,
	NODE_INT,
	NODE_FLOAT,
	NODE_STRING,
	NODE_SEQ,
	NODE_MAP,
};

struct node_pair {
	struct node *key; /* NODE_STRING */
	struct node *value;
};

struct node {
	enum node_type type;
	uint32_t line, column; /* from 1 */
	uint32_t count;	       /* of items or pairs */
	union {
		const char *text; /* scalars: as written, no NUL inside */
		struct node **item;
		struct node_pair *pair;
	};
	int64_t number; /* NODE_INT, NODE_BOOL; maps and sequences: nodes below */
};

/* "a mapping", "a string", ... for messages */
const char *node_type_text(enum node_type type);

/* Value of a key of a map, NULL when absent or not a map. */
const struct node *node_get(const struct node *map, const char *key);

/* Deep copy into another pool; NULL when out of memory. */
struct node *node_copy(struct pool *pool, const struct node *n);

/* Of what a node says, not of where it stands. */
uint64_t node_hash(const struct node *n, uint64_t seed);

/* The type of a scalar that is not quoted, as kubectl's YAML 1.1 reader sees it. */
void node_resolve(struct node *scalar);

/* Called for each document; a non-zero return stops the reader. */
typedef int (*node_fn)(const struct node *doc, void *ctx, struct err *err);

/* Read all documents of a text; empty ones are skipped. `source` is for
 * messages. The nodes live during the call of `fn` only. */
int node_read_yaml(const char *text, size_t len, const char *source, node_fn fn,
		   void *ctx, struct err *err);
int node_read_json(const char *text, size_t len, const char *source, node_fn fn,
		   void *ctx, struct err *err);

/* For the readers: refuse a map with a key that stands twice. */
int node_check_keys(const struct node *map, const char *source, struct err *err);

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Manifests from files, directories or standard input into a store; and the same
 * again after a change, when only files that have changed are read.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/strmap.h"
#include "k8s/store.h"

/* What has changed, each includes those above it. */
enum manifests_news {
	MANIFESTS_SAME,
	MANIFESTS_ENDPOINTS, /* EndpointSlices or Endpoints alone */
	MANIFESTS_RULES,
};

struct service_name {
	const char *ns;
	const char *name;
};

struct manifest; /* a file as it was read */

/* A zeroed one is empty. */
struct manifests {
	struct vec_of(struct manifest *) files;	     /* in the order of reading */
	struct strmap places;			     /* path -> index in files */
	struct store store;			     /* of all files */
	enum manifests_news news;		     /* since manifests_taken() */
	struct vec_of(struct service_name) services; /* whose endpoints are news */
	struct pool pool;			     /* of their names */
	bool is_stale; /* the store is not what the files say */
	size_t parsed; /* files, by the last call */
};

/*
 * Reads every path ("-" is standard input; directories recursively: .yaml, .yml,
 * .json, in name order). YAML streams, JSON, kind: List. A file is read when its
 * size, inode or times have changed, and taken apart when its bytes have. Adds to
 * the news. 0, or -errno with file:line:column in err: then the files stay as
 * they were read before, and the next call tries again.
 */
int manifests_read(struct manifests *m, const char *const *paths, size_t count,
		   struct err *err);

/* The same when nothing but these files, each given once, can have changed. -ENOENT
 * without a word in err when one of them is new, and everything has to be looked at. */
int manifests_read_again(struct manifests *m, const char *const *files, size_t count,
			 struct err *err);

/* The news have been dealt with. */
void manifests_taken(struct manifests *m);

void manifests_free(struct manifests *m);

/* Once, into an empty store that owns everything. Returns 0, or -errno with the
 * store still empty. */
int manifests_load(struct store *store, const char *const *paths, size_t count,
		   struct err *err);

/* SPDX-License-Identifier: BSD-2-Clause */
/* Notices that manifests have changed. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/vec.h"

struct file_watch {
	int wd;
	char *dir;
	char *name; /* of the only entry that counts, NULL: all manifests in it */
};

struct files {
	int fd; /* inotify, to be waited for */
	const char *const *paths;
	size_t count;
	struct vec_of(struct file_watch) watches;
	struct vec_of(char *) written; /* files, since files_taken() */
	bool has_moved;		       /* more than these has changed */
};

/* Watches files through their directories, because editors and volumes of
 * Kubernetes put a new file in the place of the old one; directories with all
 * below them. A path that is missing is watched for through its parent. */
int files_init(struct files *f, const char *const *paths, size_t count,
	       struct err *err);

/* After a change: directories may have come. */
int files_refresh(struct files *f, struct err *err);

enum files_change {
	FILES_SAME,    /* nothing that matters */
	FILES_WRITTEN, /* files were written, or others put in their place */
	FILES_MOVED,   /* something has come or gone */
};

/* Reads what inotify has to say. Names of files are kept while nothing else has
 * happened to them than to be written. */
enum files_change files_changed(struct files *f);

/* What has changed is known to the caller. */
void files_taken(struct files *f);

void files_fini(struct files *f);

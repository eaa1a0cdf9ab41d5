/* SPDX-License-Identifier: BSD-2-Clause */
/* One file, as it was read. Private to user/k8s. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "k8s/store.h"

struct manifest {
	char *path; /* "-": standard input */
	struct stat st;
	bool is_settled;  /* its times were old enough to tell a later change */
	uint64_t content; /* hash of its bytes */
	bool is_kept;	  /* for load.c: among the files of this reading */
	struct store part;
};

/* Reads the file unless it is still what `old` (or NULL) was read from: then
 * *out is `old`, brought up to date. Else a new one, owned by the caller. */
int manifest_read(const char *path, struct manifest *old, struct manifest **out,
		  struct err *err);
void manifest_free(struct manifest *f);

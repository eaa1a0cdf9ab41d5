/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Text tables: columns as wide as what is in them, cut to the terminal.
 *
 *	struct columns t;
 *
 *	columns_init(&t, heads, wide);
 *	columns_row(&t, "eth0", "tcx", columns_number(&t, 7));
 *	columns_print(&t);		// on stdout; frees everything
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/pool.h"
#include "base/vec.h"

#define COLUMNS_MAX 16

enum column_form {
	COLUMN_LEFT,
	COLUMN_RIGHT,
	COLUMN_FLEX, /* left; the one that gives way on a narrow terminal */
};

struct column {
	const char *title; /* NULL ends the columns */
	enum column_form form;
	bool wide; /* shown with -o wide only */
};

struct columns {
	const struct column *head;
	unsigned int count;
	bool wide;
	bool failed; /* out of memory: said by columns_print() */
	struct vec_of(const char **) rows;
	struct pool pool;
};

void columns_init(struct columns *t, const struct column *head, bool wide);

/* One cell for every column; NULL is shown as "-". Texts are copied. */
void columns_row(struct columns *t, ...);

/* A text that lives as long as the table. */
const char *columns_text(struct columns *t, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Prints nothing but `none` when there is no row. Returns an exit code. */
int columns_print(struct columns *t, const char *none);

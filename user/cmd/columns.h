/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Text tables: columns as wide as what is in them, cut to the terminal.
 *
 *	struct columns t;
 *
 *	columns_init(&t, heads, wide);
 *	columns_row(&t, "eth0", "tcx", columns_number(&t, 7));
 *	columns_print(&t, "nothing");		// on stdout; frees everything
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/pool.h"
#include "base/vec.h"
#include "cmd/options.h"

#define COLUMNS_MAX 16

enum column_form {
	COLUMN_LEFT,
	COLUMN_RIGHT, /* numbers: never cut */
	COLUMN_FLEX,  /* left; those that give way first on a narrow terminal */
};

struct column {
	const char *title; /* NULL ends the columns */
	enum column_form form;
	bool wide; /* shown with -o wide only */
};

/* Seen on terminals that have colours only. */
enum paint {
	PAINT_NONE,
	PAINT_YELLOW, /* look here */
	PAINT_RED,    /* this fails */
	PAINT_TITLE,
};

struct cell {
	const char *text;
	enum paint paint;
};

struct columns {
	const struct column *head;
	unsigned int count;
	bool wide;
	bool no_headers;
	enum paint head_paint;
	size_t from, most; /* rows shown: `most` of them (0: all) from `from` on */
	bool failed;	   /* out of memory: said by columns_print() */
	struct vec_of(struct cell *) rows;
	struct pool pool;
};

/* What every command with a table understands. */
struct table_options {
	bool no_headers;
};

extern const struct option_row options_table[];

/* With `wide` nothing is cut, and numbers are exact. */
void columns_init(struct columns *t, const struct column *head, bool wide);

/* One cell for every column; NULL is shown as "-". Texts are copied. */
void columns_row(struct columns *t, ...);

/* The cell of the newest row. */
void columns_paint(struct columns *t, unsigned int column, enum paint paint);

/* A text that lives as long as the table. */
const char *columns_text(struct columns *t, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* The same for numbers (base/units.h); as they are, with -o wide. */
const char *columns_number(struct columns *t, uint64_t n);
const char *columns_bytes(struct columns *t, uint64_t n);

/* Text outside of a table. */
void print_painted(enum paint paint, const char *text);

/* Prints nothing but `none` when there is no row. Returns an exit code. */
int columns_print(struct columns *t, const char *none);

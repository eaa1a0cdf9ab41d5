/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Command line options: rows that say what an option is called, what it means
 * and where its value goes. Parsing, --help and completion read the same rows.
 *
 *	struct compile_options opt = COMPILE_DEFAULTS;
 *	void *const to[] = { &opt };	// one struct per row set of the command
 *	int r = options_parse(ctx, to, &argc, argv);
 *
 *	if (r)
 *		return r;		// already said why
 *	// argv[1] .. argv[argc - 1] are the operands
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/vec.h"

struct ctx;
struct command;
struct ir;
struct store;

/* Strings borrowed from argv. Released by vec_free(). */
struct words vec_of(const char *);

enum option_kind {
	OPTION_FLAG,   /* bool */
	OPTION_COUNT,  /* int, one more each time */
	OPTION_STRING, /* const char *, the last one wins */
	OPTION_MAYBE,  /* the same, "" without a value: "--name=VALUE", "-nVALUE" */
	OPTION_LIST,   /* struct words */
	OPTION_CHOICE, /* int, place of the value in `arg`, "one|two" */
};

struct option_row {
	char letter;	  /* 0: none */
	const char *name; /* without dashes; NULL ends the rows */
	const char *arg;  /* what the value is called, "[=X]" if MAYBE; NULL: none */
	const char *help;
	enum option_kind kind;
	size_t to; /* offsetof() in the struct that belongs to the rows */
};

/* Row sets of one command at most, the global one not counted. */
#define OPTION_SETS 4

extern const struct option_row options_global[]; /* into struct ctx */

/* Parses what follows argv[0]; global rows are understood too. Operands are
 * moved to argv[1] and up, *argc is their count plus one. to[i] belongs to
 * ctx->command->options[i]. Ends with cmd_begin(). Returns 0, or an exit code
 * after saying why. */
int options_parse(struct ctx *ctx, void *const to[], int *argc, char **argv);

/* Leading options only, up to the first operand: its index in argv is put
 * into *first (argc when there is none). */
int options_leading(struct ctx *ctx, int argc, char **argv, int *first);

/* The rows as help text on stdout. */
void options_help(const struct option_row *rows);

/* Splits every value at commas: "-i a,b -i c" is the same as "-i a -i b -i c".
 * The pieces are owned by the result: words_free(). */
int words_split(const struct words *in, struct words *out);
void words_free(struct words *owned);

/* What every command that compiles manifests understands. */
struct compile_options {
	struct words files;	/* -f */
	struct words endpoints; /* --endpoint */
	const char *ingress_class;
	int dialect; /* enum route_dialect */
	const char *gateway;
	bool strict;
};

#define COMPILE_DEFAULTS                \
	{                               \
		.ingress_class = "kong" \
	}

extern const struct option_row options_compile[];

void compile_options_free(struct compile_options *opt);

/* Manifests of `opt` -> store -> ir; warnings go to stderr, and are an error
 * with --strict. On failure store and ir are empty. Both are freed by the
 * caller (store_free, ir_free). */
int compile_manifests(struct ctx *ctx, const struct compile_options *opt,
		      struct store *store, struct ir *ir, struct err *err);

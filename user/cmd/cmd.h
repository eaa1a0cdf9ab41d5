/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Commands: one file each, one row each in the table of main.c. Parsing of
 * options, help and completion come from the row.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "cmd/options.h"

enum output {
	OUTPUT_TEXT,
	OUTPUT_WIDE,
	OUTPUT_JSON,
};

enum exit_code {
	EXIT_DONE = 0,
	EXIT_FAILED = 1,  /* what was asked for is wrong or failed */
	EXIT_USAGE = 2,	  /* the command line is wrong */
	EXIT_REFUSED = 3, /* not permitted, or the kernel lacks something */
};

struct ctx {
	const struct command *command;
	const char *pin;   /* where maps, programs and links are pinned */
	const char *netns; /* --netns, entered by cmd_begin() */
	int output;	   /* enum output */
	bool quiet;
	int verbose;
	bool help;
	bool version;
};

#define COMMAND_ROOT 0x1u /* touches the kernel: see cmd_begin() */
#define COMMAND_HOME 0x2u /* without --netns: in that of the data path, see dp/home.h */

struct command {
	const char *name;
	const char *summary; /* one line, no full stop */
	const char *usage;   /* what follows the name in the usage line */
	const char *text;    /* a paragraph more for --help; or NULL */
	const struct option_row *options[OPTION_SETS];	    /* NULL behind the last */
	unsigned int flags;				    /* COMMAND_* */
	int (*run)(struct ctx *ctx, int argc, char **argv); /* argv[0]: the name */
};

extern const struct command commands[]; /* ends with a NULL name */

const struct command *command_find(const char *name);
void command_help(const struct command *cmd); /* on stdout; NULL: of weir itself */

/* As a manual page on stdout, of that date ("March 1, 2026"). Where prose belongs
 * there is a line MAN_PROSE. */
#define MAN_PROSE "@PROSE@"
void command_man(const struct command *cmd, const char *date);

/* Called by options_parse() when the command line is understood: sets the log
 * level; for commands with COMMAND_ROOT checks the capabilities and enters
 * --netns. Returns 0, or an exit code after saying why. */
int cmd_begin(const struct ctx *ctx);

/* Prints the error and returns the exit code that belongs to it: 3 for -EPERM,
 * -ENOSYS and -EOPNOTSUPP, else 1. */
int cmd_fail(const struct err *err);

/* "weir: COMMAND: ..." and a hint at --help; returns EXIT_USAGE. */
int cmd_usage(const struct ctx *ctx, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* The same for a command that does not exist: which one is alike? */
int cmd_unknown(const struct ctx *ctx, const char *name);

/* One JSON document on stdout, keys in the order in which they were set.
 * Takes the reference. (json_t of jansson.) */
struct json_t;
int cmd_json(struct json_t *doc);

extern bool cmd_json_lines; /* a document is one line: there are more */

int check_main(struct ctx *ctx, int argc, char **argv);
int explain_main(struct ctx *ctx, int argc, char **argv);
int run_main(struct ctx *ctx, int argc, char **argv);
int apply_main(struct ctx *ctx, int argc, char **argv);
int attach_main(struct ctx *ctx, int argc, char **argv);
int detach_main(struct ctx *ctx, int argc, char **argv);
int status_main(struct ctx *ctx, int argc, char **argv);
int routes_main(struct ctx *ctx, int argc, char **argv);
int endpoints_main(struct ctx *ctx, int argc, char **argv);
int endpoint_main(struct ctx *ctx, int argc, char **argv);
int flows_main(struct ctx *ctx, int argc, char **argv);
int stats_main(struct ctx *ctx, int argc, char **argv);
int monitor_main(struct ctx *ctx, int argc, char **argv);
int top_main(struct ctx *ctx, int argc, char **argv);
int metrics_main(struct ctx *ctx, int argc, char **argv);
int doctor_main(struct ctx *ctx, int argc, char **argv);
int completion_main(struct ctx *ctx, int argc, char **argv);
int help_main(struct ctx *ctx, int argc, char **argv);

/* Rows of the commands that have options of their own. */
extern const struct option_row options_attach[];
extern const struct option_row options_detach[];
extern const struct option_row options_explain[];
extern const struct option_row options_of_help[];
extern const struct option_row options_monitor[];
extern const struct option_row options_endpoints[];
extern const struct option_row options_flows[];
extern const struct option_row options_flows_order[];
extern const struct option_row options_routes[];
extern const struct option_row options_run[];
extern const struct option_row options_stats[];
extern const struct option_row options_top[];

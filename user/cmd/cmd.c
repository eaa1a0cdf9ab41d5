/* SPDX-License-Identifier: BSD-2-Clause */
#include "cmd/cmd.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "base/caps.h"
#include "base/log.h"
#include "base/netns.h"
#include "base/word.h"
#include "dp/home.h"

const struct command *command_find(const char *name)
{
	const struct command *cmd;

	for (cmd = commands; cmd->name; cmd++)
		if (!strcmp(cmd->name, name))
			return cmd;
	return NULL;
}

static void help_command(const struct command *cmd)
{
	size_t i;

	printf("usage: weir %s%s%s\n\n%s.\n", cmd->name, cmd->usage ? " " : "",
	       cmd->usage ?: "", cmd->summary);
	if (cmd->text)
		printf("\n%s\n", cmd->text);
	if (cmd->flags & COMMAND_ROOT)
		printf("\nNeeds root, or CAP_BPF, CAP_PERFMON and CAP_NET_ADMIN.\n");
	if (cmd->options[0])
		printf("\nOptions:\n");
	for (i = 0; i < OPTION_SETS && cmd->options[i]; i++)
		options_help(cmd->options[i]);
	printf("\nOptions of every command:\n");
	options_help(options_global);
}

void command_help(const struct command *cmd)
{
	if (cmd) {
		help_command(cmd);
		return;
	}
	printf("usage: weir COMMAND [options]\n\n"
	       "Kubernetes Ingress in the kernel: HTTP requests are routed to "
	       "endpoints\n"
	       "by an eBPF program, with no process on the way.\n\nCommands:\n");
	for (cmd = commands; cmd->name; cmd++)
		printf("  %-12s%s\n", cmd->name, cmd->summary);
	printf("\nOptions of every command:\n");
	options_help(options_global);
	printf("\n`weir help COMMAND` says more.\n");
}

int cmd_begin(const struct ctx *ctx)
{
	struct err err = {};

	const char *slash = strrchr(ctx->pin, '/');

	log_level = ctx->quiet ? -1 : ctx->verbose;
	/* The kernel keeps such names for itself, and says EPERM. */
	if (strchr(slash ?: ctx->pin, '.'))
		return cmd_usage(ctx, "--pin %s: no dots in names on a bpf filesystem",
				 ctx->pin);
	if (!(ctx->command->flags & COMMAND_ROOT))
		return 0;
	if (caps_check_bpf(&err) || (ctx->netns && netns_enter(ctx->netns, &err)))
		return cmd_fail(&err);
	if (!ctx->netns && ctx->command->flags & COMMAND_HOME)
		home_enter(ctx->pin);
	return 0;
}

int cmd_fail(const struct err *err)
{
	err_print(err);
	switch (-err->code) {
	case EPERM:
	case ENOSYS:
	case EOPNOTSUPP:
		return EXIT_REFUSED;
	default:
		return EXIT_FAILED;
	}
}

int cmd_usage(const struct ctx *ctx, const char *fmt, ...)
{
	const char *name = ctx->command ? ctx->command->name : NULL;
	va_list ap;

	fputs("weir: ", stderr);
	if (name)
		fprintf(stderr, "%s: ", name);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fprintf(stderr, "\nweir: hint: weir help%s%s\n", name ? " " : "", name ?: "");
	return EXIT_USAGE;
}

int cmd_unknown(const struct ctx *ctx, const char *name)
{
	struct word_search near = {.given = name};
	const struct command *cmd;

	for (cmd = commands; cmd->name; cmd++)
		word_try(&near, cmd->name);
	if (*near.best)
		return cmd_usage(ctx, "no such command: %s, did you mean %s?", name,
				 near.best);
	return cmd_usage(ctx, "no such command: %s", name);
}

bool cmd_json_lines;

int cmd_json(struct json_t *doc)
{
	size_t form = cmd_json_lines ? JSON_COMPACT : JSON_INDENT(2);
	int r = doc ? json_dumpf(doc, stdout, form | JSON_ENCODE_ANY) : -1;

	json_decref(doc);
	if (r) {
		fprintf(stderr, "weir: output: cannot be written as JSON\n");
		return EXIT_FAILED;
	}
	putchar('\n');
	return EXIT_DONE;
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include <jansson.h>

#include "cmd/cmd.h"

struct help_options {
	const char *man;
};

const struct option_row options_of_help[] = {
	{0, "man", "DATE", "as a manual page, without the prose of weir(8)",
	 OPTION_STRING, offsetof(struct help_options, man)},
	{},
};

static json_t *options_json(const struct option_row *rows)
{
	json_t *list = json_array();

	for (; rows->name; rows++) {
		char letter[2] = {rows->letter};

		json_array_append_new(list, json_pack("{s:s, s:s?, s:s?, s:s}", "name",
						      rows->name, "letter",
						      *letter ? letter : NULL, "value",
						      rows->arg, "text", rows->help));
	}
	return list;
}

static json_t *command_json(const struct command *cmd)
{
	json_t *all = json_array();
	size_t i;

	for (i = 0; i < OPTION_SETS && cmd->options[i]; i++) {
		json_t *some = options_json(cmd->options[i]);

		json_array_extend(all, some);
		json_decref(some);
	}
	return json_pack("{s:s, s:s, s:s?, s:b, s:o}", "name", cmd->name, "summary",
			 cmd->summary, "usage", cmd->usage, "needs_root",
			 !!(cmd->flags & COMMAND_ROOT), "options", all);
}

/* Of one command, or with NULL of all. */
static int print_json(const struct command *cmd)
{
	json_t *all = json_array();
	const struct command *one;

	for (one = commands; one->name; one++)
		if (!cmd || one == cmd)
			json_array_append_new(all, command_json(one));
	return cmd_json(json_pack("{s:o, s:o}", "commands", all, "options",
				  options_json(options_global)));
}

int help_main(struct ctx *ctx, int argc, char **argv)
{
	const struct command *cmd = NULL;
	struct help_options opt = {};
	void *const to[] = {&opt};
	int r = options_parse(ctx, to, &argc, argv);

	if (r)
		return r;
	if (argc > 2)
		return cmd_usage(ctx, "one command at a time");
	if (argc == 2) {
		cmd = command_find(argv[1]);
		if (!cmd)
			return cmd_unknown(ctx, argv[1]);
	}
	if (opt.man && !cmd)
		return cmd_usage(ctx, "--man: of which command?");
	if (ctx->output == OUTPUT_JSON)
		return print_json(cmd);
	if (opt.man)
		command_man(cmd, opt.man);
	else
		command_help(cmd);
	return EXIT_DONE;
}

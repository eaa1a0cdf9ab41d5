/* SPDX-License-Identifier: BSD-2-Clause */
#include "cmd/cmd.h"

struct help_options {
	const char *man;
};

const struct option_row options_of_help[] = {
	{0, "man", "DATE", "as a manual page, without the prose of weir(8)",
	 OPTION_STRING, offsetof(struct help_options, man)},
	{},
};

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
	if (opt.man)
		command_man(cmd, opt.man);
	else
		command_help(cmd);
	return EXIT_DONE;
}

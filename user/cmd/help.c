/* SPDX-License-Identifier: BSD-2-Clause */
#include "cmd/cmd.h"

int help_main(struct ctx *ctx, int argc, char **argv)
{
	const struct command *cmd = NULL;
	int r = options_parse(ctx, NULL, &argc, argv);

	if (r)
		return r;
	if (argc > 2)
		return cmd_usage(ctx, "one command at a time");
	if (argc == 2) {
		cmd = command_find(argv[1]);
		if (!cmd)
			return cmd_usage(ctx, "no such command: %s", argv[1]);
	}
	command_help(cmd);
	return EXIT_DONE;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Commands that are not linked yet; a definition of theirs takes precedence. */
#include "cmd/cmd.h"

const struct option_row options_explain[] __attribute__((weak)) = {{}};

static int absent(const struct ctx *ctx)
{
	return cmd_usage(ctx, "not in this build");
}

__attribute__((weak)) int check_main(struct ctx *ctx, int argc, char **argv)
{
	return absent(ctx);
}

__attribute__((weak)) int explain_main(struct ctx *ctx, int argc, char **argv)
{
	return absent(ctx);
}

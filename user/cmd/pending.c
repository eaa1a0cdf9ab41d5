/* SPDX-License-Identifier: BSD-2-Clause */
/* What other parts will define; a definition of theirs takes precedence. */
#include <errno.h>

#include "cmd/cmd.h"
#include "route/table.h"

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

__attribute__((weak)) int table_compile(const struct ir *ir, void **out, size_t *size,
					struct err *err)
{
	return err_set(err, -ENOSYS, "the route table's compiler is not in this build");
}

__attribute__((weak)) int table_check(const void *blob, size_t size, struct err *err)
{
	return err_set(err, -ENOSYS, "the route table's checker is not in this build");
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "cmd/watch.h"

#include <stdint.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/number.h"
#include "cmd/cmd.h"

#define USUAL "2"

const struct option_row options_watch[] = {
	{'w', "watch", "[=SECONDS]", "again and again (every " USUAL " seconds)",
	 OPTION_MAYBE, offsetof(struct watch_options, seconds)},
	{},
};

int watch_run(const struct ctx *ctx, const struct watch_options *opt,
	      int (*print)(const struct ctx *ctx, void *arg), void *arg)
{
	const char *given = opt->seconds && *opt->seconds ? opt->seconds : USUAL;
	bool redraw = ctx->output != OUTPUT_JSON && isatty(STDOUT_FILENO);
	struct timespec delay;
	uint64_t ms;
	int r;

	if (!opt->seconds)
		return print(ctx, arg);
	if (number_parse_ms(given, &ms) || ms < 10 || ms > 86400000)
		return cmd_usage(ctx, "--watch: not a number of seconds: %s", given);
	delay = (struct timespec){ms / 1000, ms % 1000 * 1000000L};
	cmd_json_lines = true;
	for (;;) {
		if (redraw)
			fputs("\033[H\033[J", stdout);
		r = print(ctx, arg);
		if (r)
			return r;
		if (fflush(stdout))
			return EXIT_FAILED;
		nanosleep(&delay, NULL);
	}
}

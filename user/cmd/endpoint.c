/* SPDX-License-Identifier: BSD-2-Clause */
/* weir endpoint: draining by hand. */
#include <errno.h>
#include <string.h>

#include <jansson.h>

#include "base/log.h"
#include "base/mem.h"
#include "cmd/cmd.h"
#include "dp/drain.h"
#include "dp/dp.h"
#include "dp/pin.h"

static int set(const char *pin, const char *what, bool drain, size_t *found,
	       struct err *err)
{
	auto_fd int lock = -1;
	struct dp dp;
	int r = dp_open(&dp, pin, err);

	if (r)
		return r;
	lock = pin_lock(pin, PIN_LOCK_CHANGE, err);
	r = lock < 0 ? lock : drain_set(&dp, what, drain, found, err);
	if (!r && !*found) {
		r = err_set(err, -ENOENT, "no such endpoint or Service: %s", what);
		err_hint(err, "weir endpoints");
	}
	dp_close(&dp);
	return r;
}

int endpoint_main(struct ctx *ctx, int argc, char **argv)
{
	struct err err = {};
	size_t found = 0;
	bool drain;
	int r = options_parse(ctx, NULL, &argc, argv);

	if (r)
		return r;
	if (argc != 3)
		return cmd_usage(ctx, "drain or undrain, and which one?");
	drain = !strcmp(argv[1], "drain");
	if (!drain && strcmp(argv[1], "undrain") != 0)
		return cmd_usage(ctx, "neither drain nor undrain: %s", argv[1]);
	if (set(ctx->pin, argv[2], drain, &found, &err))
		return cmd_fail(&err);
	if (ctx->output == OUTPUT_JSON)
		return cmd_json(json_pack("{s:s, s:b, s:I}", "named", argv[2],
					  "draining", drain, "endpoints",
					  (json_int_t)found));
	log_info("endpoint: %zu %s", found, drain ? "draining" : "no longer drained");
	return EXIT_DONE;
}

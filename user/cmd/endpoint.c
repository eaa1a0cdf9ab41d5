/* SPDX-License-Identifier: BSD-2-Clause */
/* weir endpoint: draining by hand. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/word.h"
#include "cmd/cmd.h"
#include "dp/drain.h"
#include "dp/dp.h"
#include "dp/mapio.h"
#include "dp/pin.h"

static int try_names(const void *key, const void *value, void *arg)
{
	const struct weir_endpoint *ep = value;
	char service[WEIR_NAME_MAX];

	snprintf(service, sizeof(service), "%s", ep->service);
	word_try(arg, ep->text);
	word_try(arg, service);
	*strchrnul(service, ':') = '\0';
	word_try(arg, service);
	return 0;
}

static int no_such(const struct dp *dp, const char *what, struct err *err)
{
	struct word_search near = {.given = what};
	struct err ignored = {};

	map_each(dp->map[DP_MAP_endpoints], try_names, &near, &ignored);
	err_set(err, -ENOENT, "no such endpoint or Service: %s", what);
	return *near.best ? err_hint(err, "did you mean %s?", near.best)
			  : err_hint(err, "weir endpoints shows them");
}

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
	if (!r && !*found)
		r = no_such(&dp, what, err);
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
		return cmd_usage(ctx, "%s is neither drain nor undrain", argv[1]);
	if (set(ctx->pin, argv[2], drain, &found, &err))
		return cmd_fail(&err);
	if (ctx->output == OUTPUT_JSON)
		return cmd_json(json_pack("{s:s, s:b, s:I}", "named", argv[2],
					  "draining", drain, "endpoints",
					  (json_int_t)found));
	log_info("endpoint: %zu %s", found, drain ? "draining" : "no longer drained");
	return EXIT_DONE;
}

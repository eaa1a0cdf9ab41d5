/* SPDX-License-Identifier: BSD-2-Clause */
/* weir attach, weir detach: hooks by hand. */
#include <errno.h>
#include <string.h>

#include <jansson.h>

#include "base/log.h"
#include "base/mem.h"
#include "cmd/cmd.h"
#include "dp/attach.h"
#include "dp/dp.h"
#include "dp/home.h"
#include "dp/iface.h"
#include "dp/listeners.h"
#include "dp/pin.h"

struct attach_options {
	struct words listeners;
};

const struct option_row options_attach[] = {
	{'l', "listen", "ADDR:PORT[/http]", "where clients connect to; repeatable",
	 OPTION_LIST, offsetof(struct attach_options, listeners)},
	{},
};

struct detach_options {
	bool all;
};

const struct option_row options_detach[] = {
	{'a', "all", NULL, "every hook and every pin; connections end", OPTION_FLAG,
	 offsetof(struct detach_options, all)},
	{},
};

static int parse_listeners(const struct words *texts, const struct names *ifaces,
			   struct listeners *out, struct err *err)
{
	struct words split = {};
	size_t i;
	int r = words_split(texts, &split) ? err_set(err, -ENOMEM, "out of memory") : 0;

	for (i = 0; !r && i < split.len; i++)
		r = listeners_parse(split.item[i], (const char *const *)ifaces->item,
				    ifaces->len, out, err);
	words_free(&split);
	return r;
}

/* Takes off what this call attached; a data path that it made goes altogether. */
static void undo(const struct dp *dp, const struct names *ifaces, size_t done)
{
	struct err ignored = {};
	size_t i;

	for (i = 0; i < done; i++)
		detach_iface(dp, ifaces->item[i], &ignored);
	if (!dp->adopted)
		dp_remove(dp->pin, &ignored);
}

static bool is_attached(const struct attachments *before, const char *name)
{
	size_t i;

	for (i = 0; i < before->len; i++)
		if (before->item[i].live && !strcmp(before->item[i].name, name))
			return true;
	return false;
}

static int attach_all(const struct dp *dp, const struct names *ifaces, struct err *err)
{
	struct attachments before = {};
	struct names made = {};
	int r = attach_list(dp, &before, err);
	size_t i;

	for (i = 0; !r && i < ifaces->len; i++) {
		r = attach_iface(dp, ifaces->item[i], err);
		if (!r && !is_attached(&before, ifaces->item[i])) {
			char **slot = vec_push(&made);

			if (slot)
				*slot = ifaces->item[i];
		}
	}
	if (r)
		undo(dp, &made, made.len);
	vec_free(&made);
	vec_free(&before);
	return r;
}

/* An existing data path is used as it is; a new one has an empty route table. */
static int open_or_load(struct dp *dp, const char *pin, struct err *err)
{
	struct err absent = {};
	int r = dp_open(dp, pin, &absent);

	if (!r) {
		r = home_check(dp, err);
		if (r)
			dp_close(dp);
		return r;
	}
	if (r != -ENOENT) {
		*err = absent;
		return r;
	}
	r = dp_load(dp, pin, 0, err);
	if (r)
		return r;
	r = dp_publish(dp, err);
	if (r) {
		dp_remove(pin, &absent);
		dp_close(dp);
	}
	return r;
}

static json_t *names_json(const char *const *name, size_t count)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < count; i++)
		json_array_append_new(list, json_string(name[i]));
	return list;
}

/* Interfaces that were asked for, and every listener there is. */
static json_t *attached_json(const struct dp *dp, const struct names *ifaces)
{
	struct listener_rows rows = {};
	json_t *listeners = json_array();
	struct err ignored = {};
	size_t i;

	listeners_list(dp, &rows, &ignored);
	for (i = 0; i < rows.len; i++)
		json_array_append_new(listeners, json_string(rows.item[i].text));
	vec_free(&rows);
	return json_pack("{s:s, s:o, s:o}", "pin", dp->pin, "interfaces",
			 names_json((const char *const *)ifaces->item, ifaces->len),
			 "listeners", listeners);
}

static int attach_run(const char *pin, const struct words *patterns,
		      const struct words *texts, json_t **doc, struct err *err)
{
	struct listeners listeners = {};
	struct names ifaces = {};
	auto_fd int lock = -1;
	struct dp dp;
	int r = iface_find(patterns->item, patterns->len, true, &ifaces, err);

	if (!r)
		r = parse_listeners(texts, &ifaces, &listeners, err);
	if (!r)
		r = pin_mkdirs(pin, err);
	if (!r) {
		lock = pin_lock(pin, PIN_LOCK_CHANGE, err);
		r = lock < 0 ? lock : pin_no_agent(pin, err);
	}
	if (!r)
		r = open_or_load(&dp, pin, err);
	if (!r) {
		r = listeners_set(&dp, &listeners, false, err);
		if (!r)
			r = attach_all(&dp, &ifaces, err);
		if (!r)
			*doc = attached_json(&dp, &ifaces);
		dp_close(&dp);
	}
	vec_free(&listeners);
	names_free(&ifaces);
	return r;
}

static int say(const struct ctx *ctx, json_t *doc)
{
	if (ctx->output == OUTPUT_JSON)
		return cmd_json(doc);
	json_decref(doc);
	return EXIT_DONE;
}

int attach_main(struct ctx *ctx, int argc, char **argv)
{
	struct attach_options opt = {};
	void *const to[] = {&opt};
	struct words operands = {}, patterns = {};
	struct err err = {};
	json_t *doc = NULL;
	int i, r = options_parse(ctx, to, &argc, argv);

	if (r)
		goto out;
	r = EXIT_USAGE;
	if (argc < 2) {
		cmd_usage(ctx, "which interface?");
		goto out;
	}
	for (i = 1; i < argc; i++) {
		const char **slot = vec_push(&operands);

		if (slot)
			*slot = argv[i];
	}
	words_split(&operands, &patterns);
	r = attach_run(ctx->pin, &patterns, &opt.listeners, &doc, &err);
	r = r ? cmd_fail(&err) : say(ctx, doc);
out:
	vec_free(&operands);
	words_free(&patterns);
	vec_free(&opt.listeners);
	return r;
}

static int detach_some(const char *pin, int argc, char **argv, struct err *err)
{
	auto_fd int lock = -1;
	struct dp dp;
	int i, r = dp_open(&dp, pin, err);

	if (r)
		return r;
	lock = pin_lock(pin, PIN_LOCK_CHANGE, err);
	r = lock < 0 ? lock : pin_no_agent(pin, err);
	for (i = 1; !r && i < argc; i++)
		r = detach_iface(&dp, argv[i], err);
	dp_close(&dp);
	return r;
}

/* Both locks: with an agent running, what it serves would be cut from under it;
 * and none may start meanwhile. */
static int detach_everything(const char *pin, struct err *err)
{
	auto_fd int agent = pin_lock(pin, PIN_LOCK_AGENT, err);
	auto_fd int change = -1;

	if (agent < 0 && agent != -ENOENT)
		return err_hint(err, "stop it first");
	change = pin_lock(pin, PIN_LOCK_CHANGE, err);
	/* Nothing to be locked is nothing to wait for. */
	if (change < 0 && change != -ENOENT)
		return change;
	return dp_remove(pin, err);
}

int detach_main(struct ctx *ctx, int argc, char **argv)
{
	struct detach_options opt = {};
	void *const to[] = {&opt};
	struct err err = {};
	int r = options_parse(ctx, to, &argc, argv);

	if (r)
		return r;
	if (opt.all == (argc > 1))
		return cmd_usage(ctx, opt.all ? "--all, or interfaces, not both"
					      : "which interface? --all is every one");
	r = opt.all ? detach_everything(ctx->pin, &err)
		    : detach_some(ctx->pin, argc, argv, &err);
	if (r)
		return cmd_fail(&err);
	return say(ctx, json_pack("{s:s, s:b, s:o}", "pin", ctx->pin, "all", opt.all,
				  "interfaces",
				  names_json((const char *const *)argv + 1, argc - 1)));
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "agent/settle.h"

#include <string.h>

#include "base/log.h"
#include "dp/attach.h"
#include "dp/dp.h"
#include "dp/listeners.h"

static int parse_listeners(const struct agent_options *opt, const struct names *ifaces,
			   struct listeners *out, struct err *err)
{
	size_t i;
	int r = 0;

	for (i = 0; !r && i < opt->listener_count; i++)
		r = listeners_parse(opt->listeners[i],
				    (const char *const *)ifaces->item, ifaces->len, out,
				    err);
	return r;
}

static bool is_wanted(const struct names *ifaces, const char *name)
{
	size_t i;

	for (i = 0; i < ifaces->len; i++)
		if (!strcmp(ifaces->item[i], name))
			return true;
	return false;
}

/* Hooks on what matches now, and on nothing else. */
static int settle_hooks(struct dp *dp, const struct names *ifaces, struct err *err)
{
	struct attachments have = {};
	size_t i, k;
	int r = attach_list(dp, &have, err);

	for (i = 0; !r && i < have.len; i++)
		if (!is_wanted(ifaces, have.item[i].name))
			r = detach_iface(dp, have.item[i].name, err);
	for (i = 0; !r && i < ifaces->len; i++) {
		bool is_live = false;

		for (k = 0; k < have.len; k++)
			is_live |= have.item[k].live &&
				   !strcmp(have.item[k].name, ifaces->item[i]);
		if (is_live)
			continue;
		r = attach_iface(dp, ifaces->item[i], err);
		if (!r)
			log_info("attached to %s", ifaces->item[i]);
	}
	vec_free(&have);
	return r;
}

int settle_listeners(struct dp *dp, const struct agent_options *opt, uint16_t mss,
		     const struct names *ifaces, struct err *err)
{
	struct listeners listeners = {};
	int r = parse_listeners(opt, ifaces, &listeners, err);

	if (!r)
		r = listeners_set(dp, &listeners, true, err);
	if (!r)
		r = listeners_set_mss(dp, mss, err);
	vec_free(&listeners);
	return r;
}

int settle(struct dp *dp, const struct agent_options *opt, uint16_t mss,
	   struct err *err)
{
	struct names ifaces = {};
	int r = iface_find(opt->ifaces, opt->iface_count, false, &ifaces, err);

	if (!r)
		r = settle_listeners(dp, opt, mss, &ifaces, err);
	if (!r)
		r = settle_hooks(dp, &ifaces, err);
	names_free(&ifaces);
	return r;
}

int settle_check(const struct agent_options *opt, struct err *err)
{
	struct listeners listeners = {};
	struct names ifaces = {};
	int r = iface_find(opt->ifaces, opt->iface_count, true, &ifaces, err);

	if (!r)
		r = parse_listeners(opt, &ifaces, &listeners, err);
	vec_free(&listeners);
	names_free(&ifaces);
	return r;
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "dp/home.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "base/log.h"
#include "base/netns.h"
#include "dp/attach.h"
#include "dp/dp.h"

/* 0: here. 1: nowhere any more. -EXDEV and the sentence: elsewhere. */
static int find_home(const struct weir_settings *s, const char *pin, struct err *err)
{
	char path[PATH_MAX];

	if (s->netns == netns_inode())
		return 0;
	if (netns_find(s->netns, path, sizeof(path))) {
		log_debug("the network namespace of %s is gone", pin);
		return 1;
	}
	err_set(err, -EXDEV, "the data path under %s is of another network namespace",
		pin);
	err_where(err, "%s", path);
	return err_hint(err, "--netns %s, or --pin DIR for a data path of its own",
			strncmp(path, "/run/netns/", 11) ? path : path + 11);
}

int home_check(const struct dp *dp, struct err *err)
{
	struct weir_settings s;
	int r = dp_settings_read(dp, &s, err);

	if (!r)
		r = find_home(&s, dp->pin, err);
	if (r <= 0)
		return r;
	r = detach_all(dp, err);
	s.netns = netns_inode();
	return r ? r : dp_settings_write(dp, &s, err);
}

int home_inherit(const struct dp *dp, const struct weir_settings *old, int attachments,
		 struct err *err)
{
	int r = find_home(old, dp->pin, err);

	return r ? (r < 0 ? r : 0) : attach_inherit(dp, attachments, err);
}

void home_enter(const char *pin)
{
	struct weir_settings s;
	struct err ignored = {};
	char path[PATH_MAX];
	struct dp dp;

	if (dp_open(&dp, pin, &ignored))
		return;
	if (!dp_settings_read(&dp, &s, &ignored) && s.netns != netns_inode() &&
	    !netns_find(s.netns, path, sizeof(path)))
		netns_enter(path, &ignored);
	dp_close(&dp);
}

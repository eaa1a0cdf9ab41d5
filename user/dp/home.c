/* SPDX-License-Identifier: BSD-2-Clause */
#include "dp/home.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "base/log.h"
#include "base/netns.h"
#include "dp/attach.h"
#include "dp/dp.h"

static int move_here(const struct dp *dp, struct weir_settings *s, struct err *err)
{
	int r = detach_all(dp, err);

	log_debug("the network namespace of %s is gone", dp->pin);
	s->netns = netns_inode();
	return r ? r : dp_settings_write(dp, s, err);
}

int home_check(const struct dp *dp, struct err *err)
{
	struct weir_settings s;
	char path[PATH_MAX];
	int r = dp_settings_read(dp, &s, err);

	if (r || s.netns == netns_inode())
		return r;
	if (netns_find(s.netns, path, sizeof(path)))
		return move_here(dp, &s, err);
	err_set(err, -EXDEV, "the data path under %s is of another network namespace",
		dp->pin);
	err_where(err, "%s", path);
	return err_hint(err, "--netns %s, or --pin DIR for a data path of its own",
			strncmp(path, "/run/netns/", 11) ? path : path + 11);
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

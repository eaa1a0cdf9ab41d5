/* SPDX-License-Identifier: BSD-2-Clause */
#include "dp/iface.h"

#include <errno.h>
#include <fnmatch.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "base/mem.h"
#include "base/word.h"

void names_free(struct names *n)
{
	size_t i;

	for (i = 0; i < n->len; i++)
		free(n->item[i]);
	vec_free(n);
}

int iface_check(const char *name, struct err *err)
{
	auto_fd int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq req = {};

	snprintf(req.ifr_name, sizeof(req.ifr_name), "%s", name);
	if (fd < 0 || ioctl(fd, SIOCGIFHWADDR, &req)) {
		err_set(err, -errno, "its type: %s", strerror(errno));
		return err_where(err, "%s", name);
	}
	if (req.ifr_hwaddr.sa_family != ARPHRD_ETHER &&
	    req.ifr_hwaddr.sa_family != ARPHRD_LOOPBACK) {
		err_set(err, -EOPNOTSUPP,
			"no Ethernet headers (as tun, WireGuard): not supported");
		return err_where(err, "%s", name);
	}
	return 0;
}

static bool has_name(const struct names *n, const char *name)
{
	size_t i;

	for (i = 0; i < n->len; i++)
		if (!strcmp(n->item[i], name))
			return true;
	return false;
}

static int add_name(struct names *n, const char *name)
{
	char **slot;

	if (has_name(n, name))
		return 0;
	slot = vec_push(n);
	if (!slot)
		return -ENOMEM;
	*slot = strdup(name);
	if (*slot)
		return 0;
	n->len--;
	return -ENOMEM;
}

static int add_matches(struct names *n, const char *pattern,
		       const struct if_nameindex *all)
{
	bool is_plain = !strpbrk(pattern, "*?[");
	struct err ignored = {};
	int r = 0;

	for (; !r && all->if_index; all++) {
		if (fnmatch(pattern, all->if_name, 0))
			continue;
		if (is_plain || (strcmp(all->if_name, "lo") != 0 &&
				 !iface_check(all->if_name, &ignored)))
			r = add_name(n, all->if_name);
	}
	return r;
}

/* With the one that was meant, or else all. */
static int no_such(const char *name, const struct if_nameindex *all, struct err *err)
{
	struct word_search near = {.given = name};
	char list[200] = "";

	err_set(err, -ENODEV, "no such interface: %s", name);
	for (; all->if_index; all++) {
		size_t len = strlen(list);

		snprintf(list + len, sizeof(list) - len, "%s%s", len ? ", " : "",
			 all->if_name);
		word_try(&near, all->if_name);
	}
	return *near.best ? err_hint(err, "did you mean %s?", near.best)
			  : err_hint(err, "there are: %s", list);
}

int iface_find(const char *const *patterns, size_t count, bool all_must_exist,
	       struct names *out, struct err *err)
{
	struct if_nameindex *all = if_nameindex();
	struct names found = {};
	size_t i;
	int r = 0;

	if (!all)
		return err_set(err, -errno, "interfaces: %s", strerror(errno));
	for (i = 0; !r && i < count; i++) {
		size_t before = found.len;

		r = add_matches(&found, patterns[i], all);
		if (r)
			err_set(err, r, "interfaces: %s", strerror(-r));
		else if (all_must_exist && found.len == before &&
			 !has_name(&found, patterns[i]) && !strpbrk(patterns[i], "*?["))
			r = no_such(patterns[i], all, err);
	}
	if (!r && all_must_exist && !found.len)
		r = err_set(err, -ENODEV, "no interface matches");
	if_freenameindex(all);
	if (r) {
		names_free(&found);
		return r;
	}
	*out = found;
	return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "dp/tcx.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "base/mem.h"
#include "dp/dp.h"
#include "dp/pin.h"

#define TCX_FIRST (1u << 3) /* BPF_F_BEFORE, and nobody named */

/* What BPF_OBJ_GET_INFO_BY_FD says of a TCX link (6.6); older headers know
 * only the first three fields. */
struct tcx_link_info {
	uint32_t type, id, prog_id, pad;
	uint32_t ifindex, attach_type;
	uint32_t rest[16];
};

/* ---- pins ---- */

struct pinned {
	int fd; /* the caller closes it; -1: none */
	char name[NAME_MAX + 1];
	uint32_t ifindex; /* 0 when the interface is gone */
	uint32_t prog_id;
};

static struct pinned open_pin(const struct dp *dp, const char *name)
{
	struct pinned p = {.fd = pin_get(dp->pin, "links", name)};
	struct tcx_link_info info = {};
	uint32_t len = sizeof(info);

	if (p.fd < 0 || bpf_obj_get_info_by_fd(p.fd, &info, &len))
		return p;
	snprintf(p.name, sizeof(p.name), "%s", name);
	p.ifindex = info.ifindex;
	p.prog_id = info.prog_id;
	return p;
}

/* The first pin in the directory whose link is that of the interface; 0: of one that
 * is gone. */
static struct pinned search_pin(const struct dp *dp, uint32_t ifindex)
{
	DIR *d = opendir(pin_path(dp->pin, "links", "").s);
	struct pinned p = {.fd = -1};
	struct dirent *e;

	while (d && p.fd < 0 && (e = readdir(d))) {
		if (e->d_name[0] == '.')
			continue;
		p = open_pin(dp, e->d_name);
		if (p.fd >= 0 && p.ifindex != ifindex) {
			mem_close_fd(&p.fd);
			p.fd = -1;
		}
	}
	if (d)
		closedir(d);
	return p;
}

/* The link that hangs on the interface; true in every network namespace. Under
 * `name`, or another one if names have changed hands. */
static struct pinned find_pin(const struct dp *dp, const char *name, uint32_t ifindex)
{
	struct pinned p = open_pin(dp, name);

	if (p.fd >= 0 && p.ifindex == ifindex)
		return p;
	mem_close_fd(&p.fd);
	return search_pin(dp, ifindex);
}

/* The name of the interface; with its number when an interface that was called so has
 * a link under that name. No interface is called like that: colons are not allowed. */
static void choose_name(const struct dp *dp, const char *name, uint32_t ifindex,
			char *out, size_t size)
{
	struct pinned p = open_pin(dp, name);

	if (p.fd >= 0 && p.ifindex)
		snprintf(out, size, "%s:%u:", name, ifindex);
	else
		snprintf(out, size, "%s", name);
	mem_close_fd(&p.fd);
}

/* ---- links ---- */

static bool is_unknown_hook(int code)
{
	return code == -EINVAL || code == -EOPNOTSUPP || code == -ENOTSUP;
}

int tcx_attach(const struct dp *dp, const char *name, uint32_t ifindex, struct err *err)
{
	DECLARE_LIBBPF_OPTS(bpf_link_create_opts, opts, .flags = TCX_FIRST);
	auto_fd int link =
		bpf_link_create(dp->prog, ifindex, ATTACH_TCX_INGRESS, &opts);
	char pin_name[IF_NAMESIZE + 16];

	if (link < 0 && is_unknown_hook(-errno))
		return -EOPNOTSUPP;
	if (link < 0) {
		if (errno == EPERM)
			err_set(err, -EPERM,
				"attaching: not permitted: CAP_NET_ADMIN missing");
		else
			err_set(err, -errno, "attaching: %s", strerror(errno));
		return err_where(err, "%s", name);
	}
	choose_name(dp, name, ifindex, pin_name, sizeof(pin_name));
	return pin_put(dp->pin, "links", pin_name, link, err);
}

bool tcx_is_live(const struct dp *dp, const char *name, uint32_t ifindex)
{
	struct pinned p = find_pin(dp, name, ifindex);
	bool is_live = p.fd >= 0;

	mem_close_fd(&p.fd);
	return is_live;
}

int tcx_replace(const struct dp *dp, const char *name, uint32_t ifindex,
		struct err *err)
{
	struct pinned p = find_pin(dp, name, ifindex);
	int r = bpf_link_update(p.fd, dp->prog, NULL) ? -errno : 0;

	mem_close_fd(&p.fd);
	if (!r)
		return 0;
	err_set(err, r, "putting the new program in place: %s", strerror(-r));
	return err_where(err, "%s", name);
}

static int remove_pin(const struct dp *dp, const struct pinned *p, struct err *err)
{
	if (!unlink(pin_path(dp->pin, "links", p->name).s) || errno == ENOENT)
		return 0;
	err_set(err, -errno, "detaching: %s", strerror(errno));
	return err_where(err, "%s", p->name);
}

int tcx_detach(const struct dp *dp, const char *name, uint32_t ifindex, struct err *err)
{
	struct pinned p = find_pin(dp, name, ifindex);
	int r = 0;

	if (p.fd >= 0) {
		/* Also off when another process holds the link open. */
		bpf_link_detach(p.fd);
		mem_close_fd(&p.fd);
		return remove_pin(dp, &p, err);
	}
	/* Of interfaces that are gone only pins are left, no matter whose. */
	for (p = search_pin(dp, 0); !r && p.fd >= 0; p = search_pin(dp, 0)) {
		mem_close_fd(&p.fd);
		r = remove_pin(dp, &p, err);
	}
	return r;
}

uint32_t tcx_programs(const struct dp *dp, const char *name, uint32_t ifindex,
		      struct hook_program *out, uint32_t max)
{
	struct pinned p = find_pin(dp, name, ifindex);
	uint32_t ids[64], count = sizeof(ids) / sizeof(ids[0]), i;

	mem_close_fd(&p.fd);
	if (bpf_prog_query(ifindex, ATTACH_TCX_INGRESS, 0, NULL, ids, &count))
		return 0;
	for (i = 0; i < count && i < max; i++) {
		auto_fd int fd = bpf_prog_get_fd_by_id(ids[i]);
		struct bpf_prog_info info = {};
		uint32_t len = sizeof(info);

		out[i] = (struct hook_program){.id = ids[i],
					       .is_ours = p.prog_id == ids[i]};
		if (fd >= 0 && !bpf_obj_get_info_by_fd(fd, &info, &len))
			snprintf(out[i].name, sizeof(out[i].name), "%.15s", info.name);
	}
	return count;
}

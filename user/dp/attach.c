/* SPDX-License-Identifier: BSD-2-Clause */
#include "dp/attach.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "base/mem.h"
#include "dp/clsact.h"
#include "dp/dp.h"
#include "dp/iface.h"
#include "dp/mapio.h"
#include "dp/peer.h"
#include "dp/pin.h"
#include "dp/tcx.h"

/* ---- the attachments map ---- */

struct record {
	uint32_t ifindex;
	struct weir_attachment at;
};

struct records vec_of(struct record);

struct reading {
	struct records *out;
	size_t size; /* of a value: another version's map may have shorter ones */
};

static int add_record(const void *key, const void *value, void *arg)
{
	struct reading *from = arg;
	struct record *rec = vec_push(from->out);

	if (!rec)
		return -ENOMEM;
	*rec = (struct record){};
	memcpy(&rec->ifindex, key, sizeof(rec->ifindex));
	memcpy(&rec->at, value, from->size);
	return 0;
}

static int read_records_of(int fd, struct records *out, struct err *err)
{
	struct reading to = {.out = out};
	struct bpf_map_info info = {};
	uint32_t len = sizeof(info);

	if (bpf_obj_get_info_by_fd(fd, &info, &len))
		return err_set(err, -errno, "map attachments: %s", strerror(errno));
	to.size = info.value_size < sizeof(out->item->at) ? info.value_size
							  : sizeof(out->item->at);
	return map_each(fd, add_record, &to, err);
}

static int read_records(const struct dp *dp, struct records *out, struct err *err)
{
	return read_records_of(dp->map[DP_MAP_attachments], out, err);
}

static int write_record(const struct dp *dp, uint32_t ifindex,
			const struct weir_attachment *at, struct err *err)
{
	if (bpf_map_update_elem(dp->map[DP_MAP_attachments], &ifindex, at, BPF_ANY))
		return err_set(err, -errno, "map attachments: %s", strerror(errno));
	return 0;
}

static void drop_record(const struct dp *dp, uint32_t ifindex)
{
	bpf_map_delete_elem(dp->map[DP_MAP_attachments], &ifindex);
}

bool attach_may_use_tcx(void)
{
	const char *no = getenv("WEIR_NO_TCX");

	return !no || strcmp(no, "1") != 0;
}

static bool interface_exists(uint32_t ifindex)
{
	char name[IF_NAMESIZE];

	return if_indextoname(ifindex, name);
}

static bool is_live(const struct dp *dp, const struct record *rec)
{
	if (rec->at.kind == WEIR_HOOK_CLSACT)
		return interface_exists(rec->ifindex) &&
		       clsact_is_live(rec->ifindex, &rec->at);
	return tcx_is_live(dp, rec->at.name, rec->ifindex);
}

static int replace_one(const struct dp *dp, const struct record *rec, struct err *err)
{
	if (rec->at.kind == WEIR_HOOK_CLSACT)
		return clsact_replace(rec->ifindex, dp->prog, &rec->at, err);
	return tcx_replace(dp, rec->at.name, rec->ifindex, err);
}

static int detach_one(const struct dp *dp, const struct record *rec, struct err *err)
{
	int r = 0;

	if (rec->at.kind == WEIR_HOOK_TCX)
		r = tcx_detach(dp, rec->at.name, rec->ifindex, err);
	else if (interface_exists(rec->ifindex))
		r = clsact_detach(rec->ifindex, &rec->at, err);
	if (!r)
		drop_record(dp, rec->ifindex);
	return r;
}

struct remember {
	const struct dp *dp;
	uint32_t ifindex;
	struct err *err;
};

static int remember(const struct weir_attachment *at, void *arg)
{
	struct remember *m = arg;

	return write_record(m->dp, m->ifindex, at, m->err);
}

static int attach_new(const struct dp *dp, const char *name, uint32_t ifindex,
		      struct err *err)
{
	struct record rec = {.ifindex = ifindex, .at = {.kind = WEIR_HOOK_TCX}};
	struct remember m = {dp, ifindex, err};
	int r = -EOPNOTSUPP;

	snprintf(rec.at.name, sizeof(rec.at.name), "%s", name);
	rec.at.peer = peer_is_direct(ifindex);
	if (attach_may_use_tcx()) {
		r = write_record(dp, ifindex, &rec.at, err);
		if (!r)
			r = tcx_attach(dp, name, ifindex, err);
	}
	if (r == -EOPNOTSUPP)
		r = clsact_attach(ifindex, dp->prog, &rec.at, remember, &m, err);
	if (r)
		drop_record(dp, ifindex);
	return r;
}

/* Attached under this name once, and no more. One that lives may have been renamed
 * since, and is not meant. */
static bool is_gone(const struct dp *dp, const struct record *rec, const char *name)
{
	return !strcmp(rec->at.name, name) && !is_live(dp, rec);
}

static const struct record *find_gone(const struct dp *dp, const struct records *all,
				      const char *name)
{
	size_t i;

	for (i = 0; i < all->len; i++)
		if (is_gone(dp, &all->item[i], name))
			return &all->item[i];
	return NULL;
}

static const struct record *find_ifindex(const struct records *all, uint32_t ifindex)
{
	size_t i;

	for (i = 0; i < all->len; i++)
		if (all->item[i].ifindex == ifindex)
			return &all->item[i];
	return NULL;
}

/* The other end may have moved, or something may hang on the egress by now. */
static int refresh_peer(const struct dp *dp, const struct record *rec, struct err *err)
{
	struct weir_attachment at = rec->at;

	at.peer = peer_is_direct(rec->ifindex);
	return at.peer == rec->at.peer ? 0 : write_record(dp, rec->ifindex, &at, err);
}

int attach_iface(const struct dp *dp, const char *name, struct err *err)
{
	struct records all = {};
	const struct record *rec;
	uint32_t ifindex = if_nametoindex(name);
	size_t i;
	int r;

	if (!ifindex)
		return err_set(err, -ENODEV, "no such interface: %s", name);
	r = iface_check(name, err);
	if (r)
		return r;
	r = read_records(dp, &all, err);
	if (r)
		goto out;
	rec = find_ifindex(&all, ifindex);
	if (rec && is_live(dp, rec)) {
		r = replace_one(dp, rec, err);
		if (!r)
			r = refresh_peer(dp, rec, err);
		goto out;
	}
	/* What is known under this name or number is of an interface that is gone. */
	if (rec)
		r = detach_one(dp, rec, err);
	for (i = 0; !r && i < all.len; i++)
		if (all.item[i].ifindex != ifindex && is_gone(dp, &all.item[i], name))
			r = detach_one(dp, &all.item[i], err);
	if (!r)
		r = attach_new(dp, name, ifindex, err);
out:
	vec_free(&all);
	return r;
}

int attach_inherit(const struct dp *dp, int from, struct err *err)
{
	struct records all = {};
	int r = read_records_of(from, &all, err);
	size_t i;

	for (i = 0; !r && i < all.len; i++)
		r = write_record(dp, all.item[i].ifindex, &all.item[i].at, err);
	vec_free(&all);
	return r;
}

int attach_replace(const struct dp *dp, struct err *err)
{
	struct records all = {};
	int r = read_records(dp, &all, err);
	size_t i;

	for (i = 0; !r && i < all.len; i++) {
		const struct record *rec = &all.item[i];

		if (is_live(dp, rec))
			r = replace_one(dp, rec, err);
		else
			r = detach_one(dp, rec, err);
	}
	vec_free(&all);
	return r;
}

static void list_programs(const struct dp *dp, const struct record *rec,
			  struct attachment *a)
{
	int filters = clsact_filters(rec->ifindex, false);
	uint32_t count = 0;

	if (rec->at.kind == WEIR_HOOK_TCX)
		count = tcx_programs(dp, rec->at.name, rec->ifindex, a->programs,
				     HOOK_PROGRAMS);
	a->program_count = count < HOOK_PROGRAMS ? count : HOOK_PROGRAMS;
	count += filters > 0 ? filters : 0;
	a->others = a->live && count ? count - 1 : count;
}

int attach_list(const struct dp *dp, struct attachments *out, struct err *err)
{
	struct records all = {};
	int r = read_records(dp, &all, err);
	size_t i;

	for (i = 0; !r && i < all.len; i++) {
		const struct record *rec = &all.item[i];
		struct attachment *a = vec_push(out);

		if (!a) {
			r = err_set(err, -ENOMEM, "out of memory");
			break;
		}
		a->ifindex = rec->ifindex;
		a->kind = rec->at.kind;
		a->made_qdisc = rec->at.made_qdisc;
		a->live = is_live(dp, rec);
		list_programs(dp, rec, a);
		if (!if_indextoname(rec->ifindex, a->name))
			snprintf(a->name, sizeof(a->name), "%.15s", rec->at.name);
	}
	vec_free(&all);
	return r;
}

int detach_iface(const struct dp *dp, const char *name, struct err *err)
{
	struct records all = {};
	const struct record *rec;
	int r = read_records(dp, &all, err);

	if (!r) {
		rec = find_ifindex(&all, if_nametoindex(name));
		if (!rec)
			rec = find_gone(dp, &all, name);
		r = rec ? detach_one(dp, rec, err)
			: err_set(err, -ENOENT, "not attached: %s", name);
	}
	vec_free(&all);
	return r;
}

int detach_all(const struct dp *dp, struct err *err)
{
	struct records all = {};
	int first = 0, r = read_records(dp, &all, err);
	size_t i;

	if (r)
		return r;
	for (i = 0; i < all.len; i++) {
		r = detach_one(dp, &all.item[i], err);
		first = first ?: r;
	}
	vec_free(&all);
	return first;
}

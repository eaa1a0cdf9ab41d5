/* SPDX-License-Identifier: BSD-2-Clause */
/* The program and its maps: into the kernel, under PIN, and out again. */
#include "dp/dp.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "weir.skel.h"

#include "base/log.h"
#include "base/mem.h"
#include "dp/attach.h"
#include "dp/cookies.h"
#include "dp/home.h"
#include "dp/init.h"
#include "dp/layout.h"
#include "dp/mapio.h"
#include "dp/pin.h"
#include "dp/probe.h"

#define DP_MAP_NAME(name) #name,
const char *const dp_map_names[DP_MAP_COUNT] = {DP_MAPS(DP_MAP_NAME)};
#undef DP_MAP_NAME

/* ---- what libbpf says ---- */

/* The last line of the verifier before its statistics, for one sentence. */
static char refusal[256];

static void keep_refusal(const char *text)
{
	const char *end = strstr(text, "\nprocessed ");
	const char *start;

	if (!end)
		return;
	for (start = end; start > text && start[-1] != '\n'; start--)
		;
	snprintf(refusal, sizeof(refusal), "%.*s", (int)(end - start), start);
}

static int on_libbpf(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	auto_free char *text = NULL;

	if (vasprintf(&text, fmt, ap) < 0) {
		text = NULL;
		return 0;
	}
	keep_refusal(text);
	if (log_level >= 2 && (level != LIBBPF_DEBUG || log_level >= 3))
		fputs(text, stderr);
	return 0;
}

static int load_error(int r, struct err *err)
{
	struct utsname kernel = {};
	char missing[256];

	uname(&kernel);
	if (r == -EPERM) {
		err_set(err, -EPERM,
			"loading the program: not permitted: CAP_BPF, CAP_PERFMON "
			"or CAP_NET_ADMIN missing");
		return err_hint(err, "run it as root; weir doctor says which");
	}
	if (r == -ENOMEM) {
		err_set(err, r, "loading the program: out of memory");
		return err_hint(err,
				"a memory limit of the unit or the container counts "
				"the maps too");
	}
	probe_missing(missing, sizeof(missing));
	if (*missing) {
		err_set(err, -EOPNOTSUPP, "kernel %s lacks %s", kernel.release,
			missing);
		return err_hint(err, "weir needs Linux 6.1 or later");
	}
	err_set(err, -EOPNOTSUPP, "kernel %s refuses the program: %s", kernel.release,
		refusal[0] ? refusal : strerror(-r));
	return err_hint(err,
			"weir needs kernel 6.1 or later; -vv shows the verifier's log");
}

/* ---- maps ---- */

static struct bpf_map *skel_map(struct weir_bpf *skel, enum dp_map m)
{
	switch (m) {
#define DP_MAP_CASE(name)   \
	case DP_MAP_##name: \
		return skel->maps.name;
		DP_MAPS(DP_MAP_CASE)
#undef DP_MAP_CASE
	case DP_MAP_COUNT:
		break;
	}
	return NULL;
}

/* A pinned map of another shape would be read as nonsense by this program. */
static int check_shape(const struct bpf_map *want, int fd, const char *name,
		       struct err *err)
{
	struct bpf_map_info info = {};
	uint32_t len = sizeof(info);

	if (bpf_obj_get_info_by_fd(fd, &info, &len))
		return err_set(err, -errno, "map %s: %s", name, strerror(errno));
	if (info.type == bpf_map__type(want) &&
	    info.key_size == bpf_map__key_size(want) &&
	    info.value_size == bpf_map__value_size(want))
		return 0;
	err_set(err, -ESTALE, "map %s has another layout than this weir", name);
	return err_hint(err, "weir run --replace puts a new data path in its place, "
			     "weir detach --all removes it; its connections end");
}

/* A new version may have more outcomes; its counters start from zero then. */
static bool is_too_small(const struct bpf_map *want, int fd, enum dp_map m)
{
	struct bpf_map_info info = {};
	uint32_t len = sizeof(info);

	if (m != DP_MAP_counters && m != DP_MAP_counter_names)
		return false;
	return bpf_obj_get_info_by_fd(fd, &info, &len) ||
	       info.max_entries != bpf_map__max_entries(want);
}

static int adopt_map(struct dp *dp, struct weir_bpf *skel, enum dp_map m,
		     struct err *err)
{
	struct bpf_map *map = skel_map(skel, m);
	auto_fd int fd = pin_get(dp->pin, "maps", dp_map_names[m]);
	int r;

	if (fd == -ENOENT || (fd >= 0 && is_too_small(map, fd, m))) {
		dp->fresh[m] = true;
		return 0;
	}
	if (fd < 0) {
		r = fd;
		return err_set(err, r == -EACCES ? -EPERM : r, "map %s: %s",
			       dp_map_names[m], strerror(-r));
	}
	r = check_shape(map, fd, dp_map_names[m], err);
	if (r)
		return r;
	r = bpf_map__reuse_fd(map, fd);
	if (r)
		return err_set(err, r, "map %s: %s", dp_map_names[m], strerror(-r));
	return 0;
}

static int remove_hooks(const char *pin, struct err *err);

/* Finds what is pinned: 1 when there is a complete set of maps, 0 when there is
 * none (remains of an interrupted start are removed), or -errno. */
static int look_for_maps(const char *pin, struct weir_settings *s, struct err *err)
{
	auto_fd int fd = pin_get(pin, "maps", dp_map_names[DP_MAP_settings]);
	int r;

	if (fd == -ENOENT) {
		r = remove_hooks(pin, err);
		if (r)
			return r;
		pin_clear(pin, "maps");
		return pin_mkdirs(pin, err);
	}
	if (fd < 0)
		return err_set(err, fd == -EACCES ? -EPERM : fd, "map settings: %s",
			       strerror(-fd));
	r = map_read_first(fd, s, sizeof(*s));
	return r ? err_set(err, r, "map settings: %s", strerror(-r)) : 1;
}

static int take_fds(struct dp *dp, struct weir_bpf *skel, struct err *err)
{
	enum dp_map m;

	for (m = 0; m < DP_MAP_COUNT; m++) {
		dp->map[m] = fcntl(bpf_map__fd(skel_map(skel, m)), F_DUPFD_CLOEXEC, 3);
		if (dp->map[m] < 0)
			return err_set(err, -errno, "map %s: %s", dp_map_names[m],
				       strerror(errno));
	}
	dp->prog = fcntl(bpf_program__fd(skel->progs.weir_tc), F_DUPFD_CLOEXEC, 3);
	if (dp->prog < 0)
		return err_set(err, -errno, "program: %s", strerror(errno));
	dp->fresh_prog = true;
	return 0;
}

static uint32_t table_size_for(size_t bytes)
{
	uint32_t size = WEIR_TABLE_MIN;

	while (size < bytes && size < WEIR_TABLE_MAX)
		size *= 2;
	return size;
}

/* What depends on the size of the table and on the kernel. */
static void prepare(struct weir_bpf *skel, uint32_t table_bytes)
{
	skel->rodata->table_mask = table_bytes - 1;
	skel->rodata->has_cast_kfunc = probe_kfunc("bpf_cast_to_kern_ctx");
	bpf_map__set_value_size(bpf_map__inner_map(skel->maps.table), table_bytes);
	refusal[0] = '\0';
}

static int load_skel(struct dp *dp, struct weir_bpf *skel, bool adopt, struct err *err)
{
	enum dp_map m;
	int r = cookies_isn(dp->pin, dp->isn, err);

	if (r)
		return r;
	memcpy(skel->rodata->isn_key, dp->isn, sizeof(dp->isn));
	prepare(skel, dp->table_bytes);
	for (m = 0; m < DP_MAP_COUNT; m++) {
		if (!adopt || (m == DP_MAP_table && dp->fresh[m])) {
			dp->fresh[m] = true;
			continue;
		}
		r = adopt_map(dp, skel, m, err);
		if (r)
			return r;
	}
	r = weir_bpf__load(skel);
	return r ? load_error(r, err) : take_fds(dp, skel, err);
}

int probe_load(struct err *err)
{
	struct weir_bpf *skel;
	int r;

	libbpf_set_print(on_libbpf);
	skel = weir_bpf__open();
	if (!skel)
		return err_set(err, -errno, "the embedded program cannot be read: %s",
			       strerror(errno));
	prepare(skel, WEIR_TABLE_MIN);
	r = weir_bpf__load(skel);
	weir_bpf__destroy(skel);
	return r ? load_error(r, err) : 0;
}

static void dp_reset(struct dp *dp, const char *pin)
{
	enum dp_map m;

	libbpf_set_print(on_libbpf);
	memset(dp, 0, sizeof(*dp));
	dp->prog = -1;
	for (m = 0; m < DP_MAP_COUNT; m++)
		dp->map[m] = -1;
	snprintf(dp->pin, sizeof(dp->pin), "%s", pin);
}

void dp_init(struct dp *dp)
{
	dp_reset(dp, "");
}

bool dp_exists(const char *pin)
{
	return !access(pin_path(pin, "maps", dp_map_names[DP_MAP_settings]).s, F_OK);
}

static int finish_load(struct dp *dp, struct weir_bpf *skel, bool adopt,
		       struct err *err)
{
	int r = load_skel(dp, skel, adopt, err);

	if (!r && adopt)
		r = home_check(dp, err);
	if (!r)
		r = dp_init_maps(dp, err);
	return r;
}

/* What another version has that outlives it. */
static int inherit(struct dp *dp, const struct weir_settings *old, struct err *err)
{
	auto_fd int hooks = pin_get(dp->pin, "maps", dp_map_names[DP_MAP_attachments]);
	int r = hooks < 0 ? 0 : home_inherit(dp, old, hooks, err);

	return r ? r : cookies_inherit(dp, err);
}

static int load(struct dp *out, const char *pin, size_t table, bool beside,
		struct err *err)
{
	struct weir_settings old = {};
	struct weir_bpf *skel;
	struct dp dp;
	int found, r = 0;

	if (table > WEIR_TABLE_MAX)
		return err_set(err, -E2BIG,
			       "the route table of %zu MiB is over the %u MiB "
			       "that are the limit",
			       table >> 20, WEIR_TABLE_MAX >> 20);
	dp_reset(&dp, pin);
	found = pin_mkdirs(pin, err);
	if (!found)
		found = look_for_maps(pin, &old, err);
	if (found < 0)
		return found;
	skel = weir_bpf__open();
	if (!skel)
		return err_set(err, -errno, "the embedded program cannot be read: %s",
			       strerror(errno));
	dp.layout = layout_of(skel->obj);
	dp.adopted = found && !beside;
	dp.replaces = found && beside;
	dp.table_bytes = table_size_for(table);
	if (dp.adopted && dp.table_bytes <= old.table_bytes)
		dp.table_bytes = old.table_bytes;
	else
		dp.fresh[DP_MAP_table] = true;
	if (dp.adopted)
		r = layout_check(&old, dp.layout, pin, err);
	if (!r)
		r = finish_load(&dp, skel, dp.adopted, err);
	if (!r && dp.replaces)
		r = inherit(&dp, &old, err);
	weir_bpf__destroy(skel);
	if (r) {
		dp_close(&dp);
		return r;
	}
	*out = dp;
	return 0;
}

int dp_load(struct dp *out, const char *pin, size_t table, struct err *err)
{
	return load(out, pin, table, false, err);
}

int dp_load_beside(struct dp *out, const char *pin, size_t table, struct err *err)
{
	return load(out, pin, table, true, err);
}

int dp_publish(struct dp *dp, struct err *err)
{
	enum dp_map m;
	int r;

	/* From here on "half made": maps of two layouts are never taken for one. */
	if (dp->replaces)
		unlink(pin_path(dp->pin, "maps", dp_map_names[DP_MAP_settings]).s);
	dp->replaces = false;
	/* The table before the program: whoever opens what is pinned finds at
	 * worst an older program with a larger table, and swaps again. */
	for (m = 0; m < DP_MAP_COUNT; m++) {
		if (!dp->fresh[m])
			continue;
		r = pin_put(dp->pin, "maps", dp_map_names[m], dp->map[m], err);
		if (r)
			return r;
		dp->fresh[m] = false;
	}
	if (!dp->fresh_prog)
		return 0;
	r = attach_replace(dp, err);
	if (!r)
		r = pin_put(dp->pin, "progs", WEIR_PROG_NAME, dp->prog, err);
	if (!r)
		dp->fresh_prog = false;
	return r;
}

static int no_datapath(const char *pin, struct err *err)
{
	err_set(err, -ENOENT, "no data path under %s", pin);
	return err_hint(err,
			"weir run or weir attach makes one; --pin DIR names another");
}

static int check_layout(const struct weir_settings *s, const char *pin, struct err *err)
{
	struct weir_bpf *skel = weir_bpf__open();
	int r;

	if (!skel)
		return err_set(err, -errno, "the embedded program cannot be read: %s",
			       strerror(errno));
	r = layout_check(s, layout_of(skel->obj), pin, err);
	weir_bpf__destroy(skel);
	return r;
}

int dp_open(struct dp *out, const char *pin, struct err *err)
{
	struct weir_settings s;
	struct dp dp;
	enum dp_map m;
	int r;

	dp_reset(&dp, pin);
	for (m = 0; m < DP_MAP_COUNT; m++) {
		dp.map[m] = pin_get(pin, "maps", dp_map_names[m]);
		if (dp.map[m] >= 0)
			continue;
		r = dp.map[m];
		dp_close(&dp);
		if (r == -ENOENT)
			return no_datapath(pin, err);
		return err_set(err, r == -EACCES ? -EPERM : r, "map %s: %s",
			       dp_map_names[m], strerror(-r));
	}
	dp.adopted = true;
	r = map_read_first(dp.map[DP_MAP_settings], &s, sizeof(s));
	if (r)
		err_set(err, r, "map settings: %s", strerror(-r));
	else
		r = check_layout(&s, pin, err);
	if (!r) {
		dp.table_bytes = s.table_bytes;
		dp.prog = pin_get(pin, "progs", WEIR_PROG_NAME);
		if (dp.prog < 0)
			r = err_set(err, dp.prog, "program of %s: %s", pin,
				    strerror(-dp.prog));
	}
	if (r) {
		dp_close(&dp);
		return r;
	}
	*out = dp;
	return 0;
}

void dp_close(struct dp *dp)
{
	enum dp_map m;

	for (m = 0; m < DP_MAP_COUNT; m++)
		mem_close_fd(&dp->map[m]);
	mem_close_fd(&dp->prog);
	dp_reset(dp, "");
}

int dp_settings_read(const struct dp *dp, struct weir_settings *out, struct err *err)
{
	uint32_t zero = 0;

	if (bpf_map_lookup_elem(dp->map[DP_MAP_settings], &zero, out))
		return err_set(err, -errno, "map settings: %s", strerror(errno));
	return 0;
}

int dp_settings_write(const struct dp *dp, const struct weir_settings *s,
		      struct err *err)
{
	uint32_t zero = 0;

	if (bpf_map_update_elem(dp->map[DP_MAP_settings], &zero, s, BPF_ANY))
		return err_set(err, -errno, "map settings: %s", strerror(errno));
	return 0;
}

/* Hooks come off whatever else is under PIN: a data path of another layout or
 * a half made one has this map too. */
static int remove_hooks(const char *pin, struct err *err)
{
	struct dp dp;
	int r = 0;

	dp_reset(&dp, pin);
	dp.map[DP_MAP_attachments] =
		pin_get(pin, "maps", dp_map_names[DP_MAP_attachments]);
	if (dp.map[DP_MAP_attachments] >= 0)
		r = detach_all(&dp, err);
	dp_close(&dp);
	return r;
}

int dp_remove(const char *pin, struct err *err)
{
	/* Links first: no program runs whose maps are going. Then settings, so
	 * that an interruption leaves "half made". */
	static const char *const dirs[] = {"links", "progs", "maps"};
	size_t i;
	int r = remove_hooks(pin, err);

	if (r)
		return r;
	unlink(pin_path(pin, "maps", dp_map_names[DP_MAP_settings]).s);
	for (i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++) {
		r = pin_clear(pin, dirs[i]);
		if (r)
			return err_set(err, r, "pins in %s/%s: %s", pin, dirs[i],
				       strerror(-r));
	}
	if (rmdir(pin) && errno != ENOENT)
		return err_set(err, -errno, "pin directory %s: %s", pin,
			       strerror(errno));
	return 0;
}

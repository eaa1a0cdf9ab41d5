/* SPDX-License-Identifier: BSD-2-Clause */
/* weir doctor: can weir run here, and what is in its way? */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <jansson.h>
#include <linux/capability.h>

#include "base/addr.h"
#include "base/caps.h"
#include "base/mem.h"
#include "base/netns.h"
#include "base/seccomp.h"
#include "cmd/cmd.h"
#include "cmd/columns.h"
#include "dp/attach.h"
#include "dp/clsact.h"
#include "dp/dp.h"
#include "dp/group_flags.h"
#include "dp/home.h"
#include "dp/iface.h"
#include "dp/listeners.h"
#include "dp/pin.h"
#include "dp/ports.h"
#include "dp/probe.h"
#include "dp/served.h"
#include "dp/way.h"

/* Maps, program, links and files of an agent, with room for its clients. */
#define FILES_WANTED 256u

enum result {
	RESULT_OK,
	RESULT_WARN, /* weir runs, perhaps not as it is meant to */
	RESULT_FAIL, /* weir cannot run */
};

static const char *const result_names[] = {"ok", "warn", "fail"};

struct finding {
	const char *check;
	enum result result;
	char found[512];
	char remedy[256]; /* or "" */
};

struct findings vec_of(struct finding);

struct doctor {
	const char *pin;
	struct findings all;
	bool may_bpf;
	bool have_dp;
	struct dp dp;
	struct attachments hooks;
	struct listener_rows listeners;
};

__attribute__((format(printf, 5, 6))) static void
say(struct doctor *d, const char *check, enum result result, const char *remedy,
    const char *fmt, ...)
{
	struct finding *f = vec_push(&d->all);
	va_list ap;

	if (!f)
		return;
	*f = (struct finding){.check = check, .result = result};
	va_start(ap, fmt);
	vsnprintf(f->found, sizeof(f->found), fmt, ap);
	va_end(ap);
	snprintf(f->remedy, sizeof(f->remedy), "%s", remedy ?: "");
}

static void say_err(struct doctor *d, const char *check, const struct err *err)
{
	say(d, check, RESULT_FAIL, err->hint, "%s", err->what);
}

/* ---- the kernel ---- */

static void check_kernel(struct doctor *d)
{
	struct utsname kernel = {};
	unsigned int major = 0, minor = 0;

	uname(&kernel);
	if (sscanf(kernel.release, "%u.%u", &major, &minor) == 2 &&
	    (major < 6 || (major == 6 && minor < 1)))
		say(d, "kernel", RESULT_WARN, "weir is tested on Linux 6.1 and later",
		    "Linux %s", kernel.release);
	else
		say(d, "kernel", RESULT_OK, NULL, "Linux %s", kernel.release);
	if (access("/sys/kernel/btf/vmlinux", R_OK))
		say(d, "btf", RESULT_WARN, "a kernel with CONFIG_DEBUG_INFO_BTF",
		    "the kernel has no type information: checksums take a slower way");
	else if (!probe_kfunc("bpf_cast_to_kern_ctx"))
		say(d, "btf", RESULT_OK, NULL,
		    "no kfunc bpf_cast_to_kern_ctx (6.2): checksums take a slower way");
	else
		say(d, "btf", RESULT_OK, NULL, "kfunc bpf_cast_to_kern_ctx is there");
}

/* Those that weir does without, and what for it would be missed. */
static void check_lesser(struct doctor *d)
{
	static const struct {
		int cap;
		const char *name, *without, *remedy;
	} lesser[] = {
		{CAP_NET_RAW, "CAP_NET_RAW",
		 "an endpoint that never answers is not given up (no 504)",
		 "CapabilityBoundingSet= of the unit, capabilities.add of the "
		 "container"},
		{CAP_SETPCAP, "CAP_SETPCAP",
		 "the agent cannot empty its bounding set; no_new_privs stays",
		 "CapabilityBoundingSet= of the unit, capabilities.add of the "
		 "container"},
		{CAP_SYS_ADMIN, "CAP_SYS_ADMIN",
		 "no --netns, and a missing bpf filesystem is not mounted",
		 "run weir with nsenter --net, mount -t bpf bpf /sys/fs/bpf"},
	};
	size_t i;

	for (i = 0; d->may_bpf && i < sizeof(lesser) / sizeof(lesser[0]); i++) {
		if (caps_has(lesser[i].cap))
			say(d, "capabilities", RESULT_OK, NULL, "%s", lesser[i].name);
		else
			say(d, "capabilities", RESULT_WARN, lesser[i].remedy,
			    "without %s %s", lesser[i].name, lesser[i].without);
	}
}

static void check_capabilities(struct doctor *d)
{
	struct err err = {};

	d->may_bpf = !caps_check_bpf(&err);
	if (d->may_bpf)
		say(d, "capabilities", RESULT_OK, NULL,
		    "CAP_BPF, CAP_PERFMON and CAP_NET_ADMIN");
	else
		say_err(d, "capabilities", &err);
	check_lesser(d);
}

static void check_seccomp(struct doctor *d)
{
	int agent = pin_agent(d->pin);

	if (!seccomp_is_supported())
		say(d, "seccomp", RESULT_WARN, "a kernel with CONFIG_SECCOMP_FILTER",
		    "system calls of the agent cannot be filtered");
	else if (agent > 0 && !seccomp_of(agent))
		say(d, "seccomp", RESULT_WARN, "start it without --no-seccomp",
		    "system calls of the agent (process %d) are not filtered", agent);
	else
		say(d, "seccomp", RESULT_OK, NULL,
		    agent > 0 ? "system calls of the agent are filtered"
			      : "system calls of an agent can be filtered");
}

/* Without the JIT a packet takes many times as long. */
static void check_jit(struct doctor *d)
{
	auto_file FILE *f = fopen("/proc/sys/net/core/bpf_jit_enable", "r");

	if (f && fgetc(f) == '0')
		say(d, "jit", RESULT_WARN, "sysctl -w net.core.bpf_jit_enable=1",
		    "programs are interpreted, packets take several times as long");
	else
		say(d, "jit", RESULT_OK, NULL, "programs are compiled");
}

/* What only a process with the capabilities can find out. */
static void check_features(struct doctor *d)
{
	struct err err = {};
	char missing[256];

	if (!d->may_bpf) {
		say(d, "program", RESULT_WARN, "run weir doctor as root",
		    "not tried, for want of privileges");
		return;
	}
	probe_missing(missing, sizeof(missing));
	if (*missing)
		say(d, "helpers", RESULT_FAIL, "Linux 6.1 or later", "missing: %s",
		    missing);
	else
		say(d, "helpers", RESULT_OK, NULL,
		    "bpf_loop, bpf_check_mtu, bpf_redirect_peer, ring buffers");
	if (probe_tcx())
		say(d, "hook", RESULT_OK, NULL, "TCX");
	else
		say(d, "hook", RESULT_OK, NULL,
		    "no TCX (6.6): weir takes the clsact qdisc");
	/* A second set of maps beside those of a busy node would be no favour. */
	if (d->have_dp)
		say(d, "program", RESULT_OK, NULL, "loaded, under %s", d->pin);
	else if (probe_load(&err))
		say_err(d, "program", &err);
	else
		say(d, "program", RESULT_OK, NULL, "the kernel accepts it");
}

/* ---- the surroundings ---- */

static void check_bpffs(struct doctor *d)
{
	int r = pin_ground(d->pin);

	if (!r)
		say(d, "bpffs", RESULT_OK, NULL, "%s is on a bpf filesystem", d->pin);
	else if (r < 0)
		say(d, "bpffs", RESULT_FAIL, "mount -t bpf bpf /sys/fs/bpf",
		    "%s is not on a bpf filesystem", d->pin);
	else if (caps_is_admin())
		say(d, "bpffs", RESULT_WARN,
		    "mount -t bpf bpf /sys/fs/bpf; for a namespace --netns, not "
		    "ip netns exec",
		    "not mounted: weir does it, for as long as this mount namespace "
		    "lasts");
	else
		say(d, "bpffs", RESULT_FAIL, "mount -t bpf bpf /sys/fs/bpf",
		    "not mounted, and mounting takes CAP_SYS_ADMIN");
}

static void check_limits(struct doctor *d)
{
	struct rlimit files = {};

	getrlimit(RLIMIT_NOFILE, &files);
	if (files.rlim_cur < FILES_WANTED)
		say(d, "files", RESULT_WARN, "ulimit -n 1024, LimitNOFILE=1024",
		    "%llu open files at most", (unsigned long long)files.rlim_cur);
	else
		say(d, "files", RESULT_OK, NULL, "%llu open files at most",
		    (unsigned long long)files.rlim_cur);
}

static void check_datapath(struct doctor *d)
{
	struct err err = {};
	int r;

	if (!d->may_bpf)
		return;
	dp_init(&d->dp);
	r = dp_open(&d->dp, d->pin, &err);
	d->have_dp = !r;
	if (r && r != -ENOENT)
		say_err(d, "data path", &err);
	if (r)
		return;
	/* What cannot be read is as if it were not there. */
	attach_list(&d->dp, &d->hooks, &err);
	listeners_list(&d->dp, &d->listeners, &err);
}

static void check_ports(struct doctor *d)
{
	size_t i;

	for (i = 0; i < d->listeners.len; i++) {
		const struct weir_listener *l = &d->listeners.item[i];
		char text[sizeof(l->text)];
		struct weir_addr addr;
		uint16_t port;

		snprintf(text, sizeof(text), "%s", l->text);
		*strchrnul(text, '/') = '\0';
		if (addr_parse_port(text, &addr, &port))
			continue;
		if (ports_listened(&addr, port))
			say(d, "listener", RESULT_WARN, "ss -tlnp shows which",
			    "%s: a process listens there too; from the interfaces of "
			    "weir nobody reaches it",
			    text);
		else
			say(d, "listener", RESULT_OK, NULL, "%s", l->text);
	}
}

/* ---- endpoints that see the client's address ---- */

/* Of those whose answers may not come back so many are named. */
#define WAYS_NAMED 5u

static bool has_hook(const struct doctor *d, uint32_t ifindex)
{
	size_t i;

	for (i = 0; i < d->hooks.len; i++)
		if (d->hooks.item[i].live && d->hooks.item[i].ifindex == ifindex)
			return true;
	return false;
}

/* Does what it answers to a client come in where weir sees it? */
static bool check_way(struct doctor *d, const struct served_endpoint *e, bool is_named)
{
	char text[WEIR_ADDR_TEXT], name[IF_NAMESIZE] = "?";
	struct way way;

	if (way_find(&e->addr, &way))
		return true; /* it is unreachable, which weir endpoints shows */
	addr_format_port(&e->addr, e->port, text);
	if_indextoname(way.ifindex, name);
	if (!has_hook(d, way.ifindex)) {
		if (is_named)
			say(d, "client address", RESULT_WARN, "weir run -i IFACE",
			    "%s of %s sees clients' addresses and is behind %s, where "
			    "weir is not attached",
			    text, e->group, name);
		return false;
	}
	if (!way.has_gateway)
		return true;
	if (is_named)
		say(d, "client address", RESULT_WARN,
		    "its default route through this node, or weir/client-address: node",
		    "%s of %s sees clients' addresses and is behind another router: "
		    "its answers may not come back this way",
		    text, e->group);
	return false;
}

static void check_client_addresses(struct doctor *d)
{
	size_t i, kept = 0, doubtful = 0;
	struct group_flags flags = {};
	struct served served = {};
	struct err ignored = {};

	if (!d->have_dp)
		return;
	if (!group_flags_read(&d->dp, &flags, &ignored))
		served_read(&d->dp, &served, &ignored);
	for (i = 0; i < served.endpoints.len; i++) {
		const struct served_endpoint *e = &served.endpoints.item[i];

		if (!(group_flags_of(&flags, e->group) & WEIR_GROUP_KEEP_CLIENT))
			continue;
		kept++;
		doubtful += !check_way(d, e, doubtful < WAYS_NAMED);
	}
	if (doubtful > WAYS_NAMED)
		say(d, "client address", RESULT_WARN, NULL, "%zu more like these",
		    doubtful - WAYS_NAMED);
	else if (kept && !doubtful)
		say(d, "client address", RESULT_OK, NULL,
		    "%zu endpoints see clients' addresses, their answers come through "
		    "weir",
		    kept);
	served_free(&served);
	vec_free(&flags);
}

/* ---- interfaces ---- */

static const struct attachment *hook_of(const struct doctor *d, const char *name)
{
	size_t i;

	for (i = 0; i < d->hooks.len; i++)
		if (!strcmp(d->hooks.item[i].name, name))
			return &d->hooks.item[i];
	return NULL;
}

/* Programs that are not the one of this data path. */
static void check_others(struct doctor *d, const char *name, uint32_t ifindex)
{
	const struct attachment *at = hook_of(d, name);
	uint32_t ours = d->have_dp ? probe_prog_id(d->dp.prog) : 0;
	struct probe_progs progs = {};
	int filters = clsact_filters(ifindex, false);
	size_t i;

	probe_programs(ifindex, &progs);
	for (i = 0; i < progs.len; i++) {
		const struct probe_prog *p = &progs.item[i];

		if (p->id == ours)
			continue;
		if (!strcmp(p->name, WEIR_PROG_NAME))
			say(d, "programs", RESULT_WARN,
			    "weir status --pin DIR; weir detach --pin DIR --all",
			    "%s: another weir is attached (program %u)", name, p->id);
		else
			say(d, "programs", RESULT_WARN, "bpftool net show",
			    "%s: %s program %s (%u) is attached too; what it takes, "
			    "weir does not see",
			    name, p->hook, p->name, p->id);
	}
	vec_free(&progs);
	filters -= at && at->live && at->kind == WEIR_HOOK_CLSACT;
	if (filters <= 0)
		return;
	say(d, "programs", RESULT_WARN, "tc filter show dev IFACE ingress",
	    "%s: %d tc filter%s on ingress; with TCX weir comes first", name, filters,
	    filters == 1 ? "" : "s");
}

static bool wants_v6(const struct doctor *d)
{
	size_t i;

	for (i = 0; i < d->listeners.len; i++)
		if (d->listeners.item[i].text[0] == '[')
			return true;
	return false;
}

static bool wants_v4(const struct doctor *d)
{
	size_t i;

	for (i = 0; i < d->listeners.len; i++)
		if (d->listeners.item[i].text[0] != '[')
			return true;
	return !d->listeners.len;
}

static void check_iface(struct doctor *d, const char *name)
{
	size_t before = d->all.len;
	struct probe_iface i;
	int r = probe_iface(name, &i);

	if (r) {
		say(d, "interface", RESULT_WARN, "ip link", "%s: %s", name,
		    strerror(-r));
		return;
	}
	if (!i.up)
		say(d, "interface", RESULT_WARN, "ip link set IFACE up", "%s: is down",
		    name);
	if (!i.ethernet)
		say(d, "interface", RESULT_WARN, "leave it out of -i",
		    "%s: no Ethernet headers: weir cannot read its packets", name);
	if (i.lro)
		say(d, "interface", RESULT_WARN, "ethtool -K IFACE lro off",
		    "%s: large receive offload makes packets that cannot be forwarded",
		    name);
	if (!i.forward4 && wants_v4(d))
		say(d, "forwarding", RESULT_WARN, "sysctl -w net.ipv4.ip_forward=1",
		    "%s: IPv4 forwarding is off: requests that come in here find no "
		    "way to endpoints",
		    name);
	if (!i.forward6 && wants_v6(d))
		say(d, "forwarding", RESULT_WARN,
		    "sysctl -w net.ipv6.conf.all.forwarding=1",
		    "%s: IPv6 forwarding is off: requests that come in here find no "
		    "way to endpoints",
		    name);
	if (d->may_bpf)
		check_others(d, name, if_nametoindex(name));
	if (d->all.len == before)
		say(d, "interface", RESULT_OK, NULL, "%s", name);
}

static bool is_up(const char *name)
{
	struct probe_iface i;

	return !probe_iface(name, &i) && i.up;
}

static int check_ifaces(struct doctor *d, int argc, char **argv, struct err *err)
{
	static const char *const every = "*";
	struct names names = {};
	size_t i;
	int r = 0;

	if (argc > 1) {
		r = iface_find((const char *const *)argv + 1, argc - 1, true, &names,
			       err);
		for (i = 0; i < names.len; i++)
			check_iface(d, names.item[i]);
	} else if (d->hooks.len) {
		for (i = 0; i < d->hooks.len; i++)
			check_iface(d, d->hooks.item[i].name);
	} else {
		r = iface_find(&every, 1, false, &names, err);
		for (i = 0; i < names.len; i++)
			if (is_up(names.item[i]))
				check_iface(d, names.item[i]);
	}
	names_free(&names);
	return r;
}

/* ---- what was found ---- */

static int print_json(const struct doctor *d, bool ok)
{
	json_t *checks = json_array();
	size_t i;

	for (i = 0; i < d->all.len; i++) {
		const struct finding *f = &d->all.item[i];

		json_array_append_new(
			checks,
			json_pack("{s:s, s:s, s:s, s:s?}", "check", f->check, "result",
				  result_names[f->result], "found", f->found, "remedy",
				  f->remedy[0] ? f->remedy : NULL));
	}
	return cmd_json(json_pack("{s:b, s:o}", "ok", ok, "checks", checks));
}

static void print_text(const struct doctor *d)
{
	static const char *const words[] = {"OK    ", "WARN  ", "FAIL  "};
	static const enum paint paints[] = {PAINT_NONE, PAINT_YELLOW, PAINT_RED};
	size_t i;

	for (i = 0; i < d->all.len; i++) {
		const struct finding *f = &d->all.item[i];

		print_painted(paints[f->result], words[f->result]);
		printf("%-14s%s\n", f->check, f->found);
		if (f->remedy[0])
			printf("%20s%s\n", "", f->remedy);
	}
}

int doctor_main(struct ctx *ctx, int argc, char **argv)
{
	struct doctor d = {.pin = ctx->pin};
	struct err err = {};
	bool ok = true;
	size_t i;
	int r = options_parse(ctx, NULL, &argc, argv);

	if (r)
		return r;
	d.pin = ctx->pin;
	if (ctx->netns && netns_enter(ctx->netns, &err))
		return cmd_fail(&err);
	check_kernel(&d);
	check_jit(&d);
	check_capabilities(&d);
	if (!ctx->netns && d.may_bpf)
		home_enter(ctx->pin);
	check_bpffs(&d);
	check_limits(&d);
	check_seccomp(&d);
	check_datapath(&d);
	check_features(&d);
	check_ports(&d);
	check_client_addresses(&d);
	r = check_ifaces(&d, argc, argv, &err);
	for (i = 0; i < d.all.len; i++)
		ok = ok && d.all.item[i].result != RESULT_FAIL;
	if (r)
		r = cmd_fail(&err);
	else if (ctx->output == OUTPUT_JSON)
		r = print_json(&d, ok);
	else
		print_text(&d);
	if (d.have_dp)
		dp_close(&d.dp);
	vec_free(&d.hooks);
	vec_free(&d.listeners);
	vec_free(&d.all);
	return r ?: ok ? EXIT_DONE : EXIT_FAILED;
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "agent/agent.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/rtnetlink.h>

#include "agent/apply.h"
#include "agent/files.h"
#include "agent/notify.h"
#include "agent/scrape.h"
#include "agent/settle.h"
#include "base/caps.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/seccomp.h"
#include "dp/cookies.h"
#include "dp/dp.h"
#include "dp/flows.h"
#include "dp/iface.h"
#include "dp/listeners.h"
#include "dp/pin.h"
#include "dp/silent.h"

/* A file that was written or replaced is taken at once. Changes in bursts (an
 * editor's several steps, a directory copied) are waited out, but not for ever. */
#define SINGLE_MS 3u
#define QUIET_MS 50u
#define QUIET_MOST_NS (1000 * 1000000ull)
#define SWEEP_MS 2000u
#define SWEEP_SOON_MS 250u /* when the table of connections fills up */

/* Work to be done when a burst is over. */
enum change {
	CHANGE_NODE = 1, /* interfaces, addresses or routes of the node */
	CHANGE_RULES = 2,
	CHANGE_HEALTH = 4, /* of endpoints of the groups in agent.doubtful */
	CHANGE_OTHERS = 8, /* another process has applied something */
};

struct agent {
	const struct agent_options *opt;
	struct loop loop;
	struct dp dp;
	struct applier applier;
	struct manifests manifests;	  /* as they were last read */
	struct ir ir;			  /* what is served now */
	bool is_adopted;		  /* by another process: no routes in it */
	size_t endpoints;		  /* in it */
	struct vec_of(uint32_t) doubtful; /* places of groups in it */
	struct files files;
	struct sweep_memory memory; /* of connections */
	unsigned int changes;	    /* enum change, that have not been dealt with */
	bool is_reloading; /* told by SIGHUP: the supervisor waits for READY=1 */
	uint64_t first_change_ns;
	struct watch signals, inotify, netlink, quiet, sweep, cookies, watchdog;
	struct scrape scrape;
	struct health health;
};

/* Interfaces may be gone for a while, and come back. */
static int settle_node(void *arg, struct err *err)
{
	struct agent *a = arg;

	return settle(&a->dp, a->opt, a->applier.mss, err);
}

/* ---- reconcile ---- */

static void note_change_in(struct agent *a, unsigned int change, uint32_t ms)
{
	uint64_t now = monotonic_ns();

	if (!a->changes)
		a->first_change_ns = now;
	a->changes |= change;
	timer_set(&a->quiet, now - a->first_change_ns > QUIET_MOST_NS ? 1 : ms, 0);
}

static void note_change(struct agent *a, unsigned int change)
{
	note_change_in(a, change, QUIET_MS);
}

static void say_applied(const struct agent *a, const struct applied *done)
{
	log_info("serving %zu routes to %zu endpoints (generation %u%s)",
		 a->ir.routes.len, a->endpoints, done->generation,
		 done->swapped ? "" : ", route table unchanged");
	notify_supervisor("STATUS=serving %zu routes to %zu endpoints",
			  a->ir.routes.len, a->endpoints);
}

/* All of it has just been written; the ir belongs to the agent now. */
static int serve(struct agent *a, struct ir *ir, bool is_adopted, struct err *err)
{
	if (ir != &a->ir) {
		ir_free(&a->ir);
		a->ir = *ir;
	}
	a->is_adopted = is_adopted;
	a->endpoints = ir_count_endpoints(&a->ir);
	a->doubtful.len = 0;
	return health_set(&a->health, &a->ir, err);
}

/* Rules from the manifests; those in use stay when the new ones are refused. */
static int reconcile_rules(struct agent *a, struct applied *done, struct err *err)
{
	struct ir ir;
	int r = source_rules(&a->opt->source, &a->manifests, &ir, err);

	if (r)
		return r;
	r = apply_ir(&a->applier, &ir, done, err);
	if (r) {
		ir_free(&ir);
		return r;
	}
	return serve(a, &ir, false, err);
}

/* `old` has what the ir had before. */
static int replace_endpoints(struct agent *a, const struct ir *old, struct err *err)
{
	size_t i;
	int r = 0;

	for (i = 0; i < old->groups.len && !r; i++) {
		const struct ir_group *was = &old->groups.item[i];
		const struct ir_group *now = ir_group(&a->ir, was->name);

		a->endpoints += now->endpoints.len;
		a->endpoints -= was->endpoints.len;
		r = health_replace(&a->health, now - a->ir.groups.item, was, now, err);
	}
	return r;
}

static int reconcile_endpoints(struct agent *a, struct applied *done, struct err *err)
{
	struct ir fresh;
	int r = source_endpoints(&a->opt->source, &a->manifests, &a->ir, &fresh, err);

	if (r)
		return r;
	r = apply_endpoints(&a->applier, &a->ir, &fresh, done, err);
	if (!r)
		r = replace_endpoints(a, &fresh, err);
	ir_free(&fresh);
	return r;
}

/* Only the files that were written, when that is all that has happened. What
 * changes while they are read is a change again. */
static int read_manifests(struct agent *a, struct err *err)
{
	struct files *f = &a->files;
	int r = -ENOENT;

	if (!f->has_moved)
		r = source_read_again(&a->manifests,
				      (const char *const *)f->written.item,
				      f->written.len, err);
	if (r == -ENOENT) {
		struct err unwatched = {};

		if (files_refresh(f, &unwatched))
			err_print(&unwatched);
		r = source_read(&a->opt->source, &a->manifests, err);
	}
	/* After an error everything is looked at. */
	files_taken(f);
	f->has_moved = r;
	return r;
}

/* What is new in the manifests. News that were refused are news again. */
static int reconcile_manifests(struct agent *a, struct err *err)
{
	struct applied done;
	int r = read_manifests(a, err);

	if (r)
		return r;
	if (a->manifests.news == MANIFESTS_RULES || a->is_adopted ||
	    !applier_is_current(&a->applier))
		r = reconcile_rules(a, &done, err);
	else
		r = reconcile_endpoints(a, &done, err);
	if (r)
		return r;
	manifests_taken(&a->manifests);
	say_applied(a, &done);
	return 0;
}

/* What another process has applied is looked after like one's own, until the
 * manifests change: its endpoints are checked, and ways to them followed. */
static int adopt(struct agent *a, struct err *err)
{
	struct ir ir;
	int r;

	if (applier_is_current(&a->applier))
		return 0;
	r = apply_adopt(&a->applier, &ir, err);
	if (r)
		return r;
	log_debug("another process has applied rules: %zu groups", ir.groups.len);
	r = apply_paths(&a->applier, &ir, err);
	if (!r)
		return serve(a, &ir, true, err);
	a->applier.is_ready = false; /* once more at the next look */
	ir_free(&ir);
	return r;
}

/* The same rules, with the ways to the endpoints as they are now. */
static int reconcile_node(struct agent *a, struct err *err)
{
	int r = apply_paths(&a->applier, &a->ir, err);

	return r ? r : settle_node(a, err);
}

/* Groups may be among them several times: nothing is written twice. */
static int reconcile_health(struct agent *a, struct err *err)
{
	int r = apply_groups(&a->applier, &a->ir, a->doubtful.item, a->doubtful.len,
			     err);

	a->doubtful.len = 0;
	return r;
}

/* Interfaces first: an endpoint may be behind one that has just come. */
static void reconcile(struct agent *a, unsigned int changes)
{
	auto_fd int lock = -1;
	struct err err = {};

	lock = pin_lock(a->opt->pin, PIN_LOCK_CHANGE, &err);
	if (lock < 0) {
		err_print(&err);
		note_change(a, changes); /* once more, a little later */
		return;
	}
	if (adopt(a, &err) || (changes & CHANGE_NODE && reconcile_node(a, &err)))
		err_print(&err);
	if (changes & CHANGE_RULES && reconcile_manifests(a, &err)) {
		err_print(&err);
		log_info("the rules in use stay as they are");
		apply_refused(&a->dp, &err);
	}
	if (a->doubtful.len && reconcile_health(a, &err))
		err_print(&err);
}

/* ---- events ---- */

static void on_quiet(struct watch *w)
{
	struct agent *a = w->arg;
	unsigned int changes = a->changes;

	timer_done(w);
	a->changes = 0;
	if (!changes)
		return;
	reconcile(a, changes);
	if (a->is_reloading && !a->changes) {
		a->is_reloading = false;
		notify_supervisor("READY=1");
	}
}

static void on_files(struct watch *w)
{
	struct agent *a = w->arg;

	enum files_change what = files_changed(&a->files);

	if (what == FILES_WRITTEN && !a->changes)
		note_change_in(a, CHANGE_RULES, SINGLE_MS);
	else if (what != FILES_SAME)
		note_change(a, CHANGE_RULES);
}

static void on_signal(struct watch *w)
{
	struct agent *a = w->arg;
	struct signalfd_siginfo info;

	if (read(w->fd, &info, sizeof(info)) != sizeof(info))
		return;
	if (info.ssi_signo == SIGHUP) {
		notify_reloading();
		a->is_reloading = true;
		a->files.has_moved = true;
		note_change(a, CHANGE_RULES);
		return;
	}
	log_debug("signal %u: stopping", info.ssi_signo);
	a->loop.stop = true;
}

static void on_netlink(struct watch *w)
{
	struct agent *a = w->arg;
	char buf[16384];

	/* What exactly changed is looked up again anyway. Too many at once
	 * (ENOBUFS) means the same. */
	while (recv(w->fd, buf, sizeof(buf), MSG_DONTWAIT) > 0)
		;
	note_change(a, CHANGE_NODE);
}

static bool is_used(uint32_t id, void *arg)
{
	return id_set_has(arg, id);
}

static void forget_endpoints(struct agent *a, struct id_set *used)
{
	auto_fd int lock = -1;
	struct err err = {};

	if (!book_has_unwanted_endpoints(&a->applier.book))
		return;
	lock = pin_lock(a->opt->pin, PIN_LOCK_CHANGE, &err);
	/* Endpoints that another process has put there are not ours to judge. */
	if (lock >= 0 && applier_is_current(&a->applier))
		book_forget_endpoints(&a->applier.book, &a->dp, is_used, used);
}

static void on_sweep(struct watch *w)
{
	struct agent *a = w->arg;
	struct sweep sweep;
	struct err err = {};
	uint32_t silent;

	timer_done(w);
	if (!applier_is_current(&a->applier))
		note_change(a, CHANGE_OTHERS);
	if (flows_sweep(&a->dp, monotonic_ns(), &a->memory, &sweep, &err)) {
		err_print(&err);
		return;
	}
	if (sweep.ended || sweep.expired_flows || sweep.expired_legs)
		log_debug(
			"%llu connections ended, %llu and %llu endpoint legs forgotten",
			(unsigned long long)sweep.ended,
			(unsigned long long)sweep.expired_flows,
			(unsigned long long)sweep.expired_legs);
	forget_endpoints(a, &sweep.endpoints);
	if (sweep.is_full)
		timer_set(&a->sweep, SWEEP_SOON_MS, SWEEP_MS);
	sweep_fini(&sweep);
	if (silent_give_up(&a->dp, monotonic_ns(), &silent, &err))
		err_print(&err);
	else if (silent)
		log_debug("%u endpoints were silent for %u s", silent, SILENT_S);
}

static bool is_down(const struct ir_endpoint *e, void *arg)
{
	return health_is_down(arg, &e->addr, e->port);
}

static void on_health(void *arg, const struct health_target *t)
{
	struct agent *a = arg;
	size_t i;

	for (i = 0; i < t->groups.len; i++) {
		uint32_t *place = vec_push(&a->doubtful);

		if (place)
			*place = t->groups.item[i];
		else
			note_change(a, CHANGE_NODE); /* which writes all of them */
	}
	note_change(a, CHANGE_HEALTH);
}

static void on_cookies(struct watch *w)
{
	struct agent *a = w->arg;
	struct err err = {};

	timer_done(w);
	if (cookies_rotate(&a->dp, &err))
		err_print(&err);
}

/* A timer of the loop itself: when the loop stands, nothing is said. */
static void on_watchdog(struct watch *w)
{
	timer_done(w);
	notify_supervisor("WATCHDOG=1");
}

/* ---- setting up ---- */

static int watch_signals(struct agent *a, struct err *err)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	if (sigprocmask(SIG_BLOCK, &set, NULL))
		return err_set(err, -errno, "signals: %s", strerror(errno));
	signal(SIGPIPE, SIG_IGN);
	a->signals.fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (a->signals.fd < 0)
		return err_set(err, -errno, "signalfd: %s", strerror(errno));
	return loop_add(&a->loop, &a->signals, err);
}

static int watch_node(struct agent *a, struct err *err)
{
	struct sockaddr_nl addr = {
		.nl_family = AF_NETLINK,
		.nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR |
			     RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE,
	};

	a->netlink.fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	if (a->netlink.fd < 0 ||
	    bind(a->netlink.fd, (struct sockaddr *)&addr, sizeof(addr)))
		return err_set(err, -errno, "netlink: %s", strerror(errno));
	return loop_add(&a->loop, &a->netlink, err);
}

static int watch_time(struct agent *a, struct err *err)
{
	uint32_t watchdog_ms = notify_watchdog_ms();
	int r = loop_timer(&a->loop, &a->quiet, err);

	if (!r)
		r = loop_timer(&a->loop, &a->sweep, err);
	if (!r)
		r = loop_timer(&a->loop, &a->cookies, err);
	if (!r && watchdog_ms)
		r = loop_timer(&a->loop, &a->watchdog, err);
	if (r)
		return r;
	if (watchdog_ms)
		timer_set(&a->watchdog, watchdog_ms, watchdog_ms);
	timer_set(&a->sweep, SWEEP_MS, SWEEP_MS);
	timer_set(&a->cookies, COOKIES_ROTATE_S * 1000, COOKIES_ROTATE_S * 1000);
	return 0;
}

static int watch_all(struct agent *a, struct err *err)
{
	int r = watch_time(a, err);

	if (!r)
		r = watch_node(a, err);
	if (!r)
		r = files_init(&a->files, a->opt->source.paths,
			       a->opt->source.path_count, err);
	if (!r) {
		a->inotify.fd = a->files.fd;
		r = loop_add(&a->loop, &a->inotify, err);
	}
	if (!r)
		r = health_start(&a->health, &a->loop, err);
	if (!r && a->opt->metrics)
		r = scrape_listen(&a->scrape, &a->loop, a->opt->metrics, &a->dp, err);
	return r;
}

static void say_serving(const struct agent *a)
{
	struct listener_rows rows = {};
	struct err ignored = {};
	size_t i;

	if (!listeners_list(&a->dp, &rows, &ignored))
		for (i = 0; i < rows.len; i++)
			log_info("listening on %s", rows.item[i].text);
	vec_free(&rows);
	log_info("ready");
}

static int load_new(void *arg, size_t table, struct err *err)
{
	struct agent *a = arg;

	return dp_load(&a->dp, a->opt->pin, table, err);
}

/* The new program takes the hooks of the old one at once: it has to know its
 * listeners by then. */
static int load_beside(void *arg, size_t table, struct err *err)
{
	struct agent *a = arg;
	struct names ifaces = {};
	int r = dp_load_beside(&a->dp, a->opt->pin, table, err);

	if (!r)
		r = iface_find(a->opt->ifaces, a->opt->iface_count, true, &ifaces, err);
	if (!r)
		r = settle_listeners(&a->dp, a->opt, a->applier.mss, &ifaces, err);
	names_free(&ifaces);
	return r;
}

/* Takes the maps that are there, or leaves it to the applier to make new ones. */
static int adopt_or_load(struct agent *a, struct err *err)
{
	int r;

	a->applier.load_arg = a;
	if (!dp_exists(a->opt->pin)) {
		a->applier.load = load_new;
		return 0;
	}
	r = dp_load(&a->dp, a->opt->pin, 0, err);
	if (r != -ESTALE || !a->opt->replace)
		return r;
	log_warn("%s: connections through it will be reset", err->what);
	a->applier.load = load_beside;
	return 0;
}

/* What is not needed from now on is given up. A kernel that cannot filter is no
 * reason not to serve. */
static int confine(const struct agent *a, struct err *err)
{
	int r = caps_drop(a->opt->source.paths, a->opt->source.path_count, err);

	if (r || a->opt->no_seccomp)
		return r;
	r = seccomp_confine(err);
	if (r != -EOPNOTSUPP)
		return r;
	log_warn("%s", err->what);
	return 0;
}

/* Everything that may be refused comes before anything that is seen. */
static int start(struct agent *a, struct err *err)
{
	auto_fd int lock = -1;
	struct applied done;
	int r = settle_check(a->opt, err);

	if (!r)
		r = source_read(&a->opt->source, &a->manifests, err);
	if (!r)
		r = source_rules(&a->opt->source, &a->manifests, &a->ir, err);
	if (!r)
		r = watch_all(a, err);
	if (r)
		return r;

	lock = pin_lock(a->opt->pin, PIN_LOCK_CHANGE, err);
	if (lock < 0)
		return lock;
	r = adopt_or_load(a, err);
	if (r)
		return r;
	a->applier.dp = &a->dp;
	a->applier.settle = settle_node;
	a->applier.settle_arg = a;
	a->applier.is_down = is_down;
	a->applier.is_down_arg = &a->health;
	a->applier.follows_node = true;
	a->applier.client_address =
		a->opt->keep_client ? CLIENT_ADDRESS_KEEP : CLIENT_ADDRESS_NODE;
	r = apply_ir(&a->applier, &a->ir, &done, err);
	if (r)
		return r;
	if (a->dp.adopted)
		log_info("adopted the data path under %s", a->opt->pin);
	manifests_taken(&a->manifests);
	r = serve(a, &a->ir, false, err);
	if (r)
		return r;
	say_applied(a, &done);
	r = confine(a, err);
	if (r)
		return r;
	say_serving(a);
	return 0;
}

static int run_locked(struct agent *a, struct err *err)
{
	struct err undo = {};
	bool stays = dp_exists(a->opt->pin);
	int r = start(a, err);

	if (!r) {
		notify_supervisor("READY=1");
		r = loop_run(&a->loop);
		notify_supervisor("STOPPING=1");
		if (r)
			err_set(err, r, "event loop: %s", strerror(-r));
		stays = a->opt->keep;
	}
	/* What this agent made is taken away; what was there before a failed
	 * start stays. */
	if (!stays) {
		auto_fd int lock = pin_lock(a->opt->pin, PIN_LOCK_CHANGE, &undo);
		int undone = lock < 0 && lock != -ENOENT
				     ? lock
				     : dp_remove(a->opt->pin, &undo);

		if (undone && !r) {
			*err = undo;
			r = undone;
		}
	}
	return r;
}

static void agent_fini(struct agent *a)
{
	struct watch *const watches[] = {&a->signals, &a->netlink, &a->quiet,
					 &a->sweep,   &a->cookies, &a->watchdog};
	size_t i;

	scrape_close(&a->scrape);
	health_fini(&a->health);
	files_fini(&a->files);
	for (i = 0; i < sizeof(watches) / sizeof(watches[0]); i++)
		mem_close_fd(&watches[i]->fd);
	loop_fini(&a->loop);
	sweep_memory_free(&a->memory);
	vec_free(&a->doubtful);
	applier_free(&a->applier);
	dp_close(&a->dp);
	ir_free(&a->ir);
	manifests_free(&a->manifests);
}

int agent_run(const struct agent_options *opt, struct err *err)
{
	/* The tables of an applier are too much for a stack. */
	static struct agent a;
	auto_fd int lock = -1;
	int r;

	a = (struct agent){
		.opt = opt,
		.loop = {.epoll = -1},
		.files = {.fd = -1},
		.signals = {-1, on_signal, &a},
		.inotify = {-1, on_files, &a},
		.netlink = {-1, on_netlink, &a},
		.quiet = {-1, on_quiet, &a},
		.sweep = {-1, on_sweep, &a},
		.cookies = {-1, on_cookies, &a},
		.watchdog = {-1, on_watchdog, &a},
	};
	dp_init(&a.dp);
	scrape_init(&a.scrape);
	health_init(&a.health, &opt->health, on_health, &a);
	r = loop_init(&a.loop, err);
	if (!r)
		r = watch_signals(&a, err);
	if (!r)
		r = pin_mkdirs(opt->pin, err);
	if (!r) {
		lock = pin_lock(opt->pin, PIN_LOCK_AGENT, err);
		r = lock < 0 ? lock : run_locked(&a, err);
	}
	agent_fini(&a);
	return r;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* weir status: one look at everything. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <jansson.h>

#include "base/clock.h"
#include "base/seccomp.h"
#include "cmd/cmd.h"
#include "cmd/columns.h"
#include "dp/attach.h"
#include "dp/dp.h"
#include "dp/flows.h"
#include "dp/listeners.h"
#include "dp/mapio.h"
#include "dp/pin.h"

struct status {
	struct weir_settings settings;
	struct attachments hooks;
	struct listener_rows listeners;
	long endpoints, groups;
	long flows, closed; /* closed: kept for late packets */
	int agent;	    /* process id, -1 unknown, 0 none */
	int seccomp;	    /* of the agent: 1 filtered, 0 not, -1 unknown */
};

static const char *hook_name(const struct attachment *a)
{
	return a->kind == WEIR_HOOK_TCX ? "tcx" : "clsact";
}

/* Local time to the second, or "never". */
static const char *time_text(uint64_t ns, char *buf, size_t size)
{
	time_t seconds = ns / 1000000000;
	struct tm tm;

	if (!ns || !localtime_r(&seconds, &tm) ||
	    !strftime(buf, size, "%Y-%m-%d %H:%M:%S", &tm))
		snprintf(buf, size, "never");
	return buf;
}

static int count_live(const void *key, const void *value, void *arg)
{
	const struct weir_endpoint *ep = value;

	*(long *)arg += ep->state != WEIR_ENDPOINT_GONE;
	return 0;
}

static int count_open(const void *key, const void *value, void *arg)
{
	struct status *s = arg;

	if (flow_is_over(value))
		s->closed++;
	else
		s->flows++;
	return 0;
}

static int by_name(const void *a, const void *b)
{
	const struct attachment *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static int status_read(const char *pin, struct status *s, struct err *err)
{
	struct dp dp;
	int r = dp_open(&dp, pin, err);

	if (r)
		return r;
	r = dp_settings_read(&dp, &s->settings, err);
	if (!r)
		r = attach_list(&dp, &s->hooks, err);
	if (!r)
		r = listeners_list(&dp, &s->listeners, err);
	if (!r)
		r = map_each(dp.map[DP_MAP_endpoints], count_live, &s->endpoints, err);
	if (!r)
		r = map_each(dp.map[DP_MAP_flows], count_open, s, err);
	if (!r && s->hooks.len)
		qsort(s->hooks.item, s->hooks.len, sizeof(*s->hooks.item), by_name);
	s->groups = map_count(dp.map[DP_MAP_groups]);
	s->agent = pin_agent(pin);
	s->seccomp = s->agent > 0 ? seccomp_of(s->agent) : -1;
	dp_close(&dp);
	return r;
}

/* In the order in which they see a packet. */
static json_t *programs_json(const struct attachment *a)
{
	json_t *all = json_array();
	uint32_t i;

	for (i = 0; i < a->program_count; i++)
		json_array_append_new(all, json_pack("{s:I, s:s, s:b}", "id",
						     (json_int_t)a->programs[i].id,
						     "name", a->programs[i].name,
						     "weir", a->programs[i].is_ours));
	return all;
}

static bool is_ok(const struct status *s)
{
	return !strcmp(s->settings.applied, "ok");
}

static int print_json(const char *pin, const struct status *s)
{
	json_t *hooks = json_array(), *listeners = json_array();
	char when[CLOCK_TEXT];
	size_t i;

	for (i = 0; i < s->hooks.len; i++) {
		const struct attachment *a = &s->hooks.item[i];

		json_array_append_new(
			hooks,
			json_pack("{s:s, s:I, s:s, s:b, s:b, s:I, s:o}", "interface",
				  a->name, "ifindex", (json_int_t)a->ifindex, "hook",
				  hook_name(a), "attached", a->live, "made_qdisc",
				  a->made_qdisc, "other_programs",
				  (json_int_t)a->others, "programs", programs_json(a)));
	}
	for (i = 0; i < s->listeners.len; i++) {
		const struct weir_listener *l = &s->listeners.item[i];

		json_array_append_new(listeners,
				      json_pack("{s:s, s:i}", "address", l->text, "mss",
						(int)l->mss));
	}
	return cmd_json(json_pack(
		"{s:s, s:o, s:o, s:o, s:o, s:s, s:I, s:I, s:b, s:I, s:I, s:I, s:I, "
		"s:I, "
		"s:o}",
		"pin", pin, "agent", s->agent ? json_integer(s->agent) : json_null(),
		"agent_seccomp",
		s->seccomp < 0 ? json_null() : json_boolean(s->seccomp), "interfaces",
		hooks, "listeners", listeners, "client_address",
		s->settings.keep_client ? "keep" : "node", "generation",
		(json_int_t)s->settings.generation, "routes",
		(json_int_t)s->settings.routes, "default_backend", s->settings.fallback,
		"groups", (json_int_t)s->groups, "endpoints", (json_int_t)s->endpoints,
		"connections", (json_int_t)s->flows, "closed_connections",
		(json_int_t)s->closed, "table_bytes",
		(json_int_t)s->settings.table_bytes, "last_apply",
		json_pack("{s:b, s:s, s:s?}", "ok", is_ok(s), "result",
			  s->settings.applied, "time",
			  s->settings.applied_ns
				  ? clock_text(s->settings.applied_ns, when)
				  : NULL)));
}

static void print_programs(const struct attachment *a)
{
	uint32_t i;

	for (i = 0; i < a->program_count; i++)
		printf("%s%s(%u)", i ? ", then " : ": ",
		       a->programs[i].is_ours	? "weir"
		       : a->programs[i].name[0] ? a->programs[i].name
						: "program",
		       a->programs[i].id);
}

/* What keeps it from serving. */
static void print_hint(const char *what, const char *text)
{
	printf("%-13s", what);
	print_painted(PAINT_YELLOW, text);
	putchar('\n');
}

static void print_hooks(const struct status *s, bool is_wide)
{
	size_t i;

	if (!s->hooks.len)
		print_hint("interfaces", "none attached");
	for (i = 0; i < s->hooks.len; i++) {
		const struct attachment *a = &s->hooks.item[i];

		printf("%-13s%s %s", i ? "" : "interfaces", a->name, hook_name(a));
		if (!a->live)
			print_painted(PAINT_YELLOW, " (gone)");
		if (is_wide)
			print_programs(a);
		if (a->others)
			printf(" (and %u other program%s)", a->others,
			       a->others == 1 ? "" : "s");
		putchar('\n');
	}
}

static void print_listener(const struct weir_listener *l, bool first, bool is_wide)
{
	printf("%-13s%s", first ? "listeners" : "", l->text);
	if (is_wide)
		printf(", MSS %u", l->mss);
	putchar('\n');
}

static int print_text(const char *pin, const struct status *s, bool is_wide)
{
	char when[64];
	size_t i;

	print_hooks(s, is_wide);
	if (!s->listeners.len)
		print_hint("listeners", "none");
	for (i = 0; i < s->listeners.len; i++)
		print_listener(&s->listeners.item[i], !i, is_wide);
	printf("rules        %u routes%s, generation %u, since %s\n",
	       s->settings.routes,
	       s->settings.fallback ? " (a default backend among them)" : "",
	       s->settings.generation,
	       time_text(s->settings.applied_ns, when, sizeof(when)));
	printf("endpoints    %ld in %ld groups, they see the %s address\n",
	       s->endpoints, s->groups,
	       s->settings.keep_client ? "client's" : "node's");
	printf("connections  %ld open, %ld closed a moment ago\n", s->flows, s->closed);
	printf("last apply   ");
	print_painted(is_ok(s) ? PAINT_NONE : PAINT_RED, s->settings.applied);
	putchar('\n');
	if (s->agent > 0)
		printf("agent        process %d%s\n", s->agent,
		       s->seccomp > 0	 ? ", system calls filtered"
		       : s->seccomp == 0 ? ", system calls not filtered"
					 : "");
	else
		printf("agent        %s\n", s->agent ? "running" : "none");
	printf("pins         %s\n", pin);
	return EXIT_DONE;
}

int status_main(struct ctx *ctx, int argc, char **argv)
{
	struct status s = {};
	struct err err = {};
	int r = options_parse(ctx, NULL, &argc, argv);

	if (r)
		return r;
	if (argc > 1)
		return cmd_usage(ctx, "no operand is expected: %s", argv[1]);
	if (status_read(ctx->pin, &s, &err))
		r = cmd_fail(&err);
	else if (ctx->output == OUTPUT_JSON)
		r = print_json(ctx->pin, &s);
	else
		r = print_text(ctx->pin, &s, ctx->output == OUTPUT_WIDE);
	vec_free(&s.hooks);
	vec_free(&s.listeners);
	return r;
}

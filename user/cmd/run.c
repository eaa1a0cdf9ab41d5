/* SPDX-License-Identifier: BSD-2-Clause */
/* weir run: the agent. weir apply: its work, once. */
#include <string.h>

#include <jansson.h>

#include "agent/agent.h"
#include "base/log.h"
#include "base/number.h"
#include "cmd/cmd.h"
#include "cmd/compile.h"

struct run_options {
	struct words ifaces;
	struct words listeners;
	bool keep;
	bool no_seccomp;
	bool replace;
	int client_address; /* enum client_address_choice */
	const char *metrics;
	int health_check; /* enum check */
	const char *health_interval;
	const char *health_fall;
	const char *health_rise;
};

/* The order of the options' words. */
enum check { CHECK_NONE, CHECK_TCP };
enum client_address_choice { ADDRESS_NODE, ADDRESS_KEEP };

const struct option_row options_run[] = {
	{'i', "interface", "IFACE", "attach here; a name or a pattern; repeatable",
	 OPTION_LIST, offsetof(struct run_options, ifaces)},
	{'l', "listen", "ADDR:PORT[/http]", "where clients connect to; repeatable",
	 OPTION_LIST, offsetof(struct run_options, listeners)},
	{0, "keep", NULL, "leave the data path in place when stopped", OPTION_FLAG,
	 offsetof(struct run_options, keep)},
	{0, "no-seccomp", NULL, "do not filter system calls, to look for a fault",
	 OPTION_FLAG, offsetof(struct run_options, no_seccomp)},
	{0, "replace", NULL, "take the place of a data path of another layout",
	 OPTION_FLAG, offsetof(struct run_options, replace)},
	{0, "client-address", "node|keep",
	 "whose address endpoints see as their peer's (default node)", OPTION_CHOICE,
	 offsetof(struct run_options, client_address)},
	{0, "metrics", "ADDR:PORT", "serve /metrics, /healthz and /readyz there",
	 OPTION_STRING, offsetof(struct run_options, metrics)},
	{0, "health-check", "none|tcp", "connect to every endpoint now and then",
	 OPTION_CHOICE, offsetof(struct run_options, health_check)},
	{0, "health-interval", "SECONDS",
	 "between two checks of an endpoint (default 2)", OPTION_STRING,
	 offsetof(struct run_options, health_interval)},
	{0, "health-fall", "N",
	 "failures in a row that take an endpoint out (default 3)", OPTION_STRING,
	 offsetof(struct run_options, health_fall)},
	{0, "health-rise", "N", "successes in a row that bring it back (default 2)",
	 OPTION_STRING, offsetof(struct run_options, health_rise)},
	{},
};

/* Operands are more files: `-f *.yaml` works. */
static int take_operands(struct ctx *ctx, struct compile_options *opt, int argc,
			 char **argv)
{
	int i;

	for (i = 1; i < argc; i++) {
		const char **slot = vec_push(&opt->files);

		if (slot)
			*slot = argv[i];
	}
	return opt->files.len ? 0 : cmd_usage(ctx, "which manifests? -f PATH");
}

static int read_count(struct ctx *ctx, const char *option, const char *text,
		      uint32_t *out)
{
	uint64_t n;

	if (!text)
		return 0;
	if (number_parse(text, 1000, &n) || !n)
		return cmd_usage(ctx, "--%s: %s is not 1 to 1000", option, text);
	*out = n;
	return 0;
}

static int read_health(struct ctx *ctx, const struct run_options *run,
		       struct health_options *out)
{
	uint64_t ms = 2000;
	int r = read_count(ctx, "health-fall", run->health_fall, &out->fall);

	if (!r)
		r = read_count(ctx, "health-rise", run->health_rise, &out->rise);
	if (r)
		return r;
	if (run->health_interval &&
	    (number_parse_ms(run->health_interval, &ms) || ms < 100 || ms > 3600000))
		return cmd_usage(ctx,
				 "--health-interval: %s is not 0.1 to 3600 seconds",
				 run->health_interval);
	if (run->health_check == CHECK_TCP)
		out->interval_ms = ms;
	return 0;
}

static int run_agent(struct ctx *ctx, const struct run_options *run,
		     const struct compile_options *compile)
{
	struct words ifaces = {}, listeners = {};
	struct health_options health = HEALTH_DEFAULTS;
	struct agent_options opt;
	struct err err = {};
	int r = read_health(ctx, run, &health);

	if (r)
		return r;
	if (words_split(&run->ifaces, &ifaces) ||
	    words_split(&run->listeners, &listeners))
		return EXIT_FAILED;
	opt = (struct agent_options){
		.pin = ctx->pin,
		.source = compile_source(compile),
		.ifaces = ifaces.item,
		.iface_count = ifaces.len,
		.listeners = listeners.item,
		.listener_count = listeners.len,
		.replace = run->replace,
		.keep = run->keep,
		.keep_client = run->client_address == ADDRESS_KEEP,
		.no_seccomp = run->no_seccomp,
		.metrics = run->metrics,
		.health = health,
	};
	r = agent_run(&opt, &err);
	words_free(&ifaces);
	words_free(&listeners);
	return r ? cmd_fail(&err) : EXIT_DONE;
}

int run_main(struct ctx *ctx, int argc, char **argv)
{
	struct compile_options compile = COMPILE_DEFAULTS;
	struct run_options run = {};
	void *const to[] = {&run, &compile};
	size_t i;
	int r = options_parse(ctx, to, &argc, argv);

	log_is_json = ctx->output == OUTPUT_JSON;
	if (!r)
		r = take_operands(ctx, &compile, argc, argv);
	for (i = 0; !r && i < compile.files.len; i++)
		if (!strcmp(compile.files.item[i], "-"))
			r = cmd_usage(ctx, "standard input cannot be followed; "
					   "weir apply -f - reads it once");
	if (!r && !run.ifaces.len)
		r = cmd_usage(ctx, "which interface? -i IFACE");
	if (!r && !run.listeners.len)
		r = cmd_usage(ctx, "where do clients connect to? -l ADDR:PORT");
	if (!r)
		r = run_agent(ctx, &run, &compile);
	vec_free(&run.ifaces);
	vec_free(&run.listeners);
	compile_options_free(&compile);
	return r;
}

static int say_served(const struct ctx *ctx, const struct served *s)
{
	if (ctx->output == OUTPUT_JSON)
		return cmd_json(json_pack(
			"{s:I, s:I, s:I, s:b}", "routes", (json_int_t)s->routes,
			"endpoints", (json_int_t)s->endpoints, "generation",
			(json_int_t)s->generation, "table_changed", s->swapped));
	log_info("applied: %zu routes (generation %u%s)", s->routes, s->generation,
		 s->swapped ? "" : ", route table unchanged");
	return EXIT_DONE;
}

int apply_main(struct ctx *ctx, int argc, char **argv)
{
	struct compile_options compile = COMPILE_DEFAULTS;
	void *const to[] = {&compile};
	struct source source;
	struct served served;
	struct err err = {};
	int r = options_parse(ctx, to, &argc, argv);

	if (!r)
		r = take_operands(ctx, &compile, argc, argv);
	if (!r) {
		source = compile_source(&compile);
		r = agent_apply_once(ctx->pin, &source, &served, &err)
			    ? cmd_fail(&err)
			    : say_served(ctx, &served);
	}
	compile_options_free(&compile);
	return r;
}

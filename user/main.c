/* SPDX-License-Identifier: BSD-2-Clause */
/* weir: the table of commands, and the way from argv to one of them. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include <weir/maps.h>

#include "cmd/cmd.h"
#include "cmd/columns.h"
#include "cmd/watch.h"

#ifndef WEIR_VERSION
#define WEIR_VERSION "unknown"
#endif

const struct command commands[] = {
	{"check",
	 "Parse, resolve and compile manifests; show what would be served",
	 "-f PATH...",
	 NULL,
	 {options_compile, options_table},
	 0,
	 check_main},
	{"explain",
	 "Say which route a request takes, and why",
	 "-f PATH... METHOD URL | --batch | --raw FILE|-",
	 "The answer comes from the code that runs in the kernel.",
	 {options_compile, options_explain},
	 0,
	 explain_main},
	{"run",
	 "Load, attach and serve manifests, following every change",
	 "-i IFACE... -l ADDR:PORT... -f PATH...",
	 "Stays in the foreground. SIGHUP reads the manifests again; SIGINT and "
	 "SIGTERM\n"
	 "end it and take everything away, unless --keep is given. Killed otherwise, "
	 "it\n"
	 "leaves the data path serving, and the next `weir run` adopts it.",
	 {options_run, options_compile},
	 COMMAND_ROOT,
	 run_main},
	{"apply",
	 "Put manifests into the data path that is there, once",
	 "-f PATH...",
	 "No agent is needed. All or nothing: packets see the old rules or the new "
	 "ones.",
	 {options_compile},
	 COMMAND_ROOT | COMMAND_HOME,
	 apply_main},
	{"attach",
	 "Put the program on interfaces by hand",
	 "IFACE... [-l ADDR:PORT...]",
	 "Loads the data path if there is none. Its route table is empty until `weir "
	 "apply`.",
	 {options_attach},
	 COMMAND_ROOT,
	 attach_main},
	{"detach",
	 "Take the program off interfaces",
	 "IFACE... | --all",
	 "--all leaves nothing behind: no hook, no qdisc that weir made, no pin.",
	 {options_detach},
	 COMMAND_ROOT | COMMAND_HOME,
	 detach_main},
	{"status",
	 "Interfaces, listeners, rules and connections at a glance",
	 NULL,
	 NULL,
	 {},
	 COMMAND_ROOT | COMMAND_HOME,
	 status_main},
	{"routes",
	 "The rules that are served",
	 NULL,
	 NULL,
	 {options_watch, options_routes, options_table},
	 COMMAND_ROOT,
	 routes_main},
	{"endpoints",
	 "Where requests go to",
	 NULL,
	 NULL,
	 {options_watch, options_endpoints, options_table},
	 COMMAND_ROOT,
	 endpoints_main},
	{"endpoint",
	 "Keep new connections from an endpoint, by hand",
	 "drain|undrain ADDR:PORT|NAMESPACE/SERVICE[:PORT]",
	 "Lasts until undrain, through every reload and restart of the agent, or "
	 "until\n"
	 "the endpoint is gone.",
	 {},
	 COMMAND_ROOT,
	 endpoint_main},
	{"flows",
	 "The connections that there are",
	 NULL,
	 NULL,
	 {options_watch, options_flows, options_flows_order, options_table},
	 COMMAND_ROOT,
	 flows_main},
	{"stats",
	 "How packets and requests ended, counted",
	 NULL,
	 "Zeros are shown with -o wide and -o json.",
	 {options_watch, options_stats, options_table},
	 COMMAND_ROOT,
	 stats_main},
	{"top",
	 "The same as it happens, busiest first",
	 NULL,
	 "On a terminal: q quits, s sorts by the next column, r the other way round, "
	 "e\n"
	 "shows routes or endpoints, TAB the next view, h all keys. With -o json, or "
	 "when\n"
	 "its output is no terminal, one text after the other.",
	 {options_top, options_table},
	 COMMAND_ROOT,
	 top_main},
	{"monitor",
	 "One line for each request, as it is answered",
	 "[--host NAME] [--route NAMESPACE/NAME] [--status CODE] [--client ADDR]",
	 "Time, client, method, URL, Ingress, endpoint, status, bytes sent to the "
	 "client,\n"
	 "and how long it took. The kernel writes for one reader at a time, and only\n"
	 "what the options ask for. With -o json one object a line.",
	 {options_monitor},
	 COMMAND_ROOT,
	 monitor_main},
	{"metrics",
	 "The numbers in Prometheus text form",
	 NULL,
	 NULL,
	 {},
	 COMMAND_ROOT,
	 metrics_main},
	{"doctor",
	 "Say whether weir can run here, and what is in its way",
	 "[IFACE...]",
	 "Changes nothing, and needs no privileges for a part of the answer. Without\n"
	 "interfaces: those of the data path, or all that are up. Exit status 1 when "
	 "weir\n"
	 "could not run.",
	 {},
	 0,
	 doctor_main},
	{"completion",
	 "Shell completion",
	 "bash|zsh|fish",
	 "For this shell: source <(weir completion bash)",
	 {},
	 0,
	 completion_main},
	{"help",
	 "Help for weir, or for a command",
	 "[COMMAND]",
	 NULL,
	 {options_of_help},
	 0,
	 help_main},
	{},
};

/* --help and --version win over everything else behind the command, also
 * over what the command would call a mistake. */
static void asks_for_help(struct ctx *ctx, int argc, char **argv)
{
	int i;

	for (i = 1; i < argc && strcmp(argv[i], "--"); i++) {
		if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h"))
			ctx->help = true;
		if (!strcmp(argv[i], "--version"))
			ctx->version = true;
	}
}

/* Output that could not be written is a failure, not a success. */
static int finish(int code)
{
	if (fflush(stdout) || ferror(stdout)) {
		fprintf(stderr, "weir: standard output: %s\n", strerror(errno));
		return code ? code : EXIT_FAILED;
	}
	return code;
}

int main(int argc, char **argv)
{
	const char *pin = getenv("WEIR_PIN");
	struct ctx ctx = {.pin = pin && *pin ? pin : WEIR_DEFAULT_PIN};
	int first, r;

	r = options_leading(&ctx, argc, argv, &first);
	if (r)
		return r;
	argc -= first;
	argv += first;
	if (argc > 0 && !ctx.version && !ctx.help) {
		ctx.command = command_find(argv[0]);
		if (!ctx.command)
			return cmd_unknown(&ctx, argv[0]);
		asks_for_help(&ctx, argc, argv);
	}
	if (ctx.version) {
		if (ctx.output == OUTPUT_JSON)
			return finish(
				cmd_json(json_pack("{s:s}", "version", WEIR_VERSION)));
		puts("weir " WEIR_VERSION);
		return finish(EXIT_DONE);
	}
	if (ctx.help) {
		command_help(argc > 0 ? command_find(argv[0]) : NULL);
		return finish(EXIT_DONE);
	}
	if (!ctx.command) {
		command_help(NULL);
		return finish(EXIT_DONE);
	}
	return finish(ctx.command->run(&ctx, argc, argv));
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* weir completion: made from the same rows as --help. */
#include <stdio.h>
#include <string.h>

#include "cmd/cmd.h"

static void print_options(const struct option_row *rows)
{
	for (; rows->name; rows++) {
		if (rows->letter)
			printf(" -%c", rows->letter);
		printf(" --%s", rows->name);
	}
}

static void print_commands(void)
{
	const struct command *cmd;

	for (cmd = commands; cmd->name; cmd++)
		printf("%s%s", cmd == commands ? "" : " ", cmd->name);
}

static bool takes_files(const struct option_row *row)
{
	return row->arg && (!strcmp(row->arg, "PATH") || !strcmp(row->arg, "DIR") ||
			    strstr(row->arg, "FILE"));
}

/* "case" arms for options with a closed set of values, and with files: a name may
 * mean different things to different commands. */
static void bash_values(const char *command, const struct option_row *rows)
{
	for (; rows->name; rows++) {
		const char *p;

		if (rows->kind != OPTION_CHOICE && !takes_files(rows))
			continue;
		printf("\t%s:--%s", command, rows->name);
		if (rows->letter)
			printf("|%s:-%c", command, rows->letter);
		if (rows->kind != OPTION_CHOICE) {
			printf(") COMPREPLY=($(compgen -f -- \"$cur\")); return ;;\n");
			continue;
		}
		printf(") COMPREPLY=($(compgen -W \"");
		for (p = rows->arg; *p; p++)
			putchar(*p == '|' ? ' ' : *p);
		printf("\" -- \"$cur\")); return ;;\n");
	}
}

static bool operands_are_interfaces(const struct command *cmd)
{
	return cmd->usage && cmd->usage[0] != '-' && strstr(cmd->usage, "IFACE");
}

static void print_bash(void)
{
	const struct command *cmd;
	size_t i;

	printf("# bash completion for weir\n_weir() {\n"
	       "\tlocal cur=${COMP_WORDS[COMP_CWORD]} "
	       "prev=${COMP_WORDS[COMP_CWORD-1]}\n"
	       "\tlocal cmd= words= i\n\tCOMPREPLY=()\n"
	       "\tfor ((i = 1; i < COMP_CWORD; i++)); do\n"
	       "\t\tcase ${COMP_WORDS[i]} in\n"
	       "\t\t--pin|--netns|-o|--output) ((i++)) ;;\n"
	       "\t\t-*) ;;\n\t\t*) cmd=${COMP_WORDS[i]}; break ;;\n\t\tesac\n\tdone\n"
	       "\tcase $cmd:$prev in\n");
	bash_values("*", options_global);
	for (cmd = commands; cmd->name; cmd++)
		for (i = 0; i < OPTION_SETS && cmd->options[i]; i++)
			bash_values(cmd->name, cmd->options[i]);
	printf("\t*:-i|*:--interface) COMPREPLY=($(compgen -W \"$(ls /sys/class/net)\" "
	       "-- "
	       "\"$cur\")); return ;;\n\tesac\n"
	       "\tcase $cmd in\n\t'') words=\"");
	print_commands();
	print_options(options_global);
	printf("\" ;;\n\thelp) words=\"");
	print_commands();
	printf("\" ;;\n");
	for (cmd = commands; cmd->name; cmd++) {
		if (!strcmp(cmd->name, "help"))
			continue;
		printf("\t%s) words=\"", cmd->name);
		for (i = 0; i < OPTION_SETS && cmd->options[i]; i++)
			print_options(cmd->options[i]);
		print_options(options_global);
		if (!strcmp(cmd->name, "completion"))
			printf(" bash zsh fish");
		if (!strcmp(cmd->name, "endpoint"))
			printf(" drain undrain");
		if (operands_are_interfaces(cmd))
			printf(" $(ls /sys/class/net)");
		printf("\" ;;\n");
	}
	printf("\tesac\n\tCOMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
	       "\t[[ $cmd && $cur != -* && -z $COMPREPLY ]] &&\n"
	       "\t\tCOMPREPLY=($(compgen -f -- \"$cur\"))\n}\n"
	       "complete -o filenames -F _weir weir\n");
}

static void print_zsh(void)
{
	printf("#compdef weir\n# through the completion for bash\n"
	       "autoload -U +X bashcompinit && bashcompinit\n");
	print_bash();
}

/* In single quotes, as fish reads them. */
static void fish_text(const char *s)
{
	for (; *s; s++)
		printf(*s == '\'' || *s == '\\' ? "\\%c" : "%c", *s);
}

static void fish_options(const char *condition, const char *value,
			 const struct option_row *rows)
{
	for (; rows->name; rows++) {
		const char *p;

		printf("complete -c weir -n '%s%s' -l %s", condition, value,
		       rows->name);
		if (rows->letter)
			printf(" -s %c", rows->letter);
		if (rows->kind == OPTION_CHOICE) {
			printf(" -x -a '");
			for (p = rows->arg; *p; p++)
				putchar(*p == '|' ? ' ' : *p);
			putchar('\'');
		} else if (rows->arg) {
			printf(takes_files(rows) ? " -rF" : " -x");
		}
		printf(" -d '");
		fish_text(rows->help);
		printf("'\n");
	}
}

static void print_fish(void)
{
	const struct command *cmd;
	size_t i;

	printf("# fish completion for weir\n");
	for (cmd = commands; cmd->name; cmd++) {
		printf("complete -c weir -f -n __fish_use_subcommand -a %s -d '",
		       cmd->name);
		fish_text(cmd->summary);
		printf("'\n");
		if (operands_are_interfaces(cmd))
			printf("complete -c weir -f -n '__fish_seen_subcommand_from "
			       "%s' -a '(ls /sys/class/net)'\n",
			       cmd->name);
		if (!strcmp(cmd->name, "endpoint"))
			printf("complete -c weir -f -n '__fish_seen_subcommand_from "
			       "endpoint' -a 'drain undrain'\n");
		for (i = 0; i < OPTION_SETS && cmd->options[i]; i++)
			fish_options("__fish_seen_subcommand_from ", cmd->name,
				     cmd->options[i]);
	}
	fish_options("true", "", options_global);
}

int completion_main(struct ctx *ctx, int argc, char **argv)
{
	int r = options_parse(ctx, NULL, &argc, argv);

	if (r)
		return r;
	if (ctx->output == OUTPUT_JSON)
		return cmd_usage(ctx, "a script has no JSON");
	if (argc == 2 && !strcmp(argv[1], "bash"))
		print_bash();
	else if (argc == 2 && !strcmp(argv[1], "zsh"))
		print_zsh();
	else if (argc == 2 && !strcmp(argv[1], "fish"))
		print_fish();
	else
		return cmd_usage(ctx, "for which shell? bash, zsh or fish");
	return EXIT_DONE;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* weir help --man: a command's page in mdoc(7), from the row that gives --help. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "cmd/cmd.h"

/* A line of text: what roff would take for a request or an escape is made plain, and
 * hyphens remain what can be typed. A sentence gets a line of its own. */
static void text(const char *s)
{
	bool at_start = true;

	for (; *s; s++) {
		if (at_start && (*s == '.' || *s == '\''))
			printf("\\&");
		if (*s == '\\')
			printf("\\e");
		else if (*s == '-')
			printf("\\-");
		else if (*s == ' ' && !at_start && s[-1] == '.' && isupper(s[1]))
			putchar('\n');
		else
			putchar(*s);
		at_start = *s == '\n';
	}
	putchar('\n');
}

static void options(const struct option_row *rows)
{
	for (; rows->name; rows++) {
		printf(".It ");
		if (rows->letter)
			printf("Fl %c , ", rows->letter);
		printf("Fl -%s", rows->name);
		if (rows->arg)
			printf(" Ar \"%s\"", rows->arg);
		putchar('\n');
		text(rows->help);
	}
}

void command_man(const struct command *cmd, const char *date)
{
	size_t i;

	printf(".Dd %s\n.Dt WEIR-", date);
	for (i = 0; cmd->name[i]; i++)
		putchar(toupper(cmd->name[i]));
	printf(" 8\n.Os\n.Sh NAME\n.Nm weir-%s\n.Nd ", cmd->name);
	text(cmd->summary);
	printf(".Sh SYNOPSIS\n.Nm weir %s\n", cmd->name);
	if (cmd->usage)
		text(cmd->usage);
	printf(".Sh DESCRIPTION\n" MAN_PROSE "\n");
	if (cmd->flags & COMMAND_ROOT)
		printf(".Pp\nNeeds root, or\n.Dv CAP_BPF ,\n.Dv CAP_PERFMON\nand\n"
		       ".Dv CAP_NET_ADMIN .\n");
	printf(".Sh OPTIONS\n");
	if (cmd->options[0]) {
		printf(".Bl -tag -width Ds\n");
		for (i = 0; i < OPTION_SETS && cmd->options[i]; i++)
			options(cmd->options[i]);
		printf(".El\n.Pp\nOf every command:\n");
	}
	printf(".Bl -tag -width Ds\n");
	options(options_global);
	printf(".El\n.Sh SEE ALSO\n.Xr weir 8\n");
}

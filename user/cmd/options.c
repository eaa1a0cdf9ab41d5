/* SPDX-License-Identifier: BSD-2-Clause */
#include "cmd/options.h"

#include <stdio.h>
#include <string.h>

#include "base/word.h"
#include "cmd/cmd.h"

const struct option_row options_global[] = {
	{0, "pin", "DIR", "where maps, programs and links are pinned (WEIR_PIN)",
	 OPTION_STRING, offsetof(struct ctx, pin)},
	{0, "netns", "NAME|PATH", "enter this network namespace first", OPTION_STRING,
	 offsetof(struct ctx, netns)},
	{'o', "output", "text|wide|json", "form of the output", OPTION_CHOICE,
	 offsetof(struct ctx, output)},
	{'q', "quiet", NULL, "errors only", OPTION_FLAG, offsetof(struct ctx, quiet)},
	{'v', "verbose", NULL, "say more; twice: the kernel's verifier log too",
	 OPTION_COUNT, offsetof(struct ctx, verbose)},
	{'h', "help", NULL, "this text", OPTION_FLAG, offsetof(struct ctx, help)},
	{0, "version", NULL, "the version", OPTION_FLAG, offsetof(struct ctx, version)},
	{},
};

const struct option_row options_compile[] = {
	{'f', "file", "PATH",
	 "manifests: a file, a directory (.yaml, .yml, .json in it) or -; repeatable",
	 OPTION_LIST, offsetof(struct compile_options, files)},
	{0, "endpoint", "NAMESPACE/SERVICE[:PORTNAME]=ADDR:PORT[,weight=N]",
	 "an endpoint by hand, where no EndpointSlice gives it; repeatable",
	 OPTION_LIST, offsetof(struct compile_options, endpoints)},
	{0, "ingress-class", "NAME", "the class that is served (default kong)",
	 OPTION_STRING, offsetof(struct compile_options, ingress_class)},
	{0, "dialect", "kubernetes|kong",
	 "whose reading of the rules (kong is not served yet)", OPTION_CHOICE,
	 offsetof(struct compile_options, dialect)},
	{0, "gateway", "ADDR:PORT",
	 "the full gateway for what the kernel cannot honour", OPTION_STRING,
	 offsetof(struct compile_options, gateway)},
	{0, "strict", NULL, "warnings are errors", OPTION_FLAG,
	 offsetof(struct compile_options, strict)},
	{},
};

void compile_options_free(struct compile_options *opt)
{
	vec_free(&opt->files);
	vec_free(&opt->endpoints);
}

/* An option set during parsing: its rows and where their values go. */
struct target {
	const struct option_row *rows;
	char *to;
};

struct found {
	const struct option_row *row;
	char *to;
};

static struct found find_name(const struct target *sets, size_t count, const char *name,
			      size_t len)
{
	size_t i;

	for (i = 0; i < count; i++) {
		const struct option_row *row = sets[i].rows;

		for (; row->name; row++)
			if (strlen(row->name) == len && !memcmp(row->name, name, len))
				return (struct found){row, sets[i].to};
	}
	return (struct found){};
}

static struct found find_letter(const struct target *sets, size_t count, char letter)
{
	size_t i;

	for (i = 0; i < count; i++) {
		const struct option_row *row = sets[i].rows;

		for (; row->name; row++)
			if (row->letter == letter)
				return (struct found){row, sets[i].to};
	}
	return (struct found){};
}

static void find_nearest(const struct target *sets, size_t count,
			 struct word_search *near)
{
	size_t i;

	for (i = 0; i < count; i++) {
		const struct option_row *row = sets[i].rows;

		for (; row->name; row++)
			word_try(near, row->name);
	}
}

static int choice_index(const char *choices, const char *value)
{
	size_t len = strlen(value);
	int i;

	for (i = 0;; i++) {
		const char *bar = strchrnul(choices, '|');

		if ((size_t)(bar - choices) == len && !memcmp(choices, value, len))
			return i;
		if (!*bar)
			return -1;
		choices = bar + 1;
	}
}

static int option_set(const struct ctx *ctx, struct found f, const char *value)
{
	void *to = f.to + f.row->to;
	const char **slot;
	int choice;

	switch (f.row->kind) {
	case OPTION_FLAG:
		*(bool *)to = true;
		return 0;
	case OPTION_COUNT:
		++*(int *)to;
		return 0;
	case OPTION_STRING:
	case OPTION_MAYBE:
		*(const char **)to = value;
		return 0;
	case OPTION_LIST:
		slot = vec_push((struct words *)to);
		if (!slot)
			return cmd_usage(ctx, "--%s: out of memory", f.row->name);
		*slot = value;
		return 0;
	case OPTION_CHOICE:
		choice = choice_index(f.row->arg, value);
		if (choice < 0)
			return cmd_usage(ctx, "--%s: %s is not one of %s", f.row->name,
					 value, f.row->arg);
		*(int *)to = choice;
		return 0;
	}
	return 0;
}

/* One "--name", "--name=value"; *i is moved over a value of its own. */
static int parse_long(const struct ctx *ctx, const struct target *sets, size_t count,
		      int argc, char **argv, int *i)
{
	const char *name = argv[*i] + 2;
	const char *equals = strchrnul(name, '=');
	struct found f = find_name(sets, count, name, equals - name);
	const char *value = *equals ? equals + 1 : NULL;

	if (!f.row) {
		char given[64];
		struct word_search near = {.given = given};

		snprintf(given, sizeof(given), "%.*s", (int)(equals - name), name);
		find_nearest(sets, count, &near);
		return cmd_usage(ctx, "unknown option --%s%s%s%s", given,
				 *near.best ? ", did you mean --" : "", near.best,
				 *near.best ? "?" : "");
	}
	if (!f.row->arg && value)
		return cmd_usage(ctx, "--%s takes no value", f.row->name);
	if (f.row->kind == OPTION_MAYBE && !value)
		value = "";
	if (f.row->arg && !value) {
		if (*i + 1 >= argc)
			return cmd_usage(ctx, "--%s needs a value: %s", f.row->name,
					 f.row->arg);
		value = argv[++*i];
	}
	return option_set(ctx, f, value);
}

/* "-a", "-abc", "-fVALUE", "-f VALUE" */
static int parse_letters(const struct ctx *ctx, const struct target *sets, size_t count,
			 int argc, char **argv, int *i)
{
	const char *p;
	int r;

	for (p = argv[*i] + 1; *p; p++) {
		struct found f = find_letter(sets, count, *p);
		const char *value = NULL;

		if (!f.row)
			return cmd_usage(ctx, "unknown option -%c", *p);
		if (f.row->arg) {
			value = p + 1;
			if (f.row->kind == OPTION_MAYBE)
				return option_set(ctx, f, value);
			if (!*value && *i + 1 >= argc)
				return cmd_usage(ctx, "-%c needs a value: %s", *p,
						 f.row->arg);
			if (!*value)
				value = argv[++*i];
		}
		r = option_set(ctx, f, value);
		if (r || value)
			return r;
	}
	return 0;
}

static int parse_one(const struct ctx *ctx, const struct target *sets, size_t count,
		     int argc, char **argv, int *i)
{
	if (argv[*i][1] == '-')
		return parse_long(ctx, sets, count, argc, argv, i);
	return parse_letters(ctx, sets, count, argc, argv, i);
}

static bool is_option(const char *arg)
{
	return arg[0] == '-' && arg[1];
}

int options_leading(struct ctx *ctx, int argc, char **argv, int *first)
{
	struct target set = {options_global, (char *)ctx};
	int i, r;

	for (i = 1; i < argc && is_option(argv[i]); i++) {
		if (!strcmp(argv[i], "--")) {
			i++;
			break;
		}
		r = parse_one(ctx, &set, 1, argc, argv, &i);
		if (r)
			return r;
	}
	*first = i;
	return 0;
}

int options_parse(struct ctx *ctx, void *const to[], int *argc, char **argv)
{
	const struct option_row *const *rows = ctx->command->options;
	struct target sets[OPTION_SETS + 1];
	size_t count = 0;
	bool ended = false;
	int i, r, out = 1;

	while (count < OPTION_SETS && rows[count]) {
		sets[count] = (struct target){rows[count], to[count]};
		count++;
	}
	sets[count++] = (struct target){options_global, (char *)ctx};

	for (i = 1; i < *argc; i++) {
		if (!ended && !strcmp(argv[i], "--")) {
			ended = true;
		} else if (ended || !is_option(argv[i])) {
			argv[out++] = argv[i];
		} else {
			r = parse_one(ctx, sets, count, *argc, argv, &i);
			if (r)
				return r;
		}
	}
	*argc = out;
	return cmd_begin(ctx);
}

void options_help(const struct option_row *rows)
{
	for (; rows->name; rows++) {
		char left[96];
		int n = snprintf(left, sizeof(left), "  %c%c%s--%s%s%s",
				 rows->letter ? '-' : ' ', rows->letter ?: ' ',
				 rows->letter ? ", " : "  ", rows->name,
				 rows->arg && rows->kind != OPTION_MAYBE ? " " : "",
				 rows->arg ?: "");

		if (n > 28)
			printf("%s\n%30s%s\n", left, "", rows->help);
		else
			printf("%-30s%s\n", left, rows->help);
	}
}

int words_split(const struct words *in, struct words *out)
{
	size_t i;

	for (i = 0; i < in->len; i++) {
		const char *p = in->item[i];

		for (;;) {
			const char *comma = strchrnul(p, ',');

			if (comma > p) {
				const char **slot = vec_push(out);

				if (!slot)
					return -1;
				*slot = strndup(p, comma - p);
				if (!*slot)
					return -1;
			}
			if (!*comma)
				break;
			p = comma + 1;
		}
	}
	return 0;
}

void words_free(struct words *owned)
{
	size_t i;

	for (i = 0; i < owned->len; i++)
		free((char *)owned->item[i]);
	vec_free(owned);
}

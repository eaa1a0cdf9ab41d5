/* SPDX-License-Identifier: BSD-2-Clause */
/* weir top: the counters as they move; on a terminal with keys. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <jansson.h>

#include "base/number.h"
#include "base/term.h"
#include "base/units.h"
#include "cmd/cmd.h"
#include "cmd/screen.h"
#include "cmd/show.h"
#include "cmd/top_rows.h"
#include "dp/dp.h"
#include "dp/flows.h"

#define VIEWS "outcomes|routes|endpoints"

struct top_options {
	const char *interval;
	const char *count;
	int by; /* enum top_by */
	const char *sort;
	bool reverse;
};

const struct option_row options_top[] = {
	{'d', "delay", "SECONDS", "between two looks (default 1)", OPTION_STRING,
	 offsetof(struct top_options, interval)},
	{'n', "count", "N", "end after so many looks", OPTION_STRING,
	 offsetof(struct top_options, count)},
	{0, "by", VIEWS, "what is shown (default outcomes)", OPTION_CHOICE,
	 offsetof(struct top_options, by)},
	{'s', "sort", "COLUMN", "by another column than the first", OPTION_STRING,
	 offsetof(struct top_options, sort)},
	{'r', "reverse", NULL, "the other way round", OPTION_FLAG,
	 offsetof(struct top_options, reverse)},
	{},
};

struct top {
	const struct ctx *ctx;
	const struct table_options *table;
	struct dp dp;
	enum top_by by;
	unsigned int sort[TOP_VIEWS]; /* a column of each view */
	bool reverse;
	bool help;
	size_t from; /* the first row on the screen */
	uint64_t delay_ns, count;
	struct top_look looks[2]; /* in turn */
	unsigned int newest;
};

static const struct top_look *now_of(const struct top *t)
{
	return &t->looks[t->newest];
}

/* ---- one view, as text or JSON ---- */

static const char *cell_text(struct columns *c, enum top_unit unit, double n)
{
	char text[UNITS_TEXT];

	if (unit == TOP_US)
		return n > 0 ? columns_text(c, "%s", units_us(n, text)) : NULL;
	if (c->wide)
		return columns_text(c, unit == TOP_RATE ? "%.1f" : "%.0f", n);
	return columns_text(
		c, "%s", unit == TOP_RATE ? units_rate(n, text) : units_count(n, text));
}

static void add_row(struct columns *c, enum top_by by, const struct top_row *r)
{
	const char *cell[TOP_COLUMNS] = {};
	unsigned int n = top_numbers(by), i;

	for (i = 0; i < n; i++)
		cell[i] = cell_text(c, top_columns[by][i].unit, r->number[i]);
	cell[n] = r->text[0];
	cell[n + 1] = r->text[1];
	columns_row(c, cell[0], cell[1], cell[2], cell[3], cell[4], cell[5], cell[6],
		    cell[7]);
	if (by == TOP_OUTCOMES && r->number[0] > 0)
		columns_paint(c, 0, outcome_paint(r->id));
	for (i = 0; i < n; i++)
		if (top_columns[by][i].is_bad && r->number[i] > 0)
			columns_paint(c, i, PAINT_RED);
}

static int print_table(const struct top *t, const struct top_rows *rows, size_t most)
{
	static const char *const none[] = {"nothing counted yet", "no requests",
					   "no connections"};
	struct column head[TOP_COLUMNS + 1] = {};
	struct columns c;
	size_t i;

	for (i = 0; top_columns[t->by][i].title; i++)
		head[i] = (struct column){top_columns[t->by][i].title,
					  top_columns[t->by][i].unit == TOP_TEXT
						  ? COLUMN_FLEX
						  : COLUMN_RIGHT,
					  false};
	columns_init(&c, head, t->ctx->output == OUTPUT_WIDE);
	c.no_headers = t->table->no_headers;
	c.from = t->from;
	c.most = most;
	c.head_paint = most ? PAINT_TITLE : PAINT_NONE;
	for (i = 0; i < rows->rows.len; i++)
		add_row(&c, t->by, &rows->rows.item[i]);
	return columns_print(&c, none[t->by]);
}

/* Outcomes that moved only. */
static json_t *outcomes_json(const struct top *t, const struct top_rows *rows)
{
	json_t *rates = json_object();
	size_t i;

	for (i = 0; i < rows->rows.len; i++)
		if (rows->rows.item[i].number[0] > 0)
			json_object_set_new(rates, rows->rows.item[i].text[0],
					    json_real(rows->rows.item[i].number[0]));
	return json_pack("{s:I, s:o}", "connections", (json_int_t)now_of(t)->flows,
			 "per_second", rates);
}

static json_t *rows_json(const struct top_rows *rows, bool routes)
{
	json_t *doc = json_array();
	size_t i;

	for (i = 0; i < rows->rows.len; i++) {
		const struct top_row *r = &rows->rows.item[i];
		const double *n = r->number + (routes ? 1 : 0);
		json_t *o = json_pack(
			"{s:I, s:s, s:s, s:f, s:f, s:f, s:f, s:f}", "id",
			(json_int_t)r->id, routes ? "route" : "endpoint", r->text[0],
			routes ? "ingress" : "service", r->text[1], "per_second",
			r->number[0], routes ? "5xx_per_second" : "failures_per_second",
			n[1], "p50_us", n[2], "p90_us", n[3], "p99_us", n[4]);

		if (routes)
			json_object_set_new(o, "4xx_per_second", json_real(*n));
		json_array_append_new(doc, o);
	}
	return doc;
}

static int rows_of(const struct top *t, struct top_rows *rows, struct err *err)
{
	int r = top_compare(&t->dp, t->by, &t->looks[!t->newest], now_of(t),
			    t->ctx->output == OUTPUT_WIDE, rows, err);

	if (!r)
		top_sort(rows, t->by, t->sort[t->by], t->reverse);
	return r;
}

static int look_again(struct top *t, enum top_by by, struct err *err)
{
	t->newest = !t->newest;
	return top_look(&t->dp, by, &t->looks[t->newest], err);
}

/* ---- one text after the other ---- */

static int print(const struct top *t)
{
	struct top_rows rows = {};
	struct err err = {};
	int r;

	if (rows_of(t, &rows, &err)) {
		r = cmd_fail(&err);
	} else if (t->ctx->output == OUTPUT_JSON) {
		cmd_json_lines = true;
		r = cmd_json(t->by == TOP_OUTCOMES
				     ? outcomes_json(t, &rows)
				     : rows_json(&rows, t->by == TOP_ROUTES));
	} else {
		if (term_is_screen())
			fputs("\033[H\033[J", stdout);
		if (!t->table->no_headers)
			printf("%ld connections\n\n", now_of(t)->flows);
		r = print_table(t, &rows, 0);
	}
	top_rows_free(&rows);
	return r;
}

static int run_plain(struct top *t)
{
	struct timespec delay = {t->delay_ns / 1000000000, t->delay_ns % 1000000000};
	struct err err = {};
	uint64_t i;
	int r = 0;

	if (look_again(t, t->by, &err))
		return cmd_fail(&err);
	for (i = 0; !r && (!t->count || i < t->count); i++) {
		nanosleep(&delay, NULL);
		r = look_again(t, t->by, &err) ? cmd_fail(&err) : print(t);
		if (!r && fflush(stdout))
			r = EXIT_FAILED;
	}
	return r;
}

/* ---- on a screen, with keys ---- */

#define HELP                                                                 \
	"q quit  s sort by the next column  r reverse  e routes/endpoints  " \
	"TAB next view  arrows PgUp PgDn scroll"

static void print_head(const struct top *t, size_t rows)
{
	static const char *const names[] = {"outcomes", "routes", "endpoints"};
	time_t seconds = time(NULL);
	char clock[16] = "";
	struct tm tm;

	if (localtime_r(&seconds, &tm))
		strftime(clock, sizeof(clock), "%H:%M:%S", &tm);
	printf("weir top  %s  %zu %s by %s%s  every %gs  %ld connections\n%s\n", clock,
	       rows, names[t->by], top_columns[t->by][t->sort[t->by]].title,
	       t->reverse ? " reversed" : "", t->delay_ns / 1e9, now_of(t)->flows,
	       t->help ? HELP : "h help");
}

/* Lines that are no rows: two of the head, one of titles. */
static size_t page(void)
{
	unsigned int lines = screen_lines();

	return lines > 4 ? lines - 3 : 1;
}

static int draw(struct top *t, struct err *err)
{
	struct top_rows rows = {};
	size_t all, most = page();
	int r = rows_of(t, &rows, err);

	if (!r) {
		all = rows.rows.len;
		if (t->from + most > all)
			t->from = all > most ? all - most : 0;
		screen_begin();
		print_head(t, all);
		print_table(t, &rows, most);
		screen_end();
	}
	top_rows_free(&rows);
	return r;
}

static void show_view(struct top *t, enum top_by by)
{
	t->by = by;
	t->from = 0;
}

/* Returns false when that is the end. */
static bool on_key(struct top *t, int key)
{
	size_t most = page();

	switch (key) {
	case 'q':
	case SCREEN_STOP:
		return false;
	case 's':
		if (!top_columns[t->by][++t->sort[t->by]].title)
			t->sort[t->by] = 0;
		break;
	case 'r':
		t->reverse = !t->reverse;
		break;
	case 'e':
		show_view(t, t->by == TOP_ROUTES ? TOP_ENDPOINTS : TOP_ROUTES);
		break;
	case '\t':
		show_view(t, (t->by + 1) % TOP_VIEWS);
		break;
	case 'h':
	case '?':
		t->help = !t->help;
		break;
	case SCREEN_UP:
		t->from -= t->from > 0;
		break;
	case SCREEN_DOWN:
		t->from++;
		break;
	case SCREEN_PAGE_UP:
		t->from = t->from > most ? t->from - most : 0;
		break;
	case SCREEN_PAGE_DOWN:
		t->from += most;
		break;
	case SCREEN_HOME:
		t->from = 0;
		break;
	case SCREEN_END:
		t->from = UINT32_MAX; /* draw() finds the last page */
		break;
	}
	return true;
}

static int run_on_screen(struct top *t, struct err *err)
{
	uint64_t next, looks = 0;
	bool goes_on = true;
	int r = look_again(t, TOP_VIEWS, err);

	if (!r)
		r = look_again(t, TOP_VIEWS, err);
	next = now_of(t)->ns + t->delay_ns;
	while (!r && goes_on) {
		int key;

		r = draw(t, err);
		if (r)
			break;
		key = screen_key(next);
		if (key != SCREEN_TIME) {
			goes_on = on_key(t, key);
			continue;
		}
		r = look_again(t, TOP_VIEWS, err);
		next = now_of(t)->ns + t->delay_ns;
		goes_on = !t->count || ++looks < t->count;
	}
	return r;
}

static int run(struct top *t)
{
	struct err err = {};
	int r;

	if (t->ctx->output == OUTPUT_JSON || !screen_is_possible())
		return run_plain(t);
	r = screen_open(&err);
	if (!r)
		r = run_on_screen(t, &err);
	screen_close();
	return r ? cmd_fail(&err) : EXIT_DONE;
}

static int read_sort(struct top *t, const struct top_options *opt)
{
	const struct top_column *c = top_columns[t->by];
	char all[128] = "";
	int at;

	t->reverse = opt->reverse;
	if (!opt->sort)
		return 0;
	at = top_column_find(t->by, opt->sort);
	if (at >= 0) {
		t->sort[t->by] = at;
		return 0;
	}
	for (; c->title; c++) {
		size_t len = strlen(all);

		snprintf(all + len, sizeof(all) - len, "%s%s", len ? "|" : "", c->name);
	}
	return cmd_usage(t->ctx, "--sort: %s is not one of %s", opt->sort, all);
}

int top_main(struct ctx *ctx, int argc, char **argv)
{
	struct top_options opt = {.interval = "1"};
	struct table_options table = {};
	void *const to[] = {&opt, &table};
	struct top t = {.ctx = ctx, .table = &table};
	struct err err = {};
	uint64_t ms;
	int r = options_parse(ctx, to, &argc, argv);

	if (r)
		return r;
	t.by = opt.by;
	if (argc > 1)
		return cmd_usage(ctx, "no operand is expected: %s", argv[1]);
	if (number_parse_ms(opt.interval, &ms) || ms < 10 || ms > 86400000)
		return cmd_usage(ctx, "--delay: %s is not 0.01 to 86400 seconds",
				 opt.interval);
	if (opt.count && (number_parse(opt.count, UINT32_MAX, &t.count) || !t.count))
		return cmd_usage(ctx, "--count: %s is not a number from 1 on",
				 opt.count);
	r = read_sort(&t, &opt);
	if (r)
		return r;
	t.delay_ns = ms * 1000000;
	if (dp_open(&t.dp, ctx->pin, &err))
		return cmd_fail(&err);
	r = run(&t);
	top_look_free(&t.looks[0]);
	top_look_free(&t.looks[1]);
	dp_close(&t.dp);
	return r;
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "cmd/columns.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/term.h"
#include "base/units.h"
#include "cmd/cmd.h"

#define GAP 2
#define FLEX_LEAST 8
#define LEFT_LEAST 4

const struct option_row options_table[] = {
	{0, "no-headers", NULL, "rows only", OPTION_FLAG,
	 offsetof(struct table_options, no_headers)},
	{},
};

void columns_init(struct columns *t, const struct column *head, bool wide)
{
	memset(t, 0, sizeof(*t));
	t->head = head;
	t->wide = wide;
	while (head[t->count].title)
		t->count++;
}

/* Characters on the terminal: bytes that do not continue a UTF-8 sequence. */
static unsigned int width_of(const char *s)
{
	unsigned int n = 0;

	for (; *s; s++)
		n += (*s & 0xc0) != 0x80;
	return n;
}

const char *columns_text(struct columns *t, const char *fmt, ...)
{
	char buf[1024];
	const char *text;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(buf, sizeof(buf), fmt, ap);
	va_end(ap);
	text = pool_strdup(&t->pool, buf);
	if (!text)
		t->failed = true;
	return text ?: "";
}

void columns_row(struct columns *t, ...)
{
	struct cell *cells = pool_array(&t->pool, t->count, sizeof(*cells));
	struct cell **slot = vec_push(&t->rows);
	unsigned int c;
	va_list ap;

	if (!cells || !slot) {
		t->failed = true;
		if (slot)
			t->rows.len--;
		return;
	}
	va_start(ap, t);
	for (c = 0; c < t->count; c++) {
		const char *cell = va_arg(ap, const char *);

		cells[c].text = pool_strdup(&t->pool, cell && *cell ? cell : "-");
		if (!cells[c].text) {
			t->failed = true;
			cells[c].text = "";
		}
	}
	va_end(ap);
	*slot = cells;
}

void columns_paint(struct columns *t, unsigned int column, enum paint paint)
{
	if (t->rows.len)
		t->rows.item[t->rows.len - 1][column].paint = paint;
}

const char *columns_number(struct columns *t, uint64_t n)
{
	char text[UNITS_TEXT];

	if (t->wide)
		return columns_text(t, "%llu", (unsigned long long)n);
	return columns_text(t, "%s", units_count(n, text));
}

const char *columns_bytes(struct columns *t, uint64_t n)
{
	char text[UNITS_TEXT];

	if (t->wide)
		return columns_text(t, "%llu", (unsigned long long)n);
	return columns_text(t, "%s", units_bytes(n, text));
}

static bool is_shown(const struct columns *t, unsigned int c)
{
	return t->wide || !t->head[c].wide;
}

/* The widest of those that give way, one character narrower; false: none does. */
static bool shrink(const struct columns *t, unsigned int *width, bool flex,
		   unsigned int least)
{
	unsigned int *widest = NULL, c;

	for (c = 0; c < t->count; c++) {
		if (!is_shown(t, c) || t->head[c].form == COLUMN_RIGHT ||
		    (flex && t->head[c].form != COLUMN_FLEX) || width[c] <= least)
			continue;
		if (!widest || width[c] > *widest)
			widest = &width[c];
	}
	if (widest)
		--*widest;
	return widest;
}

static void fit(const struct columns *t, unsigned int *width)
{
	unsigned int room = t->wide ? 0 : term_width(), total = 0, c;

	for (c = 0; c < t->count; c++)
		total += is_shown(t, c) ? width[c] + GAP : 0;
	total = total > GAP ? total - GAP : 0;
	while (room && total > room &&
	       (shrink(t, width, true, FLEX_LEAST) ||
		shrink(t, width, false, LEFT_LEAST)))
		total--;
}

/* Bytes of the first `width` characters. */
static int bytes_of(const char *s, unsigned int width)
{
	const char *p = s;

	while (*p) {
		if ((*p & 0xc0) != 0x80 && !width--)
			break;
		p++;
	}
	return p - s;
}

static bool paint_begin(enum paint paint)
{
	static const char *const codes[] = {
		[PAINT_YELLOW] = "33", [PAINT_RED] = "31", [PAINT_TITLE] = "1"};

	if (!paint || !term_has_colour())
		return false;
	printf("\033[%sm", codes[paint]);
	return true;
}

static void paint_end(bool begun)
{
	if (begun)
		fputs("\033[0m", stdout);
}

void print_painted(enum paint paint, const char *text)
{
	bool begun = paint_begin(paint);

	fputs(text, stdout);
	paint_end(begun);
}

static void print_cell(const struct cell *cell, unsigned int width, bool right,
		       bool last)
{
	unsigned int w = width_of(cell->text);
	unsigned int fill = w < width ? width - w : 0;
	bool painted;

	if (right)
		printf("%*s", fill, "");
	painted = paint_begin(cell->paint);
	if (w > width)
		printf("%.*s%s", bytes_of(cell->text, width - 1), cell->text,
		       term_is_utf8() ? "\xe2\x80\xa6" : "~");
	else
		fputs(cell->text, stdout);
	paint_end(painted);
	if (!right && !last)
		printf("%*s", fill, "");
}

static void print_row(const struct columns *t, const struct cell *cells,
		      const unsigned int *width, unsigned int last)
{
	unsigned int c;

	for (c = 0; c <= last; c++) {
		if (!is_shown(t, c))
			continue;
		print_cell(&cells[c], width[c], t->head[c].form == COLUMN_RIGHT,
			   c == last);
		if (c < last)
			printf("%*s", GAP, "");
	}
	putchar('\n');
}

static void print_rows(const struct columns *t, const struct cell *titles)
{
	unsigned int width[COLUMNS_MAX], last = 0, c;
	size_t i;

	for (c = 0; c < t->count; c++) {
		width[c] = t->no_headers ? 1 : width_of(titles[c].text);
		for (i = 0; i < t->rows.len; i++) {
			unsigned int w = width_of(t->rows.item[i][c].text);

			width[c] = w > width[c] ? w : width[c];
		}
		if (is_shown(t, c))
			last = c;
	}
	fit(t, width);
	if (!t->no_headers)
		print_row(t, titles, width, last);
	for (i = t->from; i < t->rows.len && (!t->most || i - t->from < t->most); i++)
		print_row(t, t->rows.item[i], width, last);
}

int columns_print(struct columns *t, const char *none)
{
	struct cell titles[COLUMNS_MAX];
	int code = EXIT_DONE;
	unsigned int c;

	for (c = 0; c < t->count; c++)
		titles[c] = (struct cell){t->head[c].title, t->head_paint};
	if (t->failed) {
		fprintf(stderr, "weir: table: %s\n", strerror(ENOMEM));
		code = EXIT_FAILED;
	} else if (t->rows.len) {
		print_rows(t, titles);
	} else if (!t->no_headers) {
		puts(none);
	}
	vec_free(&t->rows);
	pool_free(&t->pool);
	return code;
}

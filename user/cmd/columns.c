/* SPDX-License-Identifier: BSD-2-Clause */
#include "cmd/columns.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cmd/cmd.h"

#define GAP 2
#define FLEX_LEAST 8

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
	const char **cells = pool_array(&t->pool, t->count, sizeof(*cells));
	const char ***slot = vec_push(&t->rows);
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

		cells[c] = pool_strdup(&t->pool, cell && *cell ? cell : "-");
		if (!cells[c]) {
			t->failed = true;
			cells[c] = "";
		}
	}
	va_end(ap);
	*slot = cells;
}

/* 0: not a terminal, as wide as it comes. */
static unsigned int terminal_width(void)
{
	struct winsize ws;

	if (!isatty(STDOUT_FILENO) || ioctl(STDOUT_FILENO, TIOCGWINSZ, &ws))
		return 0;
	return ws.ws_col;
}

static bool is_shown(const struct columns *t, unsigned int c)
{
	return t->wide || !t->head[c].wide;
}

static void fit(const struct columns *t, unsigned int *width)
{
	unsigned int room = terminal_width(), total = 0, c;

	for (c = 0; c < t->count; c++)
		total += is_shown(t, c) ? width[c] + GAP : 0;
	total = total > GAP ? total - GAP : 0;
	for (c = 0; room && !t->wide && c < t->count && total > room; c++) {
		unsigned int over = total - room;

		if (t->head[c].form != COLUMN_FLEX || !is_shown(t, c) ||
		    width[c] <= FLEX_LEAST)
			continue;
		if (over > width[c] - FLEX_LEAST)
			over = width[c] - FLEX_LEAST;
		width[c] -= over;
		total -= over;
	}
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

static void print_cell(const char *cell, unsigned int width, bool right, bool last)
{
	unsigned int w = width_of(cell);
	unsigned int fill = w < width ? width - w : 0;

	if (w > width)
		printf("%.*s~", bytes_of(cell, width - 1), cell);
	else if (right)
		printf("%*s%s", fill, "", cell);
	else
		printf("%s%*s", cell, last ? 0 : fill, "");
}

static void print_row(const struct columns *t, const char *const *cells,
		      const unsigned int *width, unsigned int last)
{
	unsigned int c;

	for (c = 0; c <= last; c++) {
		if (!is_shown(t, c))
			continue;
		print_cell(cells[c], width[c], t->head[c].form == COLUMN_RIGHT,
			   c == last);
		if (c < last)
			printf("%*s", GAP, "");
	}
	putchar('\n');
}

int columns_print(struct columns *t, const char *none)
{
	const char *titles[COLUMNS_MAX] = {};
	unsigned int width[COLUMNS_MAX], last = 0, c;
	int code = EXIT_DONE;
	size_t i;

	for (c = 0; c < t->count; c++) {
		titles[c] = t->head[c].title;
		width[c] = width_of(titles[c]);
		for (i = 0; i < t->rows.len; i++) {
			unsigned int w = width_of(t->rows.item[i][c]);

			width[c] = w > width[c] ? w : width[c];
		}
		if (is_shown(t, c))
			last = c;
	}
	fit(t, width);
	if (t->failed) {
		fprintf(stderr, "weir: table: %s\n", strerror(ENOMEM));
		code = EXIT_FAILED;
	} else if (!t->rows.len) {
		puts(none);
	} else {
		print_row(t, titles, width, last);
		for (i = 0; i < t->rows.len; i++)
			print_row(t, t->rows.item[i], width, last);
	}
	vec_free(&t->rows);
	pool_free(&t->pool);
	return code;
}

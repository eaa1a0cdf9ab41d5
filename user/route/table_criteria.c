/* SPDX-License-Identifier: BSD-2-Clause */
#include "route/table_criteria.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <weir/table.h>

#include "base/mem.h"

/* One test with its texts still beside it. */
struct condition {
	uint32_t kind, flags;
	const char *name, *value; /* value NULL: any */
};

struct conditions vec_of(struct condition);

static int compare_texts(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int compare_headers(const void *left, const void *right)
{
	const struct ir_header *const *a = left, *const *b = right;

	return strcmp((*a)->name, (*b)->name);
}

/* The texts in order: the same conditions written another way are the same. */
static const char **sorted(char *const *item, size_t len)
{
	const char **list = malloc((len + 1) * sizeof(*list));
	size_t i;

	if (!list)
		return NULL;
	for (i = 0; i < len; i++)
		list[i] = item[i];
	qsort(list, len, sizeof(*list), compare_texts);
	return list;
}

/* Alternatives of one condition. */
static int add_all(struct conditions *to, uint32_t kind, const char *name,
		   char *const *item, size_t len)
{
	auto_free const char **list = sorted(item, len);
	size_t i;

	if (!list)
		return -ENOMEM;
	for (i = 0; i < len || (!i && kind == TABLE_TEST_HEADER); i++) {
		struct condition *c = vec_push(to);

		if (!c)
			return -ENOMEM;
		c->kind = kind;
		c->flags = i + 1 < len ? TABLE_TEST_MORE : 0;
		c->name = name ?: list[i];
		c->value = name && len ? list[i] : NULL;
	}
	return 0;
}

static int collect(struct conditions *to, const struct ir_route *r)
{
	auto_free const struct ir_header **headers = NULL;
	size_t i;
	int ret = 0;

	headers = malloc((r->headers.len + 1) * sizeof(*headers));
	if (!headers)
		return -ENOMEM;
	for (i = 0; i < r->headers.len; i++)
		headers[i] = &r->headers.item[i];
	qsort(headers, r->headers.len, sizeof(*headers), compare_headers);
	if (r->methods.len)
		ret = add_all(to, TABLE_TEST_METHOD, NULL, r->methods.item,
			      r->methods.len);
	for (i = 0; i < r->headers.len && !ret; i++)
		ret = add_all(to, TABLE_TEST_HEADER, headers[i]->name,
			      headers[i]->values.item, headers[i]->values.len);
	if (!ret && to->len)
		to->item[to->len - 1].flags |= TABLE_TEST_LAST;
	return ret;
}

static char *canonical(const struct conditions *list)
{
	char *text = NULL;
	size_t size, i;
	FILE *f = open_memstream(&text, &size);

	if (!f)
		return NULL;
	for (i = 0; i < list->len; i++) {
		const struct condition *c = &list->item[i];

		/* lengths keep "a","b" and "a\nb" apart */
		fprintf(f, "%u %zu %s %zu %s\n", c->kind, strlen(c->name), c->name,
			c->value ? strlen(c->value) : 0, c->value ?: "*");
	}
	fclose(f);
	return text;
}

/* Room for n bytes more, zeroed; the offset, or -1. */
static int64_t reserve(struct criteria *c, size_t n)
{
	int64_t at = c->bytes.len;

	while (n--)
		if (!vec_push(&c->bytes))
			return -1;
	return at;
}

static int64_t put_text(struct criteria *c, const char *s, uint32_t kind, bool is_name)
{
	size_t len = strlen(s), i;
	int64_t at = reserve(c, (len + 7) & ~7ul);

	for (i = 0; i < len && at >= 0; i++) {
		char ch = s[i];

		if (kind == TABLE_TEST_HEADER && ch >= 'A' && ch <= 'Z')
			ch |= 0x20;
		if (kind == TABLE_TEST_HEADER && is_name && ch == '_')
			ch = '-';
		c->bytes.item[at + i] = ch;
	}
	return at;
}

static int put_tests(struct criteria *c, const struct conditions *list)
{
	int64_t at = reserve(c, list->len * sizeof(struct weir_table_test));
	uint32_t *start = vec_push(&c->starts);
	size_t i;

	if (at < 0 || !start)
		return -ENOMEM;
	*start = at;
	for (i = 0; i < list->len; i++, at += sizeof(struct weir_table_test)) {
		const struct condition *from = &list->item[i];
		int64_t name = put_text(c, from->name, from->kind, true), value = 0;
		struct weir_table_test test = {
			.name = name,
			.name_len = strlen(from->name),
			.kind = from->kind,
			.flags = from->flags,
			.value_len = TABLE_VALUE_ANY,
		};

		if (from->value) {
			value = put_text(c, from->value, from->kind, false);
			test.value = value;
			test.value_len = strlen(from->value);
		}
		if (name < 0 || value < 0)
			return -ENOMEM;
		memcpy(c->bytes.item + at, &test, sizeof(test));
	}
	return 0;
}

static const char *too_long(const struct conditions *list)
{
	size_t i;

	if (list->len > TABLE_TESTS_MAX)
		return "too many methods and header values";
	for (i = 0; i < list->len; i++) {
		const struct condition *c = &list->item[i];

		if (strlen(c->name) > TABLE_NAME_MAX)
			return "the name of a method or header is too long";
		if (c->value && strlen(c->value) > TABLE_VALUE_MAX)
			return "the value of a header is too long";
	}
	return NULL;
}

int criteria_add(struct criteria *c, const struct ir_route *route, uint32_t *id,
		 uint32_t *rank, struct err *err)
{
	uint32_t kinds = !!route->methods.len + !!route->headers.len;
	struct conditions list = {0};
	auto_free char *text = NULL;
	const char *why;
	int r;

	*id = 0;
	*rank = (2 - kinds) << 16 | (uint16_t)~route->headers.len;
	if (!kinds)
		return 0;
	r = collect(&list, route);
	why = r ? NULL : too_long(&list);
	if (why) {
		r = err_set(err, -E2BIG, "%s: %s", route->ingress, why);
		err_where(err, "%s", route->where);
		vec_free(&list);
		return r;
	}
	if (!r) {
		text = canonical(&list);
		r = text ? 0 : -ENOMEM;
	}
	if (!r && !strmap_get(&c->ids, text, id)) {
		*id = c->starts.len + 1;
		r = put_tests(c, &list);
		if (!r)
			r = strmap_set(&c->ids, text, *id);
	}
	vec_free(&list);
	return r ? err_set(err, r, "route table: out of memory") : 0;
}

uint32_t criteria_offset(const struct criteria *c, uint32_t id, uint32_t off)
{
	return id ? off + c->starts.item[id - 1] : 0;
}

void criteria_write(const struct criteria *c, uint32_t off, void *to)
{
	size_t i;

	if (!c->bytes.len)
		return;
	memcpy(to, c->bytes.item, c->bytes.len);
	for (i = 0; i < c->starts.len; i++) {
		struct weir_table_test *test = (void *)((char *)to + c->starts.item[i]);

		do {
			test->name += off;
			if (test->value_len != TABLE_VALUE_ANY)
				test->value += off;
		} while (!(test++->flags & TABLE_TEST_LAST));
	}
}

void criteria_free(struct criteria *c)
{
	strmap_free(&c->ids);
	vec_free(&c->starts);
	vec_free(&c->bytes);
}

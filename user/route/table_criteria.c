/* SPDX-License-Identifier: BSD-2-Clause */
#include "route/table_criteria.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <weir/table.h>

#include "base/mem.h"
#include "route/table_regex.h"

/* One test with its texts still beside it. */
struct condition {
	uint32_t kind, flags;
	const char *name, *value; /* value NULL: any */
	bool is_pattern;
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
static const char **sorted(const char *const *item, size_t len)
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

/* Alternatives of one condition; another one follows the last. */
static int add_all(struct conditions *to, const struct condition *like,
		   const char *const *item, size_t len)
{
	auto_free const char **list = sorted(item, len);
	size_t i;

	if (!list)
		return -ENOMEM;
	for (i = 0; i < len; i++) {
		struct condition *c = vec_push(to);

		if (!c)
			return -ENOMEM;
		*c = *like;
		c->flags = TABLE_TEST_MORE;
		if (c->kind == TABLE_TEST_METHOD)
			c->name = list[i];
		else
			c->value = list[i];
	}
	return 0;
}

/* What was added last is the last alternative. */
static void end_condition(struct conditions *to)
{
	to->item[to->len - 1].flags &= ~TABLE_TEST_MORE;
}

static int add_header(struct conditions *to, const struct ir_header *h)
{
	struct condition like = {.kind = TABLE_TEST_HEADER, .name = h->name}, *any;
	int ret = add_all(to, &like, h->values.item, h->values.len);

	like.is_pattern = true;
	if (!ret)
		ret = add_all(to, &like, h->patterns.item, h->patterns.len);
	if (!ret && !h->values.len && !h->patterns.len) {
		any = vec_push(to);
		if (!any)
			return -ENOMEM;
		*any = (struct condition){.kind = TABLE_TEST_HEADER, .name = h->name};
	}
	if (!ret)
		end_condition(to);
	return ret;
}

static int collect(struct conditions *to, const struct ir_route *r)
{
	const struct condition method = {.kind = TABLE_TEST_METHOD};
	auto_free const struct ir_header **headers = NULL;
	size_t i;
	int ret = 0;

	headers = malloc((r->headers.len + 1) * sizeof(*headers));
	if (!headers)
		return -ENOMEM;
	for (i = 0; i < r->headers.len; i++)
		headers[i] = &r->headers.item[i];
	qsort(headers, r->headers.len, sizeof(*headers), compare_headers);
	if (r->methods.len) {
		ret = add_all(to, &method, r->methods.item, r->methods.len);
		if (!ret)
			end_condition(to);
	}
	for (i = 0; i < r->headers.len && !ret; i++)
		ret = add_header(to, headers[i]);
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
		fprintf(f, "%u%s %zu %s %zu %s\n", c->kind, c->is_pattern ? "~" : "",
			strlen(c->name), c->name, c->value ? strlen(c->value) : 0,
			c->value ?: "*");
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

/* The number of a pattern's automaton, or -1: it has been built before, when the
 * rules were read, so there is no memory. */
static int64_t put_pattern(struct criteria *c, const char *pattern)
{
	auto_free char *anywhere = NULL;
	struct criteria_pattern *p;
	struct dfa_pattern one = {};
	struct regex *re = NULL;
	struct err why = {};
	uint32_t number;
	int len, r;

	if (strmap_get(&c->pattern_ids, pattern, &number))
		return number;
	len = asprintf(&anywhere, CRITERIA_ANYWHERE, pattern);
	number = c->patterns.len;
	p = len < 0 ? NULL : vec_push(&c->patterns);
	if (!p)
		return -1;
	r = regex_parse(anywhere, len, &re, NULL, &why);
	one.re = re;
	if (!r)
		r = dfa_build(&one, 1, NULL, &p->dfa, &why);
	regex_free(re);
	if (!r)
		r = strmap_set(&c->pattern_ids, pattern, number);
	return r ? -1 : (int64_t)number;
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

		if (from->is_pattern) {
			value = put_pattern(c, from->value);
			test.value = value;
			test.value_len = TABLE_VALUE_PATTERN;
		} else if (from->value) {
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
		if (c->value && !c->is_pattern && strlen(c->value) > TABLE_VALUE_MAX)
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
	char where[PLACE_TEXT];
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
		err_where(err, "%s", place_text(route->at, where));
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

int criteria_write_patterns(struct criteria *c, struct rows *rows, uint32_t routes)
{
	size_t i;
	int r = 0;

	for (i = 0; i < c->patterns.len && !r; i++)
		r = regex_write(&c->patterns.item[i].dfa, rows, routes,
				&c->patterns.item[i].state);
	return r;
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
			if (test->value_len == TABLE_VALUE_PATTERN)
				test->value = c->patterns.item[test->value].state;
			else if (test->value_len != TABLE_VALUE_ANY)
				test->value += off;
		} while (!(test++->flags & TABLE_TEST_LAST));
	}
}

void criteria_free(struct criteria *c)
{
	size_t i;

	for (i = 0; i < c->patterns.len; i++)
		dfa_free(&c->patterns.item[i].dfa);
	vec_free(&c->patterns);
	strmap_free(&c->pattern_ids);
	strmap_free(&c->ids);
	vec_free(&c->starts);
	vec_free(&c->bytes);
}

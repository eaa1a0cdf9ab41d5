/* SPDX-License-Identifier: BSD-2-Clause */
#include "k8s/node.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

const char *node_type_text(enum node_type type)
{
	switch (type) {
	case NODE_NULL:
		return "null";
	case NODE_BOOL:
		return "a boolean";
	case NODE_INT:
		return "a number";
	case NODE_FLOAT:
		return "a fraction";
	case NODE_STRING:
		return "a string";
	case NODE_SEQ:
		return "a list";
	case NODE_MAP:
		return "a mapping";
	}
	return "something else";
}

const struct node *node_get(const struct node *map, const char *key)
{
	uint32_t i;

	if (!map || map->type != NODE_MAP)
		return NULL;
	for (i = 0; i < map->count; i++)
		if (!strcmp(map->pair[i].key->text, key))
			return map->pair[i].value;
	return NULL;
}

struct node *node_copy(struct pool *pool, const struct node *n)
{
	struct node *copy = pool_alloc(pool, sizeof(*copy));
	uint32_t i;

	if (!copy)
		return NULL;
	*copy = *n;
	switch (n->type) {
	case NODE_SEQ:
		copy->item = pool_array(pool, n->count, sizeof(*copy->item));
		if (!copy->item)
			return NULL;
		for (i = 0; i < n->count; i++) {
			copy->item[i] = node_copy(pool, n->item[i]);
			if (!copy->item[i])
				return NULL;
		}
		break;
	case NODE_MAP:
		copy->pair = pool_array(pool, n->count, sizeof(*copy->pair));
		if (!copy->pair)
			return NULL;
		for (i = 0; i < n->count; i++) {
			copy->pair[i].key = node_copy(pool, n->pair[i].key);
			copy->pair[i].value = node_copy(pool, n->pair[i].value);
			if (!copy->pair[i].key || !copy->pair[i].value)
				return NULL;
		}
		break;
	default:
		copy->text = pool_strdup(pool, n->text);
		if (!copy->text)
			return NULL;
	}
	return copy;
}

uint64_t node_hash(const struct node *n, uint64_t seed)
{
	const uint32_t head[] = {n->type, n->count};
	uint64_t h = hash64(head, sizeof(head), seed);
	uint32_t i;

	switch (n->type) {
	case NODE_SEQ:
		for (i = 0; i < n->count; i++)
			h = node_hash(n->item[i], h);
		return h;
	case NODE_MAP:
		for (i = 0; i < n->count; i++) {
			h = hash64_str(n->pair[i].key->text, h);
			h = node_hash(n->pair[i].value, h);
		}
		return h;
	default:
		return hash64_str(n->text, h);
	}
}

static bool is_one_of(const char *s, const char *const *words)
{
	for (; *words; words++)
		if (!strcmp(s, *words))
			return true;
	return false;
}

/* Decimal, or 0x, 0o, 0b and the old octal with a leading zero. */
static bool read_int(const char *s, int64_t *value)
{
	const char *p = s + (*s == '-' || *s == '+');
	int base = 10;
	char *end;

	if (p[0] == '0' && p[1]) {
		if (p[1] == 'x' || p[1] == 'X')
			base = 16;
		else if (p[1] == 'o')
			base = 8;
		else if (p[1] == 'b')
			base = 2;
		p += base != 10 ? 2 : 0;
		if (base == 10)
			base = 8;
	}
	if (strspn(p, "0123456789abcdefABCDEF") != strlen(p) || !*p)
		return false;
	errno = 0;
	*value = strtoll(p, &end, base);
	if (*end)
		return false;
	if (errno) /* too large for any field: keep it large */
		*value = INT64_MAX;
	if (*s == '-')
		*value = -*value;
	return true;
}

static bool is_float(const char *s)
{
	const char *p = s + (*s == '-' || *s == '+');
	size_t whole = strspn(p, "0123456789"), part = 0;

	if (!strcmp(p, ".inf") || !strcmp(p, ".Inf") || !strcmp(s, ".nan") ||
	    !strcmp(s, ".NaN"))
		return true;
	p += whole;
	if (*p == '.') {
		p++;
		part = strspn(p, "0123456789");
		p += part;
	}
	if (!whole && !part)
		return false;
	if (*p == 'e' || *p == 'E') {
		p++;
		p += *p == '-' || *p == '+';
		if (!strspn(p, "0123456789"))
			return false;
		p += strspn(p, "0123456789");
	}
	return !*p;
}

void node_resolve(struct node *n)
{
	static const char *const nulls[] = {"", "~", "null", "Null", "NULL", NULL};
	static const char *const yes[] = {"true", "True", "TRUE", "y",	"Y",  "yes",
					  "Yes",  "YES",  "on",	  "On", "ON", NULL};
	static const char *const no[] = {"false", "False", "FALSE", "n",   "N",	  "no",
					 "No",	  "NO",	   "off",   "Off", "OFF", NULL};
	const char *s = n->text;

	n->type = NODE_STRING;
	if (*s && !strchr("~nNyYtTfFoO+-.0123456789", *s))
		return;
	if (is_one_of(s, nulls)) {
		n->type = NODE_NULL;
	} else if (is_one_of(s, yes) || is_one_of(s, no)) {
		n->type = NODE_BOOL;
		n->number = is_one_of(s, yes);
	} else if (strchr("+-.0123456789", *s)) {
		if (read_int(s, &n->number))
			n->type = NODE_INT;
		else if (is_float(s))
			n->type = NODE_FLOAT;
	}
}

static int compare_keys(const void *a, const void *b)
{
	const struct node *const *x = a, *const *y = b;
	int r = strcmp((*x)->text, (*y)->text);

	if (r)
		return r;
	if ((*x)->line != (*y)->line)
		return (*x)->line < (*y)->line ? -1 : 1;
	return (*x)->column < (*y)->column ? -1 : (*x)->column > (*y)->column;
}

/* Most maps have a few keys, and those differ in their first letters. */
static bool has_few_different_keys(const struct node *map)
{
	uint32_t i, k;

	if (map->count > 8)
		return false;
	for (i = 1; i < map->count; i++)
		for (k = 0; k < i; k++)
			if (!strcmp(map->pair[i].key->text, map->pair[k].key->text))
				return false;
	return true;
}

int node_check_keys(const struct node *map, const char *source, struct err *err)
{
	const struct node *local[32], **keys = local, *a = NULL, *b = NULL;
	uint32_t i;

	if (has_few_different_keys(map))
		return 0;
	if (map->count > 32) {
		keys = calloc(map->count, sizeof(*keys));
		if (!keys)
			return err_set(err, -ENOMEM, "out of memory");
	}
	for (i = 0; i < map->count; i++)
		keys[i] = map->pair[i].key;
	qsort(keys, map->count, sizeof(*keys), compare_keys);
	for (i = 1; i < map->count; i++) {
		if (strcmp(keys[i - 1]->text, keys[i]->text))
			continue;
		if (!b || keys[i]->line < b->line) {
			a = keys[i - 1];
			b = keys[i];
		}
	}
	if (keys != local)
		free(keys);
	if (!b)
		return 0;
	err_set(err, -EINVAL, "duplicate key \"%.200s\": it already stands at %u:%u",
		b->text, a->line, a->column);
	return err_where(err, "%s:%u:%u", source, b->line, b->column);
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "k8s/decode.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct place decode_place(const struct decoder *d, const struct node *n)
{
	struct place p = d->object->at;

	if (!d->has_places || !n)
		return p;
	p.line = n->line;
	p.column = n->column;
	return p;
}

/* The field's path from the document down, cut at the end when too long. */
static size_t path_text(const struct field *f, char *text, size_t size)
{
	size_t len;
	int n;

	if (!f || (!f->up && !f->key))
		return 0;
	len = path_text(f->up, text, size);
	if (f->key)
		n = snprintf(text + len, size - len, "%s%s", len ? "." : "", f->key);
	else
		n = snprintf(text + len, size - len, "[%u]", f->index);
	if (n < 0 || (size_t)n >= size - len)
		return size - 1;
	return len + (size_t)n;
}

static void sentence(struct decoder *d, const struct field *f, char *text, size_t size,
		     const char *fmt, va_list ap)
{
	char path[200] = "", what[OBJECT_TEXT];
	size_t len;
	int n;

	path_text(f, path, sizeof(path));
	n = snprintf(text, size, "%.120s%s%s: ", object_text(d->object, what),
		     path[0] ? ": " : "", path);
	len = n < 0 ? 0 : (size_t)n < size ? (size_t)n : size - 1;
	vsnprintf(text + len, size - len, fmt, ap);
}

int decode_fail(struct decoder *d, const struct field *f, const char *fmt, ...)
{
	char text[480], where[PLACE_TEXT];
	va_list ap;

	va_start(ap, fmt);
	sentence(d, f, text, sizeof(text), fmt, ap);
	va_end(ap);
	err_set(d->err, -EINVAL, "%s", text);
	place_text(decode_place(d, f ? f->node : NULL), where);
	err_where(d->err, "%.255s", where);
	return -EINVAL;
}

int decode_memory(struct decoder *d)
{
	return err_set(d->err, -ENOMEM, "out of memory");
}

int decode_warn(struct decoder *d, const struct field *f, const char *fmt, ...)
{
	struct message *m = vec_push(&d->object->warnings);
	char text[480];
	va_list ap;

	if (!m)
		return decode_memory(d);
	va_start(ap, fmt);
	sentence(d, f, text, sizeof(text), fmt, ap);
	va_end(ap);
	m->at = decode_place(d, f->node);
	m->text = pool_strdup(&d->object->pool, text);
	if (m->text)
		return 0;
	d->object->warnings.len--;
	return decode_memory(d);
}

int decode_expect(struct decoder *d, const struct field *f, enum node_type type)
{
	enum node_type is = f->node->type;

	if (is == type)
		return 0;
	if (type == NODE_STRING && is < NODE_STRING)
		return decode_fail(d, f,
				   "expected a string, found %s (%.40s): quote it",
				   node_type_text(is), f->node->text);
	return decode_fail(d, f, "expected %s, found %s", node_type_text(type),
			   node_type_text(is));
}

int decode_child(struct decoder *d, const struct field *map, const char *key,
		 enum node_type type, struct field *f)
{
	*f = (struct field){.up = map, .key = key, .node = node_get(map->node, key)};
	if (f->node && f->node->type == NODE_NULL)
		f->node = NULL;
	return f->node ? decode_expect(d, f, type) : 0;
}

struct field decode_item(const struct field *list, uint32_t i)
{
	return (struct field){.up = list, .index = i, .node = list->node->item[i]};
}

int decode_string(struct decoder *d, const struct field *map, const char *key,
		  const char **out)
{
	struct field f;
	char *copy;
	int ret;

	ret = decode_child(d, map, key, NODE_STRING, &f);
	if (ret || !f.node)
		return ret;
	copy = pool_strdup(&d->object->pool, f.node->text);
	if (!copy)
		return decode_memory(d);
	*out = copy;
	return 0;
}

int decode_bool(struct decoder *d, const struct field *map, const char *key, bool *out)
{
	struct field f;
	int ret;

	ret = decode_child(d, map, key, NODE_BOOL, &f);
	if (!ret && f.node)
		*out = f.node->number;
	return ret;
}

int decode_port(struct decoder *d, const struct field *map, const char *key,
		uint16_t *out)
{
	struct field f;
	int ret;

	ret = decode_child(d, map, key, NODE_INT, &f);
	if (ret || !f.node)
		return ret;
	if (f.node->number < 1 || f.node->number > 65535)
		return decode_fail(d, &f, "%.40s is not a port (1 to 65535)",
				   f.node->text);
	*out = (uint16_t)f.node->number;
	return 0;
}

int decode_known(struct decoder *d, const struct field *map, const char *const *keys)
{
	struct field f = {.up = map};
	uint32_t i;
	size_t k;
	int ret;

	for (i = 0; i < map->node->count; i++) {
		f.key = map->node->pair[i].key->text;
		f.node = map->node->pair[i].key;
		for (k = 0; keys[k] && strcmp(keys[k], f.key); k++)
			;
		if (keys[k])
			continue;
		ret = decode_warn(d, &f, "unknown field, ignored");
		if (ret)
			return ret;
	}
	return 0;
}

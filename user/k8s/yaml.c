/* SPDX-License-Identifier: BSD-2-Clause */
/* YAML documents -> node trees, by libyaml's events. */
#include "k8s/node.h"

#include <errno.h>
#include <string.h>
#include <yaml.h>

#include "base/vec.h"

#define MERGE_MAX 1000u	  /* keys of a mapping that uses << */
#define ANCHOR_MAX 10000u /* of a document */

struct anchor {
	const char *name;
	struct node *node; /* NULL while its node is being read */
};

struct reader {
	yaml_parser_t parser;
	const char *source;
	const char *text;
	size_t len;
	struct pool pool; /* of the document being read */
	struct vec_of(struct anchor) anchors;
	uint64_t aliased; /* nodes that aliases added */
	uint32_t nodes;	  /* of the document */
	struct err *err;
};

static int fail_at(struct reader *r, yaml_mark_t at, const char *what)
{
	err_set(r->err, -EINVAL, "not valid YAML: %s", what);
	return err_where(r->err, "%s:%zu:%zu", r->source, at.line + 1, at.column + 1);
}

static int fail_memory(struct reader *r)
{
	return err_set(r->err, -ENOMEM, "%s: out of memory", r->source);
}

/* Where a byte that is no character stands. */
static yaml_mark_t mark_of(const struct reader *r, size_t offset)
{
	yaml_mark_t at = {};
	size_t i;

	for (i = 0; i < offset && i < r->len; i++) {
		if (r->text[i] == '\n') {
			at.line++;
			at.column = 0;
		} else if ((r->text[i] & 0xc0) != 0x80) {
			at.column++;
		}
	}
	return at;
}

static int next_event(struct reader *r, yaml_event_t *event)
{
	yaml_parser_t *p = &r->parser;

	if (yaml_parser_parse(p, event))
		return 0;
	if (p->error == YAML_MEMORY_ERROR)
		return fail_memory(r);
	if (p->error == YAML_READER_ERROR)
		return fail_at(r, mark_of(r, p->problem_offset), p->problem);
	return fail_at(r, p->problem_mark, p->problem ? p->problem : "unreadable");
}

static int set_scalar_tag(struct reader *r, struct node *n, const yaml_event_t *event)
{
	const char *tag = (const char *)event->data.scalar.tag;
	const char *kind;

	if (!tag) {
		n->type = NODE_STRING;
		if (event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE)
			node_resolve(n);
		return 0;
	}
	kind = strncmp(tag, "tag:yaml.org,2002:", 18) ? tag : tag + 18;
	n->type = NODE_STRING;
	if (!strcmp(kind, "str") || !strcmp(kind, "!"))
		return 0;
	node_resolve(n);
	if ((!strcmp(kind, "int") && n->type == NODE_INT) ||
	    (!strcmp(kind, "bool") && n->type == NODE_BOOL) ||
	    (!strcmp(kind, "null") && n->type == NODE_NULL) ||
	    (!strcmp(kind, "float") && n->type == NODE_FLOAT))
		return 0;
	return fail_at(r, event->start_mark, "the tag does not fit its value");
}

static int read_scalar(struct reader *r, const yaml_event_t *event, struct node *n)
{
	const char *value = (const char *)event->data.scalar.value;
	size_t len = event->data.scalar.length;

	if (memchr(value, '\0', len))
		return fail_at(r, event->start_mark, "a NUL character in a string");
	n->text = pool_strndup(&r->pool, value, len);
	if (!n->text)
		return fail_memory(r);
	return set_scalar_tag(r, n, event);
}

static const char *event_anchor(const yaml_event_t *event)
{
	switch (event->type) {
	case YAML_SCALAR_EVENT:
		return (const char *)event->data.scalar.anchor;
	case YAML_SEQUENCE_START_EVENT:
		return (const char *)event->data.sequence_start.anchor;
	case YAML_MAPPING_START_EVENT:
		return (const char *)event->data.mapping_start.anchor;
	default:
		return NULL;
	}
}

/* The latest anchor of a name counts (YAML 1.2, 3.2.2.2). */
static int find_alias(struct reader *r, const yaml_event_t *event, struct node **out)
{
	const char *name = (const char *)event->data.alias.anchor;
	size_t i;

	for (i = r->anchors.len; i-- > 0;) {
		struct anchor *a = &r->anchors.item[i];

		if (strcmp(a->name, name))
			continue;
		if (!a->node)
			return fail_at(r, event->start_mark,
				       "an alias of a node that contains it");
		r->aliased += 1;
		if (a->node->type >= NODE_SEQ)
			r->aliased += (uint64_t)a->node->number;
		if (r->aliased > NODE_ALIAS_MAX)
			return fail_at(r, event->start_mark,
				       "aliases expand to too many nodes");
		*out = a->node;
		return 0;
	}
	return fail_at(r, event->start_mark, "an alias without its anchor");
}

static int read_node(struct reader *r, yaml_event_t *event, unsigned int depth,
		     struct node **out);

static int read_seq(struct reader *r, unsigned int depth, struct node *n)
{
	struct vec_of(struct node *) items = {};
	struct node **slot, *child = NULL;
	yaml_event_t event;
	bool end;
	int ret;

	for (;;) {
		ret = next_event(r, &event);
		if (ret)
			break;
		end = event.type == YAML_SEQUENCE_END_EVENT;
		if (!end)
			ret = read_node(r, &event, depth, &child);
		yaml_event_delete(&event);
		if (ret || end)
			break;
		slot = vec_push(&items);
		if (!slot) {
			ret = fail_memory(r);
			break;
		}
		*slot = child;
		n->number += 1 + (child->type >= NODE_SEQ ? child->number : 0);
	}
	if (!ret) {
		n->count = (uint32_t)items.len;
		n->item = pool_array(&r->pool, items.len, sizeof(*n->item));
		if (!n->item)
			ret = fail_memory(r);
		else if (items.len)
			memcpy(n->item, items.item, items.len * sizeof(*n->item));
	}
	vec_free(&items);
	return ret;
}

struct pairs vec_of(struct node_pair);

static bool has_key(const struct pairs *pairs, const char *key)
{
	size_t i;

	for (i = 0; i < pairs->len; i++)
		if (!strcmp(pairs->item[i].key->text, key))
			return true;
	return false;
}

static int merge_map(struct reader *r, struct pairs *pairs, const struct node *from,
		     yaml_mark_t at)
{
	struct node_pair *slot;
	uint32_t i;

	if (from->type != NODE_MAP)
		return fail_at(r, at, "<< takes a mapping or a list of mappings");
	if (from->count + pairs->len > MERGE_MAX)
		return fail_at(r, at, "<< with too many keys");
	for (i = 0; i < from->count; i++) {
		if (++r->aliased > NODE_ALIAS_MAX)
			return fail_at(r, at, "aliases expand to too many nodes");
		if (has_key(pairs, from->pair[i].key->text))
			continue;
		slot = vec_push(pairs);
		if (!slot)
			return fail_memory(r);
		*slot = from->pair[i];
	}
	return 0;
}

/* `<<`: keys of other mappings, for those that do not stand here. */
static int merge(struct reader *r, struct pairs *pairs, const struct node *from,
		 yaml_mark_t at)
{
	uint32_t i;
	int ret = 0;

	if (from->type != NODE_SEQ)
		return merge_map(r, pairs, from, at);
	for (i = 0; i < from->count && !ret; i++)
		ret = merge_map(r, pairs, from->item[i], at);
	return ret;
}

static int read_pair(struct reader *r, yaml_event_t *event, unsigned int depth,
		     struct node_pair *pair, bool *is_merge)
{
	yaml_event_t value;
	int ret;

	*is_merge = event->type == YAML_SCALAR_EVENT &&
		    event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
		    !strcmp((const char *)event->data.scalar.value, "<<");
	ret = read_node(r, event, depth, &pair->key);
	if (ret)
		return ret;
	if (pair->key->type == NODE_SEQ || pair->key->type == NODE_MAP ||
	    pair->key->type == NODE_NULL)
		return fail_at(r, event->start_mark, "a key that is not a string");
	if (pair->key->type != NODE_STRING) { /* as JSON has it: `on:` is "on" */
		pair->key = node_copy(&r->pool, pair->key);
		if (!pair->key)
			return fail_memory(r);
		pair->key->type = NODE_STRING;
	}
	ret = next_event(r, &value);
	if (ret)
		return ret;
	ret = read_node(r, &value, depth, &pair->value);
	yaml_event_delete(&value);
	return ret;
}

static int read_map(struct reader *r, unsigned int depth, struct node *n)
{
	struct vec_of(struct node *) merges = {};
	struct node_pair pair, *slot;
	struct pairs pairs = {};
	struct node **more;
	yaml_event_t event;
	bool is_merge, end;
	yaml_mark_t at;
	size_t i;
	int ret;

	for (;;) {
		ret = next_event(r, &event);
		if (ret)
			break;
		at = event.start_mark;
		end = event.type == YAML_MAPPING_END_EVENT;
		if (!end)
			ret = read_pair(r, &event, depth, &pair, &is_merge);
		yaml_event_delete(&event);
		if (ret || end)
			break;
		if (is_merge) {
			more = vec_push(&merges);
			if (more)
				*more = pair.value;
			else
				ret = fail_memory(r);
		} else {
			slot = vec_push(&pairs);
			if (slot)
				*slot = pair;
			else
				ret = fail_memory(r);
		}
		if (ret)
			break;
	}
	n->pair = pairs.item;
	n->count = (uint32_t)pairs.len;
	if (!ret)
		ret = node_check_keys(n, r->source, r->err);
	for (i = 0; i < merges.len && !ret; i++)
		ret = merge(r, &pairs, merges.item[i], at);
	n->count = (uint32_t)pairs.len;
	n->pair = pool_array(&r->pool, pairs.len, sizeof(*n->pair));
	if (!n->pair && !ret)
		ret = fail_memory(r);
	for (i = 0; i < pairs.len && !ret; i++) {
		n->pair[i] = pairs.item[i];
		n->number += 2;
		if (n->pair[i].value->type >= NODE_SEQ)
			n->number += n->pair[i].value->number;
	}
	vec_free(&pairs);
	vec_free(&merges);
	return ret;
}

static int read_new(struct reader *r, yaml_event_t *event, unsigned int depth,
		    struct node *n)
{
	if (event->type == YAML_SCALAR_EVENT)
		return read_scalar(r, event, n);
	if (depth >= NODE_DEPTH_MAX)
		return fail_at(r, event->start_mark, "nested too deeply");
	if (event->type == YAML_SEQUENCE_START_EVENT) {
		n->type = NODE_SEQ;
		return read_seq(r, depth + 1, n);
	}
	if (event->type == YAML_MAPPING_START_EVENT) {
		n->type = NODE_MAP;
		return read_map(r, depth + 1, n);
	}
	return fail_at(r, event->start_mark, "an unexpected end");
}

static int read_node(struct reader *r, yaml_event_t *event, unsigned int depth,
		     struct node **out)
{
	const char *name = event_anchor(event);
	struct anchor *a;
	struct node *n;
	size_t place = 0;
	int ret;

	if (event->type == YAML_ALIAS_EVENT)
		return find_alias(r, event, out);
	if (++r->nodes > NODE_COUNT_MAX)
		return fail_at(r, event->start_mark, NODE_COUNT_TEXT);
	n = pool_alloc(&r->pool, sizeof(*n));
	if (!n)
		return fail_memory(r);
	n->line = (uint32_t)event->start_mark.line + 1;
	n->column = (uint32_t)event->start_mark.column + 1;
	if (name) {
		if (r->anchors.len == ANCHOR_MAX)
			return fail_at(r, event->start_mark, "too many anchors");
		place = r->anchors.len;
		a = vec_push(&r->anchors);
		if (!a)
			return fail_memory(r);
		a->name = pool_strdup(&r->pool, name);
		if (!a->name)
			return fail_memory(r);
	}
	ret = read_new(r, event, depth, n);
	if (ret)
		return ret;
	if (name)
		r->anchors.item[place].node = n;
	*out = n;
	return 0;
}

static int read_document(struct reader *r, struct node **out)
{
	yaml_event_t event;
	int ret;

	ret = next_event(r, &event);
	if (ret)
		return ret;
	ret = read_node(r, &event, 0, out);
	yaml_event_delete(&event);
	if (ret)
		return ret;
	ret = next_event(r, &event); /* document end */
	if (!ret)
		yaml_event_delete(&event);
	return ret;
}

static int read_stream(struct reader *r, node_fn fn, void *ctx)
{
	yaml_event_type_t type;
	yaml_event_t event;
	struct node *doc;
	int ret;

	for (;;) {
		ret = next_event(r, &event);
		if (ret)
			return ret;
		type = event.type;
		yaml_event_delete(&event);
		if (type == YAML_STREAM_END_EVENT)
			return 0;
		if (type != YAML_DOCUMENT_START_EVENT)
			continue;
		ret = read_document(r, &doc);
		if (!ret && doc->type != NODE_NULL)
			ret = fn(doc, ctx, r->err);
		pool_free(&r->pool);
		r->anchors.len = 0;
		r->aliased = 0;
		r->nodes = 0;
		if (ret)
			return ret;
	}
}

int node_read_yaml(const char *text, size_t len, const char *source, node_fn fn,
		   void *ctx, struct err *err)
{
	struct reader r = {.source = source, .text = text, .len = len, .err = err};
	int ret;

	if (!yaml_parser_initialize(&r.parser))
		return fail_memory(&r);
	yaml_parser_set_input_string(&r.parser, (const unsigned char *)text, len);
	ret = read_stream(&r, fn, ctx);
	yaml_parser_delete(&r.parser);
	pool_free(&r.pool);
	vec_free(&r.anchors);
	return ret;
}

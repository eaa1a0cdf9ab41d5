/* SPDX-License-Identifier: BSD-2-Clause */
#include "route/ir.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void free_route(struct ir_route *r)
{
	size_t i;

	vec_free(&r->methods);
	for (i = 0; i < r->headers.len; i++) {
		vec_free(&r->headers.item[i].values);
		vec_free(&r->headers.item[i].patterns);
	}
	vec_free(&r->headers);
}

static void free_group(struct ir_group *g)
{
	free(g->name);
	free(g->service);
	free(g->port);
	vec_free(&g->endpoints);
}

static void free_reply(struct ir_reply *r)
{
	free(r->content_type);
	free(r->body);
	free(r->location);
}

static void free_warning(struct ir_warning *w)
{
	free(w->text);
	free(w->where);
}

void ir_free(struct ir *ir)
{
	size_t i;

	for (i = 0; i < ir->routes.len; i++)
		free_route(&ir->routes.item[i]);
	for (i = 0; i < ir->groups.len; i++)
		free_group(&ir->groups.item[i]);
	for (i = 0; i < ir->replies.len; i++)
		free_reply(&ir->replies.item[i]);
	for (i = 0; i < ir->warnings.len; i++)
		free_warning(&ir->warnings.item[i]);
	for (i = 0; i < ir->notes.len; i++)
		free_warning(&ir->notes.item[i]);
	vec_free(&ir->routes);
	vec_free(&ir->groups);
	strmap_free(&ir->group_places);
	pool_free(&ir->pool);
	vec_free(&ir->replies);
	vec_free(&ir->warnings);
	vec_free(&ir->notes);
}

struct ir_group *ir_group(const struct ir *ir, const char *name)
{
	uint32_t place;

	return strmap_get(&ir->group_places, name, &place) ? &ir->groups.item[place]
							   : NULL;
}

const char *ir_text(struct ir *ir, const char *s)
{
	return s ? pool_strdup(&ir->pool, s) : NULL;
}

void ir_truncate(struct ir *ir, size_t count)
{
	while (ir->routes.len > count)
		free_route(&ir->routes.item[--ir->routes.len]);
}

size_t ir_count_endpoints(const struct ir *ir)
{
	size_t i, n = 0;

	for (i = 0; i < ir->groups.len; i++)
		n += ir->groups.item[i].endpoints.len;
	return n;
}

static int fill(struct ir_warning *w, const char *where, const char *fmt, va_list ap)
{
	if (!w)
		return -ENOMEM;
	if (vasprintf(&w->text, fmt, ap) < 0)
		w->text = NULL;
	w->where = strdup(where);
	return w->text && w->where ? 0 : -ENOMEM;
}

int ir_warn(struct ir *ir, const char *where, const char *fmt, ...)
{
	struct ir_warning *w = vec_push(&ir->warnings);
	va_list ap;
	int ret;

	va_start(ap, fmt);
	ret = fill(w, where, fmt, ap);
	va_end(ap);
	return ret;
}

int ir_note(struct ir *ir, const char *where, const char *fmt, ...)
{
	struct ir_warning *w = vec_push(&ir->notes);
	va_list ap;
	int ret;

	va_start(ap, fmt);
	ret = fill(w, where, fmt, ap);
	va_end(ap);
	return ret;
}

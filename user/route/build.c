/* SPDX-License-Identifier: BSD-2-Clause */
#include "route/build.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "route/annotations.h"

int build_memory(struct builder *b)
{
	return err_set(b->err, -ENOMEM, "out of memory");
}

/* 1 the first time; 0 again: a Service is read once for each rule. */
static int is_news(struct builder *b, const char *text, const char *where)
{
	char key[512 + PLACE_TEXT];
	uint32_t old;

	snprintf(key, sizeof(key), "%s\n%s", where, text);
	if (strmap_get(&b->said, key, &old))
		return 0;
	return strmap_set(&b->said, key, 1) ? build_memory(b) : 1;
}

/* Formats a message and adds it to one of the ir's lists, unless it was said. */
static int say(struct builder *b, struct place at,
	       int (*add)(struct ir *ir, const char *where, const char *fmt, ...),
	       const char *fmt, va_list ap)
{
	char text[512], where[PLACE_TEXT];
	int ret;

	vsnprintf(text, sizeof(text), fmt, ap);
	place_text(at, where);
	ret = is_news(b, text, where);
	if (ret <= 0)
		return ret;
	return add(b->ir, where, "%s", text) ? build_memory(b) : 0;
}

int build_warn(struct builder *b, struct place at, const char *fmt, ...)
{
	va_list ap;
	int ret;

	va_start(ap, fmt);
	ret = say(b, at, ir_warn, fmt, ap);
	va_end(ap);
	return ret;
}

int build_note(struct builder *b, struct place at, const char *fmt, ...)
{
	va_list ap;
	int ret;

	va_start(ap, fmt);
	ret = say(b, at, ir_note, fmt, ap);
	va_end(ap);
	return ret;
}

int build_fail(struct builder *b, struct place at, const char *fmt, ...)
{
	char text[512], where[PLACE_TEXT];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	err_set(b->err, -EINVAL, "%s", text);
	err_where(b->err, "%.255s", place_text(at, where));
	return -EINVAL;
}

static int warn_ingress(struct builder *b, const struct ingress *ing,
			const struct meaning *m)
{
	size_t i;
	int ret = 0;

	if (ing->has_tls)
		ret = build_warn(b, ing->tls_at,
				 "Ingress %s/%s: tls: TLS is not terminated here, its "
				 "hosts are served over plain HTTP only",
				 ing->meta.ns, ing->meta.name);
	for (i = 0; i < m->aliases.len && !ret; i++) {
		const char *text = m->aliases.item[i];

		if (emit_is_nobodys_host(b, text))
			ret = build_warn(
				b, m->aliases_at,
				"Ingress %s/%s: host-aliases: %.80s: no wildcard at "
				"the end of a host, it matches nothing",
				ing->meta.ns, ing->meta.name, text);
	}
	return ret;
}

static int add_ingress(struct builder *b, const struct ingress *ing)
{
	struct meaning m;
	size_t i;
	int ret;

	ret = annotations_of_ingress(b, ing, &m);
	if (!ret)
		ret = warn_ingress(b, ing, &m);
	if (!ret)
		ret = emit_begin(b, ing);
	for (i = 0; i < ing->rule_count && !ret; i++)
		ret = emit_rule(b, ing, &m, i);
	annotations_free(&m);
	return ret;
}

static int warn_left_out(struct builder *b, const struct ingress *ing)
{
	if (ir_warn(b->ir, b->err->where, "%s: Ingress %s/%s is left out", b->err->what,
		    ing->meta.ns, ing->meta.name))
		return build_memory(b);
	return 0;
}

/* A broken Ingress of an API server must not take the others down. */
static int add_or_leave_out(struct builder *b, const struct ingress **slot)
{
	const struct ingress *ing = *slot;
	size_t routes = b->ir->routes.len;
	int ret = add_ingress(b, ing);

	if (ret != -EINVAL || !b->opt->keep_going)
		return ret;
	twins_forget(&b->twins, b->ir, routes);
	ir_truncate(b->ir, routes);
	*slot = NULL;
	return warn_left_out(b, ing);
}

static int add_defaults(struct builder *b, const struct ingress_list *list)
{
	const struct ingress *first = NULL;
	size_t i;
	int ret = 0;

	for (i = 0; i < list->len && !ret; i++) {
		const struct ingress *ing = list->item[i];

		if (!ing || ing->default_backend.kind == BACKEND_NONE)
			continue;
		if (first)
			ret = build_warn(
				b, ing->default_backend.at,
				"Ingress %s/%s: defaultBackend never used: Ingress "
				"%s/%s has the default backend already",
				ing->meta.ns, ing->meta.name, first->meta.ns,
				first->meta.name);
		else
			first = ing;
	}
	if (ret || !first)
		return ret;
	ret = emit_default(b, first);
	return ret == -EINVAL && b->opt->keep_going ? warn_left_out(b, first) : ret;
}

static int copy_messages(struct builder *b)
{
	const struct store *s = b->store;
	const struct message *m;
	size_t kind, i, k;
	int ret = 0;

	for (i = 0; i < s->warnings.len && !ret; i++)
		ret = build_warn(b, s->warnings.item[i].at, "%s",
				 s->warnings.item[i].text);
	for (i = 0; i < s->notes.len && !ret; i++)
		ret = build_note(b, s->notes.item[i].at, "%s", s->notes.item[i].text);
	for (kind = 0; kind < OBJECT_KIND_COUNT; kind++) {
		for (i = 0; i < s->objects[kind].len; i++) {
			const struct object *o = s->objects[kind].item[i];

			for (k = 0; k < o->warnings.len && !ret; k++) {
				m = &o->warnings.item[k];
				ret = build_warn(b, m->at, "%s", m->text);
			}
		}
	}
	return ret;
}

static int warn_unused(struct builder *b)
{
	size_t i;
	int ret = 0;

	for (i = 0; i < b->by_hand.len && !ret; i++)
		if (!b->by_hand.item[i].used)
			ret = build_warn(b, (struct place){.source = "--endpoint"},
					 "%s: no rule leads there",
					 b->by_hand.item[i].service);
	return ret;
}

static int build_all(struct builder *b)
{
	struct ingress_list list = {};
	size_t i;
	int ret;

	ret = copy_messages(b);
	if (!ret)
		ret = resolve_prepare(b);
	if (!ret)
		ret = class_read_parameters(b);
	if (!ret)
		ret = class_select(b, &list);
	for (i = 0; i < list.len && !ret; i++)
		ret = add_or_leave_out(b, &list.item[i]);
	if (!ret)
		ret = add_defaults(b, &list);
	if (!ret)
		ret = warn_unused(b);
	if (!ret && b->opt->compare_dialects)
		ret = dialect_warn(b);
	vec_free(&list);
	return ret;
}

static int check_one(struct builder *b, const struct ingress *ing)
{
	int ret = resolve_prepare(b);

	if (!ret)
		ret = class_read_parameters(b);
	if (!ret)
		ret = add_ingress(b, ing);
	if (!ret && ing->default_backend.kind != BACKEND_NONE)
		ret = emit_default(b, ing);
	return ret;
}

static void fill_options(struct route_options *opt)
{
	if (!opt->ingress_class)
		opt->ingress_class = "kong";
}

static void finish(struct builder *b)
{
	resolve_finish(b);
	strmap_free(&b->replies);
	twins_free(&b->twins);
	strmap_free(&b->said);
	pool_free(&b->pool);
}

int route_check_ingress(const struct store *store, const struct route_options *opt,
			const struct ingress *ing, struct err *err)
{
	struct route_options own = *opt;
	struct err local = {};
	struct ir ir = {};
	struct builder b = {.store = store, .opt = &own, .ir = &ir};
	int ret;

	b.err = err ? err : &local;
	fill_options(&own);
	ret = check_one(&b, ing);
	finish(&b);
	ir_free(&ir);
	return ret;
}

int route_endpoints(const struct store *store, const struct route_options *opt,
		    const struct ir *ir, const char *ns, const char *service,
		    struct ir *out, struct err *err)
{
	struct route_options own = *opt;
	struct err local = {};
	struct builder b = {.store = store, .opt = &own, .ir = out};
	int ret;

	b.err = err ? err : &local;
	fill_options(&own);
	ret = resolve_again(&b, ir, ns, service);
	finish(&b);
	return ret;
}

int route_build(const struct store *store, const struct route_options *opt,
		struct ir *out, struct err *err)
{
	struct route_options own = *opt;
	struct err local = {};
	struct ir ir = {};
	struct builder b = {.store = store, .opt = &own, .ir = &ir};
	int ret;

	b.err = err ? err : &local;
	fill_options(&own);
	ir.order = own.dialect == DIALECT_KONG ? IR_ORDER_KONG : IR_ORDER_KUBERNETES;
	ret = build_all(&b);
	finish(&b);
	if (ret)
		ir_free(&ir);
	else
		*out = ir;
	return ret;
}

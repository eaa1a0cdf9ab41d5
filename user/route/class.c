/* SPDX-License-Identifier: BSD-2-Clause */
/* Which Ingresses are ours: the annotation, then the field, then the default class. */
#include "route/builder.h"

#include <stdlib.h>
#include <string.h>

#define CLASS_ANNOTATION "kubernetes.io/ingress.class"
#define DEFAULT_ANNOTATION "ingressclass.kubernetes.io/is-default-class"

int class_read_parameters(struct builder *b)
{
	const struct ingress_class *c = (const struct ingress_class *)store_get(
		b->store, OBJECT_INGRESS_CLASS, "", b->opt->ingress_class);
	const struct class_parameters *p;

	if (!c || !c->parameters_kind)
		return 0;
	p = (const struct class_parameters *)store_get(
		b->store, OBJECT_CLASS_PARAMETERS, c->parameters_ns,
		c->parameters_name);
	if (!p || strcmp(c->parameters_kind, "IngressClassParameters"))
		return build_warn(
			b, c->parameters_at,
			"IngressClass %s: its parameters %s %s/%s do not exist",
			b->opt->ingress_class, c->parameters_kind, c->parameters_ns,
			c->parameters_name);
	b->legacy_regex = p->legacy_regex;
	return 0;
}

static bool is_default_class(const struct builder *b)
{
	const struct object *o =
		store_get(b->store, OBJECT_INGRESS_CLASS, "", b->opt->ingress_class);
	const char *value = o ? object_annotation(o, DEFAULT_ANNOTATION) : NULL;

	return value && !strcmp(value, "true");
}

/* The annotation beats the field, and an empty annotation is none. */
static const char *class_of(const struct ingress *ing)
{
	const char *class = object_annotation(&ing->meta, CLASS_ANNOTATION);

	return class && *class ? class : ing->class_name;
}

bool class_takes_plugin(const struct builder *b, const struct object *o)
{
	const char *class = object_annotation(o, CLASS_ANNOTATION);

	return class && !strcmp(class, b->opt->ingress_class);
}

static int compare_full_names(const struct object *a, const struct object *b)
{
	size_t na = strlen(a->ns), nb = strlen(b->ns), i;

	/* as "namespace/name" compares, in which '/' ends the namespace */
	for (i = 0; i < na && i < nb; i++)
		if (a->ns[i] != b->ns[i])
			return (unsigned char)a->ns[i] < (unsigned char)b->ns[i] ? -1
										 : 1;
	if (na < nb)
		return (unsigned char)'/' < (unsigned char)b->ns[na] ? -1 : 1;
	if (nb < na)
		return (unsigned char)a->ns[nb] < (unsigned char)'/' ? -1 : 1;
	return strcmp(a->name, b->name);
}

static int compare_age(const void *x, const void *y)
{
	const struct ingress *const *a = x, *const *b = y;

	if ((*a)->meta.created != (*b)->meta.created)
		return (*a)->meta.created < (*b)->meta.created ? -1 : 1;
	return compare_full_names(&(*a)->meta, &(*b)->meta);
}

int class_select(struct builder *b, struct ingress_list *out)
{
	const struct store *s = b->store;
	bool is_default = is_default_class(b);
	const struct ingress **slot;
	size_t i;
	int ret = 0;

	for (i = 0; i < s->objects[OBJECT_INGRESS].len && !ret; i++) {
		const struct ingress *ing =
			(const struct ingress *)s->objects[OBJECT_INGRESS].item[i];
		const char *class = class_of(ing);

		if (class && strcmp(class, b->opt->ingress_class)) {
			ret = build_note(b, ing->meta.at,
					 "Ingress %s/%s passed over: its class is %s",
					 ing->meta.ns, ing->meta.name, class);
			continue;
		}
		if (!class && !is_default) {
			ret = build_warn(
				b, ing->meta.at,
				"Ingress %s/%s passed over: it names no class and "
				"IngressClass %s is not the default",
				ing->meta.ns, ing->meta.name, b->opt->ingress_class);
			continue;
		}
		slot = vec_push(out);
		if (!slot)
			return build_memory(b);
		*slot = ing;
	}
	if (out->len)
		qsort(out->item, out->len, sizeof(*out->item), compare_age);
	return ret;
}

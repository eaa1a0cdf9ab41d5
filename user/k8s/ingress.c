/* SPDX-License-Identifier: BSD-2-Clause */
/* Ingress and IngressClass of networking.k8s.io/v1. */
#include "k8s/decode.h"

#include <string.h>

/* Fields of the removed v1beta1 would silently lose traffic: an error. */
static int refuse_old(struct decoder *d, const struct field *map, const char *key,
		      const char *now)
{
	struct field f = {.up = map, .key = key, .node = node_get(map->node, key)};

	if (!f.node)
		return 0;
	return decode_fail(d, &f, "a field of a removed API version; write %s", now);
}

static int decode_port_ref(struct decoder *d, const struct field *service,
			   struct ingress_backend *b)
{
	static const char *const known[] = {"name", "number", NULL};
	struct field port;
	int ret;

	ret = decode_child(d, service, "port", NODE_MAP, &port);
	if (ret || !port.node)
		return ret;
	ret = decode_known(d, &port, known);
	if (!ret)
		ret = decode_string(d, &port, "name", &b->port_name);
	if (!ret)
		ret = decode_port(d, &port, "number", &b->port);
	if (ret)
		return ret;
	if (b->port_name && !*b->port_name)
		b->port_name = NULL;
	if (b->port_name && b->port)
		return decode_fail(d, &port, "name and number exclude each other");
	return 0;
}

static int decode_service_ref(struct decoder *d, const struct field *f,
			      struct ingress_backend *b)
{
	static const char *const known[] = {"name", "port", NULL};
	int ret;

	b->kind = BACKEND_SERVICE;
	ret = decode_known(d, f, known);
	if (!ret)
		ret = decode_string(d, f, "name", &b->name);
	if (ret)
		return ret;
	if (!b->name || !*b->name)
		return decode_fail(d, f, "name is missing");
	return decode_port_ref(d, f, b);
}

static int decode_resource_ref(struct decoder *d, const struct field *f,
			       struct ingress_backend *b)
{
	const char *kind = NULL, *name = NULL;
	int ret;

	b->kind = BACKEND_RESOURCE;
	ret = decode_string(d, f, "kind", &kind);
	if (!ret)
		ret = decode_string(d, f, "name", &name);
	if (ret)
		return ret;
	if (!kind || !name)
		return decode_fail(d, f, "kind and name are needed");
	b->name = pool_printf(&d->object->pool, "%s/%s", kind, name);
	return b->name ? 0 : decode_memory(d);
}

static int decode_backend(struct decoder *d, const struct field *f,
			  struct ingress_backend *b)
{
	static const char *const known[] = {"service", "resource", NULL};
	struct field service, resource;
	int ret;

	b->at = decode_place(d, f->node);
	ret = refuse_old(d, f, "serviceName", "service.name");
	if (!ret)
		ret = refuse_old(d, f, "servicePort", "service.port.number or .name");
	if (!ret)
		ret = decode_known(d, f, known);
	if (!ret)
		ret = decode_child(d, f, "service", NODE_MAP, &service);
	if (!ret)
		ret = decode_child(d, f, "resource", NODE_MAP, &resource);
	if (ret)
		return ret;
	if (service.node && resource.node)
		return decode_fail(d, f, "service and resource exclude each other");
	if (service.node)
		return decode_service_ref(d, &service, b);
	if (resource.node)
		return decode_resource_ref(d, &resource, b);
	return decode_fail(d, f, "names neither a service nor a resource");
}

static int decode_path_type(struct decoder *d, const struct field *f,
			    struct ingress_path *p)
{
	static const char *const names[] = {
		[PATH_KIND_EXACT] = "Exact",
		[PATH_KIND_PREFIX] = "Prefix",
		[PATH_KIND_IMPLEMENTATION] = "ImplementationSpecific",
	};
	struct field type;
	int ret, i;

	ret = decode_child(d, f, "pathType", NODE_STRING, &type);
	if (ret)
		return ret;
	if (!type.node)
		return decode_warn(
			d, f, "pathType is missing, ImplementationSpecific assumed");
	for (i = PATH_KIND_EXACT; i <= PATH_KIND_IMPLEMENTATION; i++) {
		if (!strcmp(type.node->text, names[i])) {
			p->kind = (enum path_kind)i;
			return 0;
		}
	}
	return decode_fail(d, &type,
			   "\"%.40s\" is not Exact, Prefix or ImplementationSpecific",
			   type.node->text);
}

static int decode_path(struct decoder *d, const struct field *f, struct ingress_path *p)
{
	static const char *const known[] = {"path", "pathType", "backend", NULL};
	struct field backend;
	int ret;

	ret = decode_expect(d, f, NODE_MAP);
	if (!ret)
		ret = decode_known(d, f, known);
	if (!ret)
		ret = decode_string(d, f, "path", &p->path);
	if (!ret)
		ret = decode_path_type(d, f, p);
	if (!ret)
		ret = decode_child(d, f, "backend", NODE_MAP, &backend);
	if (ret)
		return ret;
	p->at = decode_place(d, p->path ? node_get(f->node, "path") : f->node);
	if (!backend.node)
		return decode_fail(d, f, "backend is missing");
	return decode_backend(d, &backend, &p->backend);
}

static int decode_rule(struct decoder *d, const struct field *f, struct ingress_rule *r)
{
	static const char *const known[] = {"host", "http", NULL};
	static const char *const http_known[] = {"paths", NULL};
	struct field http, paths, item;
	uint32_t i;
	int ret;

	r->host = "";
	ret = decode_expect(d, f, NODE_MAP);
	if (!ret)
		ret = decode_known(d, f, known);
	if (!ret)
		ret = decode_string(d, f, "host", &r->host);
	if (!ret)
		ret = decode_child(d, f, "http", NODE_MAP, &http);
	if (ret)
		return ret;
	r->at = decode_place(d, *r->host ? node_get(f->node, "host") : f->node);
	if (!http.node)
		return 0;
	ret = decode_known(d, &http, http_known);
	if (!ret)
		ret = decode_child(d, &http, "paths", NODE_SEQ, &paths);
	if (ret || !paths.node)
		return ret;
	r->path_count = paths.node->count;
	r->paths = pool_array(&d->object->pool, r->path_count, sizeof(*r->paths));
	if (!r->paths)
		return decode_memory(d);
	for (i = 0; i < paths.node->count && !ret; i++) {
		item = decode_item(&paths, i);
		ret = decode_path(d, &item, &r->paths[i]);
	}
	return ret;
}

static int decode_rules(struct decoder *d, const struct field *spec,
			struct ingress *ing)
{
	struct field rules, item;
	uint32_t i;
	int ret;

	ret = decode_child(d, spec, "rules", NODE_SEQ, &rules);
	if (ret || !rules.node)
		return ret;
	ing->rule_count = rules.node->count;
	ing->rules = pool_array(&d->object->pool, ing->rule_count, sizeof(*ing->rules));
	if (!ing->rules)
		return decode_memory(d);
	for (i = 0; i < rules.node->count && !ret; i++) {
		item = decode_item(&rules, i);
		ret = decode_rule(d, &item, &ing->rules[i]);
	}
	return ret;
}

int decode_ingress(struct decoder *d, const struct field *doc, struct object *o)
{
	static const char *const known[] = {"ingressClassName", "defaultBackend",
					    "rules", "tls", NULL};
	struct ingress *ing = (struct ingress *)o;
	struct field spec, backend, tls;
	int ret;

	ret = decode_child(d, doc, "spec", NODE_MAP, &spec);
	if (ret)
		return ret;
	if (!spec.node)
		return decode_fail(d, doc, "spec is missing");
	ret = refuse_old(d, &spec, "backend", "defaultBackend");
	if (!ret)
		ret = decode_known(d, &spec, known);
	if (!ret)
		ret = decode_string(d, &spec, "ingressClassName", &ing->class_name);
	if (!ret)
		ret = decode_child(d, &spec, "defaultBackend", NODE_MAP, &backend);
	if (!ret && backend.node)
		ret = decode_backend(d, &backend, &ing->default_backend);
	if (!ret)
		ret = decode_rules(d, &spec, ing);
	if (!ret)
		ret = decode_child(d, &spec, "tls", NODE_SEQ, &tls);
	if (ret)
		return ret;
	ing->has_tls = tls.node && tls.node->count;
	ing->tls_at = decode_place(d, tls.node);
	if (ing->default_backend.kind == BACKEND_NONE && !ing->rule_count)
		return decode_fail(d, &spec, "rules or defaultBackend must be given");
	return 0;
}

int decode_ingress_class(struct decoder *d, const struct field *doc, struct object *o)
{
	struct ingress_class *c = (struct ingress_class *)o;
	struct field spec, parameters = {};
	int ret;

	c->controller = "";
	c->parameters_ns = "";
	c->parameters_name = "";
	ret = decode_child(d, doc, "spec", NODE_MAP, &spec);
	if (ret || !spec.node)
		return ret;
	ret = decode_string(d, &spec, "controller", &c->controller);
	if (!ret)
		ret = decode_child(d, &spec, "parameters", NODE_MAP, &parameters);
	if (ret || !parameters.node)
		return ret;
	c->parameters_at = decode_place(d, parameters.node);
	c->parameters_kind = "";
	ret = decode_string(d, &parameters, "kind", &c->parameters_kind);
	if (!ret)
		ret = decode_string(d, &parameters, "namespace", &c->parameters_ns);
	if (!ret)
		ret = decode_string(d, &parameters, "name", &c->parameters_name);
	return ret;
}

int decode_class_parameters(struct decoder *d, const struct field *doc,
			    struct object *o)
{
	static const char *const known[] = {"enableLegacyRegexDetection",
					    "serviceUpstream", NULL};
	struct class_parameters *c = (struct class_parameters *)o;
	struct field spec;
	int ret;

	ret = decode_child(d, doc, "spec", NODE_MAP, &spec);
	if (ret || !spec.node)
		return ret;
	ret = decode_known(d, &spec, known);
	if (!ret)
		ret = decode_bool(d, &spec, "enableLegacyRegexDetection",
				  &c->legacy_regex);
	return ret;
}

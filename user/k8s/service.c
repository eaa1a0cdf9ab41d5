/* SPDX-License-Identifier: BSD-2-Clause */
/* Services and where their endpoints are: EndpointSlice and Endpoints. */
#include "k8s/decode.h"

#include <string.h>

static int decode_protocol(struct decoder *d, const struct field *f, bool *is_tcp)
{
	const char *protocol = "TCP";
	int ret = decode_string(d, f, "protocol", &protocol);

	*is_tcp = !strcmp(protocol, "TCP");
	return ret;
}

/* IntOrString: a port's number or the name of a container port. */
static int decode_target(struct decoder *d, const struct field *f,
			 struct service_port *p)
{
	const struct node *n = node_get(f->node, "targetPort");

	if (n && n->type == NODE_STRING)
		return decode_string(d, f, "targetPort", &p->target_name);
	return decode_port(d, f, "targetPort", &p->target_port);
}

static int decode_service_port(struct decoder *d, const struct field *f,
			       struct service_port *p)
{
	int ret;

	p->name = "";
	ret = decode_expect(d, f, NODE_MAP);
	if (!ret)
		ret = decode_string(d, f, "name", &p->name);
	if (!ret)
		ret = decode_port(d, f, "port", &p->port);
	if (!ret)
		ret = decode_target(d, f, p);
	if (!ret)
		ret = decode_protocol(d, f, &p->is_tcp);
	if (!ret && !p->port)
		return decode_fail(d, f, "port is missing");
	return ret;
}

/* How long a client stays does not matter: its endpoint follows from its address. */
static int decode_affinity(struct decoder *d, const struct field *spec,
			   struct service *s)
{
	struct field f = {.up = spec, .key = "sessionAffinity"};
	const char *affinity = "None";
	int ret = decode_string(d, spec, f.key, &affinity);

	if (ret)
		return ret;
	s->by_client = !strcmp(affinity, "ClientIP");
	if (s->by_client || !*affinity || !strcmp(affinity, "None"))
		return 0;
	f.node = node_get(spec->node, f.key);
	return decode_fail(d, &f, "\"%.40s\" is neither None nor ClientIP", affinity);
}

int decode_service(struct decoder *d, const struct field *doc, struct object *o)
{
	struct service *s = (struct service *)o;
	struct field spec, ports, item;
	const char *type = "ClusterIP";
	uint32_t i;
	int ret;

	s->external_name = "";
	ret = decode_child(d, doc, "spec", NODE_MAP, &spec);
	if (ret || !spec.node)
		return ret;
	ret = decode_string(d, &spec, "type", &type);
	if (!ret)
		ret = decode_string(d, &spec, "externalName", &s->external_name);
	if (!ret)
		ret = decode_affinity(d, &spec, s);
	if (!ret)
		ret = decode_child(d, &spec, "ports", NODE_SEQ, &ports);
	if (ret)
		return ret;
	if (!strcmp(type, "ExternalName"))
		s->type = SERVICE_EXTERNAL_NAME;
	if (!ports.node)
		return 0;
	s->port_count = ports.node->count;
	s->ports = pool_array(&o->pool, s->port_count, sizeof(*s->ports));
	if (!s->ports)
		return decode_memory(d);
	for (i = 0; i < ports.node->count && !ret; i++) {
		item = decode_item(&ports, i);
		ret = decode_service_port(d, &item, &s->ports[i]);
	}
	return ret;
}

static int decode_ports(struct decoder *d, const struct field *map,
			struct endpoint_set *set)
{
	struct field ports, item;
	uint32_t i;
	int ret;

	ret = decode_child(d, map, "ports", NODE_SEQ, &ports);
	if (ret || !ports.node)
		return ret;
	set->port_count = ports.node->count;
	set->ports = pool_array(&d->object->pool, set->port_count, sizeof(*set->ports));
	if (!set->ports)
		return decode_memory(d);
	for (i = 0; i < ports.node->count && !ret; i++) {
		struct endpoint_port *p = &set->ports[i];

		item = decode_item(&ports, i);
		p->name = "";
		ret = decode_expect(d, &item, NODE_MAP);
		if (!ret)
			ret = decode_string(d, &item, "name", &p->name);
		if (!ret)
			ret = decode_port(d, &item, "port", &p->port);
		if (!ret)
			ret = decode_protocol(d, &item, &p->is_tcp);
	}
	return ret;
}

static int decode_address(struct decoder *d, const struct field *f,
			  struct endpoint_address *a)
{
	a->at = decode_place(d, f->node);
	a->address = pool_strdup(&d->object->pool, f->node->text);
	return a->address ? 0 : decode_memory(d);
}

static int decode_endpoint(struct decoder *d, const struct field *f,
			   struct endpoint_address *a)
{
	bool serving = false, terminating = false;
	struct field list, first, conditions = {};
	int ret;

	a->ready = true;
	ret = decode_expect(d, f, NODE_MAP);
	if (!ret)
		ret = decode_child(d, f, "addresses", NODE_SEQ, &list);
	if (ret)
		return ret;
	if (!list.node || !list.node->count)
		return decode_fail(d, f, "addresses is missing");
	first = decode_item(&list, 0);
	ret = decode_expect(d, &first, NODE_STRING);
	if (!ret)
		ret = decode_address(d, &first, a);
	if (!ret)
		ret = decode_child(d, f, "conditions", NODE_MAP, &conditions);
	if (ret || !conditions.node)
		return ret;
	ret = decode_bool(d, &conditions, "ready", &a->ready);
	if (!ret)
		ret = decode_bool(d, &conditions, "serving", &serving);
	if (!ret)
		ret = decode_bool(d, &conditions, "terminating", &terminating);
	a->draining = !a->ready && serving && terminating;
	return ret;
}

int decode_slice(struct decoder *d, const struct field *doc, struct object *o)
{
	struct endpoint_slice *s = (struct endpoint_slice *)o;
	const char *type = "IPv4";
	struct field list = {}, item;
	uint32_t i;
	size_t k;
	int ret;

	s->service = "";
	for (k = 0; k < o->label_count; k++)
		if (!strcmp(o->labels[k].key, "kubernetes.io/service-name"))
			s->service = o->labels[k].value;
	if (!*s->service) {
		ret = decode_warn(d, doc,
				  "no label kubernetes.io/service-name, "
				  "it belongs to no Service");
		if (ret)
			return ret;
	}
	ret = decode_string(d, doc, "addressType", &type);
	s->is_fqdn = !strcmp(type, "FQDN");
	if (!ret)
		ret = decode_ports(d, doc, &s->set);
	if (!ret)
		ret = decode_child(d, doc, "endpoints", NODE_SEQ, &list);
	if (ret || !list.node)
		return ret;
	s->set.address_count = list.node->count;
	s->set.addresses =
		pool_array(&o->pool, list.node->count, sizeof(*s->set.addresses));
	if (!s->set.addresses)
		return decode_memory(d);
	for (i = 0; i < list.node->count && !ret; i++) {
		item = decode_item(&list, i);
		ret = decode_endpoint(d, &item, &s->set.addresses[i]);
	}
	return ret;
}

/* notReadyAddresses take no traffic and are not kept. */
static int decode_subset(struct decoder *d, const struct field *f,
			 struct endpoint_set *set)
{
	struct field list = {}, item, ip;
	uint32_t i;
	int ret;

	ret = decode_expect(d, f, NODE_MAP);
	if (!ret)
		ret = decode_ports(d, f, set);
	if (!ret)
		ret = decode_child(d, f, "addresses", NODE_SEQ, &list);
	if (ret || !list.node)
		return ret;
	set->address_count = list.node->count;
	set->addresses =
		pool_array(&d->object->pool, list.node->count, sizeof(*set->addresses));
	if (!set->addresses)
		return decode_memory(d);
	for (i = 0; i < list.node->count; i++) {
		item = decode_item(&list, i);
		ret = decode_expect(d, &item, NODE_MAP);
		if (!ret)
			ret = decode_child(d, &item, "ip", NODE_STRING, &ip);
		if (!ret && !ip.node)
			ret = decode_fail(d, &item, "ip is missing");
		if (!ret)
			ret = decode_address(d, &ip, &set->addresses[i]);
		if (ret)
			return ret;
		set->addresses[i].ready = true;
	}
	return 0;
}

int decode_endpoints(struct decoder *d, const struct field *doc, struct object *o)
{
	struct endpoints *e = (struct endpoints *)o;
	struct field list, item;
	uint32_t i;
	int ret;

	ret = decode_child(d, doc, "subsets", NODE_SEQ, &list);
	if (ret || !list.node)
		return ret;
	e->subset_count = list.node->count;
	e->subsets = pool_array(&o->pool, e->subset_count, sizeof(*e->subsets));
	if (!e->subsets)
		return decode_memory(d);
	for (i = 0; i < list.node->count && !ret; i++) {
		item = decode_item(&list, i);
		ret = decode_subset(d, &item, &e->subsets[i]);
	}
	return ret;
}

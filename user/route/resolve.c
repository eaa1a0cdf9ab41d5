/* SPDX-License-Identifier: BSD-2-Clause */
/* Backends -> endpoint groups: Services, their ports, slices, --endpoint. */
#include "route/builder.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "base/number.h"
#include "route/annotations.h"

static int compare_hands(const void *x, const void *y)
{
	const struct hand_endpoint *a = x, *b = y;

	return strcmp(a->service, b->service);
}

static int fail_hand(struct builder *b, const char *text, const char *why)
{
	err_set(b->err, -EINVAL, "--endpoint %.150s: %s", text, why);
	return err_hint(b->err, "NAMESPACE/SERVICE[:PORTNAME]=ADDR:PORT[,weight=N]");
}

/* "ADDR:PORT[,weight=N]" */
static int read_hand_endpoint(struct builder *b, const char *text, const char *value,
			      struct ir_endpoint *e)
{
	static const char key[] = "weight=";
	const char *comma = strchrnul(value, ',');
	char *addr = pool_strndup(&b->pool, value, (size_t)(comma - value));
	uint64_t weight = 1;

	if (!addr)
		return build_memory(b);
	if (addr_parse_port(addr, &e->addr, &e->port))
		return fail_hand(b, text, "no address and port behind the =");
	if (*comma && (strncmp(comma + 1, key, strlen(key)) ||
		       number_parse(comma + 1 + strlen(key), UINT16_MAX, &weight)))
		return fail_hand(b, text, "only weight=N (0 to 65535) may follow");
	e->weight = (uint16_t)weight;
	e->ready = weight > 0;
	return 0;
}

static int read_hand(struct builder *b, const char *text)
{
	const char *equals = strchr(text, '='), *colon, *slash;
	struct hand_endpoint *h = vec_push(&b->by_hand);
	size_t len;

	if (!h)
		return build_memory(b);
	if (!equals)
		return fail_hand(b, text, "no = in it");
	h->service = pool_strndup(&b->pool, text, (size_t)(equals - text));
	if (!h->service)
		return build_memory(b);
	colon = strchr(h->service, ':');
	slash = strchr(h->service, '/');
	len = colon ? (size_t)(colon - h->service) : strlen(h->service);
	if (!slash || slash == h->service || slash + 1 >= h->service + len ||
	    (colon && !colon[1]))
		return fail_hand(b, text,
				 "a namespace, a Service or a port is missing");
	if (colon) {
		h->port = h->service + len + 1;
		h->service[len] = '\0';
	}
	return read_hand_endpoint(b, text, equals + 1, &h->endpoint);
}

static int prepare_gateway(struct builder *b)
{
	struct ir_endpoint *e;
	struct ir_group *g;

	b->gateway = UINT32_MAX;
	if (!b->opt->gateway)
		return 0;
	b->gateway = (uint32_t)b->ir->groups.len;
	g = vec_push(&b->ir->groups);
	if (!g)
		return build_memory(b);
	g->name = strdup("gateway");
	e = vec_push(&g->endpoints);
	if (!g->name || !e)
		return build_memory(b);
	b->ir->gateway = b->gateway + 1;
	e->weight = 1;
	e->ready = true;
	if (addr_parse_port(b->opt->gateway, &e->addr, &e->port))
		return err_set(b->err, -EINVAL, "--gateway %.150s: not an ADDR:PORT",
			       b->opt->gateway);
	return 0;
}

static int prepare_hands(struct builder *b)
{
	size_t i;
	int ret = 0;

	for (i = 0; i < b->opt->endpoint_count && !ret; i++)
		ret = read_hand(b, b->opt->endpoints[i]);
	if (!ret && b->by_hand.len)
		qsort(b->by_hand.item, b->by_hand.len, sizeof(*b->by_hand.item),
		      compare_hands);
	return ret;
}

int resolve_prepare(struct builder *b)
{
	int ret = prepare_gateway(b);

	return ret ? ret : prepare_hands(b);
}

void resolve_finish(struct builder *b)
{
	vec_free(&b->by_hand);
}

/* Endpoints of one Service port while they are collected. */
struct collect {
	struct builder *b;
	const struct ingress_backend *from;
	const struct service *service;	 /* NULL: not in the manifests */
	const struct service_port *port; /* NULL: the Service has no such port */
	const char *full_name;		 /* "namespace/service" */
	const char *number;		 /* of the port, its name or "" */
	const char *name;		 /* of the group */
	struct vec_of(struct ir_endpoint) found;
	bool is_full;
};

static bool same_endpoint(const struct ir_endpoint *a, const struct ir_endpoint *b)
{
	return a->port == b->port && !memcmp(&a->addr, &b->addr, sizeof(a->addr));
}

/* Ready beats draining when an address stands twice, and the weight given last
 * (by hand) counts. Less than a thousand, so a scan does. */
static int add_endpoint(struct collect *c, const struct ir_endpoint *e)
{
	struct ir_endpoint *slot;
	size_t i;

	for (i = 0; i < c->found.len; i++) {
		if (!same_endpoint(&c->found.item[i], e))
			continue;
		c->found.item[i].ready =
			(c->found.item[i].ready || e->ready) && e->weight;
		c->found.item[i].weight = e->weight;
		return 0;
	}
	if (c->found.len == WEIR_GROUP_ENDPOINTS) {
		c->is_full = true;
		return 0;
	}
	slot = vec_push(&c->found);
	if (!slot)
		return build_memory(c->b);
	*slot = *e;
	return 0;
}

static int add_address(struct collect *c, const struct endpoint_address *a,
		       uint16_t port, const struct object *of)
{
	struct ir_endpoint e = {.port = port, .weight = 1, .ready = a->ready};
	char text[OBJECT_TEXT];

	if (!a->ready && !a->draining)
		return 0;
	if (addr_parse(a->address, &e.addr))
		return build_warn(c->b, a->at,
				  "%s: \"%.80s\" is not an address, left out",
				  object_text(of, text), a->address);
	return add_endpoint(c, &e);
}

/* A slice's port belongs to a Service's port of the same name. */
static int add_set(struct collect *c, const struct endpoint_set *set,
		   const char *port_name, const struct object *of)
{
	size_t i, k;
	int ret = 0;

	for (i = 0; i < set->port_count; i++) {
		if (!set->ports[i].is_tcp || !set->ports[i].port ||
		    strcmp(set->ports[i].name, port_name))
			continue;
		for (k = 0; k < set->address_count && !ret; k++)
			ret = add_address(c, &set->addresses[k], set->ports[i].port,
					  of);
	}
	return ret;
}

static int compare_slices(const void *x, const void *y)
{
	const struct endpoint_slice *const *a = x, *const *b = y;

	return strcmp((*a)->meta.name, (*b)->meta.name);
}

/* The slices of a Service, in the order of their names. */
struct slices vec_of(const struct endpoint_slice *);

static int slices_of(struct builder *b, const struct object *svc, struct slices *out)
{
	const struct endpoint_slice *s = store_slices(b->store, svc->ns, svc->name);

	for (; s; s = s->next) {
		const struct endpoint_slice **slot;

		if (strcmp(s->meta.ns, svc->ns) || strcmp(s->service, svc->name))
			continue;
		slot = vec_push(out);
		if (!slot)
			return build_memory(b);
		*slot = s;
	}
	if (out->len)
		qsort(out->item, out->len, sizeof(*out->item), compare_slices);
	return 0;
}

static int add_slices(struct collect *c, const struct slices *slices,
		      const struct service_port *port)
{
	char text[OBJECT_TEXT];
	size_t i;
	int ret = 0;

	for (i = 0; i < slices->len && !ret; i++) {
		const struct endpoint_slice *s = slices->item[i];

		if (s->is_fqdn)
			ret = build_warn(c->b, s->meta.at,
					 "%s: names instead of addresses, left out",
					 object_text(&s->meta, text));
		else
			ret = add_set(c, &s->set, port->name, &s->meta);
	}
	return ret;
}

/* Endpoints, the older kind, count where a Service has no slice. */
static int add_from_cluster(struct collect *c, const struct service *svc,
			    const struct service_port *port)
{
	const struct object *o = &svc->meta;
	struct slices slices = {};
	const struct endpoints *old;
	size_t i;
	int ret = slices_of(c->b, o, &slices);
	bool has_slice = slices.len;

	if (!ret)
		ret = add_slices(c, &slices, port);
	vec_free(&slices);
	if (ret || has_slice)
		return ret;
	old = (const struct endpoints *)store_get(c->b->store, OBJECT_ENDPOINTS, o->ns,
						  o->name);
	for (i = 0; old && i < old->subset_count && !ret; i++)
		ret = add_set(c, &old->subsets[i], port->name, &old->meta);
	return ret;
}

static int add_by_hand(struct collect *c)
{
	struct builder *b = c->b;
	const char *port_name = c->port ? c->port->name : c->from->port_name;
	size_t low = 0, high = b->by_hand.len;
	int ret = 0;

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (strcmp(b->by_hand.item[mid].service, c->full_name) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	for (; low < b->by_hand.len && !ret; low++) {
		struct hand_endpoint *h = &b->by_hand.item[low];

		if (strcmp(h->service, c->full_name))
			break;
		if (h->port && strcmp(h->port, c->number) &&
		    (!port_name || strcmp(h->port, port_name)))
			continue;
		h->used = true;
		ret = add_endpoint(c, &h->endpoint);
	}
	return ret;
}

/* By name: the port's own or that of its container port; by number: the
 * Service's, TCP first; neither: the only one there is. */
static const struct service_port *find_port(const struct service *svc,
					    const struct ingress_backend *from)
{
	const struct service_port *found = NULL;
	size_t i;

	if (!from->port_name && !from->port)
		return svc->port_count == 1 ? &svc->ports[0] : NULL;
	for (i = 0; i < svc->port_count; i++) {
		const struct service_port *p = &svc->ports[i];

		if (from->port_name &&
		    (!strcmp(p->name, from->port_name) ||
		     (p->target_name && !strcmp(p->target_name, from->port_name))))
			return p;
		if (!from->port_name && p->port == from->port &&
		    (!found || (p->is_tcp && !found->is_tcp)))
			found = p;
	}
	return found;
}

/* "80", or the name when that is all there is */
static const char *port_text(struct builder *b, const struct service_port *port,
			     const struct ingress_backend *from)
{
	uint16_t number = port ? port->port : from->port;

	if (number)
		return pool_printf(&b->pool, "%u", number);
	return from->port_name ? from->port_name : "";
}

static int push_group(struct collect *c, uint32_t *index)
{
	struct builder *b = c->b;
	struct ir_group *g;
	size_t i;

	*index = (uint32_t)b->ir->groups.len;
	if (strmap_set(&b->ir->group_places, c->name, *index))
		return build_memory(b);
	g = vec_push(&b->ir->groups);
	if (!g)
		return build_memory(b);
	g->name = strdup(c->name);
	g->service = strdup(c->full_name);
	g->port = c->port ? strdup(c->port->name) : NULL;
	if (c->service)
		g->flags = annotations_group_flags(c->service) |
			   policy_group_flags(b, c->service);
	if (!g->name || !g->service || (c->port && !g->port))
		return build_memory(b);
	for (i = 0; i < c->found.len; i++) {
		struct ir_endpoint *e = vec_push(&g->endpoints);

		if (!e)
			return build_memory(b);
		*e = c->found.item[i];
	}
	return 0;
}

static int warn_missing(struct collect *c)
{
	struct builder *b = c->b;
	struct place at = c->from->at;
	size_t i;

	if (c->is_full)
		return build_warn(
			b, at, "Service %s: more than %u endpoints, the rest left out",
			c->full_name, WEIR_GROUP_ENDPOINTS);
	for (i = 0; i < c->found.len; i++)
		if (c->found.item[i].ready)
			return 0;
	if (!c->service)
		return build_warn(b, at, "Service %s does not exist: 503",
				  c->full_name);
	if (!c->port && !*c->number)
		return build_warn(b, at,
				  "Service %s has not just one port, and the rule "
				  "names none: 503",
				  c->full_name);
	if (!c->port)
		return build_warn(b, at, "Service %s has no port %s: 503", c->full_name,
				  c->number);
	return build_warn(b, at, "%s has no endpoint that is ready: 503", c->name);
}

static int collect_group(struct collect *c, uint32_t *index)
{
	int ret = 0;

	if (c->port)
		ret = add_from_cluster(c, c->service, c->port);
	if (!ret && (!c->service || c->port))
		ret = add_by_hand(c);
	if (!ret)
		ret = warn_missing(c);
	if (!ret)
		ret = push_group(c, index);
	vec_free(&c->found);
	return ret;
}

static int resolve_service(struct builder *b, const char *ns,
			   const struct ingress_backend *from,
			   struct backend_target *out)
{
	const struct service *svc = (const struct service *)store_get(
		b->store, OBJECT_SERVICE, ns, from->name);
	struct collect c = {.b = b, .from = from, .service = svc};

	c.port = svc ? find_port(svc, from) : NULL;
	c.number = port_text(b, c.port, from);
	c.full_name = pool_concat(&b->pool, ns, "/", from->name);
	if (c.number && c.full_name)
		c.name = *c.number ? pool_concat(&b->pool, c.full_name, ":", c.number)
				   : c.full_name;
	if (!c.name)
		return build_memory(b);
	out->text = c.name;
	out->service = svc;
	if (svc && svc->type == SERVICE_EXTERNAL_NAME) {
		out->reason = "its Service is an ExternalName";
		return 0;
	}
	if (strmap_get(&b->ir->group_places, c.name, &out->group))
		return 0;
	return collect_group(&c, &out->group);
}

/* Is it the backend of the rule before? As a rule it is. */
static bool is_last(const struct builder *b, const char *ns,
		    const struct ingress_backend *from)
{
	const struct ingress_backend *last = b->last_backend;

	return last && !strcmp(b->last_ns, ns) && !strcmp(last->name, from->name) &&
	       last->port == from->port && !last->port_name && !from->port_name;
}

int resolve_backend(struct builder *b, const char *ns,
		    const struct ingress_backend *from, struct backend_target *out)
{
	int ret;

	*out = (struct backend_target){.group = UINT32_MAX};
	if (from->kind == BACKEND_SERVICE && is_last(b, ns, from)) {
		*out = b->last_target;
		return 0;
	}
	if (from->kind == BACKEND_SERVICE) {
		ret = resolve_service(b, ns, from, out);
		if (ret)
			return ret;
		b->last_ns = ns;
		b->last_backend = from;
		b->last_target = *out;
		return 0;
	}
	out->text = pool_printf(&b->pool, "%s/%s", ns, from->name);
	if (!out->text)
		return build_memory(b);
	out->reason = "its backend is a resource, not a Service";
	return 0;
}

static int collect_again(struct builder *b, const struct service *svc,
			 const struct service_port *port, const struct ir_group *g)
{
	const struct ingress_backend from = {.at = svc->meta.at};
	struct collect c = {
		.b = b,
		.from = &from,
		.service = svc,
		.port = port,
		.full_name = g->service,
		.name = g->name,
	};
	uint32_t index;
	int ret;

	c.number = port_text(b, port, &from);
	ret = c.number ? collect_group(&c, &index) : build_memory(b);
	if (!ret)
		b->ir->groups.item[index].id = g->id;
	return ret;
}

/* The port that the group was made for: name and number are those of then. */
static bool is_port_of(const struct service_port *port, const struct ir_group *g)
{
	return g->port && !strcmp(g->port, port->name);
}

int resolve_again(struct builder *b, const struct ir *ir, const char *ns,
		  const char *service)
{
	const struct service *svc = (const struct service *)store_get(
		b->store, OBJECT_SERVICE, ns, service);
	size_t i;
	int ret = svc ? prepare_hands(b) : 0;

	for (i = 0; svc && i < svc->port_count && !ret; i++) {
		const struct service_port *port = &svc->ports[i];
		char *name = pool_printf(&b->pool, "%s/%s:%u", ns, service, port->port);
		const struct ir_group *g;

		if (!name)
			return build_memory(b);
		g = ir_group(b->ir, name) ? NULL : ir_group(ir, name);
		if (g && is_port_of(port, g))
			ret = collect_again(b, svc, port, g);
	}
	return ret;
}

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

/* One rule on the way into the ir; hosts multiply it. */
struct candidate {
	const struct ingress *ing;
	const struct meaning *m; /* NULL: a default backend without conditions */
	const char *what; /* "Ingress default/demo: spec.rules[0].http.paths[0]" */
	struct place at;
	struct rule_path path;
	struct backend_target target;
	const char *reason;
	bool mixed_hosts; /* ir_route.mixed_hosts */
	int reply;
};

/* Plugins of the Ingress, then the Service's, then those for everything. */
static int read_plugins(struct builder *b, const struct ingress *ing,
			const struct meaning *m, const struct service_meaning *sm,
			struct candidate *c)
{
	struct plugin_effect e = {.reply = -1};
	int ret;

	ret = plugin_read(b, ing->meta.ns, m->plugins, &e);
	if (!ret)
		ret = plugin_read(b, ing->meta.ns, sm->plugins, &e);
	if (!ret)
		ret = plugin_read_global(b, &e);
	if (ret)
		return ret;
	c->reply = e.reply;
	if (e.reply >= 0 && !b->opt->can->reply)
		c->reason = "a reply of its own (request-termination)";
	if (e.reason)
		c->reason = e.reason;
	return 0;
}

/* A rule for https only is answered before any plugin or backend. */
static int read_https(struct builder *b, const struct meaning *m, struct candidate *c)
{
	if (!b->opt->can->reply ||
	    (m->redirect_status != 426 && !b->opt->can->redirect)) {
		c->reason = "a redirect to https";
		return 0;
	}
	return reply_https(b, m->redirect_status, &c->reply);
}

static int decide(struct builder *b, const struct ingress *ing, const struct meaning *m,
		  bool is_default, struct candidate *c)
{
	struct service_meaning sm = {};
	int ret = 0;

	c->reply = -1;
	c->reason = m->reason ? m->reason : c->path.reason;
	if (!c->reason && !is_default)
		c->reason = m->criteria_reason;
	if (!c->reason && !is_default && !b->opt->can->criteria &&
	    (m->methods.len || m->headers.len))
		c->reason = "conditions on methods or headers";
	if (c->reason)
		return 0;
	if (m->https_only && !b->opt->over_tls)
		return read_https(b, m, c);
	if (c->target.service)
		ret = annotations_of_service(b, c->target.service, &sm);
	if (!ret)
		ret = read_plugins(b, ing, m, &sm, c);
	if (ret || c->reason || c->reply >= 0)
		return ret;
	c->reason = sm.reason ? sm.reason : c->target.reason;
	return 0;
}

static void set_action(const struct builder *b, const struct candidate *c,
		       struct ir_route *r)
{
	r->group = c->target.group == UINT32_MAX ? 0 : c->target.group;
	r->reply = -1;
	if (c->reason && b->gateway != UINT32_MAX) {
		r->action = WEIR_ACTION_GATEWAY;
		r->group = b->gateway;
	} else if (c->reason) {
		r->action = WEIR_ACTION_UNHONOURED;
	} else if (c->reply >= 0) {
		r->action = WEIR_ACTION_REPLY;
		r->reply = c->reply;
	} else {
		r->action = WEIR_ACTION_GROUP;
	}
}

static int copy_text(struct builder *b, const char *s, char **out)
{
	*out = s ? strdup(s) : NULL;
	return s && !*out ? build_memory(b) : 0;
}

static int copy_criteria(struct builder *b, const struct meaning *m, struct ir_route *r)
{
	size_t i, k;
	int ret = 0;

	if (!b->opt->can->criteria)
		return 0;
	for (i = 0; i < m->methods.len && !ret; i++) {
		char **slot = vec_push(&r->methods);

		ret = slot ? copy_text(b, m->methods.item[i], slot) : build_memory(b);
	}
	for (i = 0; i < m->headers.len && !ret; i++) {
		const struct header_condition *from = &m->headers.item[i];
		struct ir_header *h = vec_push(&r->headers);

		ret = h ? copy_text(b, from->name, &h->name) : build_memory(b);
		for (k = 0; k < from->values.len && !ret; k++) {
			char **slot = vec_push(&h->values);

			ret = slot ? copy_text(b, from->values.item[k], slot)
				   : build_memory(b);
		}
		for (k = 0; k < from->patterns.len && !ret; k++) {
			char **slot = vec_push(&h->patterns);

			ret = slot ? copy_text(b, from->patterns.item[k], slot)
				   : build_memory(b);
		}
	}
	return ret;
}

static int push_route(struct builder *b, const struct candidate *c,
		      const struct rule_host *host)
{
	struct ir_route *r = vec_push(&b->ir->routes);
	char name[OBJECT_TEXT], where[PLACE_TEXT];
	int ret;

	if (!r)
		return build_memory(b);
	snprintf(name, sizeof(name), "%s/%s", c->ing->meta.ns, c->ing->meta.name);
	r->host_kind = host->kind;
	r->type = c->path.type;
	r->flags = c->path.type == WEIR_PATH_DEFAULT ? WEIR_ROUTE_FALLBACK : 0;
	r->created = c->ing->meta.created;
	r->order = b->order++;
	set_action(b, c, r);
	r->mixed_hosts = c->mixed_hosts;
	ret = copy_text(b, host->text, &r->host);
	if (!ret)
		ret = copy_text(b, c->path.text, &r->path);
	if (!ret)
		ret = copy_text(b, c->path.match, &r->match);
	if (!ret)
		ret = copy_text(b, c->path.pattern, &r->pattern);
	if (!ret)
		ret = copy_text(b, name, &r->ingress);
	if (!ret)
		ret = copy_text(b, c->target.text, &r->backend);
	if (!ret)
		ret = copy_text(b, place_text(c->at, where), &r->where);
	if (!ret)
		ret = copy_text(b, c->reason, &r->reason);
	if (ret || !c->m)
		return ret;
	r->priority = c->m->regex_priority;
	if (c->m->strip && r->type != WEIR_PATH_DEFAULT)
		r->flags = WEIR_ROUTE_STRIP;
	return copy_criteria(b, c->m, r);
}

/* Everything by which two rules could differ in what they match. */
static char *rule_key(struct builder *b, const struct candidate *c,
		      const struct rule_host *host)
{
	char *key = pool_printf(&b->pool, "%u %s %u %s", host->kind, host->text,
				c->path.type, c->path.match);
	size_t i, k;

	for (i = 0; key && i < c->m->methods.len; i++)
		key = pool_printf(&b->pool, "%s\nM %s", key, c->m->methods.item[i]);
	for (i = 0; key && i < c->m->headers.len; i++) {
		const struct header_condition *h = &c->m->headers.item[i];

		key = pool_printf(&b->pool, "%s\nH %s", key, h->name);
		for (k = 0; key && k < h->values.len; k++)
			key = pool_printf(&b->pool, "%s\nV %s", key, h->values.item[k]);
		for (k = 0; key && k < h->patterns.len; k++)
			key = pool_printf(&b->pool, "%s\nP %s", key,
					  h->patterns.item[k]);
	}
	return key;
}

/* The older Ingress's rule is the one that is served. */
static int warn_twin(struct builder *b, const struct candidate *c,
		     const struct rule_host *host)
{
	const struct ir_route *twin;
	uint32_t index;
	char *key = rule_key(b, c, host);

	if (!key)
		return build_memory(b);
	if (!strmap_get(&b->rules, key, &index)) {
		if (strmap_set(&b->rules, key, (uint32_t)b->ir->routes.len))
			return build_memory(b);
		return 0;
	}
	twin = &b->ir->routes.item[index];
	return build_warn(b, c->at, "%s: never used: Ingress %s has the same rule (%s)",
			  c->what, twin->ingress, twin->where);
}

/* A star at the end of an alias, which only Kong has. */
static bool is_nobodys_host(const struct builder *b, const char *alias)
{
	size_t len = strlen(alias);

	return b->opt->dialect != DIALECT_KONG && len > 2 &&
	       !strcmp(alias + len - 2, ".*");
}

static bool has_wildcard(const struct meaning *m, const struct rule_host *host)
{
	size_t i;

	for (i = 0; i < m->aliases.len; i++)
		if (strchr(m->aliases.item[i], '*'))
			return true;
	return host->kind == IR_HOST_WILDCARD;
}

static int push_hosts(struct builder *b, struct candidate *c,
		      const struct rule_host *host)
{
	const struct meaning *m = c->m;
	struct rule_host alias;
	char what[400];
	size_t i;
	int ret = 0;

	snprintf(what, sizeof(what),
		 "Ingress %.120s/%.200s: annotation konghq.com/host-aliases",
		 c->ing->meta.ns, c->ing->meta.name);
	c->mixed_hosts = has_wildcard(m, host);
	if (host->kind != IR_HOST_ANY || !m->aliases.len) {
		ret = warn_twin(b, c, host);
		if (!ret)
			ret = push_route(b, c, host);
	}
	for (i = 0; i < m->aliases.len && !ret; i++) {
		const char *text = m->aliases.item[i];

		if (is_nobodys_host(b, text))
			continue;
		ret = rule_read_host(b, text, m->aliases_at, what, &alias);
		if (!ret)
			ret = warn_twin(b, c, &alias);
		if (!ret)
			ret = push_route(b, c, &alias);
	}
	return ret;
}

static int warn_reason(struct builder *b, const struct candidate *c)
{
	if (!c->reason)
		return 0;
	if (b->gateway != UINT32_MAX)
		return build_note(b, c->at, "%s: left to the gateway: %s", c->what,
				  c->reason);
	return build_warn(b, c->at, "%s: needs a gateway, answered with 503: %s",
			  c->what, c->reason);
}

static int add_path(struct builder *b, const struct ingress *ing,
		    const struct meaning *m, const struct rule_host *host,
		    const struct ingress_path *p, const char *what)
{
	struct candidate c = {.ing = ing, .m = m, .what = what, .at = p->at};
	int ret;

	ret = rule_read_path(b, p, what, m, &c.path);
	if (!ret && b->opt->compare_dialects)
		ret = dialect_warn_path(b, p, what, m, &c.path);
	if (!ret)
		ret = resolve_backend(b, ing->meta.ns, &p->backend, &c.target);
	if (!ret)
		ret = decide(b, ing, m, false, &c);
	if (!ret)
		ret = warn_reason(b, &c);
	return ret ? ret : push_hosts(b, &c, host);
}

static int add_rule(struct builder *b, const struct ingress *ing,
		    const struct meaning *m, size_t index)
{
	const struct ingress_rule *rule = &ing->rules[index];
	struct rule_host host;
	char what[400];
	size_t i;
	int ret;

	snprintf(what, sizeof(what), "Ingress %.120s/%.200s: spec.rules[%zu].host",
		 ing->meta.ns, ing->meta.name, index);
	ret = rule_read_host(b, rule->host, rule->at, what, &host);
	for (i = 0; i < rule->path_count && !ret; i++) {
		snprintf(what, sizeof(what),
			 "Ingress %.120s/%.200s: spec.rules[%zu].http.paths[%zu]",
			 ing->meta.ns, ing->meta.name, index, i);
		ret = add_path(b, ing, m, &host, &rule->paths[i], what);
	}
	return ret;
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

		if (is_nobodys_host(b, text))
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

	b->order = 0;
	ret = annotations_of_ingress(b, ing, &m);
	if (!ret)
		ret = warn_ingress(b, ing, &m);
	for (i = 0; i < ing->rule_count && !ret; i++)
		ret = add_rule(b, ing, &m, i);
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
	ir_truncate(b->ir, routes);
	strmap_free(&b->rules); /* it knows routes that are gone */
	*slot = NULL;
	return warn_left_out(b, ing);
}

/* Oldest first, so the first one counts, and only that one. It is global: no
 * host, no condition. What its Ingress says about its rules' hosts, methods and
 * headers does not touch it, but for Kong it is a rule as any other. */
static int add_default(struct builder *b, const struct ingress *ing)
{
	struct candidate c = {.ing = ing, .at = ing->default_backend.at};
	const struct rule_host any = {IR_HOST_ANY, ""};
	bool is_rule = b->opt->dialect == DIALECT_KONG;
	struct meaning m;
	char what[400];
	int ret;

	snprintf(what, sizeof(what), "Ingress %.120s/%.200s: spec.defaultBackend",
		 ing->meta.ns, ing->meta.name);
	c.what = what;
	c.path = (struct rule_path){.type = WEIR_PATH_DEFAULT, .text = "", .match = ""};
	ret = annotations_of_ingress(b, ing, &m);
	if (!ret && b->opt->compare_dialects)
		ret = dialect_warn_default(b, ing, &m);
	if (!ret)
		ret = resolve_backend(b, ing->meta.ns, &ing->default_backend,
				      &c.target);
	if (!ret)
		ret = decide(b, ing, &m, !is_rule, &c);
	if (!ret)
		ret = warn_reason(b, &c);
	if (!ret && is_rule) {
		c.m = &m;
		ret = push_hosts(b, &c, &any);
	} else if (!ret) {
		ret = push_route(b, &c, &any);
	}
	annotations_free(&m);
	return ret;
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
	ret = add_default(b, first);
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

static int note_unused(struct builder *b)
{
	size_t i;
	int ret = 0;

	for (i = 0; i < b->by_hand.len && !ret; i++)
		if (!b->by_hand.item[i].used)
			ret = build_note(b, (struct place){.source = "--endpoint"},
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
		ret = note_unused(b);
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
		ret = add_default(b, ing);
	return ret;
}

static void fill_options(struct route_options *opt)
{
	if (!opt->ingress_class)
		opt->ingress_class = "kong";
	if (!opt->can)
		opt->can = &route_can;
}

static void finish(struct builder *b)
{
	resolve_finish(b);
	strmap_free(&b->replies);
	strmap_free(&b->rules);
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

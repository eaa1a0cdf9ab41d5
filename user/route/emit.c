/* SPDX-License-Identifier: BSD-2-Clause */
/* What an Ingress says, rule by rule, into the ir. */
#include "route/annotations.h"

#include <errno.h>
#include <string.h>

/* One rule on the way into the ir; hosts multiply it. */
struct candidate {
	const struct ingress *ing;
	const struct meaning *m; /* NULL: a default backend without conditions */
	struct subject what;
	struct place at;
	struct rule_path path;
	struct backend_target target;
	const char *reason;
	bool mixed_hosts; /* ir_route.mixed_hosts */
	int reply;
};

int emit_begin(struct builder *b, const struct ingress *ing)
{
	b->name = pool_concat(&b->ir->pool, ing->meta.ns, "/", ing->meta.name);
	b->source = ir_text(b->ir, ing->meta.at.source);
	return b->name && b->source ? 0 : build_memory(b);
}

const char *subject_text(struct builder *b, const struct subject *s)
{
	const struct object *o = &s->ing->meta;
	const char *text = NULL;

	switch (s->kind) {
	case SUBJECT_HOST:
		text = pool_printf(&b->pool,
				   "Ingress %.120s/%.200s: spec.rules[%zu].host", o->ns,
				   o->name, s->rule);
		break;
	case SUBJECT_PATH:
		text = pool_printf(&b->pool,
				   "Ingress %.120s/%.200s: "
				   "spec.rules[%zu].http.paths[%zu]",
				   o->ns, o->name, s->rule, s->path);
		break;
	case SUBJECT_ALIASES:
		text = pool_printf(&b->pool,
				   "Ingress %.120s/%.200s: annotation "
				   "konghq.com/host-aliases",
				   o->ns, o->name);
		break;
	case SUBJECT_DEFAULT:
		text = pool_printf(&b->pool,
				   "Ingress %.120s/%.200s: spec.defaultBackend", o->ns,
				   o->name);
		break;
	}
	return text ?: "an Ingress";
}

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
	c->reason = e.reason;
	return 0;
}

/* A rule for https only is answered before any plugin or backend. */
static int decide(struct builder *b, const struct ingress *ing, const struct meaning *m,
		  bool is_default, struct candidate *c)
{
	struct service_meaning sm = {};
	int ret = 0;

	c->reply = -1;
	c->reason = m->reason ? m->reason : c->path.reason;
	if (!c->reason && !is_default)
		c->reason = m->criteria_reason;
	if (c->reason)
		return 0;
	if (m->https_only && !b->opt->over_tls)
		return reply_https(b, m->redirect_status, &c->reply);
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

static int put_text(struct builder *b, const char *s, const char **slot)
{
	if (!slot)
		return build_memory(b);
	*slot = ir_text(b->ir, s);
	return *slot ? 0 : build_memory(b);
}

static int put_header(struct builder *b, const struct header_condition *from,
		      struct ir_header *h)
{
	size_t i;
	int ret = h ? put_text(b, from->name, &h->name) : build_memory(b);

	for (i = 0; i < from->values.len && !ret; i++)
		ret = put_text(b, from->values.item[i], vec_push(&h->values));
	for (i = 0; i < from->patterns.len && !ret; i++)
		ret = put_text(b, from->patterns.item[i], vec_push(&h->patterns));
	return ret;
}

static int put_criteria(struct builder *b, const struct meaning *m, struct ir_route *r)
{
	size_t i;
	int ret = 0;

	for (i = 0; i < m->methods.len && !ret; i++)
		ret = put_text(b, m->methods.item[i], vec_push(&r->methods));
	for (i = 0; i < m->headers.len && !ret; i++)
		ret = put_header(b, &m->headers.item[i], vec_push(&r->headers));
	return ret;
}

/* Texts that live as long as the ir, once for all hosts of the rule. */
static int keep_texts(struct builder *b, struct candidate *c)
{
	const char *text = ir_text(b->ir, c->path.text), *match = text;
	struct backend_target *target = &c->target;

	if (strcmp(c->path.text, c->path.match) != 0)
		match = ir_text(b->ir, c->path.match);
	if (target->group != UINT32_MAX)
		target->text = b->ir->groups.item[target->group].name;
	else
		target->text = ir_text(b->ir, target->text);
	if (!text || !match || !target->text)
		return build_memory(b);
	c->path.text = text;
	c->path.match = match;
	if (c->path.pattern && put_text(b, c->path.pattern, &c->path.pattern))
		return -ENOMEM;
	if (c->reason && put_text(b, c->reason, &c->reason))
		return -ENOMEM;
	return 0;
}

static int push_route(struct builder *b, const struct candidate *c,
		      const struct rule_host *host)
{
	struct ir_route *r = vec_push(&b->ir->routes);

	if (!r)
		return build_memory(b);
	r->host_kind = host->kind;
	r->type = c->path.type;
	r->flags = c->path.type == WEIR_PATH_DEFAULT ? WEIR_ROUTE_FALLBACK : 0;
	r->created = c->ing->meta.created;
	set_action(b, c, r);
	r->mixed_hosts = c->mixed_hosts;
	r->host = host->text;
	r->path = c->path.text;
	r->match = c->path.match;
	r->pattern = c->path.pattern;
	r->ingress = b->name;
	r->backend = c->target.text;
	r->at = (struct place){b->source, c->at.line, c->at.column};
	r->reason = c->reason;
	if (!c->m)
		return 0;
	r->priority = c->m->regex_priority;
	if (c->m->strip && r->type != WEIR_PATH_DEFAULT)
		r->flags = WEIR_ROUTE_STRIP;
	return put_criteria(b, c->m, r);
}

/* The older Ingress's rule is the one that is served. */
static int warn_twin(struct builder *b, const struct candidate *c)
{
	const struct ir_route *twin;
	char where[PLACE_TEXT];

	if (twins_add(&b->twins, b->ir, &twin))
		return build_memory(b);
	if (!twin)
		return 0;
	return build_warn(b, c->at, "%s: never used: Ingress %s has the same rule (%s)",
			  subject_text(b, &c->what), twin->ingress,
			  place_text(twin->at, where));
}

bool emit_is_nobodys_host(const struct builder *b, const char *alias)
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

static int push_host(struct builder *b, const struct candidate *c,
		     const struct rule_host *host)
{
	int ret = push_route(b, c, host);

	return ret ? ret : warn_twin(b, c);
}

static int push_hosts(struct builder *b, struct candidate *c,
		      const struct rule_host *host)
{
	const struct subject aliases = {.ing = c->ing, .kind = SUBJECT_ALIASES};
	const struct meaning *m = c->m;
	struct rule_host alias;
	size_t i;
	int ret = 0;

	c->mixed_hosts = has_wildcard(m, host);
	if (host->kind != IR_HOST_ANY || !m->aliases.len)
		ret = push_host(b, c, host);
	for (i = 0; i < m->aliases.len && !ret; i++) {
		const char *text = m->aliases.item[i];

		if (emit_is_nobodys_host(b, text))
			continue;
		ret = rule_read_host(b, text, m->aliases_at, &aliases, &alias);
		if (!ret)
			ret = push_host(b, c, &alias);
	}
	return ret;
}

static int warn_reason(struct builder *b, const struct candidate *c)
{
	if (!c->reason)
		return 0;
	if (b->gateway != UINT32_MAX)
		return build_note(b, c->at, "%s: left to the gateway: %s",
				  subject_text(b, &c->what), c->reason);
	return build_warn(b, c->at, "%s: needs a gateway, answered with 503: %s",
			  subject_text(b, &c->what), c->reason);
}

static int add_path(struct builder *b, struct candidate *c,
		    const struct rule_host *host, const struct ingress_path *p)
{
	int ret = rule_read_path(b, p, &c->what, c->m, &c->path);

	if (!ret && b->opt->compare_dialects)
		ret = dialect_warn_path(b, p, &c->what, c->m, &c->path);
	if (!ret)
		ret = resolve_backend(b, c->ing->meta.ns, &p->backend, &c->target);
	if (!ret)
		ret = decide(b, c->ing, c->m, false, c);
	if (!ret)
		ret = warn_reason(b, c);
	if (!ret)
		ret = keep_texts(b, c);
	return ret ? ret : push_hosts(b, c, host);
}

int emit_rule(struct builder *b, const struct ingress *ing, const struct meaning *m,
	      size_t index)
{
	const struct subject what = {.ing = ing, .kind = SUBJECT_HOST, .rule = index};
	const struct ingress_rule *rule = &ing->rules[index];
	struct rule_host host;
	size_t i;
	int ret;

	ret = rule_read_host(b, rule->host, rule->at, &what, &host);
	for (i = 0; i < rule->path_count && !ret; i++) {
		struct candidate c = {
			.ing = ing,
			.m = m,
			.what = {ing, SUBJECT_PATH, index, i},
			.at = rule->paths[i].at,
		};

		ret = add_path(b, &c, &host, &rule->paths[i]);
	}
	return ret;
}

int emit_default(struct builder *b, const struct ingress *ing)
{
	struct candidate c = {
		.ing = ing,
		.what = {.ing = ing, .kind = SUBJECT_DEFAULT},
		.at = ing->default_backend.at,
		.path = {.type = WEIR_PATH_DEFAULT, .text = "", .match = ""},
	};
	const struct rule_host any = {IR_HOST_ANY, ""};
	bool is_rule = b->opt->dialect == DIALECT_KONG;
	struct meaning m;
	int ret;

	ret = annotations_of_ingress(b, ing, &m);
	if (!ret)
		ret = emit_begin(b, ing);
	if (!ret && b->opt->compare_dialects)
		ret = dialect_warn_default(b, ing, &m);
	if (!ret)
		ret = resolve_backend(b, ing->meta.ns, &ing->default_backend,
				      &c.target);
	if (!ret)
		ret = decide(b, ing, &m, !is_rule, &c);
	if (!ret)
		ret = warn_reason(b, &c);
	if (!ret)
		ret = keep_texts(b, &c);
	if (!ret && is_rule) {
		c.m = &m;
		ret = push_hosts(b, &c, &any);
	} else if (!ret) {
		ret = push_route(b, &c, &any);
	}
	annotations_free(&m);
	return ret;
}

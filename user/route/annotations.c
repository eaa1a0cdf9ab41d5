/* SPDX-License-Identifier: BSD-2-Clause */
#include "route/annotations.h"
#include "route/table_criteria.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum verdict {
	HONOURED, /* read() takes it */
	HARMLESS, /* nothing a client or a backend could tell */
	GATEWAY,  /* unless it has its neutral value */
};

struct annotation;

struct reader {
	struct builder *b;
	const struct object *object;
	const struct key_value *kv;
	const struct annotation *row;
	struct meaning *ingress;	 /* one of the two */
	struct service_meaning *service; /* is set */
};

typedef int (*read_fn)(struct reader *r);

struct annotation {
	const char *name; /* one that ends with a dot stands for all behind it */
	enum verdict verdict;
	read_fn read;
	const char *neutral; /* value that changes nothing */
	const char *why;     /* why it is harmless, or needs a gateway */
};

static int set_reason(struct reader *r, const char **slot, const char *why)
{
	if (*slot)
		return 0;
	*slot = pool_printf(&r->b->pool, "%s: %s", r->kv->key, why);
	return *slot ? 0 : build_memory(r->b);
}

static int need_gateway(struct reader *r, const char *why)
{
	return set_reason(r, r->ingress ? &r->ingress->reason : &r->service->reason,
			  why);
}

static int warn_value(struct reader *r, const char *why)
{
	char text[OBJECT_TEXT];

	return build_warn(r->b, r->kv->at, "%s: annotation %s: \"%.80s\" %s",
			  object_text(r->object, text), r->kv->key, r->kv->value, why);
}

/* true and false in any case, nothing else. */
static int read_bool(struct reader *r, bool *out)
{
	if (!strcasecmp(r->kv->value, "true"))
		*out = true;
	else if (!strcasecmp(r->kv->value, "false"))
		*out = false;
	else
		return warn_value(r, "is neither true nor false, ignored");
	return 0;
}

/* Call fn for each trimmed, non-empty part of the value. */
static int each_part(struct reader *r, const char *separator,
		     int (*fn)(struct reader *r, char *part, void *ctx), void *ctx)
{
	const char *at = r->kv->value, *end;
	size_t width = strlen(separator);
	int ret = 0;

	for (; at && !ret; at = end ? end + width : NULL) {
		const char *stop;
		char *part;

		end = width ? strstr(at, separator) : NULL;
		stop = end ? end : at + strlen(at);
		while (at < stop && isspace((unsigned char)*at))
			at++;
		while (stop > at && isspace((unsigned char)stop[-1]))
			stop--;
		if (at == stop)
			continue;
		part = pool_strndup(&r->b->pool, at, (size_t)(stop - at));
		ret = part ? fn(r, part, ctx) : build_memory(r->b);
	}
	return ret;
}

static int read_strip(struct reader *r)
{
	return read_bool(r, &r->ingress->strip);
}

static bool is_token(const char *s) /* RFC 9110, 5.6.2 */
{
	for (; *s; s++)
		if (!isalnum((unsigned char)*s) && !strchr("!#$%&'*+-.^_`|~", *s))
			return false;
	return true;
}

static int add_method(struct reader *r, char *part, void *ctx)
{
	const char **slot = vec_push(&r->ingress->methods);
	char *c;

	if (!slot)
		return build_memory(r->b);
	for (c = part; *c; c++)
		*c = (char)toupper((unsigned char)*c);
	*slot = part;
	return is_token(part) ? 0 : warn_value(r, "names a method that no request has");
}

static bool is_letters(const char *s)
{
	for (; *s; s++)
		if (!isalpha((unsigned char)*s))
			return false;
	return true;
}

/* Kong's ingress controller drops a list in which one is not of letters only. */
static int read_methods(struct reader *r)
{
	struct meaning *m = r->ingress;
	int ret = each_part(r, ",", add_method, NULL);
	size_t i;

	for (i = 0; i < m->methods.len && !ret; i++) {
		if (r->b->opt->dialect != DIALECT_KONG ||
		    is_letters(m->methods.item[i]))
			continue;
		m->methods.len = 0;
		ret = warn_value(r,
				 "has a method that is not of letters only, ignored");
	}
	return ret;
}

static int add_alias(struct reader *r, char *part, void *ctx)
{
	const char **slot = vec_push(&r->ingress->aliases);

	if (!slot)
		return build_memory(r->b);
	*slot = part;
	return 0;
}

static int read_aliases(struct reader *r)
{
	r->ingress->aliases_at = r->kv->at;
	return each_part(r, ",", add_alias, NULL);
}

static int add_value(struct reader *r, char *part, void *ctx)
{
	struct header_condition *h = ctx;
	const char **slot;

	bool is_pattern = !strncmp(part, "~*", 2);

	slot = is_pattern ? vec_push(&h->patterns) : vec_push(&h->values);
	if (!slot)
		return build_memory(r->b);
	*slot = part + (is_pattern ? 2 : 0);
	return 0;
}

/* Kong's traditional router has a pattern only where it stands alone. */
static int as_values(struct reader *r, struct header_condition *h)
{
	size_t i;

	for (i = 0; i < h->patterns.len; i++) {
		const char **slot = vec_push(&h->values);

		if (!slot)
			return build_memory(r->b);
		*slot = h->patterns.item[i] - 2;
	}
	h->patterns.len = 0;
	return 0;
}

/* A pattern that cannot be judged leaves any value to the gateway. */
static int judge_pattern(struct reader *r, struct header_condition *h,
			 const char *pattern)
{
	const char *reason = NULL, *anywhere;
	struct err why = {};
	size_t off = 0;
	int ret = rule_try_regex(r->b, pattern, &reason, &off, &why);

	if (ret == -EINVAL) {
		char text[OBJECT_TEXT];

		return build_fail(r->b, r->kv->at,
				  "%s: annotation %s: \"%.80s\": %s (at %zu of the "
				  "pattern)",
				  object_text(r->object, text), r->kv->key, pattern,
				  why.what, off);
	}
	anywhere = pool_printf(&r->b->pool, CRITERIA_ANYWHERE, pattern);
	if (!anywhere)
		return build_memory(r->b);
	if (!ret && !reason)
		ret = rule_try_regex(r->b, anywhere, &reason, &off, &why);
	if (ret || !reason)
		return ret;
	h->values.len = h->patterns.len = 0;
	return set_reason(r, &r->ingress->criteria_reason, reason);
}

static int judge_patterns(struct reader *r, struct header_condition *h)
{
	size_t i;
	int ret = 0;

	if (r->b->opt->dialect == DIALECT_KONG && h->values.len + h->patterns.len > 1)
		return as_values(r, h);
	for (i = 0; i < h->patterns.len && !ret; i++)
		ret = judge_pattern(r, h, h->patterns.item[i]);
	return ret;
}

/* headers.NAME: any of the values; several headers must all fit. */
static int read_header(struct reader *r)
{
	const char *name = r->kv->key + strlen(r->row->name);
	struct header_condition *h;
	char *copy, *c;
	int ret;

	if (!strcasecmp(name, "host"))
		return warn_value(r, "is ignored: hosts stand in the rules");
	if (!*name)
		return warn_value(r, "is ignored: no header is named");
	copy = pool_strdup(&r->b->pool, name);
	if (!copy)
		return build_memory(r->b);
	for (c = copy; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	h = vec_push(&r->ingress->headers);
	if (!h)
		return build_memory(r->b);
	h->name = copy;
	ret = each_part(r, r->ingress->separator, add_value, h);
	return ret ? ret : judge_patterns(r, h);
}

static int read_separator(struct reader *r)
{
	return 0; /* taken before the headers: read_all() */
}

static int read_regex_prefix(struct reader *r)
{
	if (!*r->kv->value)
		return warn_value(r, "is ignored: a regex prefix cannot be empty");
	r->ingress->regex_prefix = r->kv->value;
	return 0;
}

static int read_regex_priority(struct reader *r)
{
	char *end;
	long n;

	errno = 0;
	n = strtol(r->kv->value, &end, 10);
	if (errno || *end || end == r->kv->value || n < INT32_MIN || n > INT32_MAX)
		return warn_value(r, "is not a number, ignored");
	r->ingress->regex_priority = (int32_t)n;
	return 0;
}

enum {
	PROTOCOL_HTTP = 1,
	PROTOCOL_HTTPS = 2,
	PROTOCOL_UNKNOWN = 4,
};

static int add_protocol(struct reader *r, char *part, void *ctx)
{
	static const char *const others[] = {
		"grpc", "grpcs", "tcp", "tls", "tls_passthrough", "udp", "ws", "wss"};
	unsigned int *seen = ctx;
	size_t i;

	if (!strcasecmp(part, "http")) {
		*seen |= PROTOCOL_HTTP;
	} else if (!strcasecmp(part, "https")) {
		*seen |= PROTOCOL_HTTPS;
	} else {
		for (i = 0; i < sizeof(others) / sizeof(*others); i++)
			if (!strcasecmp(part, others[i]))
				return 0;
		*seen |= PROTOCOL_UNKNOWN;
	}
	return 0;
}

static int read_protocols(struct reader *r)
{
	unsigned int seen = 0;
	int ret = each_part(r, ",", add_protocol, &seen);

	if (ret)
		return ret;
	if (seen & PROTOCOL_UNKNOWN)
		return need_gateway(r, "a protocol that is not known");
	if (seen & PROTOCOL_HTTP)
		return 0;
	if (!(seen & PROTOCOL_HTTPS))
		return need_gateway(r, "protocols without http");
	r->ingress->https_only = true;
	return 0;
}

static int read_redirect_status(struct reader *r)
{
	static const char *const known[] = {"301", "302", "307", "308", "426"};
	size_t i;

	for (i = 0; i < sizeof(known) / sizeof(*known); i++) {
		if (strcmp(r->kv->value, known[i]))
			continue;
		r->ingress->redirect_status = (uint16_t)strtol(known[i], NULL, 10);
		return 0;
	}
	return warn_value(r, "is not 301, 302, 307, 308 or 426, ignored");
}

static int read_force_ssl(struct reader *r)
{
	bool on = false;
	int ret = read_bool(r, &on);

	if (ret || !on)
		return ret;
	r->ingress->https_only = true;
	if (!object_annotation(r->object, "konghq.com/https-redirect-status-code"))
		r->ingress->redirect_status = 302;
	return 0;
}

static int read_plugins(struct reader *r)
{
	if (r->ingress)
		r->ingress->plugins = r->kv->value;
	else
		r->service->plugins = r->kv->value;
	return 0;
}

static uint32_t client_address_flag(const char *value)
{
	if (!strcasecmp(value, "keep"))
		return WEIR_GROUP_KEEP_CLIENT;
	return strcasecmp(value, "node") ? 0 : WEIR_GROUP_NODE;
}

/* What it asks for goes into the group: annotations_group_flags(). */
static int read_client_address(struct reader *r)
{
	if (client_address_flag(r->kv->value))
		return 0;
	return warn_value(r, "is neither keep nor node, ignored");
}

static int read_proxy(struct reader *r)
{
	if (!strcasecmp(r->kv->value, "v2"))
		return 0;
	return need_gateway(r, "another version of the PROXY protocol than v2");
}

/* As above: policy_group_flags(). */
static int read_policy(struct reader *r)
{
	const char *why = policy_why_not(r->b, (const struct service *)r->object);

	return why ? need_gateway(r, why) : 0;
}

static int read_class(struct reader *r)
{
	return 0; /* class.c has decided */
}

static const struct annotation on_ingress[] = {
	{"kubernetes.io/ingress.class", HONOURED, read_class, NULL, NULL},
	{"konghq.com/strip-path", HONOURED, read_strip, NULL, NULL},
	{"konghq.com/methods", HONOURED, read_methods, NULL, NULL},
	{"konghq.com/headers-separator", HONOURED, read_separator, NULL, NULL},
	{"konghq.com/headers.", HONOURED, read_header, NULL, NULL},
	{"konghq.com/host-aliases", HONOURED, read_aliases, NULL, NULL},
	{"konghq.com/regex-prefix", HONOURED, read_regex_prefix, NULL, NULL},
	{"konghq.com/regex-priority", HONOURED, read_regex_priority, NULL, NULL},
	{"konghq.com/protocols", HONOURED, read_protocols, NULL, NULL},
	{"konghq.com/https-redirect-status-code", HONOURED, read_redirect_status, NULL,
	 NULL},
	{"ingress.kubernetes.io/force-ssl-redirect", HONOURED, read_force_ssl, NULL,
	 NULL},
	{"konghq.com/plugins", HONOURED, read_plugins, NULL, NULL},
	{"konghq.com/tags", HARMLESS, NULL, NULL, "labels inside Kong"},
	{"konghq.com/request-buffering", HARMLESS, NULL, NULL, "packets always stream"},
	{"konghq.com/response-buffering", HARMLESS, NULL, NULL,
	 "packets always stream"},
	{"konghq.com/snis", HARMLESS, NULL, NULL, "not looked at for plain HTTP"},
	{"konghq.com/upstream-policy", HARMLESS, NULL, NULL, "read from Services only"},
	{"ingress.kubernetes.io/service-upstream", HARMLESS, NULL, NULL,
	 "the endpoints behind the Service's address are the same"},
	{"konghq.com/preserve-host", GATEWAY, NULL, "true", "another Host header"},
	{"konghq.com/path-handling", GATEWAY, NULL, "v0", "another way to join paths"},
	{"konghq.com/rewrite", GATEWAY, NULL, NULL, "another path for the backend"},
	{"konghq.com/override", GATEWAY, NULL, NULL, "settings in a KongIngress"},
	{NULL, HARMLESS, NULL, NULL, NULL},
};

static const struct annotation on_service[] = {
	{"weir/client-address", HONOURED, read_client_address, NULL, NULL},
	{"weir/proxy-protocol", HONOURED, read_proxy, NULL, NULL},
	{"konghq.com/plugins", HONOURED, read_plugins, NULL, NULL},
	{"konghq.com/tags", HARMLESS, NULL, NULL, "labels inside Kong"},
	{"konghq.com/host-header", HARMLESS, NULL, NULL,
	 "used with preserve-host off, which needs a gateway itself"},
	{"konghq.com/connect-timeout", HARMLESS, NULL, NULL,
	 "the data path has its own"},
	{"konghq.com/read-timeout", HARMLESS, NULL, NULL, "the ends' TCP decides"},
	{"konghq.com/write-timeout", HARMLESS, NULL, NULL, "the ends' TCP decides"},
	{"konghq.com/retries", HARMLESS, NULL, NULL,
	 "an endpoint that refuses is replaced anyway"},
	{"ingress.kubernetes.io/service-upstream", HARMLESS, NULL, NULL,
	 "the endpoints behind the Service's address are the same"},
	{"konghq.com/path", GATEWAY, NULL, "/", "a path in front of the request's"},
	{"konghq.com/protocol", GATEWAY, NULL, "http", "another protocol than http"},
	{"konghq.com/upstream-policy", HONOURED, read_policy, NULL, NULL},
	{"konghq.com/client-cert", GATEWAY, NULL, NULL, "TLS to the backend"},
	{"konghq.com/tls-verify", GATEWAY, NULL, "false", "TLS to the backend"},
	{"konghq.com/tls-verify-depth", GATEWAY, NULL, NULL, "TLS to the backend"},
	{"konghq.com/ca-certificates", GATEWAY, NULL, NULL, "TLS to the backend"},
	{"konghq.com/ca-certificates-secrets", GATEWAY, NULL, NULL,
	 "TLS to the backend"},
	{"konghq.com/ca-certificates-configmaps", GATEWAY, NULL, NULL,
	 "TLS to the backend"},
	{"konghq.com/override", GATEWAY, NULL, NULL, "settings in a KongIngress"},
	{NULL, HARMLESS, NULL, NULL, NULL},
};

static const struct annotation *find_row(const struct annotation *row, const char *key)
{
	for (; row->name; row++) {
		size_t len = strlen(row->name);

		if (row->name[len - 1] == '.' ? !strncmp(key, row->name, len)
					      : !strcmp(key, row->name))
			return row;
	}
	return NULL;
}

/* Other controllers' annotations mean nothing to this class; of Kong's and our own an
 * unknown one has a meaning that must not be lost. */
static int read_unknown(struct reader *r)
{
	const struct annotation *other =
		find_row(r->ingress ? on_service : on_ingress, r->kv->key);
	char text[OBJECT_TEXT];
	int ret;

	if (strncmp(r->kv->key, "konghq.com/", 11) && strncmp(r->kv->key, "weir/", 5)) {
		if (!strstr(r->kv->key, "ingress.kubernetes.io/"))
			return 0;
		return build_note(r->b, r->kv->at,
				  "%s: annotation %s is not for this "
				  "class, ignored",
				  object_text(r->object, text), r->kv->key);
	}
	if (other)
		return build_warn(r->b, r->kv->at,
				  "%s: annotation %s has no effect here: "
				  "it belongs to %s",
				  object_text(r->object, text), r->kv->key,
				  r->ingress ? "a Service" : "an Ingress");
	ret = build_warn(r->b, r->kv->at, "%s: annotation %s is not known",
			 object_text(r->object, text), r->kv->key);
	return ret ? ret : need_gateway(r, "an annotation that is not known");
}

static int read_all(struct reader *r, const struct annotation *rows)
{
	size_t i;
	int ret = 0;

	for (i = 0; i < r->object->annotation_count && !ret; i++) {
		r->kv = &r->object->annotations[i];
		r->row = find_row(rows, r->kv->key);
		if (!r->row)
			ret = read_unknown(r);
		else if (r->row->verdict == HONOURED)
			ret = r->row->read(r);
		else if (r->row->verdict == GATEWAY &&
			 !(r->row->neutral &&
			   !strcasecmp(r->kv->value, r->row->neutral)))
			ret = need_gateway(r, r->row->why);
	}
	return ret;
}

int annotations_of_ingress(struct builder *b, const struct ingress *ing,
			   struct meaning *out)
{
	struct reader r = {.b = b, .object = &ing->meta, .ingress = out};
	const char *separator =
		object_annotation(&ing->meta, "konghq.com/headers-separator");

	*out = (struct meaning){
		.redirect_status = 426,
		.regex_prefix = "/~",
		.separator = separator && *separator ? separator : ",",
	};
	return read_all(&r, on_ingress);
}

void annotations_free(struct meaning *m)
{
	size_t i;

	for (i = 0; i < m->headers.len; i++) {
		vec_free(&m->headers.item[i].values);
		vec_free(&m->headers.item[i].patterns);
	}
	vec_free(&m->headers);
	vec_free(&m->methods);
	vec_free(&m->aliases);
}

int annotations_of_service(struct builder *b, const struct service *svc,
			   struct service_meaning *out)
{
	struct reader r = {.b = b, .object = &svc->meta, .service = out};

	*out = (struct service_meaning){};
	return read_all(&r, on_service);
}

uint32_t annotations_group_flags(const struct service *svc)
{
	const char *address = object_annotation(&svc->meta, "weir/client-address");
	const char *proxy = object_annotation(&svc->meta, "weir/proxy-protocol");

	return (address ? client_address_flag(address) : 0) |
	       (proxy ? WEIR_GROUP_PROXY : 0);
}

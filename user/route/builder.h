/* SPDX-License-Identifier: BSD-2-Clause */
/* What the parts of route_build share. Private to user/route. */
#pragma once

#include "base/pool.h"
#include "base/strmap.h"
#include "route/build.h"
#include "route/twins.h"

/* --endpoint, taken apart */
struct hand_endpoint {
	char *service; /* "namespace/service" */
	char *port;    /* port name or number, NULL: any port of the Service */
	struct ir_endpoint endpoint;
	bool used;
};

struct backend_target {
	uint32_t group;		       /* index in ir.groups, UINT32_MAX: none */
	const char *text;	       /* "namespace/service:port" */
	const char *reason;	       /* why it needs a gateway, or NULL */
	const struct service *service; /* NULL: not in the manifests */
};

struct builder {
	const struct store *store;
	const struct route_options *opt;
	struct ir *ir;
	struct err *err;
	struct pool pool; /* texts that live as long as the build */

	struct vec_of(struct hand_endpoint) by_hand;
	struct strmap replies; /* plugin or kind of reply -> index in ir */
	struct twins twins;    /* of the routes */
	struct strmap said;    /* warnings and notes */
	bool legacy_regex;     /* paths with odd characters are patterns (Kong 2) */
	uint32_t gateway;      /* index of the gateway's group, or UINT32_MAX */
	/* What was resolved last. */
	const char *last_ns;
	const struct ingress_backend *last_backend; /* or NULL */
	struct backend_target last_target;

	/* The Ingress at work: */
	const char *name;   /* "namespace/name", a text of the ir's */
	const char *source; /* where it stands, likewise */
};

/* What a message is about. */
enum subject_kind {
	SUBJECT_HOST,
	SUBJECT_PATH,
	SUBJECT_ALIASES,
	SUBJECT_DEFAULT,
};

struct subject {
	const struct ingress *ing;
	enum subject_kind kind;
	size_t rule, path;
};

/* "Ingress default/demo: spec.rules[0].http.paths[0]", in the builder's pool. Only
 * made when there is something to say. */
const char *subject_text(struct builder *b, const struct subject *s);

int build_memory(struct builder *b);

/* A warning about a place; 0 or -ENOMEM with the error set. */
int build_warn(struct builder *b, struct place at, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
int build_note(struct builder *b, struct place at, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* An error about a place; returns -EINVAL. */
int build_fail(struct builder *b, struct place at, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* class.c: the Ingresses of our class, oldest first, equals by name. */
struct ingress_list vec_of(const struct ingress *);
int class_select(struct builder *b, struct ingress_list *out);

/* The class's IngressClassParameters, into the builder. */
int class_read_parameters(struct builder *b);
bool class_takes_plugin(const struct builder *b, const struct object *o);

/* emit.c: rules -> routes. First of an Ingress emit_begin(). */
struct meaning;

int emit_begin(struct builder *b, const struct ingress *ing);
int emit_rule(struct builder *b, const struct ingress *ing, const struct meaning *m,
	      size_t index);

/* Oldest first, so the first one counts, and only that one. It is global: no host, no
 * condition. What its Ingress says about its rules' hosts, methods and headers does
 * not touch it, but for Kong it is a rule as any other. */
int emit_default(struct builder *b, const struct ingress *ing);

/* A star at the end of an alias, which only Kong has. */
bool emit_is_nobodys_host(const struct builder *b, const char *alias);

/* resolve.c: Services, ports and endpoints */
int resolve_prepare(struct builder *b);
void resolve_finish(struct builder *b);

/* route_endpoints(), by a builder of its own. */
int resolve_again(struct builder *b, const struct ir *ir, const char *ns,
		  const char *service);

/* Texts are in the builder's pool. */
int resolve_backend(struct builder *b, const char *ns,
		    const struct ingress_backend *from, struct backend_target *out);

/* rule.c: hosts and paths as configured */
struct rule_path {
	enum weir_path_type type;
	const char *text;    /* as written */
	const char *match;   /* what ir_route.match takes */
	const char *pattern; /* and ir_route.pattern */
	const char *reason;
};

struct rule_host {
	enum ir_host_kind kind;
	const char *text;
};

/* The name is a text of the ir's. */
int rule_read_host(struct builder *b, const char *host, struct place at,
		   const struct subject *what, struct rule_host *out);
int rule_read_path(struct builder *b, const struct ingress_path *p,
		   const struct subject *what, const struct meaning *m,
		   struct rule_path *out);

/* What acts in a pattern, where Kong takes a path for one. */
#define RULE_PATTERN_SIGNS ".+*?()[]{}|^$\\"

/* 0, or -EINVAL and the sentence when no engine takes the pattern, at *off; *reason
 * says why ours does not take one, and is NULL when it does. */
int rule_try_regex(struct builder *b, const char *pattern, const char **reason,
		   size_t *off, struct err *why);

/* Literal text that every match of a pattern begins with; in the pool, or NULL. */
const char *rule_literal_prefix(struct builder *b, const char *pattern);

/* dialect.c: where Kong's router would answer otherwise */
int dialect_warn(struct builder *b);
int dialect_warn_path(struct builder *b, const struct ingress_path *p,
		      const struct subject *what, const struct meaning *m,
		      const struct rule_path *path);
int dialect_warn_default(struct builder *b, const struct ingress *ing,
			 const struct meaning *m);

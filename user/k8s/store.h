/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The Kubernetes objects that matter, typed, and the store that holds them.
 * Objects come from files (load.h) or from an API server; what they mean is
 * decided elsewhere (route/build.h). An object owns all its memory.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/place.h"
#include "base/pool.h"
#include "base/vec.h"
#include "k8s/node.h"

#define CREATED_UNKNOWN INT64_MAX

enum object_kind {
	OBJECT_INGRESS,
	OBJECT_INGRESS_CLASS,
	OBJECT_SERVICE,
	OBJECT_ENDPOINT_SLICE,
	OBJECT_ENDPOINTS,
	OBJECT_PLUGIN,
	OBJECT_CLUSTER_PLUGIN,
	OBJECT_CLASS_PARAMETERS,
	OBJECT_UPSTREAM_POLICY,
	OBJECT_KIND_COUNT,
};

struct key_value {
	const char *key;
	const char *value;
	struct place at;
};

struct message {
	const char *text;
	struct place at;
};

struct messages vec_of(struct message);

struct object {
	enum object_kind kind;
	const char *ns; /* "" for cluster-scoped kinds */
	const char *name;
	struct place at;
	int64_t created; /* seconds, or CREATED_UNKNOWN */
	struct key_value *annotations;
	size_t annotation_count;
	struct key_value *labels;
	size_t label_count;
	struct messages warnings; /* unknown fields and the like */
	struct pool pool;
	uint64_t content;    /* hash of the document, without places */
	struct object *next; /* of the store */
	size_t index;	     /* of the store */
};

enum path_kind {
	PATH_KIND_NONE, /* not given */
	PATH_KIND_EXACT,
	PATH_KIND_PREFIX,
	PATH_KIND_IMPLEMENTATION,
};

enum backend_kind {
	BACKEND_NONE,
	BACKEND_SERVICE,
	BACKEND_RESOURCE,
};

struct ingress_backend {
	enum backend_kind kind;
	const char *name;      /* of the Service; "KIND/NAME" of a resource */
	const char *port_name; /* NULL: by number */
	uint16_t port;	       /* 0: none given */
	struct place at;
};

struct ingress_path {
	const char *path; /* NULL: not given */
	enum path_kind kind;
	struct ingress_backend backend;
	struct place at; /* of the path when given, else of the entry */
};

struct ingress_rule {
	const char *host; /* "": any */
	struct place at;
	struct ingress_path *paths;
	size_t path_count;
};

struct ingress {
	struct object meta;
	const char *class_name; /* NULL: not given */
	struct ingress_backend default_backend;
	struct ingress_rule *rules;
	size_t rule_count;
	bool has_tls;
	struct place tls_at;
};

struct ingress_class {
	struct object meta;
	const char *controller;
	const char *parameters_kind; /* NULL: none named */
	const char *parameters_ns;   /* "": cluster-wide */
	const char *parameters_name;
	struct place parameters_at;
};

/* IngressClassParameters of configuration.konghq.com */
struct class_parameters {
	struct object meta;
	bool legacy_regex; /* enableLegacyRegexDetection */
};

enum service_type {
	SERVICE_CLUSTER,
	SERVICE_EXTERNAL_NAME,
};

struct service_port {
	const char *name; /* "": none */
	uint16_t port;
	const char *target_name; /* named targetPort, or NULL */
	uint16_t target_port;	 /* numeric targetPort, or 0 */
	bool is_tcp;
};

struct service {
	struct object meta;
	enum service_type type;
	const char *external_name;
	bool by_client; /* sessionAffinity: ClientIP */
	struct service_port *ports;
	size_t port_count;
};

struct endpoint_port {
	const char *name; /* "": none */
	uint16_t port;	  /* 0: not given */
	bool is_tcp;
};

struct endpoint_address {
	const char *address; /* the first of its list */
	bool ready;	     /* null counts as true */
	bool draining;	     /* terminating and still serving */
	struct place at;
};

/* A slice, or one subset of Endpoints. */
struct endpoint_set {
	struct endpoint_port *ports;
	size_t port_count;
	struct endpoint_address *addresses;
	size_t address_count;
};

struct endpoint_slice {
	struct object meta;
	const char *service; /* label kubernetes.io/service-name, or "" */
	bool is_fqdn;
	struct endpoint_set set;
	struct endpoint_slice *next; /* of the store */
};

struct endpoints {
	struct object meta; /* has its Service's name */
	struct endpoint_set *subsets;
	size_t subset_count;
};

/* KongPlugin and KongClusterPlugin */
struct plugin {
	struct object meta;
	const char *plugin; /* "request-termination" */
	bool disabled;
	bool is_global;		      /* label global: "true" (cluster plugins) */
	bool has_config_from;	      /* configuration in a Secret */
	const struct node *config;    /* a mapping, or NULL */
	const struct node *protocols; /* a list, or NULL */
};

/* KongUpstreamPolicy; "" is what is not given */
struct upstream_policy {
	struct object meta;
	const char *algorithm;
	const char *hash_input; /* of hashOn */
	bool has_hash_on;
	bool hashes_field; /* hashOn names a header, a cookie, ... */
	bool has_health_checks;
	bool has_sticky_sessions;
};

struct store {
	struct vec_of(struct object *) objects[OBJECT_KIND_COUNT]; /* no order */
	struct messages warnings;	/* of files, such as an empty one */
	struct messages notes;		/* kinds passed over */
	struct object **buckets;	/* by kind, namespace and name */
	struct endpoint_slice **slices; /* by Service, as many buckets */
	size_t bucket_count, count;
	struct pool pool; /* of warnings and notes */
	bool borrows;	  /* objects and messages belong to other stores */
};

/* A zeroed store is an empty one. */
void store_free(struct store *s);

const char *object_kind_text(enum object_kind kind);

/* "Ingress default/demo" into text[OBJECT_TEXT]; returns text. */
#define OBJECT_TEXT 640u
const char *object_text(const struct object *o, char *text);

const char *object_annotation(const struct object *o, const char *key);

struct object *store_get(const struct store *s, enum object_kind kind, const char *ns,
			 const char *name);

/* The first slice of a bucket with those of this Service, and of others. */
const struct endpoint_slice *store_slices(const struct store *s, const char *ns,
					  const char *service);

/*
 * One document that is not a list -> *out, owned by the caller; NULL for a kind
 * that is passed over, noted in `notes` (may be NULL). `source` names the file;
 * line numbers are left out when it is NULL and the object's name used.
 */
int object_parse(const struct node *doc, const char *source, struct object **out,
		 struct store *notes, struct err *err);
void object_free(struct object *o);

/* Takes the object over unless it fails: -EEXIST when there is one already. */
int store_add(struct store *s, struct object *o, struct err *err);

/* Takes the object over, in place of one of the same name. 0 or -ENOMEM. */
int store_replace(struct store *s, struct object *o);

/* Forget an object; false when there is none. */
bool store_remove(struct store *s, enum object_kind kind, const char *ns,
		  const char *name);

/* Everything of `part` is to be found in `to` as well, which borrows it; `part`
 * still owns it, but is not asked for objects any more. -EEXIST when one is there
 * already: then `to` has some of them. Messages go by themselves: 0 or -ENOMEM. */
int store_lend(struct store *part, struct store *to, struct err *err);
int store_lend_messages(const struct store *part, struct store *to);

/* The objects of `part` are no longer to be found in `from`. */
void store_withdraw(const struct store *part, struct store *from);

/* What `part` has lent to `to` is to belong to `to`; `part` is empty then. */
void store_give(struct store *part, struct store *to);

/* A document or list of a file into the store. */
int store_add_document(struct store *s, const struct node *doc, const char *source,
		       struct err *err);

int store_warn(struct store *s, struct place at, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
int store_note(struct store *s, struct place at, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

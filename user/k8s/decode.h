/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Nodes -> typed fields, with errors that name the object, the field's path
 * and its place. Private to user/k8s.
 */
#pragma once

#include "k8s/store.h"

struct decoder {
	struct object *object; /* its pool takes all text */
	const char *kind;      /* as the document says it */
	bool has_places;       /* lines and columns mean something */
	struct err *err;
};

/* A field on the way down: spec . rules [0] . host */
struct field {
	const struct field *up;
	const char *key; /* NULL: an item */
	uint32_t index;
	const struct node *node;
};

/* Set the error about a field and return -EINVAL. */
int decode_fail(struct decoder *d, const struct field *f, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Keep a warning about a field with the object. 0 or -ENOMEM. */
int decode_warn(struct decoder *d, const struct field *f, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

int decode_memory(struct decoder *d);

struct place decode_place(const struct decoder *d, const struct node *n);

/*
 * Fields of a mapping. Absent and null are the same: the output keeps its
 * value and `f` (which may be NULL) has no node. A wrong type is an error.
 */
int decode_string(struct decoder *d, const struct field *map, const char *key,
		  const char **out);
int decode_bool(struct decoder *d, const struct field *map, const char *key, bool *out);
int decode_port(struct decoder *d, const struct field *map, const char *key,
		uint16_t *out);
int decode_child(struct decoder *d, const struct field *map, const char *key,
		 enum node_type type, struct field *f);
struct field decode_item(const struct field *list, uint32_t i);

/* Error unless the node has that type. */
int decode_expect(struct decoder *d, const struct field *f, enum node_type type);

/* Warn about keys that are not in the list, which ends with NULL. */
int decode_known(struct decoder *d, const struct field *map, const char *const *keys);

int decode_ingress(struct decoder *d, const struct field *doc, struct object *o);
int decode_ingress_class(struct decoder *d, const struct field *doc, struct object *o);
int decode_class_parameters(struct decoder *d, const struct field *doc,
			    struct object *o);
int decode_service(struct decoder *d, const struct field *doc, struct object *o);
int decode_slice(struct decoder *d, const struct field *doc, struct object *o);
int decode_endpoints(struct decoder *d, const struct field *doc, struct object *o);
int decode_upstream_policy(struct decoder *d, const struct field *doc,
			   struct object *o);
int decode_plugin(struct decoder *d, const struct field *doc, struct object *o);

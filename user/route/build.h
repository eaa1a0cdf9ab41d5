/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Kubernetes objects -> ir: classes, Ingress rules, annotations, Services and
 * endpoints resolved to routes and groups. Pure: touches no file, no kernel.
 */
#pragma once

#include "base/err.h"
#include "k8s/store.h"
#include "route/ir.h"

enum route_dialect {
	DIALECT_KUBERNETES, /* default */
	DIALECT_KONG,
};

struct route_options {
	const char *ingress_class; /* default "kong" */
	enum route_dialect dialect;
	const char *gateway; /* "ADDR:PORT", or NULL */
	const char *const *
		endpoints; /* --endpoint values, "NS/SVC[:PORTNAME]=ADDR:PORT[,weight=N]" */
	size_t endpoint_count;
	bool compare_dialects; /* warn where Kong's router would differ (weir check) */
	bool over_tls; /* requests have come over TLS: https only is kept (weir explain) */
	bool keep_going; /* a broken Ingress is left out with a warning (API server) */
};

/* Returns 0 and an ir to be freed by the caller, or -errno and the sentence.
 * The ir's warnings and notes begin with the store's. */
int route_build(const struct store *store, const struct route_options *opt,
		struct ir *out, struct err *err);

/* The groups of one Service among those of `ir`, with the endpoints that they have
 * now; for when its EndpointSlices or Endpoints have changed and nothing else.
 * They are added to `out`, unless they are there already; it takes the warnings too,
 * and ids are those in `ir`. */
int route_endpoints(const struct store *store, const struct route_options *opt,
		    const struct ir *ir, const char *ns, const char *service,
		    struct ir *out, struct err *err);

/* Would this Ingress be refused? 0, or -EINVAL and the sentence. Whoever
 * follows an API server asks before it replaces the version that is served. */
int route_check_ingress(const struct store *store, const struct route_options *opt,
			const struct ingress *ing, struct err *err);

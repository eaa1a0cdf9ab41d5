/* SPDX-License-Identifier: BSD-2-Clause */
/* How the endpoints of a Service are chosen: sessionAffinity, KongUpstreamPolicy. */
#include "route/annotations.h"

#include <string.h>

static const char *why_not(const struct upstream_policy *p)
{
	bool hashes = !strcmp(p->algorithm, "consistent-hashing");

	if (p->has_health_checks)
		return "health checks of its own";
	if (p->has_sticky_sessions)
		return "sticky sessions";
	if (!hashes && *p->algorithm && strcmp(p->algorithm, "round-robin"))
		return "an algorithm other than round-robin and consistent-hashing";
	if (p->has_hash_on != hashes || p->hashes_field ||
	    (hashes && strcmp(p->hash_input, "ip")))
		return "consistent hashing by other than the client's address";
	return NULL;
}

/* The policy that a Service names; NULL: it names none, or there is none such. */
static const struct upstream_policy *policy_of(const struct builder *b,
					       const struct service *svc)
{
	const char *name = object_annotation(&svc->meta, "konghq.com/upstream-policy");

	if (!name)
		return NULL;
	return (const struct upstream_policy *)store_get(
		b->store, OBJECT_UPSTREAM_POLICY, svc->meta.ns, name);
}

const char *policy_why_not(const struct builder *b, const struct service *svc)
{
	const struct upstream_policy *p = policy_of(b, svc);

	return p ? why_not(p) : "a KongUpstreamPolicy that does not exist";
}

uint32_t policy_group_flags(const struct builder *b, const struct service *svc)
{
	const struct upstream_policy *p = policy_of(b, svc);
	bool by_client = svc->by_client;

	if (p)
		by_client = !why_not(p) && p->has_hash_on;
	return by_client ? WEIR_GROUP_BY_CLIENT : 0;
}

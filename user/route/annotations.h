/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What annotations ask for. One table in annotations.c holds every annotation
 * that has a meaning and whether weir honours it. Private to user/route.
 */
#pragma once

#include "route/builder.h"

struct header_condition {
	const char *name; /* lower case */
	struct vec_of(const char *) values;
	struct vec_of(const char *) patterns; /* behind their ~* */
};

/* An Ingress's annotations. A reason says why its rules need a gateway. */
struct meaning {
	bool strip;
	bool https_only;
	uint16_t redirect_status;
	int32_t regex_priority;
	const char *regex_prefix;
	const char *separator; /* of header values */
	struct vec_of(const char *) methods;
	struct vec_of(struct header_condition) headers;
	struct vec_of(const char *) aliases; /* more hosts */
	struct place aliases_at;
	const char *plugins;	     /* names, comma separated, or NULL */
	const char *reason;	     /* all of the Ingress */
	const char *criteria_reason; /* its rules, not its default backend */
};

/* A Service's annotations. */
struct service_meaning {
	const char *plugins;
	const char *reason;
};

int annotations_of_ingress(struct builder *b, const struct ingress *ing,
			   struct meaning *out);
void annotations_free(struct meaning *m);
int annotations_of_service(struct builder *b, const struct service *svc,
			   struct service_meaning *out);

/* What they say of the Service's groups: WEIR_GROUP_*. */
uint32_t annotations_group_flags(const struct service *svc);

/* policy.c: for a Service with konghq.com/upstream-policy, why it needs a gateway, or
 * NULL; and for any how its endpoints are chosen, WEIR_GROUP_*. */
const char *policy_why_not(const struct builder *b, const struct service *svc);
uint32_t policy_group_flags(const struct builder *b, const struct service *svc);

/* plugin.c: a comma list of plugins, plus those for everything. */
struct plugin_effect {
	int reply; /* index in ir.replies, or -1 */
	const char *reason;
};

int plugin_read(struct builder *b, const char *ns, const char *names,
		struct plugin_effect *e);
int plugin_read_global(struct builder *b, struct plugin_effect *e);

/* Reply of an https-only rule to a plain request; index in ir.replies. */
int reply_https(struct builder *b, uint16_t status, int *index);

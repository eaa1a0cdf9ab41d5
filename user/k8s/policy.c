/* SPDX-License-Identifier: BSD-2-Clause */
/* KongUpstreamPolicy: how the endpoints of Services are chosen. */
#include "k8s/decode.h"

static int decode_hash_on(struct decoder *d, const struct field *spec,
			  struct upstream_policy *p)
{
	static const char *const fields[] = {"header", "cookie", "queryArg",
					     "uriCapture"};
	struct field on;
	size_t i;
	int ret = decode_child(d, spec, "hashOn", NODE_MAP, &on);

	if (ret || !on.node)
		return ret;
	p->has_hash_on = true;
	for (i = 0; i < sizeof(fields) / sizeof(*fields); i++)
		if (node_get(on.node, fields[i]))
			p->hashes_field = true;
	return decode_string(d, &on, "input", &p->hash_input);
}

static int decode_presence(struct decoder *d, const struct field *spec, const char *key,
			   bool *out)
{
	struct field f;
	int ret = decode_child(d, spec, key, NODE_MAP, &f);

	*out = f.node;
	return ret;
}

int decode_upstream_policy(struct decoder *d, const struct field *doc, struct object *o)
{
	struct upstream_policy *p = (struct upstream_policy *)o;
	struct field spec;
	int ret = decode_child(d, doc, "spec", NODE_MAP, &spec);

	p->algorithm = p->hash_input = "";
	if (ret || !spec.node)
		return ret;
	ret = decode_string(d, &spec, "algorithm", &p->algorithm);
	if (!ret)
		ret = decode_hash_on(d, &spec, p);
	if (!ret)
		ret = decode_presence(d, &spec, "healthchecks", &p->has_health_checks);
	if (!ret)
		ret = decode_presence(d, &spec, "stickySessions",
				      &p->has_sticky_sessions);
	return ret;
}

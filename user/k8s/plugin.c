/* SPDX-License-Identifier: BSD-2-Clause */
/* KongPlugin and KongClusterPlugin; what a configuration means is not known here. */
#include "k8s/decode.h"

#include <string.h>

static int copy_child(struct decoder *d, const struct field *doc, const char *key,
		      enum node_type type, const struct node **out)
{
	struct field f;
	int ret;

	ret = decode_child(d, doc, key, type, &f);
	if (ret || !f.node)
		return ret;
	*out = node_copy(&d->object->pool, f.node);
	return *out ? 0 : decode_memory(d);
}

int decode_plugin(struct decoder *d, const struct field *doc, struct object *o)
{
	struct plugin *p = (struct plugin *)o;
	struct field from;
	size_t i;
	int ret;

	ret = decode_string(d, doc, "plugin", &p->plugin);
	if (!ret)
		ret = decode_bool(d, doc, "disabled", &p->disabled);
	if (!ret)
		ret = copy_child(d, doc, "config", NODE_MAP, &p->config);
	if (!ret)
		ret = copy_child(d, doc, "protocols", NODE_SEQ, &p->protocols);
	if (!ret)
		ret = decode_child(d, doc, "configFrom", NODE_MAP, &from);
	if (ret)
		return ret;
	if (!p->plugin || !*p->plugin)
		return decode_fail(d, doc, "plugin is missing");
	p->has_config_from = from.node || node_get(doc->node, "configPatches");
	for (i = 0; i < o->label_count; i++)
		if (!strcmp(o->labels[i].key, "global"))
			p->is_global = o->kind == OBJECT_CLUSTER_PLUGIN &&
				       !strcmp(o->labels[i].value, "true");
	return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "agent/source.h"

#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "k8s/load.h"

static void say(void (*log)(const char *fmt, ...), const char *text, const char *where)
{
	if (where && *where)
		log("%s (%s)", text, where);
	else
		log("%s", text);
}

static void say_all(const struct store *store, const struct ir *ir)
{
	char where[PLACE_TEXT];
	size_t i;

	for (i = 0; i < store->warnings.len; i++)
		say(log_warn, store->warnings.item[i].text,
		    place_text(store->warnings.item[i].at, where));
	for (i = 0; i < ir->warnings.len; i++)
		say(log_warn, ir->warnings.item[i].text, ir->warnings.item[i].where);
	for (i = 0; i < store->notes.len; i++)
		say(log_debug, store->notes.item[i].text,
		    place_text(store->notes.item[i].at, where));
	for (i = 0; i < ir->notes.len; i++)
		say(log_debug, ir->notes.item[i].text, ir->notes.item[i].where);
}

int source_compile(const struct source *src, struct store *store, struct ir *ir,
		   struct err *err)
{
	size_t warnings;
	int r;

	memset(store, 0, sizeof(*store));
	memset(ir, 0, sizeof(*ir));
	r = manifests_load(store, src->paths, src->path_count, err);
	if (!r)
		r = route_build(store, &src->route, ir, err);
	if (!r) {
		say_all(store, ir);
		warnings = store->warnings.len + ir->warnings.len;
		if (src->strict && warnings)
			r = err_set(err, -EINVAL,
				    "%zu warning%s, and --strict is given", warnings,
				    warnings == 1 ? "" : "s");
	}
	if (r) {
		ir_free(ir);
		store_free(store);
		memset(ir, 0, sizeof(*ir));
		memset(store, 0, sizeof(*store));
	}
	return r;
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "agent/source.h"

#include <errno.h>
#include <string.h>

#include "base/log.h"

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

/* `strict` counts all warnings. */
static int finish(const struct source *src, const struct store *store,
		  const struct ir *ir, struct err *err)
{
	size_t warnings = store->warnings.len + ir->warnings.len;

	if (!src->strict || !warnings)
		return 0;
	return err_set(err, -EINVAL, "%zu warning%s, and --strict is given", warnings,
		       warnings == 1 ? "" : "s");
}

static int build(const struct source *src, const struct store *store, struct ir *ir,
		 struct err *err)
{
	int r;

	memset(ir, 0, sizeof(*ir));
	r = route_build(store, &src->route, ir, err);
	if (!r) {
		say_all(store, ir);
		r = finish(src, store, ir, err);
	}
	if (r) {
		ir_free(ir);
		memset(ir, 0, sizeof(*ir));
	}
	return r;
}

int source_compile(const struct source *src, struct store *store, struct ir *ir,
		   struct err *err)
{
	int r;

	memset(store, 0, sizeof(*store));
	memset(ir, 0, sizeof(*ir));
	r = manifests_load(store, src->paths, src->path_count, err);
	if (!r)
		r = build(src, store, ir, err);
	if (r) {
		store_free(store);
		memset(store, 0, sizeof(*store));
	}
	return r;
}

int source_read(const struct source *src, struct manifests *m, struct err *err)
{
	int r = manifests_read(m, src->paths, src->path_count, err);

	if (!r)
		log_debug("%zu of %zu files taken apart", m->parsed, m->files.len);
	return r;
}

int source_rules(const struct source *src, const struct manifests *m, struct ir *ir,
		 struct err *err)
{
	int r = build(src, &m->store, ir, err);

	if (!r)
		log_debug("rules made anew: %zu routes", ir->routes.len);
	return r;
}

static bool was_told(const struct manifests *m, size_t at)
{
	size_t i;

	for (i = 0; i < at; i++)
		if (!strcmp(m->services.item[i].ns, m->services.item[at].ns) &&
		    !strcmp(m->services.item[i].name, m->services.item[at].name))
			return true;
	return false;
}

int source_endpoints(const struct source *src, const struct manifests *m,
		     const struct ir *ir, struct ir *fresh, struct err *err)
{
	static const struct store none;
	size_t i;
	int r = 0;

	memset(fresh, 0, sizeof(*fresh));
	for (i = 0; i < m->services.len && !r; i++)
		if (!was_told(m, i))
			r = route_endpoints(&m->store, &src->route, ir,
					    m->services.item[i].ns,
					    m->services.item[i].name, fresh, err);
	if (!r) {
		say_all(&none, fresh);
		r = finish(src, &none, fresh, err);
	}
	if (r) {
		ir_free(fresh);
		memset(fresh, 0, sizeof(*fresh));
	} else {
		log_debug("endpoints alone: %zu groups", fresh->groups.len);
	}
	return r;
}

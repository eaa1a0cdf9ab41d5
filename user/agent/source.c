/* SPDX-License-Identifier: BSD-2-Clause */
#include "agent/source.h"

#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "dp/flows.h"

static void say(void (*log)(const char *fmt, ...), const char *text, const char *where)
{
	if (where && *where)
		log("%s (%s)", text, where);
	else
		log("%s", text);
}

/* Manifests without a rule for this class are most likely a mistake. */
static void say_nothing(const struct ir *ir)
{
	size_t i;

	for (i = 0; !ir->routes.len && i < ir->notes.len; i++) {
		if (strncmp(ir->notes.item[i].text, "Ingress ", 8) != 0)
			continue;
		log_warn("no rule is served: %s%s%s%s", ir->notes.item[i].text,
			 *ir->notes.item[i].where ? " (" : "", ir->notes.item[i].where,
			 *ir->notes.item[i].where ? ")" : "");
		return;
	}
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
	say_nothing(ir);
}

static unsigned int ms_since(uint64_t begin_ns)
{
	return (monotonic_ns() - begin_ns) / 1000000;
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
	uint64_t begin = monotonic_ns();
	int r;

	memset(ir, 0, sizeof(*ir));
	r = route_build(store, &src->route, ir, err);
	if (!r) {
		log_debug("rules made anew: %zu routes, %u ms", ir->routes.len,
			  ms_since(begin));
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
	uint64_t begin = monotonic_ns();
	int r;

	memset(store, 0, sizeof(*store));
	memset(ir, 0, sizeof(*ir));
	r = manifests_load(store, src->paths, src->path_count, err);
	if (!r) {
		log_debug("manifests read, %u ms", ms_since(begin));
		r = build(src, store, ir, err);
	}
	if (r) {
		store_free(store);
		memset(store, 0, sizeof(*store));
	}
	return r;
}

static int say_read(const struct manifests *m, uint64_t begin_ns, int r)
{
	if (!r)
		log_debug("%zu of %zu files taken apart, %u ms", m->parsed,
			  m->files.len, ms_since(begin_ns));
	return r;
}

int source_read(const struct source *src, struct manifests *m, struct err *err)
{
	uint64_t begin = monotonic_ns();

	return say_read(m, begin, manifests_read(m, src->paths, src->path_count, err));
}

int source_read_again(struct manifests *m, const char *const *files, size_t count,
		      struct err *err)
{
	uint64_t begin = monotonic_ns();

	return say_read(m, begin, manifests_read_again(m, files, count, err));
}

int source_rules(const struct source *src, const struct manifests *m, struct ir *ir,
		 struct err *err)
{
	return build(src, &m->store, ir, err);
}

int source_endpoints(const struct source *src, const struct manifests *m,
		     const struct ir *ir, struct ir *fresh, struct err *err)
{
	static const struct store none;
	size_t i;
	int r = 0;

	memset(fresh, 0, sizeof(*fresh));
	for (i = 0; i < m->services.len && !r; i++)
		r = route_endpoints(&m->store, &src->route, ir, m->services.item[i].ns,
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

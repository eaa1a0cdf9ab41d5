/* SPDX-License-Identifier: BSD-2-Clause */
#include "route/table.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include <weir/reply.h>
#include <weir/table.h>

#include "base/mem.h"
#include "base/pool.h"
#include "base/strmap.h"
#include "route/table_criteria.h"
#include "route/table_entries.h"
#include "route/table_hosts.h"
#include "route/table_regex.h"
#include "route/table_rows.h"
#include "route/table_trie.h"

/* What a set is made of: entries of by_set, and one of the regex parts. */
struct plan {
	size_t from, end;
	size_t part; /* its number from 1, 0: none */
};

struct compiler {
	const struct ir *ir;
	struct criteria criteria;
	struct strmap host_ids; /* "e name", "w name", "t name", "*" */
	struct pool pool;	/* texts of entries */
	struct entry *entries;
	size_t entry_count;
	struct entry **by_set;
	const struct ir_route *fallback;
	struct host_names hosts;
	uint32_t any_host; /* number of its record + 1, 0: none */
	struct vec_of(struct weir_table_set) sets;
	struct vec_of(struct plan) plans; /* one for each set */
	struct regex_parts parts;
	struct weir_table_header header;
	struct rows rows;
	struct tails tails;
	struct trie trie;
};

static int no_memory(struct err *err)
{
	return err_set(err, -ENOMEM, "route table: out of memory");
}

static int too_big(int code, struct err *err)
{
	if (code != -E2BIG)
		return no_memory(err);
	return err_set(err, -E2BIG, "route table: larger than %u MiB",
		       WEIR_TABLE_MAX >> 20);
}

/* ---- order ---- */

static int compare_numbers(int64_t a, int64_t b)
{
	return a < b ? -1 : a > b;
}

static int host_number(struct compiler *c, const struct ir_route *route, uint32_t *out)
{
	const char *host = route->host_kind == IR_HOST_ANY ? "" : route->host;
	auto_free char *key = NULL;
	size_t i;

	key = malloc(strlen(host) + 2);
	if (!key)
		return -ENOMEM;
	key[0] = "ewt*"[route->host_kind];
	for (i = 0; host[i]; i++)
		key[i + 1] =
			host[i] >= 'A' && host[i] <= 'Z' ? host[i] | 0x20 : host[i];
	key[i + 1] = '\0';
	if (strmap_get(&c->host_ids, key, out))
		return 0;
	*out = c->hosts.records.len;
	if (route->host_kind == IR_HOST_ANY)
		c->any_host = *out + 1;
	if (strmap_set(&c->host_ids, key, *out))
		return -ENOMEM;
	/* of "*.example.com" a request is asked for ".example.com", of "example.*"
	 * for "example." */
	if (route->host_kind == IR_HOST_WILDCARD)
		c->header.wildcards++;
	if (route->host_kind == IR_HOST_TRAILING)
		key[i] = '\0';
	host = key + 1 + (route->host_kind == IR_HOST_WILDCARD);
	return hosts_add(&c->hosts, *host ? host : NULL);
}

static int collect_route(struct compiler *c, const struct ir_route *route,
			 uint32_t order, struct err *err)
{
	struct entry *e = &c->entries[c->entry_count];
	size_t count = entries_of(route, c->ir->order, &c->pool, e), i;
	int r;

	if (!count || host_number(c, route, &e->host))
		return no_memory(err);
	r = criteria_add(&c->criteria, route, &e->criteria, &e->rank, err);
	for (i = 0; i < count && !r; i++) {
		e[i].order = order;
		e[i].host = e->host;
		e[i].criteria = e->criteria;
		e[i].rank = e->rank;
	}
	c->entry_count += count;
	return r;
}

static int collect(struct compiler *c, struct err *err)
{
	bool is_kong = c->ir->order == IR_ORDER_KONG;
	size_t i;
	int r = 0;

	c->entries =
		calloc(c->ir->routes.len * ENTRIES_OF_ROUTE + 1, sizeof(*c->entries));
	if (!c->entries)
		return no_memory(err);
	for (i = 0; i < c->ir->routes.len && !r; i++) {
		const struct ir_route *route = &c->ir->routes.item[i];

		if (is_kong || route->type != WEIR_PATH_DEFAULT)
			r = collect_route(c, route, i, err);
		else if (!c->fallback)
			c->fallback = route;
	}
	if (!r)
		qsort(c->entries, c->entry_count, sizeof(*c->entries),
		      is_kong ? entries_compare_kong : entries_compare_kubernetes);
	return r;
}

/* ---- layout ---- */

static struct weir_table_section section(uint32_t *at, size_t bytes)
{
	struct weir_table_section s = {.off = *at, .end = *at + bytes};

	*at = (s.end + 7) & ~7u;
	return s;
}

/* Entries of one host and the same criteria next to each other, best first. */
static int compare_sets(const void *left, const void *right)
{
	const struct entry *a = *(const struct entry *const *)left;
	const struct entry *b = *(const struct entry *const *)right;
	int r = compare_numbers(a->host, b->host);

	if (!r)
		r = compare_numbers(a->rank, b->rank);
	if (!r)
		r = compare_numbers(a->criteria, b->criteria);
	return r ?: compare_numbers(a - b, 0);
}

/* A set's record and what its automata are made of. */
static int add_set(struct compiler *c, size_t from, size_t end, size_t part,
		   struct err *err)
{
	const struct entry *e = c->by_set[from];
	struct weir_table_host *host = &c->hosts.records.item[e->host];
	struct weir_table_set *set = vec_push(&c->sets);
	struct plan *plan = vec_push(&c->plans);

	if (!set || !plan)
		return no_memory(err);
	set->criteria = e->criteria; /* its number, until the layout is known */
	set->last = c->ir->order == IR_ORDER_KUBERNETES;
	*plan = (struct plan){from, end, part};
	if (!host->count++)
		host->sets = c->sets.len - 1;
	return 0;
}

/* The entries [from, end) are one set, or more when one automaton cannot hold
 * all its regexes. */
static int add_run(struct compiler *c, size_t from, size_t end, struct err *err)
{
	auto_free struct regex_route *routes = calloc(end - from, sizeof(*routes));
	size_t count = 0, first = c->parts.len, part, i;
	int r = 0;

	if (!routes)
		return no_memory(err);
	for (i = from; i < end; i++) {
		const struct entry *e = c->by_set[i];

		if (e->class == CLASS_REGEX)
			routes[count++] =
				(struct regex_route){e->route, e->text, e - c->entries};
	}
	if (count)
		r = regex_parts_add(&c->parts, routes, count, err);
	if (!r)
		r = add_set(c, from, end, count ? ++first : 0, err);
	for (part = first + 1; !r && part <= c->parts.len; part++) {
		c->sets.item[c->sets.len - 1].last = 0;
		r = add_set(c, from, from, part, err);
	}
	return r;
}

/* Sets: runs of entries with one host and the same criteria. */
static int group(struct compiler *c, struct err *err)
{
	size_t i, end;
	int r = 0;

	c->by_set = malloc((c->entry_count + 1) * sizeof(*c->by_set));
	if (!c->by_set)
		return no_memory(err);
	for (i = 0; i < c->entry_count; i++)
		c->by_set[i] = &c->entries[i];
	qsort(c->by_set, c->entry_count, sizeof(*c->by_set), compare_sets);
	for (i = 0; i < c->entry_count && !r; i = end) {
		const struct entry *e = c->by_set[i];

		for (end = i + 1; end < c->entry_count; end++)
			if (c->by_set[end]->host != e->host ||
			    c->by_set[end]->criteria != e->criteria)
				break;
		/* only among sets of one rank does a later one matter */
		if (i && c->by_set[i - 1]->host == e->host &&
		    c->by_set[i - 1]->rank == e->rank)
			c->sets.item[c->sets.len - 1].last = 0;
		r = add_run(c, i, end, err);
	}
	return r;
}

static int lay_out(struct compiler *c, struct err *err)
{
	size_t routes = c->entry_count + !!c->fallback, i;
	struct weir_table_header *h = &c->header;
	uint32_t at = sizeof(*h);

	if (routes > WEIR_MAX_ROUTES)
		return err_set(err, -E2BIG, "route table: %zu routes, at most %u fit",
			       routes, WEIR_MAX_ROUTES);
	h->magic = WEIR_TABLE_MAGIC;
	h->version = WEIR_TABLE_VERSION;
	h->fallback = TABLE_NO_REF;
	h->gateway = TABLE_NO_REF;
	h->flags = c->ir->order == IR_ORDER_KONG ? TABLE_ALL_HOSTS : 0;
	if (c->ir->gateway)
		h->gateway = c->ir->groups.item[c->ir->gateway - 1].id;
	h->route_count = routes;
	h->host_count = c->hosts.records.len;
	h->routes = section(&at, routes * sizeof(struct weir_table_route));
	h->hosts = section(&at, h->host_count * sizeof(struct weir_table_host));
	h->buckets =
		section(&at, c->hosts.bucket_count * sizeof(struct weir_table_bucket));
	h->names = section(&at, c->hosts.text.len);
	h->bucket_mask = c->hosts.bucket_count - 1;
	h->host_seed = c->hosts.seed;
	h->any_host = TABLE_NO_REF;
	if (c->any_host)
		h->any_host = (h->hosts.off +
			       (c->any_host - 1) * sizeof(struct weir_table_host)) |
			      TABLE_REF;
	h->sets = section(&at, c->sets.len * sizeof(struct weir_table_set));
	h->criteria = section(&at, c->criteria.bytes.len);
	h->cells.off = at;
	for (i = 0; i < c->entry_count; i++)
		c->entries[i].ref =
			(h->routes.off + i * sizeof(struct weir_table_route)) |
			TABLE_REF;
	if (c->fallback)
		h->fallback = (h->routes.off + i * sizeof(struct weir_table_route)) |
			      TABLE_REF;
	for (i = 0; i < c->sets.len; i++)
		c->sets.item[i].criteria = criteria_offset(
			&c->criteria, c->sets.item[i].criteria, h->criteria.off);
	for (i = 0; i < h->host_count; i++)
		c->hosts.records.item[i].sets =
			h->sets.off +
			c->hosts.records.item[i].sets * sizeof(struct weir_table_set);
	rows_init(&c->rows, at);
	return 0;
}

/* ---- automata ---- */

/* Prefixes accept by element or by string, and at the end like exact paths.
 * The walk takes the smallest reference of all on its way. */
static int add_path(struct compiler *c, const struct entry *e)
{
	enum trie_accept kind = TRIE_PREFIX;
	size_t len = strlen(e->text);

	/* no request has such a path */
	if (len >= WEIR_HEAD_MAX)
		return 0;
	if (e->class == CLASS_EXACT)
		kind = TRIE_AT_END;
	else if (e->is_element)
		kind = TRIE_ELEMENT;
	return trie_add(&c->trie, e->text, len, kind, e->ref);
}

/* at_end, element and prefix as <weir/table.h> wants them. */
static void resolve_accepts(struct trie *t)
{
	size_t i;

	for (i = 0; i < t->nodes.len; i++) {
		uint32_t *accept = t->nodes.item[i].accept;

		if (accept[TRIE_PREFIX] < accept[TRIE_ELEMENT])
			accept[TRIE_ELEMENT] = accept[TRIE_PREFIX];
		if (accept[TRIE_ELEMENT] < accept[TRIE_AT_END])
			accept[TRIE_AT_END] = accept[TRIE_ELEMENT];
	}
}

static int write_set(struct compiler *c, struct weir_table_set *set,
		     const struct plan *plan, struct err *err)
{
	size_t i, literal = 0;
	int r = trie_init(&c->trie);

	for (i = plan->from; i < plan->end && !r; i++) {
		if (c->by_set[i]->class == CLASS_REGEX)
			continue;
		literal++;
		r = add_path(c, c->by_set[i]);
	}
	if (r)
		return no_memory(err);
	resolve_accepts(&c->trie);
	if (literal)
		r = trie_write(&c->trie, &c->rows, &c->tails, &set->root);
	if (!r && plan->part)
		r = regex_write(&c->parts.item[plan->part - 1], &c->rows,
				c->header.routes.off, &set->regex);
	return r ? too_big(r, err) : 0;
}

static int write_paths(struct compiler *c, struct err *err)
{
	int r = criteria_write_patterns(&c->criteria, &c->rows, c->header.routes.off);
	size_t i;

	if (r)
		return too_big(r, err);
	for (i = 0; i < c->sets.len && !r; i++)
		r = write_set(c, &c->sets.item[i], &c->plans.item[i], err);
	return r;
}

/* ---- the blob ---- */

/* Tails were written with offsets from their own start. */
static uint32_t place_tail(uint32_t state, uint32_t off)
{
	return state & TABLE_TAIL ? state + off : state;
}

static struct weir_table_route route_record(const struct compiler *c,
					    const struct ir_route *route)
{
	struct weir_table_route r = {
		.route_id = route->id,
		.action = route->action,
		.flags = route->flags,
	};

	if ((route->action == WEIR_ACTION_GROUP ||
	     route->action == WEIR_ACTION_GATEWAY) &&
	    route->group < c->ir->groups.len)
		r.group_id = c->ir->groups.item[route->group].id;
	if (route->type == WEIR_PATH_DEFAULT)
		r.flags |= WEIR_ROUTE_FALLBACK;
	if (route->action == WEIR_ACTION_REPLY && route->reply >= 0)
		r.reply_id = WEIR_REPLY_FIRST_FREE + route->reply;
	return r;
}

static int write_blob(struct compiler *c, void **out, size_t *size, struct err *err)
{
	struct weir_table_header *h = &c->header;
	struct weir_table_route *route;
	struct weir_table_cell *cell;
	uint32_t at = h->cells.off;
	uint8_t *blob;
	size_t i;

	h->cells = section(&at, c->rows.used * sizeof(*cell));
	h->tails = section(&at, c->tails.len);
	if ((uint64_t)h->cells.end + c->tails.len > WEIR_TABLE_MAX)
		return too_big(-E2BIG, err);
	h->bytes = at;
	blob = calloc(1, h->bytes);
	if (!blob)
		return no_memory(err);

	route = (void *)(blob + h->routes.off);
	for (i = 0; i < c->entry_count; i++)
		*route++ = route_record(c, c->entries[i].route);
	if (c->fallback)
		*route = route_record(c, c->fallback);
	for (i = 0; i < c->sets.len; i++)
		c->sets.item[i].root = place_tail(c->sets.item[i].root, h->tails.off);
	hosts_write(&c->hosts, blob, h->hosts.off, h->buckets.off, h->names.off);
	if (c->sets.len)
		memcpy(blob + h->sets.off, c->sets.item, h->sets.end - h->sets.off);
	criteria_write(&c->criteria, h->criteria.off, blob + h->criteria.off);
	cell = (void *)(blob + h->cells.off);
	for (i = 0; i < c->rows.used; i++) {
		cell[i] = c->rows.cell[i];
		/* references, which accept records hold, stay */
		if (!(cell[i].next & TABLE_REF))
			cell[i].next = place_tail(cell[i].next, h->tails.off);
	}
	if (c->tails.len)
		memcpy(blob + h->tails.off, c->tails.data, c->tails.len);
	memcpy(blob, h, sizeof(*h));
	h = (void *)blob;
	h->crc32 = table_checksum(blob, h->bytes);
	*out = blob;
	*size = h->bytes;
	return 0;
}

uint32_t table_checksum(const void *blob, size_t size)
{
	size_t from = offsetof(struct weir_table_header, crc32) + sizeof(uint32_t);

	return crc32(0, (const uint8_t *)blob + from, size - from);
}

int table_compile(const struct ir *ir, void **out, size_t *size, struct err *err)
{
	struct compiler c = {.ir = ir};
	int r;

	r = collect(&c, err);
	if (!r)
		r = group(&c, err);
	if (!r && hosts_hash(&c.hosts))
		r = no_memory(err);
	if (!r)
		r = lay_out(&c, err);
	if (!r)
		r = write_paths(&c, err);
	if (!r)
		r = write_blob(&c, out, size, err);
	strmap_free(&c.host_ids);
	pool_free(&c.pool);
	criteria_free(&c.criteria);
	free(c.by_set);
	free(c.entries);
	hosts_free(&c.hosts);
	vec_free(&c.sets);
	vec_free(&c.plans);
	regex_parts_free(&c.parts);
	rows_fini(&c.rows);
	free(c.tails.data);
	trie_fini(&c.trie);
	return r;
}

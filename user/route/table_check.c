/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdbool.h>

#include <weir/config.h>
#include <weir/table.h>

#include "route/table.h"

struct checker {
	const uint8_t *blob;
	const struct weir_table_header *h;
};

static bool is_within(const struct weir_table_section *s, uint64_t off, uint64_t bytes)
{
	return off >= s->off && off + bytes <= s->end;
}

static bool is_record(const struct weir_table_section *s, uint32_t off, uint32_t size)
{
	return is_within(s, off, size) && (off - s->off) % size == 0;
}

static bool is_ref(const struct weir_table_section *s, uint32_t ref, uint32_t size)
{
	if (ref == TABLE_NO_REF)
		return true;
	return (ref & TABLE_FLAGS & ~TABLE_BACK) == TABLE_REF &&
	       is_record(s, ref & ~TABLE_FLAGS, size);
}

static bool is_route(const struct checker *c, uint32_t ref)
{
	return is_ref(&c->h->routes, ref, sizeof(struct weir_table_route));
}

static const struct weir_table_cell *cell_at(const struct checker *c, uint32_t off)
{
	return (const void *)(c->blob + off);
}

static bool is_state(const struct checker *c, uint32_t state)
{
	uint32_t off = state & ~TABLE_FLAGS;

	if (state & TABLE_REF)
		return false;
	if (state & TABLE_TAIL) {
		const struct weir_table_tail *t = (const void *)(c->blob + off);

		return !(state & TABLE_ACCEPT) &&
		       is_within(&c->h->tails, off, sizeof(*t)) &&
		       t->len <= TABLE_TAIL_MAX &&
		       is_within(&c->h->tails, off,
				 sizeof(*t) + ((t->len + 7) & ~7u)) &&
		       is_route(c, t->at_end) && is_route(c, t->element) &&
		       is_route(c, t->prefix) &&
		       (!t->next || (!(t->next & TABLE_TAIL) && is_state(c, t->next)));
	}
	if (!is_within(&c->h->cells, off,
		       TABLE_ROW_CELLS * sizeof(struct weir_table_cell)))
		return false;
	if (state & TABLE_ACCEPT) {
		const struct weir_table_cell *a = cell_at(c, off) + TABLE_SYMBOL_END;

		return a[0].check == state && is_route(c, a[0].next) &&
		       is_route(c, a[1].check) && is_route(c, a[1].next);
	}
	return true;
}

/* An edge: a cell whose check is a state. The rest of an accept record has a
 * reference there. */
static bool are_cells_sound(const struct checker *c)
{
	const struct weir_table_section *s = &c->h->cells;
	const struct weir_table_cell *cell;
	uint32_t off;

	for (off = s->off; off < s->end; off += sizeof(*cell)) {
		uint32_t check, row;

		cell = cell_at(c, off);
		check = cell->check;
		if (!check || (check & TABLE_REF))
			continue;
		row = check & ~TABLE_FLAGS;
		if ((check & TABLE_TAIL) || !is_state(c, check) || off < row ||
		    off - row > TABLE_SYMBOL_END * sizeof(*cell))
			return false;
		if (off - row == TABLE_SYMBOL_END * sizeof(*cell)) {
			if (!(check & TABLE_ACCEPT))
				return false;
			continue;
		}
		if (!is_state(c, cell->next))
			return false;
	}
	return true;
}

static bool are_sections_sound(const struct weir_table_header *h)
{
	const struct weir_table_section *s = &h->routes;
	uint32_t at = sizeof(*h);
	size_t i;

	for (i = 0; i < 8; i++) {
		if (s[i].off != ((at + 7) & ~7u) || s[i].end < s[i].off ||
		    s[i].end > h->bytes)
			return false;
		at = s[i].end;
	}
	return ((at + 7) & ~7u) == h->bytes;
}

/* The tests of a set, to the last one. */
static bool are_tests_sound(const struct checker *c, uint32_t off)
{
	const struct weir_table_section *s = &c->h->criteria;
	uint32_t n;

	for (n = 0; n < TABLE_TESTS_MAX; n++) {
		const struct weir_table_test *t = (const void *)(c->blob + off);

		if (!is_within(s, off, sizeof(*t)) || (off & 7) ||
		    !is_within(s, t->name, (t->name_len + 7) & ~7u) ||
		    t->name_len > TABLE_NAME_MAX)
			return false;
		if (t->value_len == TABLE_VALUE_PATTERN) {
			if (t->value & TABLE_TAIL ||
			    (t->value && !is_state(c, t->value)))
				return false;
		} else if (t->value_len != TABLE_VALUE_ANY &&
			   (t->value_len > TABLE_VALUE_MAX ||
			    !is_within(s, t->value, (t->value_len + 7) & ~7u)))
			return false;
		if (t->kind != TABLE_TEST_METHOD && t->kind != TABLE_TEST_HEADER)
			return false;
		if (t->flags & TABLE_TEST_LAST)
			return true;
		off += sizeof(*t);
	}
	return false;
}

/* Names and buckets; where a name is looked for is the compiler's matter. */
static bool are_hosts_sound(const struct checker *c, const struct weir_table_host *host)
{
	const struct weir_table_header *h = c->h;
	const struct weir_table_bucket *bucket =
		(const void *)(c->blob + h->buckets.off);
	uint32_t count = (h->buckets.end - h->buckets.off) / sizeof(*bucket), i;

	if (!count || (count & (count - 1)) || count != h->bucket_mask + 1 ||
	    h->buckets.end - h->buckets.off != count * sizeof(*bucket))
		return false;
	for (i = 0; i < h->host_count; i++)
		if (!is_within(&h->names, host[i].name,
			       ((uint64_t)host[i].name_len + 7) & ~7ull))
			return false;
	for (i = 0; i < count; i++)
		if (bucket[i].host &&
		    (bucket[i].host == TABLE_NO_REF ||
		     !is_ref(&h->hosts, bucket[i].host, sizeof(*host))))
			return false;
	return true;
}

static bool are_records_sound(const struct checker *c)
{
	const struct weir_table_header *h = c->h;
	const struct weir_table_host *host = (const void *)(c->blob + h->hosts.off);
	const struct weir_table_set *set = (const void *)(c->blob + h->sets.off);
	const struct weir_table_route *route = (const void *)(c->blob + h->routes.off);
	uint32_t i, sets = (h->sets.end - h->sets.off) / sizeof(*set);

	if (h->routes.end - h->routes.off != h->route_count * sizeof(*route) ||
	    h->hosts.end - h->hosts.off != h->host_count * sizeof(*host))
		return false;
	for (i = 0; i < h->host_count; i++)
		if (!is_record(&h->sets, host[i].sets, sizeof(*set)) ||
		    !is_within(&h->sets, host[i].sets,
			       (uint64_t)host[i].count * sizeof(*set)))
			return false;
	if (!are_hosts_sound(c, host))
		return false;
	for (i = 0; i < sets; i++)
		if ((set[i].criteria && !are_tests_sound(c, set[i].criteria)) ||
		    (set[i].root && !is_state(c, set[i].root)) ||
		    (set[i].regex && !is_state(c, set[i].regex)) || set[i].last > 1)
			return false;
	for (i = 0; i < h->route_count; i++)
		if (route[i].action < WEIR_ACTION_GROUP ||
		    route[i].action > WEIR_ACTION_UNHONOURED ||
		    route[i].reply_id >= WEIR_MAX_REPLIES)
			return false;
	return is_ref(&h->hosts, h->any_host, sizeof(*host)) &&
	       is_ref(&h->routes, h->fallback, sizeof(*route));
}

int table_check(const void *blob, size_t size, struct err *err)
{
	const struct weir_table_header *h = blob;
	struct checker c = {.blob = blob, .h = h};

	if (size < sizeof(*h) || h->magic != WEIR_TABLE_MAGIC)
		return err_set(err, -EINVAL, "route table: not a route table");
	if (h->version != WEIR_TABLE_VERSION)
		return err_set(err, -EINVAL, "route table: version %u, not %u",
			       h->version, WEIR_TABLE_VERSION);
	if (h->bytes > size || h->bytes < sizeof(*h) || h->bytes > WEIR_TABLE_MAX)
		return err_set(err, -EINVAL,
			       "route table: %u bytes, but only %zu are there",
			       h->bytes, size);
	if (table_checksum(blob, h->bytes) != h->crc32)
		return err_set(err, -EINVAL, "route table: wrong checksum");
	if (!are_sections_sound(h))
		return err_set(err, -EINVAL,
			       "route table: sections overlap or leave it");
	if (!are_records_sound(&c))
		return err_set(err, -EINVAL, "route table: a record leads out of it");
	if (!are_cells_sound(&c))
		return err_set(err, -EINVAL,
			       "route table: an automaton leads out of it");
	return 0;
}

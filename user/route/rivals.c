/* SPDX-License-Identifier: BSD-2-Clause */
#include "route/rivals.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/strmap.h"

/* Rules are kept by host and text; those below a wildcard, or below no host at all,
 * also under that one. */
enum side {
	SIDE_SAME,
	SIDE_BELOW,
	SIDES,
};

struct known_host {
	uint64_t lengths[SIDES];   /* of the texts; bit 63: that long, or longer */
	size_t above, above_count; /* places in finder.above */
};

struct item {
	uint64_t key;
	uint32_t shelf; /* number of the host, and the side */
	uint32_t rival;
	uint32_t next; /* place + 1, 0: the last */
};

struct finder {
	const struct rival *all;
	size_t count;
	rivals_fn fn;
	void *arg;
	struct strmap numbers; /* "" for any host */
	struct vec_of(struct known_host) hosts;
	uint32_t *host;		       /* of each rival, its place in hosts */
	struct vec_of(uint32_t) above; /* hosts that take all that another one is */
	struct vec_of(struct item) items;
	uint32_t *bucket; /* place of an item + 1 */
	size_t mask;
};

static uint64_t mix(uint64_t h, uint64_t with)
{
	h = (h ^ with) * 0x9e3779b97f4a7c15ull;
	return h ^ h >> 29;
}

static uint64_t length_bit(size_t len)
{
	return 1ull << (len < 63 ? len : 63);
}

static const char *host_of(const struct rival *r)
{
	return r->route->host_kind == IR_HOST_ANY ? "" : r->route->host;
}

/* Rules of one host follow each other, and often share its text. */
static int number_host(struct finder *f, size_t i)
{
	const char *host = host_of(&f->all[i]);
	uint32_t number = (uint32_t)f->hosts.len;

	if (i && host_of(&f->all[i - 1]) == host) {
		f->host[i] = f->host[i - 1];
		return 0;
	}
	if (!strmap_get(&f->numbers, host, &number) &&
	    (!vec_push(&f->hosts) || strmap_set(&f->numbers, host, number)))
		return -ENOMEM;
	f->host[i] = number;
	return 0;
}

static int add_above(struct finder *f, struct known_host *h, const char *name)
{
	uint32_t number, *slot;

	if (!strmap_get(&f->numbers, name, &number))
		return 0;
	slot = vec_push(&f->above);
	if (!slot)
		return -ENOMEM;
	*slot = number;
	h->above_count++;
	return 0;
}

/* Wildcards over the host, if it is a name, and no host. A wildcard of ours has one
 * label, but the other dialect's has more. */
static int find_above(struct finder *f, const struct rival *r, struct known_host *h)
{
	const char *host = host_of(r), *dot = host;
	char wildcard[256];
	int ret = 0;

	h->above = f->above.len;
	while (!ret && r->route->host_kind == IR_HOST_EXACT &&
	       (dot = strchr(dot, '.')) && strlen(dot) < sizeof(wildcard) - 1) {
		snprintf(wildcard, sizeof(wildcard), "*%s", dot++);
		ret = add_above(f, h, wildcard);
	}
	return ret || !*host ? ret : add_above(f, h, "");
}

static int number_hosts(struct finder *f)
{
	size_t i, seen = 0;
	int ret = 0;

	f->host = calloc(f->count + 1, sizeof(*f->host));
	if (!f->host)
		return -ENOMEM;
	for (i = 0; i < f->count && !ret; i++)
		ret = number_host(f, i);
	for (i = 0; i < f->count && !ret; i++)
		if (f->host[i] == seen) /* the first one with it */
			ret = find_above(f, &f->all[i], &f->hosts.item[seen++]);
	return ret;
}

static uint32_t shelf_of(uint32_t host, enum side side)
{
	return host * SIDES + side;
}

static int put(struct finder *f, uint32_t rival, uint64_t hash, size_t len,
	       uint32_t host, enum side side)
{
	struct item *item = vec_push(&f->items);

	if (!item)
		return -ENOMEM;
	item->shelf = shelf_of(host, side);
	item->key = mix(hash, item->shelf);
	item->rival = rival;
	f->hosts.item[host].lengths[side] |= length_bit(len);
	return 0;
}

static int put_all(struct finder *f)
{
	size_t i, k;
	int ret = 0;

	for (i = 0; i < f->count && !ret; i++) {
		const struct known_host *h = &f->hosts.item[f->host[i]];
		const char *text = f->all[i].text;
		uint64_t hash = 0;
		size_t len;

		for (len = 0; text[len]; len++)
			hash = mix(hash, (unsigned char)text[len]);
		ret = put(f, (uint32_t)i, hash, len, f->host[i], SIDE_SAME);
		for (k = 0; k < h->above_count && !ret; k++)
			ret = put(f, (uint32_t)i, hash, len,
				  f->above.item[h->above + k], SIDE_BELOW);
	}
	return ret;
}

static int link_items(struct finder *f)
{
	size_t size = 64, i;

	while (size < f->items.len * 2)
		size *= 2;
	f->bucket = calloc(size, sizeof(*f->bucket));
	if (!f->bucket)
		return -ENOMEM;
	f->mask = size - 1;
	for (i = f->items.len; i-- > 0;) { /* the first one is found first */
		uint32_t *head = &f->bucket[f->items.item[i].key & f->mask];

		f->items.item[i].next = *head;
		*head = (uint32_t)i + 1;
	}
	return 0;
}

/* Those on that shelf whose text is the first `len` bytes of this rule's. Equal texts
 * of one host are seen from both sides, and those of two from the host below. */
static bool visit(struct finder *f, size_t i, uint64_t hash, size_t len, uint32_t host,
		  enum side side, bool is_own)
{
	const struct rival *r = &f->all[i];
	uint32_t shelf = shelf_of(host, side), at;
	bool is_equal = !r->text[len];
	uint64_t key;

	if (!(f->hosts.item[host].lengths[side] & length_bit(len)) ||
	    (is_equal && side == SIDE_BELOW))
		return true;
	key = mix(hash, shelf);
	for (at = f->bucket[key & f->mask]; at; at = f->items.item[at - 1].next) {
		const struct item *item = &f->items.item[at - 1];
		const struct rival *other = &f->all[item->rival];

		if (item->key != key || item->shelf != shelf ||
		    strncmp(other->text, r->text, len) || other->text[len])
			continue;
		if (is_equal ? is_own && item->rival >= i : other->is_whole)
			continue;
		if (!f->fn(f->arg, i, item->rival))
			return false;
	}
	return true;
}

static uint64_t lengths_of(const struct finder *f, const struct known_host *h)
{
	uint64_t lengths = h->lengths[SIDE_SAME] | h->lengths[SIDE_BELOW];
	size_t k;

	for (k = 0; k < h->above_count; k++)
		lengths |=
			f->hosts.item[f->above.item[h->above + k]].lengths[SIDE_SAME];
	return lengths;
}

static bool visit_all(struct finder *f, size_t i)
{
	const struct known_host *h = &f->hosts.item[f->host[i]];
	const char *text = f->all[i].text;
	uint64_t hash = 0, lengths = lengths_of(f, h);
	size_t len, k;

	for (len = 0;; len++) {
		if (lengths & length_bit(len)) {
			if (!visit(f, i, hash, len, f->host[i], SIDE_SAME, true) ||
			    !visit(f, i, hash, len, f->host[i], SIDE_BELOW, true))
				return false;
			for (k = 0; k < h->above_count; k++)
				if (!visit(f, i, hash, len, f->above.item[h->above + k],
					   SIDE_SAME, false))
					return false;
		}
		if (!text[len])
			return true;
		hash = mix(hash, (unsigned char)text[len]);
	}
}

int rivals_each(const struct rival *all, size_t count, rivals_fn fn, void *arg)
{
	struct finder f = {.all = all, .count = count, .fn = fn, .arg = arg};
	size_t i;
	int ret = number_hosts(&f);

	if (!ret)
		ret = put_all(&f);
	if (!ret)
		ret = link_items(&f);
	for (i = 0; i < count && !ret; i++)
		ret = !visit_all(&f, i);
	strmap_free(&f.numbers);
	vec_free(&f.hosts);
	vec_free(&f.above);
	vec_free(&f.items);
	free(f.host);
	free(f.bucket);
	return ret;
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "route/table_regex.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* Patterns of one automaton, and what may be tried for several of them before
 * they are parted. One alone has the full limits. */
#define PART_PATTERNS 64
static const struct dfa_limits part_limits = {
	.nodes = 50000,
	.states = 2000,
	.work = 1u << 23,
};

static int build(const struct regex_route *routes, struct regex *const *re,
		 size_t count, struct dfa *out, struct err *err)
{
	struct dfa_pattern patterns[PART_PATTERNS];
	size_t i;

	for (i = 0; i < count; i++)
		patterns[i] = (struct dfa_pattern){
			.re = re[i],
			.rank = routes[i].rank,
			.length = routes[i].route->flags & WEIR_ROUTE_STRIP,
		};
	return dfa_build(patterns, count, count > 1 ? &part_limits : NULL, out, err);
}

static int fail(const struct ir_route *r, int code, struct err *why, struct err *err)
{
	char where[PLACE_TEXT];

	if (code == -ENOMEM)
		return err_set(err, code, "route table: out of memory");
	err_set(err, code, "%s: path \"%.80s\": %s", r->ingress, r->path, why->what);
	return err_where(err, "%s", place_text(r->at, where));
}

static int add(struct regex_parts *parts, const struct regex_route *routes,
	       struct regex *const *re, size_t count, struct err *err)
{
	struct err why = {};
	struct dfa *slot, d;
	int r = -E2BIG;

	if (count <= PART_PATTERNS)
		r = build(routes, re, count, &d, &why);
	if (r == -E2BIG && count > 1) {
		size_t half = count / 2;

		r = add(parts, routes, re, half, err);
		return r ?: add(parts, routes + half, re + half, count - half, err);
	}
	if (r)
		return fail(routes->route, r, &why, err);
	slot = vec_push(parts);
	if (!slot) {
		dfa_free(&d);
		return err_set(err, -ENOMEM, "route table: out of memory");
	}
	*slot = d;
	return 0;
}

int regex_parts_add(struct regex_parts *parts, const struct regex_route *routes,
		    size_t count, struct err *err)
{
	struct regex **re = calloc(count, sizeof(*re));
	size_t i;
	int r = re ? 0 : err_set(err, -ENOMEM, "route table: out of memory");

	for (i = 0; i < count && !r; i++) {
		const char *pattern = routes[i].pattern;
		struct err why = {};

		r = regex_parse(pattern, strlen(pattern), &re[i], NULL, &why);
		if (r)
			r = fail(routes[i].route, r, &why, err);
	}
	if (!r)
		r = add(parts, routes, re, count, err);
	for (i = 0; re && i < count; i++)
		regex_free(re[i]);
	free(re);
	return r;
}

void regex_parts_free(struct regex_parts *parts)
{
	size_t i;

	for (i = 0; i < parts->len; i++)
		dfa_free(&parts->item[i]);
	vec_free(parts);
}

static uint32_t reference(uint32_t routes, uint32_t rank, bool is_back)
{
	if (rank == DFA_NO_RANK)
		return TABLE_NO_REF;
	return (routes + rank * sizeof(struct weir_table_route)) | TABLE_REF |
	       (is_back ? TABLE_BACK : 0);
}

static bool accepts(const struct dfa *d, uint32_t s)
{
	return d->accept[s] != DFA_NO_RANK || d->accept_end[s] != DFA_NO_RANK;
}

static int place(const struct dfa *d, struct rows *rows, uint32_t *state)
{
	uint32_t s, byte;

	for (s = DFA_DEAD + 1; s < d->states; s++) {
		uint16_t symbols[TABLE_SYMBOL_END + 1];
		size_t count = 0;
		int r;

		for (byte = 0; byte < 256; byte++)
			if (dfa_step(d, s, byte) != DFA_DEAD)
				symbols[count++] = byte;
		if (accepts(d, s))
			symbols[count++] = TABLE_SYMBOL_END;
		if (!count)
			continue; /* as good as dead */
		r = rows_place(rows, symbols, count, &state[s]);
		if (r)
			return r;
	}
	return 0;
}

int regex_write(const struct dfa *d, struct rows *rows, uint32_t routes, uint32_t *root)
{
	auto_free uint32_t *state = calloc(d->states, sizeof(*state));
	uint32_t s, byte;
	int r;

	if (!state)
		return -ENOMEM;
	r = place(d, rows, state);
	if (r)
		return r;
	for (s = DFA_DEAD + 1; s < d->states; s++) {
		bool is_back = d->has_back && d->back[s] & DFA_BACK;
		bool ends_back = d->has_back && d->back[s] & DFA_BACK_END;
		uint32_t ref = reference(routes, d->accept[s], is_back);

		for (byte = 0; byte < 256; byte++)
			if (dfa_step(d, s, byte) != DFA_DEAD)
				rows_edge(rows, state[s], byte,
					  state[dfa_step(d, s, byte)]);
		if (accepts(d, s))
			rows_accept(rows, state[s],
				    reference(routes, d->accept_end[s], ends_back), ref,
				    ref);
	}
	*root = d->start == DFA_DEAD ? 0 : state[d->start];
	return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "route/table_rows.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define NONE UINT32_MAX

/* Places tried for a row with several symbols before it goes to the end. */
#define PLACES_TRIED 96

void rows_init(struct rows *r, uint32_t off)
{
	*r = (struct rows){
		.first_free = NONE,
		.off = off,
		.max = (WEIR_TABLE_MAX - off) / sizeof(*r->cell),
	};
}

void rows_fini(struct rows *r)
{
	free(r->cell);
	free(r->next_free);
	free(r->prev_free);
	free(r->is_base);
	rows_init(r, r->off);
}

static int grow_array(void *array, size_t count, size_t size)
{
	void *p = realloc(*(void **)array, count * size);

	if (!p)
		return -ENOMEM;
	*(void **)array = p;
	return 0;
}

/* The last free cell is remembered in prev_free of the first. */
static int rows_grow(struct rows *r, size_t want)
{
	size_t old = r->count, count = old ? old : 4096, i;
	uint32_t last;

	while (count < want)
		count *= 2;
	if (count == old)
		return 0;
	if (grow_array(&r->cell, count, sizeof(*r->cell)) ||
	    grow_array(&r->next_free, count, sizeof(*r->next_free)) ||
	    grow_array(&r->prev_free, count, sizeof(*r->prev_free)) ||
	    grow_array(&r->is_base, count, 1))
		return -ENOMEM;
	memset(r->cell + old, 0, (count - old) * sizeof(*r->cell));
	memset(r->is_base + old, 0, count - old);
	last = r->first_free == NONE ? NONE : r->prev_free[r->first_free];
	for (i = old; i < count; i++) {
		r->prev_free[i] = i == old ? last : i - 1;
		r->next_free[i] = i + 1 == count ? NONE : i + 1;
	}
	if (last == NONE)
		r->first_free = old;
	else
		r->next_free[last] = old;
	r->prev_free[r->first_free] = count - 1;
	r->count = count;
	return 0;
}

static void rows_take(struct rows *r, uint32_t i)
{
	uint32_t next = r->next_free[i], prev = r->prev_free[i];

	if (r->first_free == i) {
		r->first_free = next;
		if (next != NONE)
			r->prev_free[next] = prev;
		return;
	}
	r->next_free[prev] = next;
	if (next != NONE)
		r->prev_free[next] = prev;
	else
		r->prev_free[r->first_free] = prev;
}

static bool rows_fit(const struct rows *r, uint32_t base, const uint16_t *symbols,
		     size_t count)
{
	size_t i;

	if (r->is_base[base])
		return false;
	for (i = 0; i < count; i++) {
		uint32_t at = base + symbols[i];

		if (r->cell[at].check)
			return false;
		if (symbols[i] == TABLE_SYMBOL_END && r->cell[at + 1].check)
			return false;
	}
	return true;
}

int rows_place(struct rows *r, const uint16_t *symbols, size_t count, uint32_t *state)
{
	uint32_t at, base = 0, value;
	size_t tries = 0, i;
	bool is_found = false;

	if (rows_grow(r, r->used + 2 * TABLE_ROW_CELLS))
		return -ENOMEM;
	for (at = r->first_free; at != NONE && tries < PLACES_TRIED;
	     at = r->next_free[at]) {
		if (at < symbols[0])
			continue;
		base = at - symbols[0];
		if (base + TABLE_ROW_CELLS > r->count)
			break;
		tries++;
		is_found = rows_fit(r, base, symbols, count);
		if (is_found)
			break;
	}
	if (!is_found) {
		/* behind every base: all cells of such a row are free but for
		 * those of the last rows */
		for (base = r->used > TABLE_ROW_CELLS ? r->used - TABLE_ROW_CELLS : 0;
		     !rows_fit(r, base, symbols, count); base++)
			;
	}
	if (base + TABLE_ROW_CELLS > r->used)
		r->used = base + TABLE_ROW_CELLS;
	if (r->used > r->max)
		return -E2BIG;

	value = r->off + base * sizeof(struct weir_table_cell);
	if (symbols[count - 1] == TABLE_SYMBOL_END)
		value |= TABLE_ACCEPT;
	r->is_base[base] = 1;
	for (i = 0; i < count; i++) {
		at = base + symbols[i];
		rows_take(r, at);
		r->cell[at].check = value;
		if (symbols[i] == TABLE_SYMBOL_END) {
			rows_take(r, at + 1);
			r->cell[at + 1].check = TABLE_NO_REF;
		}
	}
	*state = value;
	return 0;
}

static struct weir_table_cell *rows_cell(struct rows *r, uint32_t state,
					 uint32_t symbol)
{
	return r->cell + (state - r->off) / sizeof(*r->cell) + symbol;
}

void rows_edge(struct rows *r, uint32_t state, uint32_t symbol, uint32_t next)
{
	rows_cell(r, state, symbol)->next = next;
}

void rows_accept(struct rows *r, uint32_t state, uint32_t at_end, uint32_t element,
		 uint32_t prefix)
{
	struct weir_table_cell *c = rows_cell(r, state, TABLE_SYMBOL_END);

	c[0].next = at_end;
	c[1].check = element;
	c[1].next = prefix;
}

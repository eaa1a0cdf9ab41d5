/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The cells of the route table's automata: rows laid over each other so that
 * no cell is wanted twice (row displacement), see <weir/table.h>.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <weir/table.h>

struct rows {
	struct weir_table_cell *cell;
	uint32_t *next_free, *prev_free; /* list of free cells, in order */
	uint8_t *is_base;		 /* a row begins here */
	size_t count;			 /* cells allocated */
	size_t used;			 /* cells that belong to the table */
	uint32_t first_free;
	uint32_t off; /* of cell 0 in the blob */
	size_t max;   /* cells that fit */
};

void rows_init(struct rows *r, uint32_t off);
void rows_fini(struct rows *r);

/*
 * Find a place for a row with these symbols (ascending, 256 for an accept
 * record) and take its cells. *state: the offset of the row, plus
 * TABLE_ACCEPT when the symbol 256 is among them; rows_edge fills the cells.
 * Returns 0, -ENOMEM, or -E2BIG when the table would not fit.
 */
int rows_place(struct rows *r, const uint16_t *symbols, size_t count, uint32_t *state);

void rows_edge(struct rows *r, uint32_t state, uint32_t symbol, uint32_t next);
void rows_accept(struct rows *r, uint32_t state, uint32_t at_end, uint32_t element,
		 uint32_t prefix);

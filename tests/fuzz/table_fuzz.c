/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any bytes as a route table and a request: what table_check refuses and what
 * it takes is walked all the same, within the table. Then the bytes as rules:
 * what is compiled passes the check, and each literal rule finds a route.
 */
#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <weir/table.h>

#include "pure/walk.h"
#include "route/table.h"

static const char request[] = "GET /ab/c%20d/ef HTTP/1.1\r\nHost: www.example.com\r\n"
			      "X-One: two\r\nX-Two:  3 \r\n\r\n";

static int find(const void *table, const char *bytes, size_t len, struct route_match *m)
{
	static struct weir_head head;
	struct http_head h;

	memcpy(head.data, bytes, len);
	if (head_scan(&head, len, &h) != HEAD_DONE)
		return -2;
	if (!(h.flags & HEAD_NORMAL) && head_rewrite(&head, &h, 0) < 0)
		return -2;
	return table_find(table, WEIR_TABLE_MIN - 1, &head, &h, m);
}

static void walk_bytes(const uint8_t *data, size_t size)
{
	static uint64_t table[WEIR_TABLE_MIN / 8];
	struct weir_table_header *h = (void *)table;
	struct route_match m;
	struct err err;

	if (size > WEIR_TABLE_MIN)
		size = WEIR_TABLE_MIN;
	memset(table, 0, sizeof(table));
	memcpy(table, data, size);
	if (size >= sizeof(*h)) {
		h->magic = WEIR_TABLE_MAGIC;
		h->version = WEIR_TABLE_VERSION;
		if (h->bytes >= sizeof(*h) && h->bytes <= size)
			h->crc32 = table_checksum(table, h->bytes);
		table_check(table, size, &err);
	}
	find(table, request, sizeof(request) - 1, &m);
}

/* Rules are lines: a byte for the kind of path, one for the host, the path. */
static void compile_rules(const uint8_t *data, size_t size)
{
	static const char *const hosts[] = {"", "a", "*.a", "b.a", "*.b.a"};
	static uint64_t table[WEIR_TABLE_MIN / 8];
	struct ir ir = {};
	struct err err = {};
	void *blob = NULL;
	size_t bytes, i;
	int r;

	((struct ir_group *)vec_push(&ir.groups))->name = strdup("a/b:1");
	if (size && data[size - 1] & 1)
		ir.order = IR_ORDER_KONG;
	while (size > 3 && ir.routes.len < 64) {
		const uint8_t *end = memchr(data, '\n', size);
		size_t len = end ? (size_t)(end - data) : size;
		struct ir_route *route;

		if (len > 2) {
			route = vec_push(&ir.routes);
			route->id = ir.routes.len;
			route->type = WEIR_PATH_EXACT + data[0] % 4;
			route->host = hosts[data[1] % 5];
			route->host_kind = !*route->host	 ? IR_HOST_ANY
					   : *route->host == '*' ? IR_HOST_WILDCARD
								 : IR_HOST_EXACT;
			route->match =
				pool_strndup(&ir.pool, (const char *)data + 2, len - 2);
			route->path = route->match;
			route->ingress = "a/b";
			route->action = WEIR_ACTION_GROUP;
			route->reply = -1;
		}
		data += len + !!end;
		size -= len + !!end;
	}
	r = table_compile(&ir, &blob, &bytes, &err);
	if (!r) {
		assert(!table_check(blob, bytes, &err));
		memset(table, 0, sizeof(table));
		memcpy(table, blob, bytes < sizeof(table) ? bytes : sizeof(table));
	}
	for (i = 0; !r && bytes <= sizeof(table) && i < ir.routes.len; i++) {
		const struct ir_route *route = &ir.routes.item[i];
		char head[8192];
		struct route_match m;
		int n;

		if (*route->match != '/' || route->type == WEIR_PATH_REGEX ||
		    strlen(route->match) > 4000 ||
		    strpbrk(route->match, "%?/. ") != route->match ||
		    strpbrk(route->match + 1, "%?/."))
			continue;
		n = snprintf(head, sizeof(head),
			     "GET %s HTTP/1.1\r\nHost: %s%s\r\n\r\n", route->match,
			     *route->host == '*' ? "x"
			     : *route->host	 ? ""
						 : "z",
			     route->host + (*route->host == '*'));
		n = find(table, head, n, &m);
		assert(n == -2 || n == TABLE_FOUND);
		assert(n == -2 || m.route_id <= ir.routes.len);
	}
	free(blob);
	ir_free(&ir);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!size)
		return 0;
	if (data[0] & 1)
		walk_bytes(data + 1, size - 1);
	else
		compile_rules(data + 1, size - 1);
	return 0;
}

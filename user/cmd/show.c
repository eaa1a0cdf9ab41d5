/* SPDX-License-Identifier: BSD-2-Clause */
#include "cmd/show.h"

#include <string.h>

#include <bpf/bpf.h>

#include "base/units.h"
#include "cmd/cmd.h"
#include "dp/quantile.h"

int show_main(struct ctx *ctx, int argc, char **argv,
	      int (*show)(const struct ctx *ctx, void *arg))
{
	struct show_options opt = {};
	void *const to[] = {&opt.watch, &opt.sort, &opt.table};
	int r = options_parse(ctx, to, &argc, argv);

	if (r)
		return r;
	if (argc > 1)
		return cmd_usage(ctx, "no operand is expected: %s", argv[1]);
	return watch_run(ctx, &opt.watch, show, &opt);
}

int greater_first(uint64_t x, uint64_t y)
{
	return (x < y) - (x > y);
}

void read_or_zero(int map, uint32_t id, void *value, size_t size)
{
	memset(value, 0, size);
	if (bpf_map_lookup_elem(map, &id, value))
		memset(value, 0, size);
}

enum paint outcome_paint(enum weir_outcome outcome)
{
	switch (outcome) {
	case WEIR_FLOW_FULL:
	case WEIR_REQ_NO_ENDPOINT:
	case WEIR_REQ_NO_FAMILY:
	case WEIR_REQ_UNHONOURED:
	case WEIR_CONNECT_REFUSED:
	case WEIR_CONNECT_TIMEOUT:
	case WEIR_NO_PORT:
	case WEIR_NO_TABLE:
	case WEIR_ERROR:
		return PAINT_RED;
	case WEIR_SYN_BAD:
	case WEIR_HEAD_FULL:
	case WEIR_HEAD_CSUM:
	case WEIR_SLOTS_FULL:
	case WEIR_CONTENDED:
	case WEIR_NO_FIB:
	case WEIR_CONNECT_UNREACHABLE:
	case WEIR_EJECTED:
	case WEIR_ALL_EJECTED:
	case WEIR_ICMP_BAD:
	case WEIR_FLAGS_BAD:
		return PAINT_YELLOW;
	default:
		return PAINT_NONE;
	}
}

json_t *json_numbers(const u64 *n, size_t count)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < count; i++)
		json_array_append_new(list, json_integer(n[i]));
	return list;
}

const char *columns_quantile(struct columns *t, const u64 *histogram, double share)
{
	double us = quantile_us(histogram, share);
	char text[UNITS_TEXT];

	return us > 0 ? columns_text(t, "%s", units_us(us, text)) : NULL;
}

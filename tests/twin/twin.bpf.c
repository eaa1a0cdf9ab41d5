// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* The pure room as the kernel runs it: one head, from and to a mapped map. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "pure/head.c"
#include "pure/rewrite.c"
#include "pure/walk.c"

#include "../tests/twin/twin.h"

const volatile u32 table_mask = WEIR_TABLE_MIN - 1;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, u32);
	__type(value, struct twin);
} twins SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(key_size, sizeof(u32));
	__uint(value_size, WEIR_TABLE_MIN);
} table SEC(".maps");

SEC("tc")
int twin_tc(struct __sk_buff *skb)
{
	u32 zero = 0;
	struct twin *t = bpf_map_lookup_elem(&twins, &zero);
	void *blob = bpf_map_lookup_elem(&table, &zero);

	if (t && blob)
		twin_run(t, blob, table_mask);
	return 0;
}

char twin_license[] SEC("license") = "GPL";

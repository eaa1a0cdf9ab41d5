/* SPDX-License-Identifier: BSD-2-Clause */
#include "fixture.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>

#define SKIPPED 77

char pin[64];
struct dp dp;
struct err err;

int fixture_enter(const char *name)
{
	if (geteuid() || unshare(CLONE_NEWNET) || system("ip link set lo up")) {
		fprintf(stderr, "skipped: needs root\n");
		return SKIPPED;
	}
	snprintf(pin, sizeof(pin), "/sys/fs/bpf/weir-%s-test-%d", name, getpid());
	return 0;
}

int fixture_setup(void **state)
{
	memset(&err, 0, sizeof(err));
	dp_init(&dp);
	if (dp_load(&dp, pin, 0, &err) || dp_publish(&dp, &err)) {
		print_error("%s\n", err.what);
		return -1;
	}
	return 0;
}

int fixture_teardown(void **state)
{
	dp_close(&dp);
	return dp_remove(pin, &err);
}

void fixture_adopt(size_t table)
{
	dp_close(&dp);
	assert_ok(dp_load(&dp, pin, table, &err));
	assert_ok(dp_publish(&dp, &err));
	assert_true(dp.adopted);
}

bool pop_slot(uint32_t *slot)
{
	return !bpf_map_lookup_and_delete_elem(dp.map[DP_MAP_head_free], NULL, slot);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The program as a TCX link: kernel 6.6 and later. Links are pinned under the name
 * that the interface had when it was attached; it is found again by its number, because
 * names change.
 *
 * weir comes first on the hook: what is not its own it leaves to the next program
 * (TCX_NEXT), while a program before it might take packets of its connections. The same
 * place as its priority 1 on clsact.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct dp;

/* enum bpf_attach_type of 6.6, which older headers do not have. */
#define ATTACH_TCX_INGRESS 46

struct hook_program {
	uint32_t id;
	bool is_ours;
	char name[16]; /* "" when only CAP_SYS_ADMIN may know it */
};

/* -EOPNOTSUPP without a sentence when the kernel has no TCX. */
int tcx_attach(const struct dp *dp, const char *name, uint32_t ifindex,
	       struct err *err);
bool tcx_is_live(const struct dp *dp, const char *name, uint32_t ifindex);
int tcx_replace(const struct dp *dp, const char *name, uint32_t ifindex,
		struct err *err);

/* Also when the interface is gone, which leaves only the pin. */
int tcx_detach(const struct dp *dp, const char *name, uint32_t ifindex,
	       struct err *err);

/* How many programs there are, in `out` the first ones in their order. */
uint32_t tcx_programs(const struct dp *dp, const char *name, uint32_t ifindex,
		      struct hook_program *out, uint32_t max);

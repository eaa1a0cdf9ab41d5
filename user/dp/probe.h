/* SPDX-License-Identifier: BSD-2-Clause */
/* What the kernel has, and what an interface is like, without changing either. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/vec.h"

/* Is there a kernel function of that name, for programs to call? */
bool probe_kfunc(const char *name);

/* TCX links, since 6.6; false with WEIR_NO_TCX=1 too. */
bool probe_tcx(void);

/* What the program uses and this kernel lacks, with the version that brought it:
 * "bpf_loop (5.17), ..."; "" when nothing is missing. Helpers and map types that
 * are newer than 5.4 are asked for. */
void probe_missing(char *out, size_t size);

struct probe_prog {
	const char *hook; /* "tcx", "xdp" */
	uint32_t id;
	char name[16];
};

struct probe_progs vec_of(struct probe_prog);

/* Programs on TCX ingress and on XDP of an interface. 0 or -errno. */
int probe_programs(uint32_t ifindex, struct probe_progs *out);

/* Identity of a program or of a pinned one; 0 when it has none. */
uint32_t probe_prog_id(int fd);

struct probe_iface {
	bool up;
	bool ethernet;
	bool lro; /* received packets are merged beyond what can be taken apart */
	int forward4, forward6; /* sysctl forwarding, -1: no such protocol here */
};

int probe_iface(const char *name, struct probe_iface *out);

/* Loads the program and its maps and lets them go again; nothing is pinned or
 * attached. -EPERM, -EOPNOTSUPP or -ENOMEM and the sentence. */
int probe_load(struct err *err);

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hooks: the program on the ingress of interfaces. A TCX link where the kernel
 * has it (6.6), a filter of the clsact qdisc elsewhere, or everywhere when
 * WEIR_NO_TCX=1 is in the environment (for tests). Interfaces are those of the
 * process's network namespace.
 */
#pragma once

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/vec.h"
#include "dp/tcx.h"

struct dp;

/* Unless WEIR_NO_TCX=1 forbids it. */
bool attach_may_use_tcx(void);

/* Programs of a TCX hook that are told one by one. */
#define HOOK_PROGRAMS 16

struct attachment {
	char name[IF_NAMESIZE]; /* of now */
	uint32_t ifindex;
	uint16_t kind; /* enum weir_hook */
	bool live;     /* the hook is there */
	bool made_qdisc;
	uint32_t program_count; /* TCX: in the order in which they see a packet */
	struct hook_program programs[HOOK_PROGRAMS];
	uint32_t others; /* programs or filters besides ours on the same hook */
};

struct attachments vec_of(struct attachment);

/* Attaches, or puts dp->prog in place of the program that is there. */
int attach_iface(const struct dp *dp, const char *name, struct err *err);

/* Takes over the hooks that another map of attachments tells of, of whatever version:
 * attach_replace() puts the program there. */
int attach_inherit(const struct dp *dp, int from, struct err *err);

/* dp->prog in place of the older program on every hook; forgets interfaces
 * that no longer exist. */
int attach_replace(const struct dp *dp, struct err *err);

int attach_list(const struct dp *dp, struct attachments *out, struct err *err);

/* Takes the hook off, and the qdisc if weir made it and nothing else uses it. */
int detach_iface(const struct dp *dp, const char *name, struct err *err);
int detach_all(const struct dp *dp, struct err *err);

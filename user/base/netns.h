/* SPDX-License-Identifier: BSD-2-Clause */
/* Network namespaces. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* Moves the whole process into a network namespace, by its name (as `ip netns`
 * keeps them) or by the path of its file. The mount namespace stays, so pins
 * in /sys/fs/bpf remain visible. */
int netns_enter(const char *name, struct err *err);

/* What tells this process's network namespace from others: its inode. */
uint32_t netns_inode(void);

/* A path to enter the namespace by, from /run/netns or from a process in it.
 * -ENOENT when it is nowhere to be found, which mostly means that it is gone. */
int netns_find(uint32_t inode, char *path, size_t size);

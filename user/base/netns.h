/* SPDX-License-Identifier: BSD-2-Clause */
/* Network namespaces. */
#pragma once

#include "base/err.h"

/* Moves the whole process into a network namespace, by its name (as `ip netns`
 * keeps them) or by the path of its file. The mount namespace stays, so pins
 * in /sys/fs/bpf remain visible. */
int netns_enter(const char *name, struct err *err);

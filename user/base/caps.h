/* SPDX-License-Identifier: BSD-2-Clause */
/* Which capabilities this process has. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

/* What loading and attaching a data path takes: CAP_BPF, CAP_PERFMON (or
 * CAP_SYS_ADMIN for both) and CAP_NET_ADMIN. -EPERM names what is missing. */
int caps_check_bpf(struct err *err);

/* Is CAP_X effective? */
bool caps_has(int cap);

/* CAP_SYS_ADMIN: mounting, entering namespaces. */
bool caps_is_admin(void);

/* What a running agent needs, for good: CAP_BPF and CAP_PERFMON (maps; the program
 * again when its table grows), CAP_NET_ADMIN (hooks), CAP_NET_RAW (resets in the stead
 * of silent endpoints), and CAP_DAC_READ_SEARCH if one of the paths, or something below
 * it, cannot be read without it. All others are given up, also for programs that this
 * process might start, and no_new_privs is set. */
int caps_drop(const char *const *paths, size_t count, struct err *err);

/* SPDX-License-Identifier: BSD-2-Clause */
/* Which capabilities this process has. */
#pragma once

#include <stdbool.h>

#include "base/err.h"

/* What loading and attaching a data path takes: CAP_BPF, CAP_PERFMON (or
 * CAP_SYS_ADMIN for both) and CAP_NET_ADMIN. -EPERM names what is missing. */
int caps_check_bpf(struct err *err);

/* CAP_SYS_ADMIN: mounting, entering namespaces. */
bool caps_is_admin(void);

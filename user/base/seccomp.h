/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A filter of system calls for the agent, once it serves (seccomp(2)): what it reads and
 * answers from then on comes from others.
 *
 *	on the list	allowed; sockets of four families, socket ioctls, nothing that
 *			makes memory executable
 *	execve, ptrace	and their kind, which weir never makes: the process is ended. The
 *			data path serves on, and a service manager starts another agent
 *	anything else	ENOSYS, and a line in the audit log: a C library of tomorrow
 *			that tries a newer call falls back on one that it knows
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"

/* For this process, for good. -EOPNOTSUPP: the kernel has no such filters. */
int seccomp_confine(struct err *err);

bool seccomp_is_supported(void);

/* Has that process a filter? -1: not known. */
int seccomp_of(pid_t pid);

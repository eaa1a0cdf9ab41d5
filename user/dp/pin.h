/* SPDX-License-Identifier: BSD-2-Clause */
/* Names under PIN, and the locks. */
#pragma once

#include <limits.h>
#include <stdbool.h>

#include "base/err.h"

struct pin_path {
	char s[PATH_MAX];
};

/* PIN/DIR/NAME; dots of interface names become colons, which bpffs allows and
 * interface names do not. */
struct pin_path pin_path(const char *pin, const char *dir, const char *name);

/* Makes PIN and its directories; mounts the bpf filesystem at /sys/fs/bpf if PIN is
 * to be there and it is missing. Elsewhere says so when PIN is not on one. */
int pin_mkdirs(const char *pin, struct err *err);

/* Is PIN, or the nearest of its parents that exists, on a bpf filesystem? 0 when it
 * is; 1 when pin_mkdirs() would mount it; -EINVAL when it is on another one. */
int pin_ground(const char *pin);

/* Pins fd as PIN/DIR/NAME in one step, in place of an older pin. */
int pin_put(const char *pin, const char *dir, const char *name, int fd,
	    struct err *err);

/* An object's descriptor, or -errno (-ENOENT: not pinned). */
int pin_get(const char *pin, const char *dir, const char *name);

/* Removes the pins in PIN/DIR, and the directory. */
int pin_clear(const char *pin, const char *dir);

enum pin_lock {
	PIN_LOCK_AGENT,
	PIN_LOCK_CHANGE,
	PIN_LOCK_MONITOR, /* the reader of the events */
};

/* How long the change lock is waited for; tests have less. */
extern unsigned int pin_patience_ms;

/* Returns a descriptor that holds the lock until it is closed. -EBUSY and the
 * sentence, with the holder's process id, when an agent or a reader has it, or when
 * somebody keeps the change lock for too long. */
int pin_lock(const char *pin, enum pin_lock which, struct err *err);

/* Is there an agent? Its process id, 0 when none, -1 when it is not known. */
int pin_agent(const char *pin);

/* -EBUSY and the sentence when there is an agent: hooks are its business. Asked
 * with the change lock held, it stays true until an agent has waited for that. */
int pin_no_agent(const char *pin, struct err *err);

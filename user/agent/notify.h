/* SPDX-License-Identifier: BSD-2-Clause */
/* What a service manager that gave us NOTIFY_SOCKET is told (sd_notify(3)). */
#pragma once

#include <stdint.h>

void notify_supervisor(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* RELOADING=1 with the time that goes with it; READY=1 ends it. */
void notify_reloading(void);

/* How often WATCHDOG=1 is wanted, half of what would be too late; 0: not at all. */
uint32_t notify_watchdog_ms(void);

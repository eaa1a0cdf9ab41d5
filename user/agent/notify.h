/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

/* Tells a service manager that gave us NOTIFY_SOCKET (systemd's Type=notify). */
void notify_supervisor(const char *state);

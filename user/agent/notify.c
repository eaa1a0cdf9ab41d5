/* SPDX-License-Identifier: BSD-2-Clause */
#include "agent/notify.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/mem.h"
#include "dp/flows.h"

void notify_supervisor(const char *fmt, ...)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	char state[256];
	auto_fd int fd = -1;
	va_list ap;
	size_t len;

	if (!path || (path[0] != '/' && path[0] != '@'))
		return;
	len = strlen(path);
	if (len >= sizeof(sa.sun_path))
		return;
	memcpy(sa.sun_path, path, len);
	if (path[0] == '@')
		sa.sun_path[0] = '\0';
	va_start(ap, fmt);
	vsnprintf(state, sizeof(state), fmt, ap);
	va_end(ap);
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd >= 0)
		sendto(fd, state, strlen(state), MSG_NOSIGNAL, (struct sockaddr *)&sa,
		       offsetof(struct sockaddr_un, sun_path) + len);
}

void notify_reloading(void)
{
	notify_supervisor("RELOADING=1\nMONOTONIC_USEC=%llu",
			  (unsigned long long)monotonic_ns() / 1000);
}

uint32_t notify_watchdog_ms(void)
{
	const char *us = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");
	char *end;
	unsigned long long n = us ? strtoull(us, &end, 10) : 0;

	/* The variables may be meant for the process that started us. */
	if (!n || *end || (pid && strtoll(pid, NULL, 10) != getpid()))
		return 0;
	n /= 2000;
	return n > UINT32_MAX ? UINT32_MAX : n ? n : 1;
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "dp/ports.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "base/addr.h"
#include "base/mem.h"

#define TCP_LISTENING 0x0au /* TCP_LISTEN of the kernel's net/tcp_states.h */

/* Addresses stand in /proc/net/tcp6 as four words in the byte order of the host,
 * in /proc/net/tcp as one. */
static bool parse_line(const char *line, struct weir_addr *addr, unsigned int *port,
		       unsigned int *state)
{
	unsigned int w[4];

	if (sscanf(line, " %*u: %8x%8x%8x%8x:%x %*[0-9A-F]:%*x %x", &w[0], &w[1], &w[2],
		   &w[3], port, state) == 6) {
		memcpy(addr, w, sizeof(w));
		return true;
	}
	if (sscanf(line, " %*u: %8x:%x %*[0-9A-F]:%*x %x", &w[0], port, state) != 3)
		return false;
	addr_from_v4(w[0], addr);
	return true;
}

static bool is_listened(const char *file, const struct weir_addr *addr, uint16_t port)
{
	auto_file FILE *f = fopen(file, "re");
	char line[512];

	while (f && fgets(line, sizeof(line), f)) {
		unsigned int its_port, state;
		struct weir_addr its;

		if (parse_line(line, &its, &its_port, &state) &&
		    state == TCP_LISTENING && its_port == port &&
		    (addr_is_unspecified(&its) || !memcmp(&its, addr, sizeof(its))))
			return true;
	}
	return false;
}

/* A socket on [::] takes IPv4 too, mostly; that it does not is not to be seen
 * here, and a warning too many does no harm. */
bool ports_listened(const struct weir_addr *addr, uint16_t port)
{
	return (addr_is_v4(addr) && is_listened("/proc/net/tcp", addr, port)) ||
	       is_listened("/proc/net/tcp6", addr, port);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Who listens where, asked of the kernel about sockets made here on the loopback. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/addr.h"
#include "dp/ports.h"

static struct weir_addr addr_of(const char *text)
{
	struct weir_addr a;

	assert_int_equal(addr_parse(text, &a), 0);
	return a;
}

/* A TCP socket on a port of the kernel's choice, which is put into *port. */
static int bound(const char *text, uint16_t *port)
{
	struct weir_addr addr = addr_of(text);
	struct sockaddr_storage sa;
	socklen_t len = addr_to_sockaddr(&addr, 0, &sa);
	int fd = socket(sa.ss_family, SOCK_STREAM, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&sa, len)) {
		print_message("SKIP no %s here\n", text);
		skip();
	}
	assert_int_equal(getsockname(fd, (struct sockaddr *)&sa, &len), 0);
	*port = ntohs(sa.ss_family == AF_INET
			      ? ((struct sockaddr_in *)&sa)->sin_port
			      : ((struct sockaddr_in6 *)&sa)->sin6_port);
	return fd;
}

/* Listening on `on`: is `asked` taken? And never before listen(), nor after. */
static void check(const char *on, const char *asked, bool taken)
{
	struct weir_addr addr = addr_of(asked);
	uint16_t port;
	int fd = bound(on, &port);

	assert_false(ports_listened(&addr, port));
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(ports_listened(&addr, port), taken);
	close(fd);
	assert_false(ports_listened(&addr, port));
}

static void the_address_itself(void **state)
{
	check("127.0.0.1", "127.0.0.1", true);
	check("127.0.0.1", "127.0.0.2", false);
}

static void the_address_itself_v6(void **state)
{
	check("::1", "::1", true);
	check("::1", "fd00::1", false);
	check("::1", "127.0.0.1", false);
}

static void every_address(void **state)
{
	check("0.0.0.0", "192.0.2.1", true);
	check("0.0.0.0", "fd00::1", false);
}

static void every_address_v6(void **state)
{
	check("::", "fd00::1", true);
	check("::", "192.0.2.1", true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_address_itself),
		cmocka_unit_test(the_address_itself_v6),
		cmocka_unit_test(every_address),
		cmocka_unit_test(every_address_v6),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "dp/path.h"

#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "base/addr.h"
#include "base/mem.h"

#define HEADERS_V4 52u /* IPv4 20, TCP 20, timestamps 12 */
#define HEADERS_V6 72u
#define MSS_LEAST 88u

uint16_t path_mss(unsigned int mtu, int is_v4)
{
	unsigned int headers = is_v4 ? HEADERS_V4 : HEADERS_V6;

	if (mtu > 65535)
		mtu = 65535;
	return mtu < headers + MSS_LEAST ? MSS_LEAST : mtu - headers;
}

int path_find(const struct weir_addr *to, uint16_t port, struct path *out)
{
	struct sockaddr_storage sa;
	socklen_t len = addr_to_sockaddr(to, port, &sa);
	bool v4 = addr_is_v4(to);
	auto_fd int fd = socket(v4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct path found;
	int mtu = 0;
	socklen_t mtu_len = sizeof(mtu);

	if (fd < 0 || connect(fd, (struct sockaddr *)&sa, len))
		return -errno;
	len = sizeof(sa);
	if (getsockname(fd, (struct sockaddr *)&sa, &len) ||
	    getsockopt(fd, v4 ? IPPROTO_IP : IPPROTO_IPV6, v4 ? IP_MTU : IPV6_MTU, &mtu,
		       &mtu_len))
		return -errno;
	if (addr_from_sockaddr((struct sockaddr *)&sa, &found.source))
		return -EAFNOSUPPORT;
	found.mss = path_mss(mtu, v4);
	*out = found;
	return 0;
}

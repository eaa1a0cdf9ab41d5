/* SPDX-License-Identifier: BSD-2-Clause */
#include "dp/way.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>

#include <linux/rtnetlink.h>

#include "base/addr.h"
#include "base/mem.h"

struct question {
	struct nlmsghdr head;
	struct rtmsg route;
	struct rtattr dst;
	uint8_t addr[16];
};

static struct question question_about(const struct weir_addr *to)
{
	bool v4 = addr_is_v4(to);
	unsigned int len = v4 ? 4 : 16;
	struct question q = {
		.head =
			{
				.nlmsg_len = offsetof(struct question, addr) + len,
				.nlmsg_type = RTM_GETROUTE,
				.nlmsg_flags = NLM_F_REQUEST,
			},
		.route = {.rtm_family = v4 ? AF_INET : AF_INET6,
			  .rtm_dst_len = len * 8},
		.dst = {.rta_type = RTA_DST, .rta_len = RTA_LENGTH(len)},
	};

	memcpy(q.addr, v4 ? &to->b[12] : to->b, len);
	return q;
}

static struct way read_answer(const struct nlmsghdr *m)
{
	const struct rtmsg *route = NLMSG_DATA(m);
	const struct rtattr *at = RTM_RTA(route);
	unsigned int left = RTM_PAYLOAD(m);
	struct way w = {};

	for (; RTA_OK(at, left); at = RTA_NEXT(at, left)) {
		if (at->rta_type == RTA_OIF)
			memcpy(&w.ifindex, RTA_DATA(at), sizeof(w.ifindex));
		w.has_gateway |= at->rta_type == RTA_GATEWAY || at->rta_type == RTA_VIA;
	}
	return w;
}

int way_find(const struct weir_addr *to, struct way *out)
{
	auto_fd int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	struct question q = question_about(to);
	char buf[4096] __attribute__((aligned(NLMSG_ALIGNTO)));
	const struct nlmsghdr *m = (struct nlmsghdr *)buf;
	const struct nlmsgerr *error = NLMSG_DATA(m);
	ssize_t got;

	if (fd < 0 || send(fd, &q, q.head.nlmsg_len, 0) < 0)
		return -errno;
	got = recv(fd, buf, sizeof(buf), 0);
	if (got < 0)
		return -errno;
	if (!NLMSG_OK(m, (size_t)got))
		return -EPROTO;
	if (m->nlmsg_type == NLMSG_ERROR)
		return error->error ? error->error : -EPROTO;
	*out = read_answer(m);
	return 0;
}

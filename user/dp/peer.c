/* SPDX-License-Identifier: BSD-2-Clause */
#include "dp/peer.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/if_link.h>
#include <linux/rtnetlink.h>

#include <bpf/bpf.h>

#include "base/mem.h"
#include "dp/clsact.h"

/* enum bpf_attach_type of 6.6, which older headers do not have. */
#define ATTACH_TCX_EGRESS 47

static const struct rtattr *find(const struct rtattr *at, unsigned int left,
				 unsigned short type)
{
	for (; RTA_OK(at, left); at = RTA_NEXT(at, left))
		if ((at->rta_type & NLA_TYPE_MASK) == type)
			return at;
	return NULL;
}

static bool is_text(const struct rtattr *at, const char *text)
{
	return at && RTA_PAYLOAD(at) > strlen(text) && !strcmp(RTA_DATA(at), text);
}

/* A veth without a queue whose other end is elsewhere? */
static bool link_fits(const struct ifinfomsg *link, unsigned int left)
{
	const struct rtattr *all = IFLA_RTA(link);
	const struct rtattr *info = find(all, left, IFLA_LINKINFO);

	return info &&
	       is_text(find(RTA_DATA(info), RTA_PAYLOAD(info), IFLA_INFO_KIND),
		       "veth") &&
	       find(all, left, IFLA_LINK_NETNSID) &&
	       is_text(find(all, left, IFLA_QDISC), "noqueue");
}

static bool link_asked(uint32_t ifindex)
{
	auto_fd int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	struct {
		struct nlmsghdr head;
		struct ifinfomsg link;
	} ask = {
		.head =
			{
				.nlmsg_len = sizeof(ask),
				.nlmsg_type = RTM_GETLINK,
				.nlmsg_flags = NLM_F_REQUEST,
			},
		.link = {.ifi_index = ifindex},
	};
	char buf[16384] __attribute__((aligned(NLMSG_ALIGNTO)));
	const struct nlmsghdr *m = (struct nlmsghdr *)buf;
	ssize_t got;

	if (fd < 0 || send(fd, &ask, sizeof(ask), 0) < 0)
		return false;
	got = recv(fd, buf, sizeof(buf), 0);
	return got > 0 && NLMSG_OK(m, (size_t)got) && m->nlmsg_type == RTM_NEWLINK &&
	       link_fits(NLMSG_DATA(m), IFLA_PAYLOAD(m));
}

static bool has_egress_programs(uint32_t ifindex)
{
	uint32_t count = 0;
	int both, in;

	if (!bpf_prog_query(ifindex, ATTACH_TCX_EGRESS, 0, NULL, NULL, &count) && count)
		return true;
	both = clsact_filters(ifindex, true);
	in = clsact_filters(ifindex, false);
	return both < 0 || in < 0 || both > in;
}

bool peer_is_direct(uint32_t ifindex)
{
	return link_asked(ifindex) && !has_egress_programs(ifindex);
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "dp/clsact.h"

#include <errno.h>
#include <net/if.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>

#include <bpf/libbpf.h>

#include "base/mem.h"

/* First in line; the handle tells ours from others of that priority. */
#define CLSACT_PRIORITY 1u
#define CLSACT_HANDLE 0x7765u

/* The size ends with the last field: libbpf refuses what is not zero behind it,
 * and gcc 12 does not keep zeroes in padding. */
static void hook_init(struct bpf_tc_hook *hook, uint32_t ifindex)
{
	memset(hook, 0, sizeof(*hook));
	hook->sz = offsetof(struct bpf_tc_hook, parent) + sizeof(hook->parent);
	hook->ifindex = ifindex;
	hook->attach_point = BPF_TC_INGRESS;
}

static int say(uint32_t ifindex, int r, const char *what, struct err *err)
{
	char name[IF_NAMESIZE] = "?";

	if_indextoname(ifindex, name);
	if (r == -EPERM)
		err_set(err, r, "%s: not permitted: CAP_NET_ADMIN missing", what);
	else
		err_set(err, r, "%s: %s", what, strerror(-r));
	return err_where(err, "%s", name);
}

static void destroy_qdisc(uint32_t ifindex)
{
	struct bpf_tc_hook hook;

	hook_init(&hook, ifindex);
	/* Both directions together mean the qdisc itself. */
	hook.attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS;
	bpf_tc_hook_destroy(&hook);
}

/* Of a dump of filters or qdiscs, those that count: each chain of filters begins with
 * an entry without a handle; qdiscs of all interfaces come. */
static bool counts(const struct nlmsghdr *m, const struct tcmsg *ask)
{
	const struct tcmsg *tc = NLMSG_DATA(m);

	if (m->nlmsg_type == RTM_NEWTFILTER)
		return tc->tcm_handle;
	return m->nlmsg_type == RTM_NEWQDISC && tc->tcm_ifindex == ask->tcm_ifindex &&
	       tc->tcm_parent == TC_H_CLSACT;
}

/* Asks for all filters below `parent`, or for qdiscs; libbpf only knows how to ask
 * for one filter. */
static int count(int fd, uint16_t type, uint32_t ifindex, uint32_t parent)
{
	struct {
		struct nlmsghdr head;
		struct tcmsg tc;
	} ask = {
		.head =
			{
				.nlmsg_len = sizeof(ask),
				.nlmsg_type = type,
				.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
			},
		.tc =
			{
				.tcm_family = AF_UNSPEC,
				.tcm_ifindex = ifindex,
				.tcm_parent = parent,
			},
	};
	char buf[32768] __attribute__((aligned(NLMSG_ALIGNTO)));
	int found = 0;

	if (send(fd, &ask, sizeof(ask), 0) < 0)
		return -errno;
	for (;;) {
		ssize_t got = recv(fd, buf, sizeof(buf), 0);
		unsigned int left = got;
		struct nlmsghdr *m;

		if (got < 0)
			return -errno;
		for (m = (struct nlmsghdr *)buf; NLMSG_OK(m, left);
		     m = NLMSG_NEXT(m, left)) {
			if (m->nlmsg_type == NLMSG_DONE)
				return found;
			if (m->nlmsg_type == NLMSG_ERROR)
				return ((struct nlmsgerr *)NLMSG_DATA(m))->error;
			found += counts(m, &ask.tc);
		}
	}
}

/* 1, 0, or -errno. One of the older kind, "ingress", is in the same place. */
static int has_qdisc(uint32_t ifindex)
{
	auto_fd int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	return fd < 0 ? -errno : count(fd, RTM_GETQDISC, ifindex, 0);
}

int clsact_attach(uint32_t ifindex, int prog, struct weir_attachment *at,
		  int (*before)(const struct weir_attachment *at, void *arg), void *arg,
		  struct err *err)
{
	struct bpf_tc_hook hook;
	DECLARE_LIBBPF_OPTS(bpf_tc_opts, opts, .prog_fd = prog, .handle = CLSACT_HANDLE,
			    .priority = CLSACT_PRIORITY);
	int r;

	r = has_qdisc(ifindex);
	if (r < 0)
		return say(ifindex, r, "clsact qdisc", err);
	at->kind = WEIR_HOOK_CLSACT;
	at->made_qdisc = !r;
	at->handle = CLSACT_HANDLE;
	at->priority = CLSACT_PRIORITY;
	r = before(at, arg);
	if (r)
		return r;
	hook_init(&hook, ifindex);
	r = bpf_tc_hook_create(&hook);
	if (r == -EEXIST && at->made_qdisc) {
		/* Somebody was faster. */
		at->made_qdisc = 0;
		r = before(at, arg);
	} else if (r && r != -EEXIST) {
		return say(ifindex, r, "clsact qdisc", err);
	} else {
		r = 0;
	}
	if (!r) {
		r = bpf_tc_attach(&hook, &opts);
		if (r)
			say(ifindex, r, "tc filter", err);
	}
	if (r && at->made_qdisc)
		destroy_qdisc(ifindex);
	return r;
}

int clsact_replace(uint32_t ifindex, int prog, const struct weir_attachment *at,
		   struct err *err)
{
	struct bpf_tc_hook hook;
	DECLARE_LIBBPF_OPTS(bpf_tc_opts, opts, .prog_fd = prog, .handle = at->handle,
			    .priority = at->priority, .flags = BPF_TC_F_REPLACE);
	int r;

	hook_init(&hook, ifindex);
	r = bpf_tc_attach(&hook, &opts);
	return r ? say(ifindex, r, "tc filter", err) : 0;
}

int clsact_detach(uint32_t ifindex, const struct weir_attachment *at, struct err *err)
{
	struct bpf_tc_hook hook;
	DECLARE_LIBBPF_OPTS(bpf_tc_opts, opts, .handle = at->handle,
			    .priority = at->priority);
	int r;

	hook_init(&hook, ifindex);
	r = bpf_tc_detach(&hook, &opts);
	if (r && r != -ENOENT && r != -EINVAL)
		return say(ifindex, r, "tc filter", err);
	if (at->made_qdisc && clsact_filters(ifindex, true) == 0)
		destroy_qdisc(ifindex);
	return 0;
}

bool clsact_is_live(uint32_t ifindex, const struct weir_attachment *at)
{
	struct bpf_tc_hook hook;
	DECLARE_LIBBPF_OPTS(bpf_tc_opts, opts, .handle = at->handle,
			    .priority = at->priority);

	hook_init(&hook, ifindex);
	return !bpf_tc_query(&hook, &opts);
}

int clsact_filters(uint32_t ifindex, bool egress_too)
{
	auto_fd int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	int in, out = 0;

	if (fd < 0)
		return -errno;
	in = count(fd, RTM_GETTFILTER, ifindex,
		   TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS));
	if (in >= 0 && egress_too)
		out = count(fd, RTM_GETTFILTER, ifindex,
			    TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_EGRESS));
	return in < 0 ? in : out < 0 ? out : in + out;
}

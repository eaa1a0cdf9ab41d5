/* SPDX-License-Identifier: BSD-2-Clause */
#include "dp/probe.h"

#include <errno.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <linux/ethtool.h>
#include <linux/if_link.h>
#include <linux/sockios.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "base/mem.h"
#include "dp/attach.h"

#define PROGS_MAX 64

bool probe_kfunc(const char *name)
{
	struct btf *btf = btf__load_vmlinux_btf();
	bool found = btf && btf__find_by_name_kind(btf, name, BTF_KIND_FUNC) > 0;

	btf__free(btf);
	return found;
}

bool probe_tcx(void)
{
	uint32_t ids[PROGS_MAX], count = PROGS_MAX, loopback = 1;

	return attach_may_use_tcx() &&
	       !bpf_prog_query(loopback, ATTACH_TCX_INGRESS, 0, NULL, ids, &count);
}

static void add_missing(char *out, size_t size, const char *name, const char *since)
{
	size_t len = strlen(out);

	snprintf(out + len, size - len, "%s%s (%s)", len ? ", " : "", name, since);
}

void probe_missing(char *out, size_t size)
{
	static const struct {
		enum bpf_func_id id;
		const char *name, *since;
	} helpers[] = {
		{BPF_FUNC_ringbuf_reserve, "bpf_ringbuf_reserve", "5.8"},
		{BPF_FUNC_redirect_neigh, "bpf_redirect_neigh", "5.10"},
		{BPF_FUNC_redirect_peer, "bpf_redirect_peer", "5.10"},
		{BPF_FUNC_check_mtu, "bpf_check_mtu", "5.12"},
		{BPF_FUNC_loop, "bpf_loop", "5.17"},
	};
	size_t i;

	*out = '\0';
	for (i = 0; i < sizeof(helpers) / sizeof(helpers[0]); i++)
		if (!libbpf_probe_bpf_helper(BPF_PROG_TYPE_SCHED_CLS, helpers[i].id,
					     NULL))
			add_missing(out, size, helpers[i].name, helpers[i].since);
	if (!libbpf_probe_bpf_map_type(BPF_MAP_TYPE_RINGBUF, NULL))
		add_missing(out, size, "ring buffers", "5.8");
}

uint32_t probe_prog_id(int fd)
{
	struct bpf_prog_info info = {};
	uint32_t len = sizeof(info);

	return bpf_obj_get_info_by_fd(fd, &info, &len) ? 0 : info.id;
}

static int add_program(const char *hook, uint32_t id, struct probe_progs *out)
{
	auto_fd int fd = bpf_prog_get_fd_by_id(id);
	struct probe_prog *p = vec_push(out);
	struct bpf_prog_info info = {};
	uint32_t len = sizeof(info);

	if (!p)
		return -ENOMEM;
	*p = (struct probe_prog){.hook = hook, .id = id};
	/* One that is gone by now keeps its number only. */
	if (fd >= 0 && !bpf_obj_get_info_by_fd(fd, &info, &len))
		snprintf(p->name, sizeof(p->name), "%s", info.name);
	return 0;
}

int probe_programs(uint32_t ifindex, struct probe_progs *out)
{
	uint32_t ids[PROGS_MAX], count = PROGS_MAX, xdp = 0, i;
	int r = 0;

	if (bpf_prog_query(ifindex, ATTACH_TCX_INGRESS, 0, NULL, ids, &count))
		count = 0;
	for (i = 0; !r && i < count; i++)
		r = add_program("tcx", ids[i], out);
	if (!r && !bpf_xdp_query_id(ifindex, 0, &xdp) && xdp)
		r = add_program("xdp", xdp, out);
	return r;
}

/* One number in a file below /proc/sys/net, of this network namespace. */
static int read_sysctl(const char *family, const char *name)
{
	auto_file FILE *f = NULL;
	char path[64 + IF_NAMESIZE];
	int value;

	snprintf(path, sizeof(path), "/proc/sys/net/%s/conf/%s/forwarding", family,
		 name);
	f = fopen(path, "re");
	return f && fscanf(f, "%d", &value) == 1 ? value : -1;
}

int probe_iface(const char *name, struct probe_iface *out)
{
	struct ethtool_value flags = {.cmd = ETHTOOL_GFLAGS};
	auto_fd int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq ask = {};

	if (fd < 0)
		return -errno;
	snprintf(ask.ifr_name, sizeof(ask.ifr_name), "%s", name);
	if (ioctl(fd, SIOCGIFFLAGS, &ask))
		return -errno;
	*out = (struct probe_iface){.up = ask.ifr_flags & IFF_UP};
	if (ioctl(fd, SIOCGIFHWADDR, &ask))
		return -errno;
	out->ethernet = ask.ifr_hwaddr.sa_family == ARPHRD_ETHER ||
			ask.ifr_hwaddr.sa_family == ARPHRD_LOOPBACK;
	ask.ifr_data = (void *)&flags;
	out->lro = !ioctl(fd, SIOCETHTOOL, &ask) && flags.data & ETH_FLAG_LRO;
	out->forward4 = read_sysctl("ipv4", name);
	out->forward6 = read_sysctl("ipv6", name);
	return 0;
}

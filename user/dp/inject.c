/* SPDX-License-Identifier: BSD-2-Clause */
#include "dp/inject.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/ethernet.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>

#include <linux/pkt_cls.h>

#include <bpf/bpf.h>

#include "base/addr.h"
#include "base/mem.h"
#include "dp/dp.h"

#define FRAME_MAX 65536u

int injector_open(struct injector *in, const struct dp *dp, struct err *err)
{
	*in = (struct injector){.dp = dp, .raw = -1, .raw6 = -1};
	in->out = malloc(FRAME_MAX);
	if (!in->out)
		return err_set(err, -ENOMEM, "out of memory");
	in->raw = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
	/* the header is ours in either family */
	in->raw6 = socket(AF_INET6, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
	if (in->raw < 0 || (in->raw6 < 0 && errno != EAFNOSUPPORT)) {
		int code = -errno;

		injector_close(in);
		return err_set(err, code, "raw socket: %s", strerror(-code));
	}
	return 0;
}

void injector_close(struct injector *in)
{
	mem_close_fd(&in->raw);
	mem_close_fd(&in->raw6);
	in->raw = in->raw6 = -1;
	free(in->out);
	in->out = NULL;
}

/* ---- the bytes ---- */

struct frame {
	struct ethhdr eth;
	union {
		struct {
			struct iphdr ip;
			struct tcphdr tcp;
		} v4;
		struct {
			struct ip6_hdr ip;
			struct tcphdr tcp;
		} v6;
	};
} __attribute__((packed));

static uint32_t sum_words(const void *data, size_t len, uint32_t sum)
{
	const uint8_t *p = data;
	size_t i;

	for (i = 0; i + 1 < len; i += 2)
		sum += (uint32_t)p[i] << 8 | p[i + 1];
	return sum;
}

static uint16_t sum_finish(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons(~sum & 0xffff);
}

static void make_tcp(const struct segment *s, struct tcphdr *tcp)
{
	uint32_t pseudo = IPPROTO_TCP + sizeof(*tcp);

	tcp->source = s->tuple.sport;
	tcp->dest = s->tuple.dport;
	tcp->seq = htonl(s->seq);
	tcp->ack_seq = htonl(s->ack);
	tcp->doff = sizeof(*tcp) / 4;
	tcp->fin = !!(s->flags & SEGMENT_FIN);
	tcp->rst = !!(s->flags & SEGMENT_RST);
	tcp->ack = !!(s->flags & SEGMENT_ACK);
	/* mapped IPv4 addresses: the 0xffff mark adds nothing */
	pseudo = sum_words(&s->tuple.src, 2 * sizeof(s->tuple.src), pseudo);
	tcp->check = sum_finish(sum_words(tcp, sizeof(*tcp), pseudo));
}

/* Returns the bytes of the frame. */
static size_t make_frame(const struct segment *s, struct frame *out)
{
	struct tcphdr tcp = {};

	memset(out, 0, sizeof(*out));
	make_tcp(s, &tcp);
	if (!addr_is_v4(&s->tuple.src)) {
		out->eth.h_proto = htons(ETH_P_IPV6);
		out->v6.ip.ip6_flow = htonl(6u << 28);
		out->v6.ip.ip6_plen = htons(sizeof(tcp));
		out->v6.ip.ip6_nxt = IPPROTO_TCP;
		out->v6.ip.ip6_hlim = 64;
		memcpy(&out->v6.ip.ip6_src, &s->tuple.src, sizeof(s->tuple.src));
		memcpy(&out->v6.ip.ip6_dst, &s->tuple.dst, sizeof(s->tuple.dst));
		out->v6.tcp = tcp;
		return sizeof(out->eth) + sizeof(out->v6);
	}
	out->eth.h_proto = htons(ETH_P_IP);
	out->v4.ip.version = 4;
	out->v4.ip.ihl = sizeof(out->v4.ip) / 4;
	out->v4.ip.tot_len = htons(sizeof(out->v4));
	out->v4.ip.ttl = 64;
	out->v4.ip.protocol = IPPROTO_TCP;
	out->v4.ip.saddr = s->tuple.src.w[3];
	out->v4.ip.daddr = s->tuple.dst.w[3];
	out->v4.ip.check = sum_finish(sum_words(&out->v4.ip, sizeof(out->v4.ip), 0));
	out->v4.tcp = tcp;
	return sizeof(out->eth) + sizeof(out->v4);
}

/* ---- the ways ---- */

/* To where the IP header says. What is no whole IP packet goes nowhere. */
static int send_packet(const struct injector *in, const char *frame, size_t len,
		       struct err *err)
{
	const char *ip = frame + ETH_HLEN;
	struct weir_addr to;
	struct sockaddr_storage sa;
	socklen_t sa_len;
	bool v6 = len > ETH_HLEN && (ip[0] & 0xf0) == 0x60;

	if (len < ETH_HLEN + (v6 ? sizeof(struct ip6_hdr) : sizeof(struct iphdr)))
		return 0;
	if (v6) {
		memcpy(&to, ip + offsetof(struct ip6_hdr, ip6_dst), sizeof(to));
	} else {
		__be32 v4;

		memcpy(&v4, ip + offsetof(struct iphdr, daddr), sizeof(v4));
		addr_from_v4(v4, &to);
	}
	sa_len = addr_to_sockaddr(&to, 0, &sa);
	if (sendto(v6 ? in->raw6 : in->raw, ip, len - ETH_HLEN, 0,
		   (struct sockaddr *)&sa, sa_len) < 0)
		return err_set(err, -errno, "a segment cannot be sent: %s",
			       strerror(errno));
	return 0;
}

int inject_run(struct injector *in, const struct segment *s, uint32_t ifindex,
	       uint32_t mark, struct err *err)
{
	struct __sk_buff ctx = {
		.ifindex = ifindex, .ingress_ifindex = ifindex, .mark = mark};
	struct frame frame;
	DECLARE_LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = &frame,
			    .data_size_in = make_frame(s, &frame), .data_out = in->out,
			    .data_size_out = FRAME_MAX, .ctx_in = &ctx,
			    .ctx_size_in = sizeof(ctx), .repeat = 1);

	if (bpf_prog_test_run_opts(in->dp->prog, &run))
		return err_set(err, -errno, "a segment cannot be run: %s",
			       strerror(errno));
	if (run.retval != TC_ACT_REDIRECT)
		return 0;
	return send_packet(in, in->out, run.data_size_out, err);
}

int inject_send(struct injector *in, const struct segment *s, struct err *err)
{
	struct frame frame;
	size_t len = make_frame(s, &frame);

	return send_packet(in, (const char *)&frame, len, err);
}

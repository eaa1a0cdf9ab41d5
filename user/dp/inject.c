/* SPDX-License-Identifier: BSD-2-Clause */
#include "dp/inject.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/ethernet.h>
#include <netinet/in.h>
#include <netinet/ip.h>
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
	*in = (struct injector){.dp = dp, .raw = -1};
	in->out = malloc(FRAME_MAX);
	if (!in->out)
		return err_set(err, -ENOMEM, "out of memory");
	in->raw = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
	if (in->raw < 0) {
		int code = -errno;

		injector_close(in);
		return err_set(err, code, "raw socket: %s", strerror(-code));
	}
	return 0;
}

void injector_close(struct injector *in)
{
	mem_close_fd(&in->raw);
	in->raw = -1;
	free(in->out);
	in->out = NULL;
}

/* ---- the bytes ---- */

struct frame {
	struct ethhdr eth;
	struct iphdr ip;
	struct tcphdr tcp;
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

static void make_frame(const struct segment *s, struct frame *out)
{
	uint32_t pseudo;

	memset(out, 0, sizeof(*out));
	out->eth.h_proto = htons(ETH_P_IP);
	out->ip.version = 4;
	out->ip.ihl = sizeof(out->ip) / 4;
	out->ip.tot_len = htons(sizeof(out->ip) + sizeof(out->tcp));
	out->ip.ttl = 64;
	out->ip.protocol = IPPROTO_TCP;
	out->ip.saddr = s->tuple.src.w[3];
	out->ip.daddr = s->tuple.dst.w[3];
	out->ip.check = sum_finish(sum_words(&out->ip, sizeof(out->ip), 0));
	out->tcp.source = s->tuple.sport;
	out->tcp.dest = s->tuple.dport;
	out->tcp.seq = htonl(s->seq);
	out->tcp.ack_seq = htonl(s->ack);
	out->tcp.doff = sizeof(out->tcp) / 4;
	out->tcp.fin = !!(s->flags & SEGMENT_FIN);
	out->tcp.rst = !!(s->flags & SEGMENT_RST);
	out->tcp.ack = !!(s->flags & SEGMENT_ACK);
	pseudo = sum_words(&out->ip.saddr, 2 * sizeof(out->ip.saddr), 0);
	pseudo += IPPROTO_TCP + sizeof(out->tcp);
	out->tcp.check = sum_finish(sum_words(&out->tcp, sizeof(out->tcp), pseudo));
}

/* ---- the ways ---- */

static int send_packet(int raw, const char *frame, size_t len, struct err *err)
{
	struct sockaddr_in to = {.sin_family = AF_INET};
	struct iphdr ip;

	if (len < ETH_HLEN + sizeof(ip))
		return 0;
	memcpy(&ip, frame + ETH_HLEN, sizeof(ip));
	to.sin_addr.s_addr = ip.daddr;
	if (ip.version == 4 && sendto(raw, frame + ETH_HLEN, len - ETH_HLEN, 0,
				      (struct sockaddr *)&to, sizeof(to)) < 0)
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
			    .data_size_in = sizeof(frame), .data_out = in->out,
			    .data_size_out = FRAME_MAX, .ctx_in = &ctx,
			    .ctx_size_in = sizeof(ctx), .repeat = 1);

	if (!addr_is_v4(&s->tuple.src))
		return -EAFNOSUPPORT;
	make_frame(s, &frame);
	if (bpf_prog_test_run_opts(in->dp->prog, &run))
		return err_set(err, -errno, "a segment cannot be run: %s",
			       strerror(errno));
	if (run.retval != TC_ACT_REDIRECT)
		return 0;
	return send_packet(in->raw, in->out, run.data_size_out, err);
}

int inject_send(struct injector *in, const struct segment *s, struct err *err)
{
	struct frame frame;

	if (!addr_is_v4(&s->tuple.src))
		return -EAFNOSUPPORT;
	make_frame(s, &frame);
	return send_packet(in->raw, (const char *)&frame, sizeof(frame), err);
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "dp/silent.h"

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

#include <weir/config.h>
#include <weir/flow.h>

#include "base/addr.h"
#include "base/mem.h"
#include "base/vec.h"
#include "dp/dp.h"
#include "dp/mapio.h"

#define SECOND 1000000000ull
#define FRAME_MAX 65536u

struct silent {
	struct weir_tuple key;
	struct weir_leg leg;
};

struct silents vec_of(struct silent);

struct looking {
	uint64_t now_ns;
	struct silents found;
};

static int look_at_leg(const void *key, const void *value, void *arg)
{
	const struct weir_leg *leg = value;
	struct looking *l = arg;
	struct silent *s;

	if (leg->state != WEIR_LEG_CONNECT || leg->syn_ns >= l->now_ns ||
	    l->now_ns - leg->syn_ns < SILENT_S * SECOND)
		return 0;
	s = vec_push(&l->found);
	if (!s)
		return -ENOMEM;
	memcpy(&s->key, key, sizeof(s->key));
	memcpy(&s->leg, leg, sizeof(s->leg));
	return 0;
}

/* ---- the endpoint's RST ---- */

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

/* What an endpoint without a listener answers to our SYN (RFC 9293, 3.10.7.1). */
static void make_reset(const struct weir_tuple *leg, uint32_t isn, struct frame *out)
{
	uint32_t pseudo = 0;

	memset(out, 0, sizeof(*out));
	out->eth.h_proto = htons(ETH_P_IP);
	out->ip.version = 4;
	out->ip.ihl = sizeof(out->ip) / 4;
	out->ip.tot_len = htons(sizeof(out->ip) + sizeof(out->tcp));
	out->ip.ttl = 64;
	out->ip.protocol = IPPROTO_TCP;
	out->ip.saddr = leg->src.w[3];
	out->ip.daddr = leg->dst.w[3];
	out->ip.check = sum_finish(sum_words(&out->ip, sizeof(out->ip), 0));
	out->tcp.source = leg->sport;
	out->tcp.dest = leg->dport;
	out->tcp.ack_seq = htonl(isn + 1);
	out->tcp.doff = sizeof(out->tcp) / 4;
	out->tcp.rst = 1;
	out->tcp.ack = 1;
	pseudo = sum_words(&out->ip.saddr, 2 * sizeof(out->ip.saddr), 0);
	pseudo += IPPROTO_TCP + sizeof(out->tcp);
	out->tcp.check = sum_finish(sum_words(&out->tcp, sizeof(out->tcp), pseudo));
}

/* ---- what the program makes of it ---- */

/* The packet goes by the node's own routes: its source is ours already. */
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
		return err_set(err, -errno, "a packet of a silent endpoint's flow: %s",
			       strerror(errno));
	return 0;
}

static int give_up(const struct dp *dp, int raw, const struct silent *s, void *buf,
		   struct err *err)
{
	struct __sk_buff ctx = {.ifindex = s->leg.to_client.ifindex,
				.ingress_ifindex = s->leg.to_client.ifindex,
				.mark = WEIR_MARK_SILENT};
	struct frame frame;
	struct weir_flow flow;
	DECLARE_LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = &frame,
			    .data_size_in = sizeof(frame), .data_out = buf,
			    .data_size_out = FRAME_MAX, .ctx_in = &ctx,
			    .ctx_size_in = sizeof(ctx), .repeat = 1);

	if (bpf_map_lookup_elem(dp->map[DP_MAP_flows], &s->leg.client, &flow) ||
	    flow.state != WEIR_FLOW_CONNECT ||
	    memcmp(&flow.leg, &s->key, sizeof(s->key)))
		return 0;
	if (!addr_is_v4(&s->key.src))
		return 0;
	make_reset(&s->key, flow.isn, &frame);
	if (bpf_prog_test_run_opts(dp->prog, &run))
		return err_set(err, -errno, "a silent endpoint's flow: %s",
			       strerror(errno));
	if (run.retval != TC_ACT_REDIRECT)
		return 0;
	return send_packet(raw, buf, run.data_size_out, err);
}

int silent_give_up(const struct dp *dp, uint64_t now_ns, uint32_t *count,
		   struct err *err)
{
	struct looking l = {.now_ns = now_ns};
	auto_free void *buf = NULL;
	auto_fd int raw = -1;
	size_t i;
	int r = map_each(dp->map[DP_MAP_legs], look_at_leg, &l, err);

	*count = l.found.len;
	if (!r && l.found.len) {
		buf = malloc(FRAME_MAX);
		raw = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
		if (!buf || raw < 0)
			r = err_set(err, -errno, "raw socket: %s", strerror(errno));
	}
	/* One that fails does not keep the others waiting. */
	for (i = 0; !r && i < l.found.len; i++)
		give_up(dp, raw, &l.found.item[i], buf, err);
	vec_free(&l.found);
	return r;
}

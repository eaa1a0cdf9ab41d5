/* SPDX-License-Identifier: BSD-2-Clause */
#include "bench_maps.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/pkt_cls.h>
#include <linux/virtio_net.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "weir.skel.h"

#include "base/mem.h"

#define OUT_MAX 128
#define SUITES_MAX 32
#define WAIT_MS 2000

struct frame {
	enum side side;
	uint32_t len;
	uint8_t *bytes;
};

static struct bench {
	struct bench_mode mode;
	struct weir_bpf *skel;
	int ifindex[2]; /* weir's devices */
	int peer[2];	/* packet sockets on the other ends */
	int cpus;
	struct frame out[OUT_MAX];
	uint32_t out_count;
	int action;  /* of the last BPF_PROG_TEST_RUN */
	uint32_t ns; /* of each of its runs */
	uint64_t before[WEIR_OUTCOME_COUNT];
} b;

static const uint8_t mac_weir[2][6] = {{2, 0, 0, 0, 1, 1}, {2, 0, 0, 0, 2, 1}};
static const uint8_t mac_client[6] = {2, 0, 0, 0, 1, 10};
/* the last byte is that of the address */
static const uint8_t mac_endpoint[6] = {2, 0, 0, 0, 2, 11};

const struct bench_mode *bench_mode(void)
{
	return &b.mode;
}

uint16_t bench_path_mss(void)
{
	return b.mode.v6 ? 1428 : 1448;
}

int bench_map(const char *name)
{
	return bpf_object__find_map_fd_by_name(b.skel->obj, name);
}

void bench_need(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "bench: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* ---- devices ---- */

static void shell(const char *command)
{
	bench_need(!system(command), command);
}

static void sysctl_put(const char *path, const char *value)
{
	FILE *f = fopen(path, "w");

	if (f) {
		fputs(value, f);
		fclose(f);
	}
}

/* Frames of this family from now on. */
static void packet_bind(int fd, const char *dev, uint16_t protocol)
{
	struct sockaddr_ll at = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(protocol),
		.sll_ifindex = if_nametoindex(dev),
	};

	bench_need(!bind(fd, (struct sockaddr *)&at, sizeof(at)), dev);
}

static int packet_socket(const char *dev)
{
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(ETH_P_IP)), one = 1;
	int room = 4 << 20;

	bench_need(fd >= 0, "packet socket");
	bench_need(!setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &one, sizeof(one)),
		   "PACKET_VNET_HDR");
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room));
	packet_bind(fd, dev, ETH_P_IP);
	return fd;
}

/* What a stack says by itself on a device with IPv6: neighbour discovery, MLD. */
static bool is_chatter(const uint8_t *frame)
{
	const uint8_t *l4 = frame + 54;
	uint8_t next = frame[20];

	if (!next) {
		next = l4[0];
		l4 += 8;
	}
	return frame[12] == 0x86 && next == 58 && l4[0] >= 128;
}

static bool has_ipv6(void)
{
	return !access("/proc/sys/net/ipv6", F_OK);
}

static void devices_ipv6(void)
{
	shell("for i in cli srv; do d=/proc/sys/net/ipv6/conf/$i;"
	      "echo 0 >${d}0/accept_dad && echo 0 >${d}0/accept_ra &&"
	      "echo 0 >${d}0/disable_ipv6 || exit 1; done;"
	      "ip addr add fd00:77::10.0.1.1/120 dev cli0 nodad &&"
	      "ip addr add fd00:77::10.0.2.1/120 dev srv0 nodad &&"
	      "ip neigh add fd00:77::10.0.1.10 lladdr 02:00:00:00:01:0a dev cli0 &&"
	      "ip neigh add fd00:77::10.0.2.11 lladdr 02:00:00:00:02:0b dev srv0 &&"
	      "ip neigh add fd00:77::10.0.2.12 lladdr 02:00:00:00:02:0c dev srv0 &&"
	      "ip neigh add fd00:77::10.0.2.13 lladdr 02:00:00:00:02:0d dev srv0");
	sysctl_put("/proc/sys/net/ipv6/conf/all/forwarding", "1");
}

/* In a namespace of this process's own. Neighbours are fixed, so that no ARP is
 * needed and nothing but weir speaks on the devices. */
static void devices_make(void)
{
	bench_need(!unshare(CLONE_NEWNET), "network namespace");
	sysctl_put("/proc/sys/net/ipv6/conf/all/disable_ipv6", "1");
	sysctl_put("/proc/sys/net/ipv6/conf/default/disable_ipv6", "1");
	shell("ip link set lo up &&"
	      "ip link add cli0 address 02:00:00:00:01:01 type veth peer name cli1 &&"
	      "ip link add srv0 address 02:00:00:00:02:01 type veth peer name srv1 &&"
	      "for i in cli1 srv1 cli0 srv0; do ip link set $i up; done &&"
	      "ip addr add 10.0.1.1/24 dev cli0 && ip addr add 10.0.2.1/24 dev srv0 &&"
	      "ip neigh add 10.0.1.10 lladdr 02:00:00:00:01:0a dev cli0 &&"
	      "ip neigh add 10.0.2.11 lladdr 02:00:00:00:02:0b dev srv0 &&"
	      "ip neigh add 10.0.2.12 lladdr 02:00:00:00:02:0c dev srv0 &&"
	      "ip neigh add 10.0.2.13 lladdr 02:00:00:00:02:0d dev srv0");
	sysctl_put("/proc/sys/net/ipv4/ip_forward", "1");
	if (has_ipv6())
		devices_ipv6();
	b.ifindex[CLIENT] = if_nametoindex("cli0");
	b.ifindex[ENDPOINT] = if_nametoindex("srv0");
	shell("tc qdisc add dev cli0 clsact && tc qdisc add dev srv0 clsact");
	b.peer[CLIENT] = packet_socket("cli1");
	b.peer[ENDPOINT] = packet_socket("srv1");
}

/* clsact, which every kernel has */
static void devices_attach(void)
{
	DECLARE_LIBBPF_OPTS(bpf_tc_opts, opts, .handle = 1, .priority = 1,
			    .prog_fd = bpf_program__fd(b.skel->progs.weir_tc));
	int i;

	for (i = 0; i < 2; i++) {
		DECLARE_LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = b.ifindex[i],
				    .attach_point = BPF_TC_INGRESS);
		struct bpf_tc_opts o = opts;

		o.flags = BPF_TC_F_REPLACE;
		bench_need(!bpf_tc_attach(&hook, &o), "tc attach");
	}
}

int bench_fresh(void **state)
{
	maps_fresh();
	while (b.out_count)
		free(b.out[--b.out_count].bytes);
	return 0;
}

int bench_done(void **state)
{
	int bad = maps_check();

	if (b.out_count) {
		fputs("bench: frames that nobody expected\n", stderr);
		bad = 1;
	}
	return bad;
}

/* ---- packets ---- */

static void counters_read(uint64_t out[WEIR_OUTCOME_COUNT])
{
	auto_free uint64_t *each = calloc(b.cpus * WEIR_OUTCOME_COUNT, sizeof(*each));
	uint32_t key[WEIR_OUTCOME_COUNT], n = WEIR_OUTCOME_COUNT, next, i;
	int fd = bench_map("counters"), c;

	if (bpf_map_lookup_batch(fd, NULL, &next, key, each, &n, NULL))
		bench_need(errno == ENOENT, "counters");
	memset(out, 0, WEIR_OUTCOME_COUNT * sizeof(*out));
	for (i = 0; i < n; i++)
		for (c = 0; c < b.cpus; c++)
			out[key[i]] += each[i * b.cpus + c];
}

/* Completes a checksum that was left to the device. */
static void checksum_finish(uint8_t *p, uint32_t len, uint32_t start, uint32_t off)
{
	uint32_t sum = 0, i;

	for (i = start; i < len; i++)
		sum += (i - start) & 1 ? p[i] : p[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	sum = ~sum;
	p[start + off] = sum >> 8;
	p[start + off + 1] = sum;
}

static void out_add(enum side side, const uint8_t *bytes, uint32_t len)
{
	struct frame *f;

	if (b.out_count == OUT_MAX)
		return;
	f = &b.out[b.out_count++];
	f->side = side;
	f->len = len;
	f->bytes = malloc(len);
	memcpy(f->bytes, bytes, len);
}

/* What has arrived at the other ends of the devices. */
static void peers_read(void)
{
	static uint8_t buf[sizeof(struct virtio_net_hdr) + FRAME_MAX];
	struct virtio_net_hdr *v = (void *)buf;
	uint8_t *frame = buf + sizeof(*v);
	ssize_t n;
	int i;

	for (i = 0; i < 2; i++) {
		while ((n = recv(b.peer[i], buf, sizeof(buf), MSG_DONTWAIT)) > 0) {
			n -= sizeof(*v);
			if (v->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM)
				checksum_finish(frame, n, v->csum_start,
						v->csum_offset);
			if (!is_chatter(frame))
				out_add(i, frame, n);
		}
	}
}

static bool peers_wait(int ms)
{
	struct pollfd p[2] = {{b.peer[0], POLLIN, 0}, {b.peer[1], POLLIN, 0}};

	return poll(p, 2, ms) > 0;
}

static int test_run(const uint8_t *frame, size_t len, const struct segment *s,
		    uint32_t repeat, uint8_t *out, uint32_t *out_len)
{
	struct __sk_buff skb = {.ifindex = b.ifindex[s->side]};
	DECLARE_LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame,
			    .data_size_in = len, .data_out = out,
			    .data_size_out = FRAME_MAX, .ctx_in = &skb,
			    .ctx_size_in = sizeof(skb), .repeat = repeat);

	skb.gso_size = s->gso_size;
	bench_need(
		!bpf_prog_test_run_opts(bpf_program__fd(b.skel->progs.weir_tc), &opts),
		"BPF_PROG_TEST_RUN");
	*out_len = opts.data_size_out;
	b.ns = opts.duration;
	return opts.retval;
}

int bench_try(const struct segment *s, struct segment *out, uint8_t *frame)
{
	size_t len = segment_build(s, frame);
	uint32_t out_len;
	int action = test_run(frame, len, s, 1, frame, &out_len);

	if (out)
		segment_parse(frame, out_len, out);
	return action;
}

uint32_t bench_ns(const struct segment *s, uint32_t repeat)
{
	static uint8_t frame[FRAME_MAX], out[FRAME_MAX];
	size_t len = segment_build(s, frame);
	uint32_t out_len;

	test_run(frame, len, s, repeat, out, &out_len);
	return b.ns;
}

static void wire_send(uint8_t *frame, size_t len, const struct segment *s)
{
	static uint8_t buf[sizeof(struct virtio_net_hdr) + FRAME_MAX];
	struct virtio_net_hdr v = {};
	uint32_t l4 = segment_l4(s);

	if ((b.mode.partial && !s->wrong) || s->gso_size) {
		uint32_t sum = 6 + (20 + s->opts_len + s->len), i;

		for (i = s->v6 ? 22 : 26; i < (s->v6 ? 54u : 34u); i += 2)
			sum += frame[i] << 8 | frame[i + 1];
		while (sum >> 16)
			sum = (sum & 0xffff) + (sum >> 16);
		frame[l4 + 16] = sum >> 8;
		frame[l4 + 17] = sum;
		v.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
		v.csum_start = l4;
		v.csum_offset = 16;
	}
	if (s->gso_size) {
		v.gso_type =
			s->v6 ? VIRTIO_NET_HDR_GSO_TCPV6 : VIRTIO_NET_HDR_GSO_TCPV4;
		v.gso_size = s->gso_size;
		v.hdr_len = l4 + 20 + s->opts_len;
	}
	memcpy(buf, &v, sizeof(v));
	memcpy(buf + sizeof(v), frame, len);
	bench_need(send(b.peer[s->side], buf, sizeof(v) + len, 0) > 0, "send");
}

/* Every packet is counted; what it leads to follows at once. */
static void wire_settle(void)
{
	uint64_t now[WEIR_OUTCOME_COUNT];
	int i;

	for (i = 0; i < WAIT_MS; i++) {
		counters_read(now);
		if (memcmp(now, b.before, sizeof(now)))
			break;
		peers_wait(1);
	}
	peers_read();
}

static void frame_send(uint8_t *frame, size_t len, const struct segment *s,
		       const char *file, int line)
{
	static uint8_t out[FRAME_MAX];
	uint32_t out_len = 0;

	if (b.out_count) {
		struct frame *f = &b.out[0];

		segment_print("unexpected", f->bytes, f->len);
		bench_fail_at(file, line,
			      "the packet before led to more than expected");
	}
	counters_read(b.before);
	if (b.mode.wire) {
		b.action = -1;
		wire_send(frame, len, s);
		wire_settle();
		return;
	}
	b.action = test_run(frame, len, s, 1, out, &out_len);
	peers_read();
	if (b.action == TC_ACT_REDIRECT)
		out_add(memcmp(out, mac_client, 6) ? ENDPOINT : CLIENT, out, out_len);
}

void bench_send_at(const struct segment *s, const char *file, int line)
{
	static uint8_t frame[FRAME_MAX];
	size_t len = segment_build(s, frame);

	frame_send(frame, len, s, file, line);
}

void bench_send_frame_at(enum side side, uint8_t *frame, size_t len, const char *file,
			 int line)
{
	/* whatever its checksum is, it is finished */
	struct segment s = {.side = side, .wrong = 1};

	frame_send(frame, len, &s, file, line);
}

#define NAME_ROW(id, name, text) name,
static const char *const outcome_names[] = {WEIR_OUTCOMES(NAME_ROW)};
#undef NAME_ROW

/* How the last packet was counted. */
static void print_counted(void)
{
	uint64_t now[WEIR_OUTCOME_COUNT];
	uint32_t i;

	counters_read(now);
	fputs("counted:", stderr);
	for (i = 0; i < WEIR_OUTCOME_COUNT; i++)
		if (now[i] != b.before[i])
			fprintf(stderr, " %s", outcome_names[i]);
	fputc('\n', stderr);
}

void bench_fail_at(const char *file, int line, const char *what)
{
	print_counted();
	fprintf(stderr, "%s\n", what);
	_fail(file, line);
}

#define EITHER (-1)

/* The first frame that came out on a side: the order of frames on different
 * devices is not known. To be freed by the caller. */
static struct frame next_out(int side, const char *file, int line)
{
	struct frame f;
	uint32_t i, tries;

	for (tries = 0; tries < 2; tries++) {
		for (i = 0; i < b.out_count; i++) {
			if (side != EITHER && (int)b.out[i].side != side)
				continue;
			f = b.out[i];
			b.out_count--;
			memmove(&b.out[i], &b.out[i + 1],
				(b.out_count - i) * sizeof(f));
			return f;
		}
		if (!b.mode.wire || !peers_wait(WAIT_MS))
			break;
		peers_read();
	}
	if (b.out_count)
		segment_print("instead", b.out[0].bytes, b.out[0].len);
	bench_fail_at(file, line, "no frame came out");
	return (struct frame){};
}

void bench_expect_frame_at(enum side side, const uint8_t *frame, size_t len,
			   const char *file, int line)
{
	struct frame f = next_out(side, file, line);
	bool same = segment_same(frame, len, f.bytes, f.len);

	free(f.bytes);
	if (!same)
		bench_fail_at(file, line, "not the frame that was expected");
}

void bench_expect_at(const struct segment *want, const char *file, int line)
{
	static uint8_t frame[FRAME_MAX];
	size_t len = segment_build(want, frame);

	bench_expect_frame_at(want->side, frame, len, file, line);
}

void bench_take_at(struct segment *out, const char *file, int line)
{
	static uint8_t frame[FRAME_MAX];
	struct frame f = next_out(EITHER, file, line);
	bool ok;

	memcpy(frame, f.bytes, f.len);
	ok = segment_parse(frame, f.len, out) && !segment_checksum(frame, f.len);
	if (!ok)
		segment_print("got", frame, f.len);
	out->side = f.side;
	free(f.bytes);
	if (!ok)
		bench_fail_at(file, line, "not a valid TCP frame");
}

bool bench_is_quiet(void)
{
	if (b.mode.wire)
		peers_read();
	return !b.out_count;
}

void bench_nothing_at(const char *file, int line)
{
	if (bench_is_quiet())
		return;
	segment_print("unexpected", b.out[0].bytes, b.out[0].len);
	bench_fail_at(file, line, "a frame came out");
}

void bench_outcome_at(enum weir_outcome o, const char *name, const char *file, int line)
{
	uint64_t now[WEIR_OUTCOME_COUNT];

	counters_read(now);
	if (now[o] == b.before[o] + 1)
		return;
	fprintf(stderr, "%s was not counted once\n", name);
	bench_fail_at(file, line, "another outcome");
}

void bench_not_outcome_at(enum weir_outcome o, const char *name, const char *file,
			  int line)
{
	uint64_t now[WEIR_OUTCOME_COUNT];

	counters_read(now);
	if (now[o] == b.before[o])
		return;
	fprintf(stderr, "%s was counted\n", name);
	bench_fail_at(file, line, "another outcome");
}

void bench_passed_at(const char *file, int line)
{
	bench_nothing_at(file, line);
	if (!b.mode.wire && b.action != TC_ACT_UNSPEC)
		bench_fail_at(file, line, "not left to the stack");
}

struct segment bench_segment(enum side side)
{
	struct segment s = {
		.side = side, .ttl = 57, .id = 0x4242, .frag = 0x4000, .v6 = b.mode.v6};

	memcpy(s.dmac, mac_weir[side], 6);
	if (side == CLIENT) {
		memcpy(s.smac, mac_client, 6);
		s.src = CLIENT_IP;
		s.dst = LISTEN_IP;
		s.dport = LISTEN_PORT;
	} else {
		memcpy(s.smac, mac_endpoint, 6);
		s.src = ENDPOINT_IP(0);
		s.dst = SOURCE_IP;
		s.sport = ENDPOINT_PORT;
	}
	return s;
}

struct segment bench_made(enum side side, uint32_t endpoint)
{
	struct segment s = {.side = side, .ttl = 64, .frag = 0x4000, .v6 = b.mode.v6};

	memcpy(s.smac, mac_weir[side], 6);
	if (side == CLIENT) {
		memcpy(s.dmac, mac_client, 6);
		s.src = LISTEN_IP;
		s.dst = CLIENT_IP;
		s.sport = LISTEN_PORT;
	} else {
		memcpy(s.dmac, mac_endpoint, 6);
		s.dmac[5] += endpoint;
		s.src = SOURCE_IP;
		s.dst = ENDPOINT_IP(endpoint);
		s.dport = ENDPOINT_PORT;
	}
	return s;
}

/* ---- the modes ---- */

/* The verifier's log runs to megabytes: its last lines say why. */
static int on_libbpf(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	auto_free char *text = NULL;
	size_t len;

	if (level == LIBBPF_DEBUG)
		return 0;
	if (vasprintf(&text, fmt, ap) < 0) {
		text = NULL;
		return 0;
	}
	len = strlen(text);
	fputs(len > 2000 ? text + len - 2000 : text, stderr);
	return 0;
}

static void bench_load(void)
{
	b.cpus = libbpf_num_possible_cpus();
	b.skel = weir_bpf__open();
	bench_need(b.skel, "open");
	b.skel->rodata->has_cast_kfunc = b.mode.kfunc;
	b.skel->rodata->slots_stay = b.mode.kfunc ? BENCH_SLOTS / 2 : 0;
	b.skel->rodata->table_mask = maps_table_bytes() - 1;
	bpf_map__set_value_size(bpf_map__inner_map(b.skel->maps.table),
				maps_table_bytes());
	bpf_map__set_max_entries(b.skel->maps.flows, BENCH_FLOWS);
	bpf_map__set_max_entries(b.skel->maps.legs, BENCH_FLOWS);
	bpf_map__set_max_entries(b.skel->maps.heads, BENCH_SLOTS);
	bpf_map__set_max_entries(b.skel->maps.head_free, BENCH_SLOTS);
	libbpf_set_print(on_libbpf);
	bench_need(!weir_bpf__load(b.skel), "load");
}

static void bench_unload(void)
{
	if (!b.skel)
		return;
	maps_forget();
	weir_bpf__destroy(b.skel);
	b.skel = NULL;
}

/* The program is the same for all modes that agree about the kfunc. */
static void mode_enter(const struct bench_mode *mode)
{
	uint16_t family = mode->v6 ? ETH_P_IPV6 : ETH_P_IP;

	if (b.skel && b.mode.kfunc == mode->kfunc)
		maps_forget();
	else
		bench_unload();
	b.mode = *mode;
	if (!b.skel)
		bench_load();
	maps_fill();
	packet_bind(b.peer[CLIENT], "cli1", family);
	packet_bind(b.peer[ENDPOINT], "srv1", family);
	if (b.mode.wire)
		devices_attach();
}

/* Those with the same program are neighbours. */
static const struct bench_mode modes[] = {
	{.name = "run", .kfunc = true},
	{.name = "run, IPv6", .kfunc = true, .v6 = true},
	{.name = "wire", .kfunc = true, .wire = true},
	{.name = "wire, partial", .kfunc = true, .wire = true, .partial = true},
	{.name = "wire, partial, IPv6",
	 .kfunc = true,
	 .wire = true,
	 .partial = true,
	 .v6 = true},
	{.name = "run, no kfunc"},
	{.name = "wire, no kfunc", .wire = true},
	{.name = "wire, partial, no kfunc", .wire = true, .partial = true},
	{.name = "wire, IPv6, no kfunc", .wire = true, .v6 = true},
};

/* The kernel has it since 6.2. */
static bool has_kfunc(void)
{
	struct btf *btf = btf__load_vmlinux_btf();
	bool has =
		btf__find_by_name_kind(btf, "bpf_cast_to_kern_ctx", BTF_KIND_FUNC) > 0;

	btf__free(btf);
	return has;
}

static struct bench_suite suites[SUITES_MAX];
static size_t suite_count;

void bench_add(const struct bench_suite *suite)
{
	bench_need(suite_count < SUITES_MAX, "more suites than SUITES_MAX");
	suites[suite_count++] = *suite;
}

static int mode_run(const struct bench_mode *mode)
{
	const struct bench_suite *s;
	char title[128];
	int failed = 0;

	for (s = suites; s < suites + suite_count; s++) {
		if (mode->wire && !s->wire)
			continue;
		mode_enter(mode);
		snprintf(title, sizeof(title), "%s (%s)", s->name, mode->name);
		failed +=
			_cmocka_run_group_tests(title, s->tests, s->count, NULL, NULL);
	}
	return failed;
}

int bench_main(void)
{
	const char *only = getenv("WEIR_BENCH_MODE");
	bool kfunc = has_kfunc(), v6 = has_ipv6();
	int failed = 0;
	size_t i;

	if (geteuid()) {
		fprintf(stderr, "%s: needs root, skipped\n", suites[0].name);
		return 77;
	}
	devices_make();
	for (i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		const struct bench_mode *m = &modes[i];

		if ((only && strcmp(only, m->name)) || (m->kfunc && !kfunc) ||
		    (m->v6 && !v6))
			continue;
		failed += mode_run(m);
	}
	bench_unload();
	return failed ? 1 : 0;
}

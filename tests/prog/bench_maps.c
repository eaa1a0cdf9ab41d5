/* SPDX-License-Identifier: BSD-2-Clause */
/* The maps of the bench: one listener, three groups, a few rules. */
#include "bench_maps.h"

#include <arpa/inet.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "base/mem.h"
#include "dp/dp.h"
#include "dp/replies.h"
#include "dp/table.h"
#include "route/table.h"

#define ENDPOINTS 3
#define NONE (-1)

static struct dp dp;
static int table, with_gateway; /* inner maps */
static int serving;		/* the one in use, or NONE */
static struct weir_reply replies[BENCH_LONG + 1];
static uint32_t leg_ip; /* that endpoints see */

static void map_put(const char *name, const void *key, const void *value)
{
	bench_need(!bpf_map_update_elem(bench_map(name), key, value, BPF_ANY), name);
}

static struct weir_addr addr_of(uint32_t ip)
{
	struct weir_addr a = {.b = {[10] = 0xff, [11] = 0xff}};

	if (bench_mode()->v6)
		segment_address6(ip, a.b);
	else
		a.w[3] = htonl(ip);
	return a;
}

void bench_addr(uint32_t ip, struct weir_addr *out)
{
	*out = addr_of(ip);
}

static void put_listener(void)
{
	struct weir_listener_key key = {
		.addr = addr_of(LISTEN_IP),
		.port = htons(LISTEN_PORT),
	};
	struct weir_listener l = {.id = 1, .proto = WEIR_LISTEN_HTTP, .mss = BENCH_MSS};
	uint32_t word = LISTEN_PORT / 64;
	uint64_t bits = 1ull << LISTEN_PORT % 64;

	map_put("listeners", &key, &l);
	map_put("listen_ports", &word, &bits);
}

void bench_endpoint(uint32_t id, uint32_t ip, enum weir_endpoint_state state)
{
	struct weir_endpoint e = {
		.addr = addr_of(ip),
		.source = addr_of(SOURCE_IP),
		.port = htons(ENDPOINT_PORT),
		.mss = bench_path_mss(),
		.weight = 1,
		.state = state,
	};

	map_put("endpoints", &id, &e);
}

static void put_endpoints(void)
{
	uint32_t i;

	for (i = 0; i < ENDPOINTS; i++)
		bench_endpoint(i, ENDPOINT_IP(i), WEIR_ENDPOINT_READY);
}

/* The kernel waits for its readers at each change, some hundredths of a second. */
static void serve(int which)
{
	uint32_t zero = 0;
	struct err err = {};

	if (which == serving)
		return;
	if (which == NONE)
		bpf_map_delete_elem(bench_map("table"), &zero);
	else
		bench_need(!table_swap(&dp, which, &err), "table");
	serving = which;
}

void bench_table(bool there)
{
	serve(there ? table : NONE);
}

static void put_group(uint32_t group, enum weir_family family, const uint32_t *slot,
		      uint32_t slots, uint32_t count)
{
	struct weir_group g = {};

	g.share[family] = (struct weir_share){count, 0, slots};
	memcpy(g.slot, slot, slots * sizeof(*slot));
	map_put("groups", &group, &g);
}

static enum weir_family family_of_mode(void)
{
	return bench_mode()->v6 ? WEIR_IPV6 : WEIR_IPV4;
}

void bench_group(uint32_t group, const uint32_t *slot, uint32_t slots, uint32_t count)
{
	put_group(group, family_of_mode(), slot, slots, count);
}

void bench_group_other(uint32_t group, const uint32_t *slot, uint32_t slots,
		       uint32_t count)
{
	put_group(group, !family_of_mode(), slot, slots, count);
}

void bench_gateway(void)
{
	serve(with_gateway);
}

static void put_groups(void)
{
	const uint32_t slot[] = {0, 1, 2};

	bench_group(GROUP_A, slot, 2, 2);
	bench_group(GROUP_B, slot + 2, 1, 1);
	bench_group(GROUP_NONE, slot, 0, 0);
}

static void put_replies(void)
{
	struct reply_want want = {
		.status = 403,
		.content_type = "text/plain",
		.body = "no",
	};
	struct reply_want redirect = {.status = 301, .to_https = true};
	struct reply_want long_one = {.status = 503, .content_type = "text/html"};
	char body[BENCH_LONG_BODY + 1];
	struct weir_reply reply;
	struct err err = {};
	uint32_t i;

	bench_need(!replies_write_fixed(&dp, &err), "replies");
	bench_need(!reply_render(&want, &reply), "reply");
	bench_need(!reply_write(&dp, BENCH_REPLY, &reply, &err), "reply");
	bench_need(!reply_render(&redirect, &reply), "redirect");
	bench_need(!reply_write(&dp, BENCH_REDIRECT, &reply, &err), "redirect");
	for (i = 0; i < BENCH_LONG_BODY; i++)
		body[i] = 'a' + i % 25;
	body[i] = '\0';
	long_one.body = body;
	bench_need(!reply_render(&long_one, &reply), "long reply");
	bench_need(!reply_write(&dp, BENCH_LONG, &reply, &err), "long reply");
	for (i = 0; i <= BENCH_LONG; i++)
		reply_read(&dp, i, &replies[i]);
}

static uint32_t more_routes;

void bench_routes(uint32_t n)
{
	more_routes = n;
}

uint32_t maps_table_bytes(void)
{
	return more_routes > 1000 ? 32u << 20 : WEIR_TABLE_MIN;
}

static void add_more(struct ir *ir)
{
	uint32_t i;

	for (i = 0; i < more_routes; i++) {
		uint32_t host = i / BENCH_HOST_ROUTES, nth = i % BENCH_HOST_ROUTES;
		struct ir_route *r = vec_push(&ir->routes);

		bench_need(r, "memory");
		*r = (struct ir_route){
			.id = 1000 + i,
			.host_kind = IR_HOST_EXACT,
			.host = pool_printf(&ir->pool, "h%u.bench.example", host),
			.path = nth ? pool_printf(&ir->pool, "/api/%u/v%u", host, nth)
				    : pool_printf(&ir->pool, "/re/%u/[0-9]+$", host),
			.match = nth ? pool_printf(&ir->pool, "/api/%u/v%u", host, nth)
				     : pool_printf(&ir->pool, "/re/%u/[0-9]+$", host),
			.type = nth ? WEIR_PATH_PREFIX : WEIR_PATH_REGEX,
			.action = WEIR_ACTION_GROUP,
			.reply = -1,
			.ingress = "bench/more",
			.backend = "bench/group:80",
		};
	}
}

/* GROUP_B is the gateway, when there is one. */
static int make_table(bool has_gateway)
{
	static const struct {
		const char *path;
		uint32_t to; /* index of the group or of the reply */
		enum weir_action action;
		uint32_t flags;
	} rules[] = {
		{"/a", 0, WEIR_ACTION_GROUP, 0},
		{"/strip", 0, WEIR_ACTION_GROUP, WEIR_ROUTE_STRIP},
		{"/b", 1, WEIR_ACTION_GROUP, 0},
		{"/none", 2, WEIR_ACTION_GROUP, 0},
		{"/reply", 0, WEIR_ACTION_REPLY, 0},
		{"/redirect", 1, WEIR_ACTION_REPLY, 0},
		{"/long", 2, WEIR_ACTION_REPLY, 0},
		{"/unhonoured", 0, WEIR_ACTION_UNHONOURED, 0},
		{"/header", 1, WEIR_ACTION_GROUP, 0},
		{"/header", 0, WEIR_ACTION_GROUP, 0},
	};
	struct ir ir = {};
	struct err err = {};
	auto_free void *blob = NULL;
	size_t size, i;
	int fd;

	for (i = 0; i < 3; i++) {
		struct ir_group *g = vec_push(&ir.groups);

		g->id = GROUP_A + i;
		g->name = strdup("bench/group:80");
	}
	for (i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		struct ir_route *r = vec_push(&ir.routes);

		*r = (struct ir_route){
			.id = 100 + i,
			.host_kind = IR_HOST_ANY,
			.host = ir_text(&ir, ""),
			.path = ir_text(&ir, rules[i].path),
			.match = ir_text(&ir, rules[i].path),
			.type = WEIR_PATH_PREFIX,
			.action = rules[i].action,
			.flags = rules[i].flags,
			.reply = -1,
			.ingress = ir_text(&ir, "bench/rules"),
			.backend = ir_text(&ir, "bench/group:80"),
		};
		if (r->action == WEIR_ACTION_REPLY)
			r->reply = rules[i].to;
		else
			r->group = rules[i].to;
		if (!strcmp(rules[i].path, "/header") && rules[i].to) {
			struct ir_header *h = vec_push(&r->headers);

			h->name = ir_text(&ir, "x-version");
			*(const char **)vec_push(&h->patterns) =
				ir_text(&ir, "^v[23](-|$)");
		}
	}
	add_more(&ir);
	ir.gateway = has_gateway ? 2 : 0;
	((struct ir_reply *)vec_push(&ir.replies))->status = 403;
	((struct ir_reply *)vec_push(&ir.replies))->status = 301;
	((struct ir_reply *)vec_push(&ir.replies))->status = 503;
	if (table_compile(&ir, &blob, &size, &err)) {
		fprintf(stderr, "bench: table: %s\n", err.what);
		exit(1);
	}
	ir_free(&ir);
	fd = table_fill(&dp, blob, size, &err);
	bench_need(fd >= 0, "table_fill");
	return fd;
}

void bench_cookie_keys(const uint64_t now[2], const uint64_t before[2])
{
	struct weir_cookie_keys keys = {
		.now = {now[0], now[1]},
		.before = {before[0], before[1]},
	};
	uint32_t zero = 0;

	map_put("cookie_keys", &zero, &keys);
}

void bench_ports(uint16_t lo, uint16_t hi)
{
	struct weir_settings s = {.abi = WEIR_ABI, .port_lo = lo, .port_hi = hi};
	uint32_t zero = 0;

	map_put("settings", &zero, &s);
}

void bench_keep_client(bool keep)
{
	struct weir_settings s;
	uint32_t zero = 0;

	bench_need(!bpf_map_lookup_elem(bench_map("settings"), &zero, &s), "settings");
	s.keep_client = keep;
	map_put("settings", &zero, &s);
	leg_ip = keep ? CLIENT_IP : SOURCE_IP;
}

void bench_group_flags(uint32_t group, uint32_t flags)
{
	struct weir_group g;

	bench_need(!bpf_map_lookup_elem(bench_map("groups"), &group, &g), "group");
	g.flags = flags;
	map_put("groups", &group, &g);
}

void bench_turn(uint32_t group, uint64_t turn)
{
	struct weir_group g;

	bench_need(!bpf_map_lookup_elem(bench_map("groups"), &group, &g), "group");
	g.turn = turn;
	map_put("groups", &group, &g);
}

bool bench_health(uint32_t endpoint, struct weir_health *h)
{
	return !bpf_map_lookup_elem(bench_map("endpoint_health"), &endpoint, h);
}

void bench_health_put(uint32_t endpoint, const struct weir_health *h)
{
	map_put("endpoint_health", &endpoint, h);
}

uint32_t bench_reply(uint32_t id, bool close, bool head_only, const char **text)
{
	const struct weir_reply *r = &replies[id];
	const struct weir_reply_text *t = close ? &r->close : &r->keep;

	*text = t->text;
	return head_only ? t->head_len : t->len;
}

static struct weir_tuple flow_key(uint16_t client_port)
{
	return (struct weir_tuple){
		.src = addr_of(CLIENT_IP),
		.dst = addr_of(LISTEN_IP),
		.sport = htons(client_port),
		.dport = htons(LISTEN_PORT),
	};
}

bool bench_flow(uint16_t client_port, struct weir_flow *f)
{
	struct weir_tuple key = flow_key(client_port);

	return !bpf_map_lookup_elem(bench_map("flows"), &key, f);
}

void bench_flow_put(uint16_t client_port, const struct weir_flow *f)
{
	struct weir_tuple key = flow_key(client_port);

	map_put("flows", &key, f);
}

void bench_flow_drop(uint16_t client_port)
{
	struct weir_tuple key = flow_key(client_port);
	struct weir_flow f;

	if (bpf_map_lookup_and_delete_elem(bench_map("flows"), &key, &f))
		return;
	if (f.slot != WEIR_NO_SLOT)
		map_put("head_free", NULL, &f.slot);
	if (f.spare != WEIR_NO_SLOT)
		map_put("head_free", NULL, &f.spare);
}

static struct weir_tuple leg_key(uint32_t endpoint_ip, uint16_t port)
{
	return (struct weir_tuple){
		.src = addr_of(endpoint_ip),
		.dst = addr_of(leg_ip),
		.sport = htons(ENDPOINT_PORT),
		.dport = htons(port),
	};
}

bool bench_leg(uint32_t endpoint_ip, uint16_t port, struct weir_leg *l)
{
	struct weir_tuple key = leg_key(endpoint_ip, port);

	return !bpf_map_lookup_elem(bench_map("legs"), &key, l);
}

void bench_leg_put(uint32_t endpoint_ip, uint16_t port, const struct weir_leg *l)
{
	struct weir_tuple key = leg_key(endpoint_ip, port);

	map_put("legs", &key, l);
}

void bench_leg_drop(uint32_t endpoint_ip, uint16_t port)
{
	struct weir_tuple key = leg_key(endpoint_ip, port);

	bpf_map_delete_elem(bench_map("legs"), &key);
}

static void map_clear(const char *name)
{
	int fd = bench_map(name);
	struct weir_tuple key;

	while (!bpf_map_get_next_key(fd, NULL, &key))
		bpf_map_delete_elem(fd, &key);
}

static void ids_clear(const char *name)
{
	int fd = bench_map(name);
	uint32_t id;

	while (!bpf_map_get_next_key(fd, NULL, &id))
		bpf_map_delete_elem(fd, &id);
}

/* Empties the stack into seen[], returns how many there were. */
static uint32_t slots_pop(uint32_t seen[BENCH_SLOTS + 1])
{
	int fd = bench_map("head_free");
	uint32_t n = 0;

	while (n <= BENCH_SLOTS && !bpf_map_lookup_and_delete_elem(fd, NULL, &seen[n]))
		n++;
	return n;
}

void bench_slots_drain(void)
{
	uint32_t seen[BENCH_SLOTS + 1];

	slots_pop(seen);
}

void bench_slots_fill(void)
{
	uint32_t i;

	for (i = BENCH_SLOTS; i-- > 0;)
		map_put("head_free", NULL, &i);
}

uint32_t bench_slots_free(void)
{
	uint32_t seen[BENCH_SLOTS + 1], n = slots_pop(seen), i;

	for (i = n; i > 0; i--)
		map_put("head_free", NULL, &seen[i - 1]);
	return n;
}

uint32_t bench_legs(void)
{
	struct weir_tuple key, *last = NULL;
	uint32_t n = 0;

	for (; !bpf_map_get_next_key(bench_map("legs"), last, &key); last = &key)
		n++;
	return n;
}

/* What the slot holds has been acknowledged: it waits for the next head. */
static bool is_at_rest(const struct weir_flow *f)
{
	struct weir_leg l;

	return f->state == WEIR_FLOW_SPLICED &&
	       !(f->flags & (WEIR_FLOW_PARTIAL | WEIR_FLOW_HELD | WEIR_FLOW_PENDING)) &&
	       !bpf_map_lookup_elem(bench_map("legs"), &f->leg, &l) &&
	       !(l.waits & WEIR_WAITS_ACK);
}

uint32_t bench_slots_held(void)
{
	struct weir_tuple key, *last = NULL;
	int fd = bench_map("flows");
	struct weir_flow f;
	uint32_t n = 0;

	while (!bpf_map_get_next_key(fd, last, &key)) {
		if (!bpf_map_lookup_elem(fd, &key, &f) && f.slot != WEIR_NO_SLOT &&
		    !is_at_rest(&f))
			n++;
		last = &key;
	}
	return n;
}

void maps_fresh(void)
{
	static const uint64_t now[2] = {1, 2}, before[2] = {3, 4};
	uint32_t seen[BENCH_SLOTS + 1];

	map_clear("flows");
	map_clear("legs");
	ids_clear("endpoint_health");
	slots_pop(seen);
	bench_slots_fill();
	bench_cookie_keys(now, before);
	bench_ports(20000, 20999);
	leg_ip = SOURCE_IP;
	put_endpoints();
	put_groups();
	bench_table(true);
}

/* Every slot is free or held by exactly one flow, and no flow is claimed. */
int maps_check(void)
{
	struct weir_tuple key, *last = NULL;
	uint32_t seen[BENCH_SLOTS + 1], n = slots_pop(seen), i, users[BENCH_SLOTS] = {};
	int fd = bench_map("flows");
	struct weir_flow f;
	int bad = 0;

	for (i = 0; i < n; i++)
		users[seen[i] % BENCH_SLOTS]++;
	while (!bpf_map_get_next_key(fd, last, &key)) {
		if (!bpf_map_lookup_elem(fd, &key, &f)) {
			if (f.slot != WEIR_NO_SLOT)
				users[f.slot % BENCH_SLOTS]++;
			if (f.spare != WEIR_NO_SLOT)
				users[f.spare % BENCH_SLOTS]++;
			if (f.claim) {
				fputs("bench: a flow is still claimed\n", stderr);
				bad = 1;
			}
		}
		last = &key;
	}
	for (i = 0; i < BENCH_SLOTS; i++)
		if (users[i] != 1) {
			fprintf(stderr, "bench: head slot %u has %u users\n", i,
				users[i]);
			bad = 1;
		}
	return bad;
}

void maps_fill(void)
{
	enum dp_map m;

	for (m = 0; m < DP_MAP_COUNT; m++)
		dp.map[m] = -1;
	dp.prog = -1;
	dp.map[DP_MAP_replies] = bench_map("replies");
	dp.map[DP_MAP_table] = bench_map("table");
	dp.table_bytes = maps_table_bytes();
	put_listener();
	put_replies();
	table = make_table(false);
	with_gateway = make_table(true);
	serving = NONE;
}

void maps_forget(void)
{
	close(table);
	close(with_gateway);
}

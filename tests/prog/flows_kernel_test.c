/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the agent does to connections, against the kernel: the sweep, and
 * endpoints that are silent. Needs root.
 */
#include <arpa/inet.h>
#include <net/if.h>
#include <string.h>

#include <bpf/bpf.h>

#include <weir/flow.h>
#include <weir/reply.h>

#include "fixture.h"

#include "base/addr.h"
#include "dp/counters.h"
#include "dp/flows.h"
#include "dp/listeners.h"
#include "dp/mapio.h"
#include "dp/silent.h"

static struct sweep_memory memory;

/* Of client and listener where they matter. */
static const char *home = "127.0.0.1";

/* ---- the sweep ---- */

static void put_flow(uint16_t port, uint8_t flow_state, uint64_t age_s, uint32_t slot)
{
	struct weir_tuple key = {.sport = port};
	struct weir_flow flow = {
		.state = flow_state,
		.seen_ns = NOW - age_s * SECOND,
		.slot = slot,
		.spare = WEIR_NO_SLOT,
		.endpoint_id = port,
	};

	assert_int_equal(
		bpf_map_update_elem(dp.map[DP_MAP_flows], &key, &flow, BPF_ANY), 0);
}

static void put_leg(uint16_t port, uint8_t leg_state, uint64_t age_s)
{
	struct weir_tuple key = {.sport = port};
	struct weir_leg leg = {
		.state = leg_state,
		.seen_ns = NOW - age_s * SECOND,
		.endpoint_id = port,
	};

	assert_int_equal(bpf_map_update_elem(dp.map[DP_MAP_legs], &key, &leg, BPF_ANY),
			 0);
}

static uint64_t sweep_at(uint64_t now_ns)
{
	struct sweep s;

	assert_ok(flows_sweep(&dp, now_ns, &memory, &s, &err));
	sweep_fini(&s);
	return s.ended;
}

static void test_sweep(void **state)
{
	struct sweep s;
	uint32_t slot, next;

	assert_true(pop_slot(&slot));
	assert_true(pop_slot(&next));
	put_flow(1, WEIR_FLOW_HEAD, 59, WEIR_NO_SLOT);
	put_flow(2, WEIR_FLOW_HEAD, 61, slot);
	put_flow(3, WEIR_FLOW_SPLICED, 3600, WEIR_NO_SLOT);
	put_flow(4, WEIR_FLOW_SPLICED, 7501, WEIR_NO_SLOT);
	put_flow(5, WEIR_FLOW_CONNECT, 11, WEIR_NO_SLOT);
	put_flow(6, WEIR_FLOW_CLOSED, 61, WEIR_NO_SLOT);
	put_flow(7, WEIR_FLOW_REPLIED, 59, WEIR_NO_SLOT);
	put_leg(3, WEIR_LEG_SPLICED, 3600);
	put_leg(8, WEIR_LEG_ORPHAN, 61);
	assert_ok(flows_sweep(&dp, NOW, &memory, &s, &err));
	assert_int_equal(s.expired_flows, 4);
	assert_int_equal(s.expired_legs, 1);
	assert_int_equal(s.legs, 1);
	assert_int_equal(s.flows[WEIR_FLOW_HEAD], 1);
	assert_int_equal(s.flows[WEIR_FLOW_SPLICED], 1);
	assert_int_equal(s.flows[WEIR_FLOW_REPLIED], 1);
	assert_true(id_set_has(&s.endpoints, 3));
	assert_false(id_set_has(&s.endpoints, 4));
	assert_false(id_set_has(&s.endpoints, 8));
	sweep_fini(&s);
	/* The buffer came back, once. */
	assert_true(pop_slot(&next));
	assert_int_equal(next, slot);
	assert_true(pop_slot(&next));
	assert_int_not_equal(next, slot);
	assert_ok(flows_sweep(&dp, NOW, &memory, &s, &err));
	assert_int_equal(s.expired_flows, 0);
	sweep_fini(&s);
}

/* What a kept connection has at hand for its next head. */
static void test_a_spare_buffer_comes_back(void **state)
{
	struct weir_tuple key = {.sport = 1};
	struct weir_flow flow = {
		.state = WEIR_FLOW_CLOSED,
		.slot = WEIR_NO_SLOT,
	};
	uint32_t next;

	assert_true(pop_slot(&flow.spare));
	assert_int_equal(
		bpf_map_update_elem(dp.map[DP_MAP_flows], &key, &flow, BPF_ANY), 0);
	sweep_at(NOW);
	assert_int_equal(map_count(dp.map[DP_MAP_flows]), 0);
	assert_true(pop_slot(&next));
	assert_int_equal(next, flow.spare);
	assert_true(pop_slot(&next));
	assert_int_not_equal(next, flow.spare);
}

/* Closed flows make room for new ones, live ones do not. */
static void test_closed_flows_go_sooner_when_there_are_many(void **state)
{
	uint32_t i;

	for (i = 0; i < WEIR_MAX_FLOWS / 8 * 7; i++)
		put_flow(i, i & 1 ? WEIR_FLOW_CLOSED : WEIR_FLOW_SPLICED, 2,
			 WEIR_NO_SLOT);
	assert_int_equal(map_count(dp.map[DP_MAP_flows]), 65536);
	sweep_at(NOW);
	assert_int_equal(map_count(dp.map[DP_MAP_flows]), 65536);
	assert_int_equal(memory.closed_s, FLOW_CLOSED_S / 4);
	sweep_at(NOW + 14 * SECOND);
	assert_int_equal(map_count(dp.map[DP_MAP_flows]), 32768);
	assert_int_equal(memory.closed_s, FLOW_CLOSED_S / 4);
	sweep_at(NOW + 14 * SECOND);
	assert_int_equal(memory.closed_s, FLOW_CLOSED_S);
}

static void test_a_claimed_flow_is_left_alone(void **state)
{
	struct weir_tuple key = {.sport = 1};
	struct weir_flow flow = {
		.state = WEIR_FLOW_HEAD,
		.claim = 1,
		.slot = WEIR_NO_SLOT,
		.spare = WEIR_NO_SLOT,
	};
	struct sweep s;

	assert_int_equal(
		bpf_map_update_elem(dp.map[DP_MAP_flows], &key, &flow, BPF_ANY), 0);
	assert_ok(flows_sweep(&dp, NOW + 1000 * SECOND, &memory, &s, &err));
	assert_int_equal(s.expired_flows, 0);
	sweep_fini(&s);
}

/* A flow of a listener as the program knows it, reading a head. */
static struct weir_tuple put_reading_flow(uint32_t head_seq, uint32_t bytes)
{
	struct weir_tuple key = {.sport = htons(40000), .dport = htons(80)};
	struct listeners l = {};
	struct weir_flow flow = {
		.state = WEIR_FLOW_HEAD,
		.seen_ns = NOW,
		.head_seq = head_seq,
		.head_end = head_seq + bytes,
		.next_req = head_seq,
	};

	addr_parse(home, &key.src);
	addr_parse(home, &key.dst);
	flow.to_client.ifindex = if_nametoindex("lo");
	assert_ok(listeners_parse("127.0.0.1:80", NULL, 0, &l, &err));
	assert_ok(listeners_set(&dp, &l, true, &err));
	vec_free(&l);
	assert_true(pop_slot(&flow.slot));
	assert_int_equal(
		bpf_map_update_elem(dp.map[DP_MAP_flows], &key, &flow, BPF_ANY), 0);
	return key;
}

static struct weir_flow flow_of(const struct weir_tuple *key)
{
	struct weir_flow flow = {};

	assert_int_equal(bpf_map_lookup_elem(dp.map[DP_MAP_flows], key, &flow), 0);
	return flow;
}

/* T060: bytes keep coming, the head does not end. */
static void test_a_slow_head_is_ended(void **state)
{
	struct weir_tuple key = put_reading_flow(0xfffffff0, 32);
	struct weir_flow flow;
	uint32_t slot;

	assert_int_equal(sweep_at(NOW), 0);
	flow = flow_of(&key);
	flow.head_end += 8;
	flow.seen_ns = NOW + 59 * SECOND;
	bpf_map_update_elem(dp.map[DP_MAP_flows], &key, &flow, BPF_ANY);
	assert_int_equal(sweep_at(NOW + 59 * SECOND), 0);
	assert_int_equal(flow_of(&key).state, WEIR_FLOW_HEAD);
	assert_int_equal(sweep_at(NOW + 61 * SECOND), 1);
	assert_int_equal(flow_of(&key).state, WEIR_FLOW_CLOSED);
	/* The program itself gave the buffer back. */
	assert_int_equal(flow_of(&key).slot, WEIR_NO_SLOT);
	assert_true(pop_slot(&slot));
	assert_int_equal(slot, flow.slot);
}

static void test_a_slow_head_is_ended_with_ipv6(void **state)
{
	home = "::1";
	test_a_slow_head_is_ended(state);
	home = "127.0.0.1";
}

/* A client that asks for its redirect again and again does not keep the buffer. */
static void test_a_redirect_that_is_not_taken_is_ended(void **state)
{
	struct weir_tuple key = put_reading_flow(1000, 32);
	struct weir_flow flow = flow_of(&key);
	uint32_t slot;

	flow.state = WEIR_FLOW_REPLIED;
	flow.flags = WEIR_FLOW_FIN_SERVER | WEIR_FLOW_REQ_CLOSE;
	flow.next_req = flow.head_end;
	bpf_map_update_elem(dp.map[DP_MAP_flows], &key, &flow, BPF_ANY);
	assert_int_equal(sweep_at(NOW), 0);
	flow.seen_ns = NOW + 59 * SECOND;
	bpf_map_update_elem(dp.map[DP_MAP_flows], &key, &flow, BPF_ANY);
	assert_int_equal(sweep_at(NOW + 61 * SECOND), 1);
	assert_int_equal(flow_of(&key).state, WEIR_FLOW_CLOSED);
	assert_int_equal(flow_of(&key).slot, WEIR_NO_SLOT);
	assert_true(pop_slot(&slot));
	assert_int_equal(slot, flow.slot);
}

/* On a connection that stays, each head has a time of its own. */
static void test_the_next_head_has_its_own_time(void **state)
{
	struct weir_tuple key = put_reading_flow(1000, 32);
	struct weir_flow flow;

	assert_int_equal(sweep_at(NOW), 0);
	flow = flow_of(&key);
	flow.head_seq = 2000;
	flow.head_end = 2010;
	flow.seen_ns = NOW + 61 * SECOND;
	bpf_map_update_elem(dp.map[DP_MAP_flows], &key, &flow, BPF_ANY);
	assert_int_equal(sweep_at(NOW + 61 * SECOND), 0);
	assert_int_equal(flow_of(&key).state, WEIR_FLOW_HEAD);
	assert_int_equal(sweep_at(NOW + 122 * SECOND), 1);
}

static void test_an_idle_flow_is_ended_and_then_forgotten(void **state)
{
	struct weir_tuple key = put_reading_flow(1000, 0);
	struct weir_flow flow = flow_of(&key);

	flow.slot = WEIR_NO_SLOT;
	flow.spare = WEIR_NO_SLOT;
	bpf_map_update_elem(dp.map[DP_MAP_flows], &key, &flow, BPF_ANY);
	assert_int_equal(sweep_at(NOW + 59 * SECOND), 0);
	assert_int_equal(sweep_at(NOW + 61 * SECOND), 1);
	flow = flow_of(&key);
	assert_true(flow_is_over(&flow));
	flow.seen_ns = NOW + 61 * SECOND;
	bpf_map_update_elem(dp.map[DP_MAP_flows], &key, &flow, BPF_ANY);
	assert_int_equal(sweep_at(NOW + 65 * SECOND), 0);
	assert_int_equal(map_count(dp.map[DP_MAP_flows]), 1);
	assert_int_equal(sweep_at(NOW + 72 * SECOND), 0);
	assert_int_equal(map_count(dp.map[DP_MAP_flows]), 0);
}

static void test_many_flows_are_listed(void **state)
{
	struct sweep s;
	uint32_t i;

	for (i = 0; i < 20000; i++)
		put_flow(i, WEIR_FLOW_HEAD, 0, WEIR_NO_SLOT);
	assert_int_equal(map_count(dp.map[DP_MAP_flows]), 20000);
	assert_ok(flows_sweep(&dp, NOW + 61 * SECOND, &memory, &s, &err));
	assert_int_equal(s.expired_flows, 20000);
	assert_int_equal(map_count(dp.map[DP_MAP_flows]), 0);
	sweep_fini(&s);
}

/* ---- silent endpoints ---- */

static void test_a_silent_endpoint_is_given_up(void **state)
{
	struct weir_tuple client = {.sport = htons(40000), .dport = htons(80)};
	struct weir_leg leg = {.state = WEIR_LEG_CONNECT};
	struct weir_flow flow = {
		.state = WEIR_FLOW_CONNECT,
		.slot = WEIR_NO_SLOT,
		.spare = WEIR_NO_SLOT,
		.mss = 1400,
		.want_group = 9,
		.tries = 1,
		.isn = 0xfffffffe,
		.leg = {.sport = htons(8080), .dport = htons(2000)},
	};
	struct counters c;
	uint32_t count;

	addr_parse(home, &client.src);
	addr_parse(home, &client.dst);
	addr_parse(home, &flow.leg.src);
	addr_parse(home, &flow.leg.dst);
	flow.to_client.ifindex = if_nametoindex("lo");
	leg.to_client = flow.to_client;
	leg.client = client;
	leg.syn_ns = NOW - (SILENT_S + 1) * SECOND;
	flow.seen_ns = leg.seen_ns = NOW;
	bpf_map_update_elem(dp.map[DP_MAP_flows], &client, &flow, BPF_ANY);
	bpf_map_update_elem(dp.map[DP_MAP_legs], &flow.leg, &leg, BPF_ANY);

	assert_ok(silent_give_up(&dp, NOW - 2 * SECOND, &count, &err));
	assert_int_equal(count, 0);
	assert_int_equal(flow_of(&client).state, WEIR_FLOW_CONNECT);

	assert_ok(silent_give_up(&dp, NOW, &count, &err));
	assert_int_equal(count, 1);
	assert_int_not_equal(flow_of(&client).state, WEIR_FLOW_CONNECT);
	assert_int_equal(flow_of(&client).reply_id, WEIR_REPLY_TIMEOUT);
	assert_ok(counters_read(&dp, &c, &err));
	assert_int_equal(c.value[WEIR_CONNECT_TIMEOUT], 1);

	assert_ok(silent_give_up(&dp, NOW, &count, &err));
	assert_int_equal(count, 0);
}

static int teardown(void **state)
{
	sweep_memory_free(&memory);
	return fixture_teardown(state);
}

#define FLOW_TEST(fn) cmocka_unit_test_setup_teardown(fn, fixture_setup, teardown)

static void test_a_silent_endpoint_is_given_up_with_ipv6(void **state)
{
	home = "::1";
	test_a_silent_endpoint_is_given_up(state);
	home = "127.0.0.1";
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FLOW_TEST(test_sweep),
		FLOW_TEST(test_closed_flows_go_sooner_when_there_are_many),
		FLOW_TEST(test_a_spare_buffer_comes_back),
		FLOW_TEST(test_a_claimed_flow_is_left_alone),
		FLOW_TEST(test_a_slow_head_is_ended),
		FLOW_TEST(test_a_redirect_that_is_not_taken_is_ended),
		FLOW_TEST(test_the_next_head_has_its_own_time),
		FLOW_TEST(test_an_idle_flow_is_ended_and_then_forgotten),
		FLOW_TEST(test_many_flows_are_listed),
		FLOW_TEST(test_a_silent_endpoint_is_given_up),
		FLOW_TEST(test_a_slow_head_is_ended_with_ipv6),
		FLOW_TEST(test_a_silent_endpoint_is_given_up_with_ipv6),
	};
	int skipped = fixture_enter("flows");

	if (skipped)
		return skipped;
	return cmocka_run_group_tests_name("flows", tests, NULL, NULL);
}

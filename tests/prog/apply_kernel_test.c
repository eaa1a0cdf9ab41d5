/* SPDX-License-Identifier: BSD-2-Clause */
/* agent/apply against the kernel: what a change of the rules does to the maps. */
#include <errno.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include <bpf/bpf.h>

#include <weir/reply.h>

#include "agent/apply.h"
#include "base/addr.h"
#include "dp/dp.h"
#include "dp/mapio.h"
#include "dp/replies.h"
#include "dp/table.h"
#include "route/table.h"

#define SKIPPED 77

static char pin[64];
static struct dp dp;
static struct applier applier;
static struct applied done;
static struct ir ir;
static struct err err;

static int setup(void **state)
{
	memset(&err, 0, sizeof(err));
	memset(&applier, 0, sizeof(applier));
	memset(&ir, 0, sizeof(ir));
	dp_init(&dp);
	applier.dp = &dp;
	return dp_load(&dp, pin, 0, &err);
}

static int teardown(void **state)
{
	ir_free(&ir);
	applier_free(&applier);
	dp_close(&dp);
	return dp_remove(pin, &err);
}

/* ---- rules ---- */

static void begin(void)
{
	ir_free(&ir);
	memset(&ir, 0, sizeof(ir));
}

static uint32_t add_group(const char *name, const char *endpoint)
{
	struct ir_group *g = vec_push(&ir.groups);
	struct ir_endpoint *ep = vec_push(&g->endpoints);

	g->name = strdup(name);
	ep->weight = 1;
	ep->ready = true;
	assert_int_equal(addr_parse_port(endpoint, &ep->addr, &ep->port), 0);
	assert_int_equal(strmap_set(&ir.group_places, name, ir.groups.len - 1), 0);
	return ir.groups.len - 1;
}

static struct ir_route *add_route(const char *host, const char *path, uint32_t group)
{
	struct ir_route *r = vec_push(&ir.routes);

	r->host_kind = *host ? IR_HOST_EXACT : IR_HOST_ANY;
	r->host = ir_text(&ir, host);
	r->path = ir_text(&ir, path);
	r->match = ir_text(&ir, path);
	r->type = WEIR_PATH_IMPLEMENTATION;
	r->action = WEIR_ACTION_GROUP;
	r->group = group;
	r->reply = -1;
	r->ingress = ir_text(&ir, "ns/i");
	r->backend = ir_text(&ir, ir.groups.item[group].name);
	return r;
}

static uint32_t add_reply(uint16_t status, const char *body)
{
	struct ir_reply *reply = vec_push(&ir.replies);

	reply->status = status;
	reply->body = strdup(body);
	return ir.replies.len - 1;
}

static void apply(void)
{
	int r = apply_ir(&applier, &ir, &done, &err);

	if (r)
		fail_msg("apply: %d %s", r, err.what);
}

static struct weir_settings settings(void)
{
	struct weir_settings s = {};

	assert_int_equal(dp_settings_read(&dp, &s, &err), 0);
	return s;
}

static struct weir_route route_of(uint32_t id)
{
	struct weir_route r = {};

	assert_int_equal(bpf_map_lookup_elem(dp.map[DP_MAP_routes], &id, &r), 0);
	return r;
}

/* ---- tests ---- */

static void test_first_rules(void **state)
{
	struct weir_route r;

	add_route("a.example", "/x", add_group("ns/s:80", "127.0.0.1:81"));
	apply();
	assert_true(done.swapped);
	assert_int_equal(settings().generation, 1);
	assert_int_equal(settings().routes, 1);
	assert_string_equal(settings().applied, "ok");
	assert_true(dp_exists(pin));
	r = route_of(ir.routes.item[0].id);
	assert_string_equal(r.host, "a.example");
	assert_string_equal(r.backend, "ns/s:80");
	assert_int_equal(r.group_id, ir.groups.item[0].id);
}

static void test_endpoints_do_not_touch_the_table(void **state)
{
	struct weir_endpoint ep;
	struct weir_group g;

	add_route("", "/x", add_group("ns/s:80", "127.0.0.1:81"));
	apply();
	begin();
	add_route("", "/x", add_group("ns/s:80", "127.0.0.1:82"));
	apply();
	assert_false(done.swapped);
	assert_int_equal(settings().generation, 1);
	assert_int_equal(
		bpf_map_lookup_elem(dp.map[DP_MAP_groups], &ir.groups.item[0].id, &g),
		0);
	assert_int_equal(g.share[WEIR_IPV4].count, 1);
	assert_int_equal(bpf_map_lookup_elem(dp.map[DP_MAP_endpoints], &g.slot[0], &ep),
			 0);
	assert_string_equal(ep.text, "127.0.0.1:82");
}

static bool nothing_is_used(uint32_t id, void *arg)
{
	return false;
}

static struct weir_endpoint endpoint_of(uint32_t id)
{
	struct weir_endpoint ep = {};

	assert_int_equal(bpf_map_lookup_elem(dp.map[DP_MAP_endpoints], &id, &ep), 0);
	return ep;
}

static struct weir_group group_of(uint32_t id)
{
	struct weir_group g = {};

	assert_int_equal(bpf_map_lookup_elem(dp.map[DP_MAP_groups], &id, &g), 0);
	return g;
}

static void test_endpoints_alone(void **state)
{
	struct weir_group was, now, other;
	struct ir fresh = {}, served;
	uint32_t group;

	add_route("", "/x", add_group("ns/s:80", "127.0.0.1:81"));
	add_route("", "/y", add_group("ns/t:80", "127.0.0.1:91"));
	apply();
	group = ir.groups.item[0].id;
	was = group_of(group);
	other = group_of(ir.groups.item[1].id);

	served = ir;
	ir = fresh;
	add_group("ns/s:80", "127.0.0.1:82");
	ir.groups.item[0].id = group;
	fresh = ir;
	ir = served;
	assert_true(applier_is_current(&applier));
	assert_int_equal(apply_endpoints(&applier, &ir, &fresh, &done, &err), 0);
	ir_free(&fresh);
	assert_false(done.swapped);
	assert_int_equal(done.generation, 1);
	assert_int_equal(ir.groups.item[0].endpoints.item[0].port, 82);

	now = group_of(group);
	assert_int_equal(now.share[WEIR_IPV4].count, 1);
	assert_string_equal(endpoint_of(now.slot[0]).text, "127.0.0.1:82");
	assert_int_equal(endpoint_of(now.slot[0]).state, WEIR_ENDPOINT_READY);
	assert_int_equal(endpoint_of(was.slot[0]).state, WEIR_ENDPOINT_GONE);
	/* The other group's stays, and all of them are known as they are now. */
	assert_int_equal(endpoint_of(other.slot[0]).state, WEIR_ENDPOINT_READY);
	assert_true(book_has_unwanted_endpoints(&applier.book));
	apply();
	assert_false(done.swapped);
	assert_int_equal(group_of(group).slot[0], now.slot[0]);
}

static void test_ids_stay_with_their_rules(void **state)
{
	uint32_t first, second, group;

	group = add_group("ns/s:80", "127.0.0.1:81");
	add_route("", "/a", group);
	add_route("", "/b", group);
	apply();
	first = ir.routes.item[0].id;
	second = ir.routes.item[1].id;
	group = ir.groups.item[0].id;
	begin();
	add_group("ns/t:80", "127.0.0.1:83");
	add_group("ns/s:80", "127.0.0.1:81");
	add_route("", "/b", 1);
	add_route("", "/c", 0);
	apply();
	assert_true(done.swapped);
	assert_int_equal(ir.routes.item[0].id, second);
	assert_int_not_equal(ir.routes.item[1].id, first);
	assert_int_equal(ir.groups.item[1].id, group);
	assert_int_equal(map_count(dp.map[DP_MAP_routes]), 2);
	assert_int_equal(map_count(dp.map[DP_MAP_groups]), 2);
}

static void test_the_table_in_use_is_a_valid_one(void **state)
{
	const void *blob;
	size_t size;

	add_route("", "/a", add_group("ns/s:80", "127.0.0.1:81"));
	apply();
	assert_int_equal(table_map(&dp, &blob, &size, &err), 0);
	assert_int_equal(table_check(blob, size, &err), 0);
	munmap((void *)blob, size);
}

static void test_many_rules_grow_the_table(void **state)
{
	uint32_t group = add_group("ns/s:80", "127.0.0.1:81");
	char host[64];
	int i;

	add_route("", "/first", group);
	apply();
	begin();
	group = add_group("ns/s:80", "127.0.0.1:81");
	for (i = 0; i < 20000; i++) {
		snprintf(host, sizeof(host), "h%d.example", i);
		add_route(host, "/some/longer/path", group);
	}
	apply();
	assert_true(dp.table_bytes > WEIR_TABLE_MIN);
	assert_int_equal(settings().table_bytes, dp.table_bytes);
	assert_int_equal(settings().routes, 20000);
	begin();
	add_route("", "/again", add_group("ns/s:80", "127.0.0.1:81"));
	apply();
	assert_int_equal(map_count(dp.map[DP_MAP_routes]), 1);
}

static unsigned int loads;

static int load(void *arg, size_t table, struct err *why)
{
	loads++;
	return dp_load(&dp, pin, table, why);
}

/* What nobody has made yet is made once, for the table that there is. */
static void test_maps_are_made_for_the_table(void **state)
{
	uint32_t group;
	char host[64];
	int i;

	dp_close(&dp);
	applier.load = load;
	loads = 0;
	group = add_group("ns/s:80", "127.0.0.1:81");
	for (i = 0; i < 20000; i++) {
		snprintf(host, sizeof(host), "h%d.example", i);
		add_route(host, "/some/longer/path", group);
	}
	apply();
	assert_int_equal(loads, 1);
	assert_true(dp.table_bytes > WEIR_TABLE_MIN);
	assert_int_equal(settings().table_bytes, dp.table_bytes);
	assert_int_equal(settings().generation, 1);
	assert_int_equal(settings().abi, WEIR_ABI);
	assert_int_equal(map_count(dp.map[DP_MAP_routes]), 20000);
	assert_true(ir.routes.item[0].id && ir.groups.item[0].id);
	assert_true(applier_is_current(&applier));
	apply();
	assert_int_equal(loads, 1);
	assert_false(done.swapped);
}

static void test_another_process_is_noticed(void **state)
{
	struct applier other = {};
	struct dp other_dp;

	add_route("", "/a", add_group("ns/s:80", "127.0.0.1:81"));
	apply();
	assert_true(applier_is_current(&applier));

	begin();
	add_route("", "/b", add_group("ns/t:80", "127.0.0.1:82"));
	assert_int_equal(dp_open(&other_dp, pin, &err), 0);
	other.dp = &other_dp;
	assert_int_equal(apply_ir(&other, &ir, &done, &err), 0);
	assert_int_equal(done.generation, 2);
	applier_free(&other);
	dp_close(&other_dp);

	assert_false(applier_is_current(&applier));
	begin();
	add_route("", "/a", add_group("ns/s:80", "127.0.0.1:81"));
	apply();
	assert_true(done.swapped);
	assert_int_equal(done.generation, 3);
	assert_int_equal(map_count(dp.map[DP_MAP_routes]), 1);
}

/* What the health checks of a test say. */
static uint16_t down_port;

static bool is_down(const struct ir_endpoint *e, void *arg)
{
	return e->port == down_port;
}

/* Only the group whose endpoint has changed is written. */
static void test_health_of_one_group(void **state)
{
	static const uint32_t places[] = {1, 1};
	struct weir_endpoint first, second;

	applier.is_down = is_down;
	down_port = 0;
	add_route("", "/a", add_group("ns/s:80", "127.0.0.1:81"));
	add_route("", "/b", add_group("ns/t:80", "127.0.0.1:81"));
	apply();
	down_port = 81;
	assert_int_equal(apply_groups(&applier, &ir, places, 2, &err), 0);
	first = endpoint_of(group_of(ir.groups.item[0].id).slot[0]);
	second = endpoint_of(group_of(ir.groups.item[1].id).slot[0]);
	assert_int_equal(first.state, WEIR_ENDPOINT_READY);
	assert_int_equal(second.state, WEIR_ENDPOINT_UNHEALTHY);
}

/* What health checks have found out stays with the endpoints when another process
 * applies its rules. */
static void test_marks_are_read(void **state)
{
	struct applier other = {.dp = &dp};
	struct ir_endpoint down, up;
	uint32_t id;

	applier.is_down = is_down;
	down_port = 82;
	add_route("", "/a", add_group("ns/s:80", "127.0.0.1:81"));
	add_route("", "/b", add_group("ns/t:80", "127.0.0.1:82"));
	apply();
	up = ir.groups.item[0].endpoints.item[0];
	down = ir.groups.item[1].endpoints.item[0];
	id = group_of(ir.groups.item[1].id).slot[0];
	assert_int_equal(endpoint_of(id).state, WEIR_ENDPOINT_UNHEALTHY);
	assert_int_equal(book_read(&other.book, &dp, &err), 0);
	assert_true(book_says_unhealthy(&other.book, &down.addr, down.port));
	assert_false(book_says_unhealthy(&other.book, &up.addr, up.port));
	applier_free(&other);
}

/* An agent looks after what another process has applied. */
static void test_what_others_apply_is_adopted(void **state)
{
	struct applier other = {};
	struct weir_endpoint ep;
	struct dp other_dp;
	struct ir adopted;

	applier.is_down = is_down;
	applier.follows_node = true;
	down_port = 0;
	add_route("", "/a", add_group("ns/s:80", "127.0.0.1:81"));
	apply();
	begin();
	add_route("", "/b", add_group("ns/t:80", "127.0.0.1:82"));
	assert_int_equal(dp_open(&other_dp, pin, &err), 0);
	other.dp = &other_dp;
	assert_int_equal(apply_ir(&other, &ir, &done, &err), 0);
	applier_free(&other);
	dp_close(&other_dp);

	assert_int_equal(apply_adopt(&applier, &adopted, &err), 0);
	assert_true(applier_is_current(&applier));
	assert_int_equal(adopted.groups.len, 1);
	assert_string_equal(adopted.groups.item[0].name, "ns/t:80");
	assert_int_equal(adopted.groups.item[0].endpoints.len, 1);
	assert_int_equal(adopted.groups.item[0].endpoints.item[0].port, 82);
	assert_true(adopted.groups.item[0].endpoints.item[0].ready);
	down_port = 82;
	assert_int_equal(apply_paths(&applier, &adopted, &err), 0);
	assert_int_equal(adopted.groups.item[0].id, ir.groups.item[0].id);
	ep = endpoint_of(group_of(ir.groups.item[0].id).slot[0]);
	assert_int_equal(ep.state, WEIR_ENDPOINT_UNHEALTHY);
	/* What is gone may be forgotten, and nothing else. */
	book_forget_endpoints(&applier.book, &dp, nothing_is_used, NULL);
	assert_int_equal(map_count(dp.map[DP_MAP_endpoints]), 1);
	assert_int_equal(map_count(dp.map[DP_MAP_routes]), 1);
	ir_free(&adopted);
}

/* A way that is known is looked for again only when the node has changed. */
static void test_ways_are_kept(void **state)
{
	struct weir_endpoint ep;
	uint32_t id;

	applier.follows_node = true;
	add_route("", "/a", add_group("ns/s:80", "127.0.0.1:81"));
	apply();
	id = group_of(ir.groups.item[0].id).slot[0];
	ep = endpoint_of(id);
	ep.mss = 777;
	bpf_map_update_elem(dp.map[DP_MAP_endpoints], &id, &ep, BPF_ANY);
	apply();
	assert_int_equal(endpoint_of(id).mss, 777);
	assert_int_equal(apply_paths(&applier, &ir, &err), 0);
	assert_int_not_equal(endpoint_of(id).mss, 777);

	/* Whoever does not follow the node looks each time. */
	bpf_map_update_elem(dp.map[DP_MAP_endpoints], &id, &ep, BPF_ANY);
	applier.follows_node = applier.is_ready = false;
	apply();
	assert_int_not_equal(endpoint_of(id).mss, 777);
}

static struct ir_route *add_reply_route(const char *path, uint32_t reply)
{
	struct ir_route *r = add_route("", path, add_group(path, "127.0.0.1:81"));

	r->action = WEIR_ACTION_REPLY;
	r->reply = reply;
	return r;
}

static uint16_t status_of(const struct ir_route *r)
{
	struct weir_reply reply;

	assert_true(r->reply >= 0);
	assert_int_equal(reply_read(&dp, WEIR_REPLY_FIRST_FREE + r->reply, &reply), 0);
	return reply.status;
}

/* The table in use while a new one is written must not see another reply. */
static void test_replies_keep_their_ids(void **state)
{
	int first, second;

	add_reply_route("/a", add_reply(403, "a"));
	add_reply_route("/b", add_reply(410, "b"));
	apply();
	assert_int_equal(status_of(&ir.routes.item[0]), 403);
	assert_int_equal(status_of(&ir.routes.item[1]), 410);
	first = ir.routes.item[0].reply;
	second = ir.routes.item[1].reply;
	begin();
	add_reply_route("/b", add_reply(410, "b"));
	add_reply_route("/c", add_reply(451, "c"));
	apply();
	assert_int_equal(ir.routes.item[0].reply, second);
	assert_int_not_equal(ir.routes.item[1].reply, first);
	assert_int_equal(status_of(&ir.routes.item[0]), 410);
	assert_int_equal(status_of(&ir.routes.item[1]), 451);
}

static void test_a_refusal_changes_nothing(void **state)
{
	char body[WEIR_REPLY_BYTES + 1];
	struct err why = {};
	uint32_t kept;

	add_route("", "/a", add_group("ns/s:80", "127.0.0.1:81"));
	apply();
	kept = ir.routes.item[0].id;
	begin();
	memset(body, 'x', sizeof(body) - 1);
	body[sizeof(body) - 1] = '\0';
	add_reply_route("/b", add_reply(200, body));
	assert_int_equal(apply_ir(&applier, &ir, &done, &why), -E2BIG);
	assert_int_equal(settings().generation, 1);
	assert_string_equal(route_of(kept).path, "/a");
	assert_int_equal(map_count(dp.map[DP_MAP_routes]), 1);
	assert_int_equal(map_count(dp.map[DP_MAP_groups]), 1);

	err_where(&why, "%s",
		  "/a/very/long/directory/name/that/does/not/fit/rules.yaml:12:3");
	apply_refused(&dp, &why);
	assert_non_null(strstr(settings().applied, "refused: "));
	assert_non_null(strstr(settings().applied, "rules.yaml:12:3)"));

	begin();
	add_route("", "/a", add_group("ns/s:80", "127.0.0.1:81"));
	apply();
	assert_string_equal(settings().applied, "ok");
	assert_int_equal(ir.routes.item[0].id, kept);
}

#define KERNEL_TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		KERNEL_TEST(test_first_rules),
		KERNEL_TEST(test_endpoints_do_not_touch_the_table),
		KERNEL_TEST(test_endpoints_alone),
		KERNEL_TEST(test_ids_stay_with_their_rules),
		KERNEL_TEST(test_the_table_in_use_is_a_valid_one),
		KERNEL_TEST(test_many_rules_grow_the_table),
		KERNEL_TEST(test_maps_are_made_for_the_table),
		KERNEL_TEST(test_another_process_is_noticed),
		KERNEL_TEST(test_health_of_one_group),
		KERNEL_TEST(test_marks_are_read),
		KERNEL_TEST(test_what_others_apply_is_adopted),
		KERNEL_TEST(test_ways_are_kept),
		KERNEL_TEST(test_replies_keep_their_ids),
		KERNEL_TEST(test_a_refusal_changes_nothing),
	};

	if (geteuid() || unshare(CLONE_NEWNET) || system("ip link set lo up")) {
		fprintf(stderr, "skipped: needs root\n");
		return SKIPPED;
	}
	snprintf(pin, sizeof(pin), "/sys/fs/bpf/weir-apply-test-%d", getpid());
	return cmocka_run_group_tests_name("apply_kernel", tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dp/ against the kernel: what is made, adopted, swapped and taken away.
 * Needs root.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <weir/flow.h>
#include <weir/stats.h>

#include "fixture.h"

#include "base/addr.h"
#include "base/mem.h"
#include "base/netns.h"
#include "dp/attach.h"
#include "dp/book.h"
#include "dp/clsact.h"
#include "dp/cookies.h"
#include "dp/counters.h"
#include "dp/iface.h"
#include "dp/listeners.h"
#include "dp/mapio.h"
#include "dp/pin.h"
#include "dp/replies.h"
#include "dp/table.h"

/* ---- head_free ---- */

static void test_slots_are_made_once(void **state)
{
	bool seen[WEIR_HEAD_SLOTS] = {};
	uint32_t slot, count = 0, taken;

	assert_true(pop_slot(&taken));
	fixture_adopt(0);
	while (pop_slot(&slot)) {
		assert_true(slot < WEIR_HEAD_SLOTS);
		assert_false(seen[slot]);
		seen[slot] = true;
		count++;
	}
	assert_int_equal(count, WEIR_HEAD_SLOTS - 1);
	assert_false(seen[taken]);
}

/* ---- pins ---- */

static void test_half_made_maps_are_made_anew(void **state)
{
	uint32_t slot, first;

	assert_true(pop_slot(&first));
	/* As after a crash before the last pin. */
	unlink(pin_path(pin, "maps", "settings").s);
	dp_close(&dp);
	assert_false(dp_exists(pin));
	assert_ok(dp_load(&dp, pin, 0, &err));
	assert_false(dp.adopted);
	assert_ok(dp_publish(&dp, &err));
	assert_true(pop_slot(&slot));
	assert_int_equal(slot, first);
}

static void assert_stale(void)
{
	struct dp other;

	assert_int_equal(dp_load(&other, pin, 0, &err), -ESTALE);
	assert_non_null(strstr(err.what, "layout"));
	assert_non_null(strstr(err.hint, "--replace"));
	assert_non_null(strstr(err.hint, "detach --all"));
	assert_int_equal(dp_open(&other, pin, &err), -ESTALE);
}

static void test_another_layout_is_refused(void **state)
{
	struct weir_settings s;

	assert_ok(dp_settings_read(&dp, &s, &err));
	s.abi = WEIR_ABI + 1;
	assert_ok(dp_settings_write(&dp, &s, &err));
	assert_stale();
	s.abi = WEIR_ABI;
	s.layout ^= 1;
	assert_ok(dp_settings_write(&dp, &s, &err));
	assert_stale();
}

/* In place of a pinned map one with longer values, and the same in them. */
static void make_longer(enum dp_map m)
{
	DECLARE_LIBBPF_OPTS(bpf_map_create_opts, opts);
	struct bpf_map_info info = {};
	uint32_t len = sizeof(info), key;
	auto_free char *value = NULL;
	auto_fd int fd = -1;
	bool more;

	assert_int_equal(bpf_obj_get_info_by_fd(dp.map[m], &info, &len), 0);
	opts.map_flags = info.map_flags;
	fd = bpf_map_create(info.type, dp_map_names[m], info.key_size,
			    info.value_size + 8, info.max_entries, &opts);
	assert_true(fd >= 0);
	value = calloc(1, info.value_size + 8);
	more = !bpf_map_get_next_key(dp.map[m], NULL, &key);
	for (; more; more = !bpf_map_get_next_key(dp.map[m], &key, &key)) {
		bpf_map_lookup_elem(dp.map[m], &key, value);
		assert_int_equal(bpf_map_update_elem(fd, &key, value, BPF_ANY), 0);
	}
	assert_ok(pin_put(pin, "maps", dp_map_names[m], fd, &err));
}

/* T113: packets without Ethernet headers would be misread */
static void test_a_tun_is_refused(void **state)
{
	const char *const any[] = {"*"}, *const by_name[] = {"weir-tun"};
	struct names found = {};

	if (system("ip tuntap add mode tun weir-tun"))
		skip();
	assert_int_equal(attach_iface(&dp, "weir-tun", &err), -EOPNOTSUPP);
	assert_non_null(strstr(err.what, "no Ethernet headers"));
	/* a pattern does not mean it */
	assert_ok(iface_find(any, 1, false, &found, &err));
	assert_int_equal(found.len, 0);
	assert_ok(iface_find(by_name, 1, true, &found, &err));
	assert_int_equal(found.len, 1);
	names_free(&found);
	system("ip link del weir-tun");
}

/* Settings, keys and hooks are read from a version that knows more. */
static void test_another_layout_is_replaced(void **state)
{
	struct weir_cookie_keys before = {}, after = {};
	uint32_t zero = 0;
	struct attachments all = {};
	struct dp next;

	assert_ok(attach_iface(&dp, "lo", &err));
	bpf_map_lookup_elem(dp.map[DP_MAP_cookie_keys], &zero, &before);
	make_longer(DP_MAP_settings);
	make_longer(DP_MAP_cookie_keys);
	make_longer(DP_MAP_attachments);
	assert_int_equal(dp_load(&next, pin, 0, &err), -ESTALE);
	assert_ok(dp_load_beside(&next, pin, WEIR_TABLE_MIN + 1, &err));
	assert_int_equal(next.table_bytes, 2 * WEIR_TABLE_MIN);
	assert_false(next.adopted);
	assert_ok(dp_publish(&next, &err));
	dp_close(&dp);
	dp = next;
	bpf_map_lookup_elem(dp.map[DP_MAP_cookie_keys], &zero, &after);
	assert_memory_equal(&before, &after, sizeof(before));
	assert_ok(attach_list(&dp, &all, &err));
	assert_int_equal(all.len, 1);
	assert_true(all.item[0].live);
	vec_free(&all);
	fixture_adopt(0);
}

static void test_locks(void **state)
{
	auto_fd int agent = pin_lock(pin, PIN_LOCK_AGENT, &err);
	auto_fd int change = pin_lock(pin, PIN_LOCK_CHANGE, &err);

	assert_true(agent >= 0);
	assert_true(change >= 0);
	assert_int_equal(pin_agent(pin), getpid());
	assert_int_equal(pin_lock(pin, PIN_LOCK_AGENT, &err), -EBUSY);
	close(agent);
	agent = -1;
	assert_int_equal(pin_agent(pin), 0);
	agent = pin_lock(pin, PIN_LOCK_AGENT, &err);
	assert_true(agent >= 0);
}

/* The one that comes second says who was first, and does not wait for ever. */
static void test_the_holder_of_a_lock_is_named(void **state)
{
	unsigned int patience = pin_patience_ms;
	char who[32], ready;
	int pipes[2];
	pid_t other;

	assert_int_equal(pipe(pipes), 0);
	other = fork();
	if (!other) {
		if (pin_lock(pin, PIN_LOCK_AGENT, &err) < 0 ||
		    pin_lock(pin, PIN_LOCK_CHANGE, &err) < 0 ||
		    write(pipes[1], "x", 1) != 1)
			_exit(1);
		_exit(pause());
	}
	assert_int_equal(read(pipes[0], &ready, 1), 1);
	close(pipes[0]);
	close(pipes[1]);
	snprintf(who, sizeof(who), "process %d,", other);
	assert_int_equal(pin_lock(pin, PIN_LOCK_AGENT, &err), -EBUSY);
	assert_non_null(strstr(err.where, who));
	pin_patience_ms = 1;
	assert_int_equal(pin_lock(pin, PIN_LOCK_CHANGE, &err), -EBUSY);
	assert_non_null(strstr(err.where, who));
	pin_patience_ms = patience;
	assert_int_equal(pin_no_agent(pin, &err), -EBUSY);
	assert_non_null(strstr(err.where, who));
	kill(other, SIGKILL);
	waitpid(other, NULL, 0);
	assert_int_equal(pin_no_agent(pin, &err), 0);
	close(pin_lock(pin, PIN_LOCK_CHANGE, &err));
}

/* ---- the route table ---- */

static void put_table(const void *blob, size_t size)
{
	auto_fd int inner = table_fill(&dp, blob, size, &err);

	assert_true(inner >= 0);
	assert_ok(table_swap(&dp, inner, &err));
}

static void assert_table(const void *want, size_t size)
{
	const void *blob;
	size_t got;

	assert_ok(table_map(&dp, &blob, &got, &err));
	assert_int_equal(got, dp.table_bytes);
	assert_memory_equal(blob, want, size);
	munmap((void *)blob, got);
}

static void test_table_is_swapped_and_read_back(void **state)
{
	const void *blob;
	size_t size;

	assert_int_equal(table_map(&dp, &blob, &size, &err), -ENOENT);
	put_table("one", 4);
	assert_table("one", 4);
	put_table("two and more", 13);
	assert_table("two and more", 13);
}

static void test_table_grows(void **state)
{
	auto_free char *large = calloc(1, WEIR_TABLE_MIN + 1);
	uint32_t kept;

	put_table("small", 6);
	assert_true(pop_slot(&kept));
	assert_int_equal(table_fill(&dp, large, WEIR_TABLE_MIN + 1, &err), -EFBIG);
	large[WEIR_TABLE_MIN] = 'x';
	dp_close(&dp);
	assert_ok(dp_load(&dp, pin, WEIR_TABLE_MIN + 1, &err));
	assert_int_equal(dp.table_bytes, 2 * WEIR_TABLE_MIN);
	put_table(large, WEIR_TABLE_MIN + 1);
	assert_ok(dp_publish(&dp, &err));
	/* Whoever opens the pins finds the large one, and all else as it was. */
	dp_close(&dp);
	assert_ok(dp_open(&dp, pin, &err));
	dp.table_bytes = 2 * WEIR_TABLE_MIN;
	assert_table(large, WEIR_TABLE_MIN + 1);
	assert_true(pop_slot(&kept));
}

static void test_table_over_the_limit(void **state)
{
	struct dp other;

	assert_int_equal(dp_load(&other, pin, (size_t)WEIR_TABLE_MAX + 1, &err),
			 -E2BIG);
}

/* ---- listeners ---- */

static uint64_t port_word(uint16_t port)
{
	uint32_t word = port / 64;
	uint64_t bits = 0;

	bpf_map_lookup_elem(dp.map[DP_MAP_listen_ports], &word, &bits);
	return bits >> port % 64 & 1;
}

static void test_listeners(void **state)
{
	struct listeners a = {}, b = {};
	struct listener_rows rows = {};

	assert_ok(listeners_parse("10.0.0.1:80", NULL, 0, &a, &err));
	assert_ok(listeners_parse("10.0.0.1:8080", NULL, 0, &a, &err));
	assert_ok(listeners_parse("[2001:db8::1]:80", NULL, 0, &b, &err));
	assert_ok(listeners_set(&dp, &a, true, &err));
	assert_true(port_word(80));
	assert_true(port_word(8080));
	assert_false(port_word(81));
	assert_ok(listeners_set(&dp, &b, false, &err));
	assert_int_equal(map_count(dp.map[DP_MAP_listeners]), 3);
	assert_ok(listeners_set(&dp, &b, true, &err));
	assert_true(port_word(80));
	assert_false(port_word(8080));
	assert_ok(listeners_set_mss(&dp, 1234, &err));
	assert_ok(listeners_list(&dp, &rows, &err));
	assert_int_equal(rows.len, 1);
	assert_int_equal(rows.item[0].mss, 1234);
	assert_string_equal(rows.item[0].text, "[2001:db8::1]:80/http");
	vec_free(&rows);
	vec_free(&a);
	vec_free(&b);
}

/* ---- endpoints, groups, routes ---- */

static struct endpoint_want endpoint(const char *text, bool ready)
{
	struct endpoint_want e = {.weight = 1, .ready = ready};

	assert_int_equal(addr_parse_port(text, &e.addr, &e.port), 0);
	return e;
}

static void write_groups(struct book *book, struct group_want *want, size_t count)
{
	uint16_t mss;

	book_begin(book);
	assert_ok(book_groups(book, want, count, &err));
	assert_ok(book_write_groups(book, &dp, want, count, true, &mss, &err));
	assert_ok(book_retire(book, &dp, &err));
}

static bool nothing_is_used(uint32_t id, void *arg)
{
	return false;
}

static void test_groups(void **state)
{
	struct endpoint_want both[] = {endpoint("127.0.0.1:81", true),
				       endpoint("127.0.0.1:82", true)};
	struct group_want want[] = {{"ns/a:80", both, 2, 0, 0},
				    {"ns/none:80", NULL, 0, 0, 0}};
	struct book book = {};
	struct weir_endpoint ep;
	struct weir_group g;
	uint32_t first, gone;

	assert_ok(book_read(&book, &dp, &err));
	write_groups(&book, want, 2);
	first = want[0].id;
	assert_int_equal(bpf_map_lookup_elem(dp.map[DP_MAP_groups], &first, &g), 0);
	assert_int_equal(g.share[WEIR_IPV4].count, 2);
	assert_string_equal(g.name, "ns/a:80");
	gone = g.slot[1];
	assert_int_equal(bpf_map_lookup_elem(dp.map[DP_MAP_endpoints], &gone, &ep), 0);
	assert_string_equal(ep.text, "127.0.0.1:82");
	assert_string_equal(ep.service, "ns/a:80");
	assert_int_equal(ep.state, WEIR_ENDPOINT_READY);
	assert_int_equal(bpf_map_lookup_elem(dp.map[DP_MAP_groups], &want[1].id, &g),
			 0);
	assert_int_equal(g.share[WEIR_IPV4].count, 0);

	/* The kernel's turn survives a change of the group. */
	bpf_map_lookup_elem(dp.map[DP_MAP_groups], &first, &g);
	g.turn = 77;
	bpf_map_update_elem(dp.map[DP_MAP_groups], &first, &g, BPF_ANY);
	want[0].count = 1;
	write_groups(&book, want, 1);
	bpf_map_lookup_elem(dp.map[DP_MAP_groups], &first, &g);
	assert_int_equal(g.turn, 77);
	assert_int_equal(g.share[WEIR_IPV4].count, 1);
	assert_int_equal(map_count(dp.map[DP_MAP_groups]), 1);

	/* The endpoint stays, marked, until nobody uses it. */
	assert_int_equal(bpf_map_lookup_elem(dp.map[DP_MAP_endpoints], &gone, &ep), 0);
	assert_int_equal(ep.state, WEIR_ENDPOINT_GONE);

	/* Another process finds the same ids, and gives none twice. */
	assert_ok(book_read(&book, &dp, &err));
	want[0].count = 2;
	write_groups(&book, want, 2);
	assert_int_equal(want[0].id, first);
	bpf_map_lookup_elem(dp.map[DP_MAP_groups], &first, &g);
	assert_int_equal(g.slot[1], gone);
	assert_true(want[1].id > first);

	want[0].count = 1;
	write_groups(&book, want, 1);
	book_forget_endpoints(&book, &dp, nothing_is_used, NULL);
	assert_int_not_equal(bpf_map_lookup_elem(dp.map[DP_MAP_endpoints], &gone, &ep),
			     0);
	assert_int_equal(map_count(dp.map[DP_MAP_endpoints]), 1);
	book_free(&book);
}

static void test_draining_endpoints_are_not_picked(void **state)
{
	struct endpoint_want both[] = {endpoint("127.0.0.1:81", false),
				       endpoint("127.0.0.1:82", true)};
	struct group_want want = {"ns/a:80", both, 2, 0, 0};
	struct book book = {};
	struct weir_group g;

	assert_ok(book_read(&book, &dp, &err));
	write_groups(&book, &want, 1);
	assert_int_equal(bpf_map_lookup_elem(dp.map[DP_MAP_groups], &want.id, &g), 0);
	assert_int_equal(g.share[WEIR_IPV4].count, 1);
	assert_int_equal(map_count(dp.map[DP_MAP_endpoints]), 2);
	book_free(&book);
}

static void test_ids_that_flows_remember_are_not_given_again(void **state)
{
	struct group_want want = {"ns/new:80", NULL, 0, 0, 0};
	struct weir_flow flow = {
		.group_id = 500, .route_id = 3, .endpoint_id = WEIR_NO_ID};
	struct weir_tuple key = {};
	struct book book = {};

	assert_int_equal(
		bpf_map_update_elem(dp.map[DP_MAP_flows], &key, &flow, BPF_ANY), 0);
	assert_ok(book_read(&book, &dp, &err));
	write_groups(&book, &want, 1);
	assert_int_equal(want.id, 501);
	book_free(&book);
}

static void test_long_names_stay_apart(void **state)
{
	char a[200], b[200];
	struct group_want want[] = {{a, NULL, 0, 0, 0}, {b, NULL, 0, 0, 0}};
	struct book book = {};

	memset(a, 'x', sizeof(a) - 1);
	a[sizeof(a) - 1] = '\0';
	memcpy(b, a, sizeof(b));
	b[150] = 'y';
	assert_ok(book_read(&book, &dp, &err));
	write_groups(&book, want, 2);
	assert_int_not_equal(want[0].id, want[1].id);
	assert_int_equal(map_count(dp.map[DP_MAP_groups]), 2);
	book_free(&book);
}

static void the_route(void *arg, size_t i, struct weir_route *out)
{
	memcpy(out, arg, sizeof(*out));
}

static void test_routes(void **state)
{
	struct weir_route r = {.ingress = "ns/i", .host = "h", .path = "/p"};
	struct weir_route_stats stats;
	struct book book = {};
	size_t first, twin, both[2];
	uint32_t id, twin_id;

	assert_ok(book_read(&book, &dp, &err));
	book_begin(&book);
	assert_ok(book_route(&book, &r, &first, &err));
	assert_ok(book_route(&book, &r, &twin, &err));
	assert_int_not_equal(first, twin);
	id = book.routes.item[first].id;
	twin_id = book.routes.item[twin].id;
	both[0] = first;
	both[1] = twin;
	assert_ok(book_write_routes(&book, &dp, both, 2, the_route, &r, &err));
	assert_ok(book_retire(&book, &dp, &err));

	/* Numbers go on when the route changes, and have its names. */
	assert_int_equal(bpf_map_lookup_elem(dp.map[DP_MAP_route_stats], &id, &stats),
			 0);
	assert_string_equal(stats.path, "/p");
	stats.requests = 7;
	bpf_map_update_elem(dp.map[DP_MAP_route_stats], &id, &stats, BPF_ANY);
	r.priority = 3;
	assert_ok(book_write_routes(&book, &dp, both, 2, the_route, &r, &err));
	assert_int_equal(bpf_map_lookup_elem(dp.map[DP_MAP_route_stats], &id, &stats),
			 0);
	assert_int_equal(stats.requests, 7);
	r.priority = 0;
	assert_ok(book_write_routes(&book, &dp, both, 2, the_route, &r, &err));

	assert_ok(book_read(&book, &dp, &err));
	book_begin(&book);
	assert_ok(book_route(&book, &r, &first, &err));
	assert_true(book.routes.item[first].id == id ||
		    book.routes.item[first].id == twin_id);
	assert_ok(book_retire(&book, &dp, &err));
	assert_int_equal(map_count(dp.map[DP_MAP_routes]), 1);
	book_free(&book);
}

/* ---- keys, replies, counters ---- */

static struct weir_cookie_keys keys(void)
{
	struct weir_cookie_keys k = {};
	uint32_t zero = 0;

	bpf_map_lookup_elem(dp.map[DP_MAP_cookie_keys], &zero, &k);
	return k;
}

static void test_cookie_keys(void **state)
{
	struct weir_cookie_keys first = keys(), second;

	assert_true(first.now[0] && first.now[1] && first.before[0]);
	fixture_adopt(0);
	second = keys();
	assert_memory_equal(&first, &second, sizeof(first));
	assert_ok(cookies_rotate(&dp, &err));
	second = keys();
	assert_memory_equal(second.before, first.now, sizeof(first.now));
	assert_memory_not_equal(second.now, first.now, sizeof(first.now));
	assert_memory_equal(second.isn, first.isn, sizeof(first.isn));
}

/* Endpoints remember our numbers longer than a program lives. */
static void test_the_next_program_goes_on_with_our_numbers(void **state)
{
	uint64_t isn[2] = {dp.isn[0], dp.isn[1]};

	assert_true(isn[0] || isn[1]);
	fixture_adopt(WEIR_TABLE_MIN + 1);
	assert_memory_equal(dp.isn, isn, sizeof(isn));
}

static void test_fixed_replies_are_there(void **state)
{
	struct weir_reply r;

	assert_int_equal(reply_read(&dp, WEIR_REPLY_NOT_FOUND, &r), 0);
	assert_int_equal(r.status, 404);
	assert_int_equal(r.keep.len - r.keep.head_len, 48);
	assert_int_equal(reply_read(&dp, WEIR_REPLY_VERSION, &r), 0);
	assert_int_equal(r.status, 505);
}

static void test_counters_have_names(void **state)
{
	struct weir_counter_name name;
	uint32_t i = WEIR_REQ_ROUTED;
	struct counters c;

	assert_ok(counters_read(&dp, &c, &err));
	assert_int_equal(c.value[WEIR_REQ_ROUTED], 0);
	assert_int_equal(bpf_map_lookup_elem(dp.map[DP_MAP_counter_names], &i, &name),
			 0);
	assert_string_equal(name.name, "req_routed");
	assert_string_equal(outcome_names[i], "req_routed");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FIXTURE_TEST(test_slots_are_made_once),
		FIXTURE_TEST(test_half_made_maps_are_made_anew),
		FIXTURE_TEST(test_another_layout_is_refused),
		FIXTURE_TEST(test_a_tun_is_refused),
		FIXTURE_TEST(test_another_layout_is_replaced),
		FIXTURE_TEST(test_locks),
		FIXTURE_TEST(test_the_holder_of_a_lock_is_named),
		FIXTURE_TEST(test_table_is_swapped_and_read_back),
		FIXTURE_TEST(test_table_grows),
		FIXTURE_TEST(test_table_over_the_limit),
		FIXTURE_TEST(test_listeners),
		FIXTURE_TEST(test_groups),
		FIXTURE_TEST(test_draining_endpoints_are_not_picked),
		FIXTURE_TEST(test_ids_that_flows_remember_are_not_given_again),
		FIXTURE_TEST(test_long_names_stay_apart),
		FIXTURE_TEST(test_routes),
		FIXTURE_TEST(test_cookie_keys),
		FIXTURE_TEST(test_the_next_program_goes_on_with_our_numbers),
		FIXTURE_TEST(test_fixed_replies_are_there),
		FIXTURE_TEST(test_counters_have_names),
	};
	int skipped = fixture_enter("dp");

	if (skipped)
		return skipped;
	return cmocka_run_group_tests_name("dp", tests, NULL, NULL);
}

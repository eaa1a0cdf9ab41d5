/* SPDX-License-Identifier: BSD-2-Clause */
/* What dp/ decides without a kernel: ids, reply bytes, addresses, patience. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/addr.h"
#include "base/err.h"
#include "dp/flows.h"
#include "dp/quantile.h"
#include "dp/listeners.h"
#include "dp/path.h"
#include "dp/pin.h"
#include "dp/registry.h"
#include "dp/replies.h"

/* ---- ids ---- */

static bool drop_unwanted(const struct registry_entry *e, void *arg)
{
	return !e->wanted;
}

static void test_ids_are_stable_and_never_reused(void **state)
{
	struct registry r = {.next = 1};
	uint32_t a = registry_take(&r, "a", NULL)->id;
	uint32_t b = registry_take(&r, "b", NULL)->id;
	bool was_wanted;

	assert_int_not_equal(a, b);
	registry_begin(&r);
	assert_int_equal(registry_take(&r, "b", NULL)->id, b);
	registry_drop(&r, drop_unwanted, NULL);
	assert_int_equal(r.len, 1);

	registry_begin(&r);
	assert_int_equal(registry_take(&r, "b", &was_wanted)->id, b);
	assert_false(was_wanted);
	assert_int_equal(registry_take(&r, "b", &was_wanted)->id, b);
	assert_true(was_wanted);
	assert_true(registry_take(&r, "c", &was_wanted)->id > b);
	assert_false(was_wanted);
	assert_true(registry_take(&r, "a", NULL)->id > b);
	registry_free(&r);
}

static void test_ids_read_back_are_kept(void **state)
{
	struct registry r = {.next = 1};

	assert_non_null(registry_learn(&r, "old", 41));
	assert_null(registry_learn(&r, "old", 42));
	assert_int_equal(registry_take(&r, "old", NULL)->id, 41);
	assert_int_equal(registry_take(&r, "new", NULL)->id, 42);
	registry_free(&r);
}

static void test_many_names(void **state)
{
	struct registry r = {};
	char name[32];
	uint32_t i;

	for (i = 0; i < 5000; i++) {
		snprintf(name, sizeof(name), "name-%u", i);
		assert_int_equal(registry_take(&r, name, NULL)->id, i);
	}
	registry_begin(&r);
	for (i = 0; i < 5000; i += 2) {
		snprintf(name, sizeof(name), "name-%u", i);
		assert_int_equal(registry_take(&r, name, NULL)->id, i);
	}
	registry_drop(&r, drop_unwanted, NULL);
	assert_int_equal(r.len, 2500);
	for (i = 0; i < 5000; i++) {
		snprintf(name, sizeof(name), "name-%u", i);
		assert_int_equal(registry_take(&r, name, NULL)->id < 5000, i % 2 == 0);
	}
	registry_free(&r);
}

/* ---- replies ---- */

static void assert_reply(const struct weir_reply_text *t, const char *head,
			 const char *body)
{
	assert_int_equal(t->head_len, strlen(head));
	assert_int_equal(t->len, strlen(head) + strlen(body));
	assert_memory_equal(t->text, head, strlen(head));
	assert_memory_equal(t->text + t->head_len, body, strlen(body));
}

static void test_no_route_reply(void **state)
{
	const char *body = "{\"message\":\"no Route matched with those values\"}";
	struct weir_reply r;

	reply_render_fixed(404, "Not Found", "no Route matched with those values", &r);
	assert_int_equal(r.status, 404);
	assert_int_equal(strlen(body), 48);
	assert_reply(&r.keep,
		     "HTTP/1.1 404 Not Found\r\n"
		     "Content-Type: application/json; charset=utf-8\r\n"
		     "Content-Length: 48\r\n\r\n",
		     body);
	assert_reply(&r.close,
		     "HTTP/1.1 404 Not Found\r\n"
		     "Content-Type: application/json; charset=utf-8\r\n"
		     "Content-Length: 48\r\nConnection: close\r\n\r\n",
		     body);
}

static void test_redirect_reply(void **state)
{
	const struct reply_want want = {.status = 301,
					.location = "https://a.example/x"};
	struct weir_reply r;

	assert_int_equal(reply_render(&want, &r), 0);
	assert_reply(&r.keep,
		     "HTTP/1.1 301 Moved Permanently\r\n"
		     "Location: https://a.example/x\r\nContent-Length: 0\r\n\r\n",
		     "");
}

/* What goes in comes from the request: just before the end of the line. */
static void test_https_reply(void **state)
{
	const struct reply_want want = {.status = 308, .to_https = true};
	static const char before[] = "HTTP/1.1 308 Permanent Redirect\r\n"
				     "Location: https://";
	struct weir_reply r;

	assert_int_equal(reply_render(&want, &r), 0);
	assert_int_equal(r.close.insert_at, strlen(before));
	assert_reply(&r.close,
		     "HTTP/1.1 308 Permanent Redirect\r\nLocation: https://\r\n"
		     "Content-Length: 0\r\nConnection: close\r\n\r\n",
		     "");
}

static void test_upgrade_reply(void **state)
{
	const struct reply_want want = {
		.status = 426, .body = "x", .content_type = "t/p"};
	struct weir_reply r;

	assert_int_equal(reply_render(&want, &r), 0);
	assert_reply(&r.close,
		     "HTTP/1.1 426 Upgrade Required\r\nContent-Type: t/p\r\n"
		     "Content-Length: 1\r\nUpgrade: TLS/1.2, HTTP/1.1\r\n"
		     "Connection: Upgrade, close\r\n\r\n",
		     "x");
}

static void test_reply_without_a_body(void **state)
{
	const struct reply_want want = {.status = 204, .body = "ignored"};
	struct weir_reply r;

	assert_int_equal(reply_render(&want, &r), 0);
	assert_reply(&r.keep, "HTTP/1.1 204 No Content\r\n\r\n", "");
}

static void test_reply_too_long(void **state)
{
	char body[WEIR_REPLY_BYTES + 1];
	struct reply_want want = {.status = 200, .body = body};
	struct weir_reply r;

	memset(body, 'x', WEIR_REPLY_BYTES);
	body[WEIR_REPLY_BYTES] = '\0';
	assert_int_equal(reply_render(&want, &r), -E2BIG);
	/* With "Connection: close" it is longest, and must fit to the byte. */
	body[WEIR_REPLY_BYTES - 60] = '\0';
	assert_int_equal(reply_render(&want, &r), 0);
	assert_true(r.close.len <= WEIR_REPLY_BYTES);
}

/* ---- addresses ---- */

static void test_addresses(void **state)
{
	struct weir_addr a;
	char text[WEIR_ADDR_TEXT];
	uint16_t port;

	assert_int_equal(addr_parse_port("10.0.0.1:80", &a, &port), 0);
	assert_true(addr_is_v4(&a));
	assert_int_equal(port, 80);
	assert_string_equal(addr_format_port(&a, port, text), "10.0.0.1:80");
	assert_int_equal(addr_parse_port("[2001:db8::1]:8080", &a, &port), 0);
	assert_false(addr_is_v4(&a));
	assert_string_equal(addr_format_port(&a, port, text), "[2001:db8::1]:8080");
}

static void test_bad_addresses(void **state)
{
	static const char *const bad[] = {"",
					  ":80",
					  "10.0.0.1",
					  "10.0.0.1:",
					  "10.0.0.1:0",
					  "10.0.0.1:65536",
					  "10.0.0:80",
					  "::1:80",
					  "10.0.0.1:8a",
					  "[::1:80",
					  "10.0.0.1:080000"};
	struct weir_addr a;
	uint16_t port;
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(addr_parse_port(bad[i], &a, &port), -EINVAL);
}

static void test_listeners(void **state)
{
	const char *const lo[] = {"lo"};
	struct listeners l = {};
	struct err err = {};

	assert_int_equal(listeners_parse("10.0.0.1:80", NULL, 0, &l, &err), 0);
	assert_int_equal(listeners_parse("[::1]:81/http", NULL, 0, &l, &err), 0);
	assert_int_equal(l.len, 2);
	assert_int_equal(l.item[1].port, 81);
	assert_int_equal(l.item[1].proto, WEIR_LISTEN_HTTP);
	assert_int_equal(listeners_parse("10.0.0.1:80/udp", NULL, 0, &l, &err),
			 -EINVAL);
	assert_int_equal(listeners_parse("10.0.0.1", NULL, 0, &l, &err), -EINVAL);
	assert_int_equal(listeners_parse("10.0.0.1:443/tls", NULL, 0, &l, &err),
			 -EOPNOTSUPP);
	assert_int_equal(l.len, 2);
	/* Every address of no interface is no address. */
	assert_int_equal(listeners_parse(":80", lo, 0, &l, &err), -EADDRNOTAVAIL);
	vec_free(&l);
}

static void test_mss_leaves_room_for_timestamps(void **state)
{
	assert_int_equal(path_mss(1500, 1), 1448);
	assert_int_equal(path_mss(1500, 0), 1428);
	assert_int_equal(path_mss(9000, 1), 8948);
	/* The loopback's MTU is 65536. */
	assert_int_equal(path_mss(65536, 1), 65483);
	assert_int_equal(path_mss(60, 1), 88);
}

static void test_path_to_loopback(void **state)
{
	struct weir_addr lo;
	struct path p;

	addr_parse("127.0.0.1", &lo);
	assert_int_equal(path_find(&lo, 80, &p), 0);
	assert_memory_equal(&p.source, &lo, sizeof(lo));
}

static void test_pin_names_have_no_dots(void **state)
{
	assert_string_equal(pin_path("/p", "links", "eth0.100").s, "/p/links/eth0:100");
	assert_string_equal(pin_path("/p", "maps", "").s, "/p/maps");
}

/* ---- connections ---- */

static void test_flow_patience(void **state)
{
	struct weir_flow f = {.state = WEIR_FLOW_HEAD};

	assert_int_equal(flow_patience_s(&f, 17), 17);
	f.state = WEIR_FLOW_CONNECT;
	assert_int_equal(flow_patience_s(&f, 17), FLOW_CONNECT_S);
	f.state = WEIR_FLOW_SPLICED;
	assert_true(flow_patience_s(&f, 17) >= 2 * 3600 + 4 * 60);
	/* Half closed: the other direction may go on for as long as it likes. */
	f.flags = WEIR_FLOW_FIN_CLIENT;
	assert_int_equal(flow_patience_s(&f, 17), FLOW_IDLE_S);
	f.flags |= WEIR_FLOW_FIN_SERVER;
	assert_int_equal(flow_patience_s(&f, 17), FLOW_CLOSED_S);
	f.state = WEIR_FLOW_REPLIED;
	f.flags = 0;
	assert_int_equal(flow_patience_s(&f, 17), FLOW_CLOSED_S);
}

static void test_leg_patience(void **state)
{
	struct weir_leg leg = {.state = WEIR_LEG_SPLICED};

	assert_int_equal(leg_patience_s(&leg), FLOW_IDLE_S);
	leg.flags = WEIR_LEG_FIN_ENDPOINT;
	assert_int_equal(leg_patience_s(&leg), FLOW_IDLE_S);
	leg.flags |= WEIR_LEG_FIN_CLIENT;
	assert_int_equal(leg_patience_s(&leg), FLOW_CLOSED_S);
	leg.flags = 0;
	leg.state = WEIR_LEG_ORPHAN;
	assert_int_equal(leg_patience_s(&leg), FLOW_CLOSED_S);
}

static void test_closed_patience_shrinks_with_room(void **state)
{
	assert_int_equal(sweep_closed_s(0, 1000), FLOW_CLOSED_S);
	assert_int_equal(sweep_closed_s(499, 1000), FLOW_CLOSED_S);
	assert_int_equal(sweep_closed_s(500, 1000), FLOW_CLOSED_S / 4);
	assert_int_equal(sweep_closed_s(760, 1000), 3);
	assert_int_equal(sweep_closed_s(1000, 1000), 1);
}

static void test_id_set(void **state)
{
	struct id_set set = {};

	assert_false(id_set_has(&set, 0));
	assert_true(id_set_add(&set, 3));
	assert_true(id_set_add(&set, 100000));
	assert_true(id_set_has(&set, 3));
	assert_true(id_set_has(&set, 100000));
	assert_false(id_set_has(&set, 4));
	assert_false(id_set_has(&set, 99999));
	assert_false(id_set_has(&set, UINT32_MAX));
	id_set_free(&set);
}

static void test_addr_prefix(void **state)
{
	static const char *const bad[] = {"",		"10.0.0.0/33", "10.0.0.0/",
					  "fd00::/129", "x/8",	       "10.0.0.0/-1"};
	struct weir_addr net, a;
	unsigned int bits;
	size_t i;

	assert_int_equal(addr_parse_prefix("10.32.0.0/11", &net, &bits), 0);
	assert_int_equal(bits, 107);
	addr_parse("10.63.255.255", &a);
	assert_true(addr_has_prefix(&a, &net, bits));
	addr_parse("10.64.0.0", &a);
	assert_false(addr_has_prefix(&a, &net, bits));
	assert_int_equal(addr_parse_prefix("10.64.0.0", &net, &bits), 0);
	assert_int_equal(bits, 128);
	assert_true(addr_has_prefix(&a, &net, bits));
	assert_int_equal(addr_parse_prefix("0.0.0.0/0", &net, &bits), 0);
	assert_true(addr_has_prefix(&a, &net, bits));
	addr_parse("2001:db8::1", &a);
	assert_false(addr_has_prefix(&a, &net, bits));
	assert_int_equal(addr_parse_prefix("[2001:db8::]/32", &net, &bits), 0);
	assert_true(addr_has_prefix(&a, &net, bits));
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(addr_parse_prefix(bad[i], &net, &bits), -EINVAL);
}

static void test_quantiles(void **state)
{
	u64 h[WEIR_HIST_BUCKETS] = {};

	assert_true(quantile_us(h, .5) == 0);
	h[4] = 100; /* 16..31 us */
	assert_true(quantile_us(h, .5) == 24);
	h[10] = 100; /* 1024..2047 us */
	assert_true(quantile_us(h, .5) == 32);
	assert_true(quantile_us(h, .75) == 1536);
	assert_true(quantile_us(h, 1) == 2048);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ids_are_stable_and_never_reused),
		cmocka_unit_test(test_ids_read_back_are_kept),
		cmocka_unit_test(test_many_names),
		cmocka_unit_test(test_no_route_reply),
		cmocka_unit_test(test_redirect_reply),
		cmocka_unit_test(test_https_reply),
		cmocka_unit_test(test_upgrade_reply),
		cmocka_unit_test(test_reply_without_a_body),
		cmocka_unit_test(test_reply_too_long),
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_bad_addresses),
		cmocka_unit_test(test_listeners),
		cmocka_unit_test(test_mss_leaves_room_for_timestamps),
		cmocka_unit_test(test_path_to_loopback),
		cmocka_unit_test(test_pin_names_have_no_dots),
		cmocka_unit_test(test_flow_patience),
		cmocka_unit_test(test_leg_patience),
		cmocka_unit_test(test_closed_patience_shrinks_with_room),
		cmocka_unit_test(test_id_set),
		cmocka_unit_test(test_addr_prefix),
		cmocka_unit_test(test_quantiles),
	};

	return cmocka_run_group_tests_name("dp", tests, NULL, NULL);
}

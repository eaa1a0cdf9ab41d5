/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The data path on a test bench: loaded into the kernel, its maps filled, two
 * devices, one towards clients and one towards endpoints. A segment goes in, and
 * every frame that comes out is compared with the one that is wanted.
 *
 *	client ---- cli0 | weir | srv0 ---- endpoints
 *	10.0.1.10   10.0.1.1      10.0.2.1  10.0.2.11, .12, .13
 *
 * A run is either BPF_PROG_TEST_RUN, which also tells the action, or a real
 * frame through the devices, which also tells where a redirect leads and may
 * carry an unfinished checksum (CHECKSUM_PARTIAL) as packets of a local
 * container do. The same tests run every way.
 */
#pragma once

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <weir/config.h>
#include <weir/flow.h>
#include <weir/outcome.h>
#include <weir/reply.h>

#include "segment.h"

#define IP(a, b, c, d) ((uint32_t)(a) << 24 | (b) << 16 | (c) << 8 | (d))

#define CLIENT_IP IP(10, 0, 1, 10)
#define LISTEN_IP IP(10, 0, 1, 1)
#define SOURCE_IP IP(10, 0, 2, 1) /* ours towards endpoints */
#define ENDPOINT_IP(n) IP(10, 0, 2, 11 + (n))
#define LISTEN_PORT 80
#define ENDPOINT_PORT 8080

#define BENCH_MSS 1408	    /* offered to clients */
#define BENCH_WINDOW 16384u /* before an endpoint is connected */
#define BENCH_ROOM (BENCH_WINDOW + WEIR_HEAD_SLACK) /* the same behind the handshake */
#define BENCH_SLOTS 8
#define BENCH_FLOWS 64

/* Payload that fits the endpoints' path, as the agent would say. */
uint16_t bench_path_mss(void);

/* Path prefixes and where they lead. */
enum bench_group {
	GROUP_A = 1,	/* /a, and /strip with strip-path: endpoints 0 and 1 */
	GROUP_B = 2,	/* /b: endpoint 2 */
	GROUP_NONE = 3, /* /none: no endpoint */
};
#define BENCH_REPLY (WEIR_REPLY_FIRST_FREE + 0)	   /* /reply: 403 */
#define BENCH_REDIRECT (WEIR_REPLY_FIRST_FREE + 1) /* /redirect: 301 to https */
#define BENCH_LONG (WEIR_REPLY_FIRST_FREE + 2)	   /* /long: 503, and so many bytes */
#define BENCH_LONG_BODY 3500u

struct bench_mode {
	const char *name;
	bool kfunc;   /* has_cast_kfunc */
	bool wire;    /* through the devices, not BPF_PROG_TEST_RUN */
	bool partial; /* with CHECKSUM_PARTIAL */
	bool v6;      /* the same with IPv6: fd00:77:: and an address from above */
};

/* Tests of one file. A program has those of one file or, as they share a bench that is
 * loaded once, of several. */
struct bench_suite {
	const char *name;
	const struct CMUnitTest *tests;
	size_t count;
	bool wire; /* through devices as well */
};
void bench_add(const struct bench_suite *suite);

/* Runs all that was added in every mode, or in the one that WEIR_BENCH_MODE names:
 * the exit status. */
int bench_main(void);

#define BENCH_MAIN_IN(tests, wire)                                                 \
	__attribute__((constructor)) static void bench_add_tests(void)             \
	{                                                                          \
		bench_add(&(struct bench_suite){                                   \
			__FILE__, tests, sizeof(tests) / sizeof(tests[0]), wire}); \
	}                                                                          \
	__attribute__((weak)) int main(void)                                       \
	{                                                                          \
		return bench_main();                                               \
	}
#define BENCH_MAIN(tests) BENCH_MAIN_IN(tests, true)
#define BENCH_TEST(fn) cmocka_unit_test_setup_teardown(fn, bench_fresh, bench_done)

/* Before each test: no flow, all slots free. After it: nothing has leaked. */
int bench_fresh(void **state);
int bench_done(void **state);

const struct bench_mode *bench_mode(void);

/* A segment that arrives. Whatever came out before must have been expected. */
#define bench_send(s) bench_send_at(s, __FILE__, __LINE__)
void bench_send_at(const struct segment *s, const char *file, int line);

/* The same with a frame that is no TCP; its checksums are finished. */
#define bench_send_frame(side, frame, len) \
	bench_send_frame_at(side, frame, len, __FILE__, __LINE__)
void bench_send_frame_at(enum side side, uint8_t *frame, size_t len, const char *file,
			 int line);
#define bench_expect_frame(side, frame, len) \
	bench_expect_frame_at(side, frame, len, __FILE__, __LINE__)
void bench_expect_frame_at(enum side side, const uint8_t *frame, size_t len,
			   const char *file, int line);

/* The next frame that came out is this one, byte for byte. */
#define bench_expect(want) bench_expect_at(want, __FILE__, __LINE__)
void bench_expect_at(const struct segment *want, const char *file, int line);

/* The next frame that came out, for what cannot be known before. Valid until the
 * next send. */
#define bench_take(out) bench_take_at(out, __FILE__, __LINE__)
void bench_take_at(struct segment *out, const char *file, int line);

/* Has nothing come out? */
bool bench_is_quiet(void);

#define bench_nothing() bench_nothing_at(__FILE__, __LINE__)
void bench_nothing_at(const char *file, int line);

/* The last packet ended so, or was counted so as well. */
#define bench_outcome(o) bench_outcome_at(o, #o, __FILE__, __LINE__)
void bench_outcome_at(enum weir_outcome o, const char *name, const char *file,
		      int line);

/* The last packet was not counted so. */
#define bench_not_outcome(o) bench_not_outcome_at(o, #o, __FILE__, __LINE__)
void bench_not_outcome_at(enum weir_outcome o, const char *name, const char *file,
			  int line);

/* The last packet was left to the stack. */
#define bench_passed() bench_passed_at(__FILE__, __LINE__)
void bench_passed_at(const char *file, int line);

/* Fails the test, and says how the last packet was counted. */
void bench_fail_at(const char *file, int line, const char *what);

/* BPF_PROG_TEST_RUN of one segment from any thread: the action; *out, if not
 * NULL, is what became of the packet and points into `frame` (FRAME_MAX). */
int bench_try(const struct segment *s, struct segment *out, uint8_t *frame);

/* Nanoseconds of a run, the mean of `repeat` in a row with the same packet. */
uint32_t bench_ns(const struct segment *s, uint32_t repeat);

/* ---- maps ---- */

/* Before bench_main(): so many routes more, to group A. Host h<i>.bench.example has
 * BENCH_HOST_ROUTES of them: /api/<i>/v<k>, and the regular expression
 * ^/re/<i>/[0-9]+$ in the place of the first. */
#define BENCH_HOST_ROUTES 5u
void bench_routes(uint32_t n);

bool bench_flow(uint16_t client_port, struct weir_flow *f);
void bench_flow_drop(uint16_t client_port);
void bench_flow_put(uint16_t client_port, const struct weir_flow *f);
bool bench_leg(uint32_t endpoint_ip, uint16_t port, struct weir_leg *l);
void bench_leg_put(uint32_t endpoint_ip, uint16_t port, const struct weir_leg *l);
void bench_leg_drop(uint32_t endpoint_ip, uint16_t port);
uint32_t bench_legs(void);
uint32_t bench_slots_free(void);
uint32_t bench_slots_held(void);
/* Takes all free slots away; puts all of them there. */
void bench_slots_drain(void);
void bench_slots_fill(void);
int bench_map(const char *name);
void bench_cookie_keys(const uint64_t now[2], const uint64_t before[2]);
void bench_ports(uint16_t lo, uint16_t hi);
void bench_endpoint(uint32_t id, uint32_t ip, enum weir_endpoint_state state);
void bench_table(bool there);
/* The table with group B as the full gateway, for the rest of the test. */
void bench_gateway(void);
/* As the maps have it in this mode. */
void bench_addr(uint32_t ip, struct weir_addr *out);
/* Do endpoints see the client's address? bench_leg() then means such legs. */
void bench_keep_client(bool keep);
void bench_group_flags(uint32_t group, uint32_t flags);
/* Which endpoint the next connection of a group gets. */
void bench_turn(uint32_t group, uint64_t turn);
/* A group of `count` endpoints laid out in slots; or one whose endpoints are all of the
 * family that the client has not. */
void bench_group(uint32_t group, const uint32_t *slot, uint32_t slots, uint32_t count);
void bench_group_other(uint32_t group, const uint32_t *slot, uint32_t slots,
		       uint32_t count);
/* What the kernel remembers of an endpoint's failures. */
bool bench_health(uint32_t endpoint, struct weir_health *h);
void bench_health_put(uint32_t endpoint, const struct weir_health *h);
/* The bytes of a kernel-made reply: returns their number. */
uint32_t bench_reply(uint32_t id, bool close, bool head_only, const char **text);

/* Frames of the two sides: addresses, MACs and sensible defaults. */
struct segment bench_segment(enum side side);
/* Addressed to the client or to endpoint n, as weir makes a segment itself. */
struct segment bench_made(enum side side, uint32_t endpoint);

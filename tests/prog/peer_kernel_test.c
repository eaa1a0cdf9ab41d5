/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which interfaces packets may be handed across, past their egress, and that the
 * data path is told. Needs root.
 */
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <weir/config.h>

#include "fixture.h"

#include "dp/attach.h"
#include "dp/peer.h"

static pid_t elsewhere; /* a process in a network namespace of its own */

static void ip(const char *what)
{
	char line[256];

	snprintf(line, sizeof(line), "ip link %s", what);
	if (system(line))
		fail_msg("%s", line);
}

/* "pair0" here, and its other end here as well or elsewhere. */
static void pair(bool apart)
{
	char line[128];

	ip("add pair0 type veth peer name pair1");
	if (apart) {
		snprintf(line, sizeof(line), "set pair1 netns %d", elsewhere);
		ip(line);
	}
	ip("set pair0 up");
}

static bool direct(void)
{
	return peer_is_direct(if_nametoindex("pair0"));
}

static void test_other_end_elsewhere(void **state)
{
	pair(true);
	assert_true(direct());
	ip("del pair0");
}

static void test_other_end_here(void **state)
{
	pair(false);
	assert_false(direct());
	ip("del pair0");
}

static void test_no_pair(void **state)
{
	assert_false(peer_is_direct(if_nametoindex("lo")));
	assert_false(peer_is_direct(123456));
}

static void test_a_queue_is_not_passed_by(void **state)
{
	pair(true);
	assert_int_equal(system("tc qdisc add dev pair0 root pfifo limit 10"), 0);
	assert_false(direct());
	assert_int_equal(system("tc qdisc del dev pair0 root"), 0);
	assert_true(direct());
	ip("del pair0");
}

static void test_a_filter_is_not_passed_by(void **state)
{
	DECLARE_LIBBPF_OPTS(bpf_tc_opts, filter, .prog_fd = dp.prog, .handle = 1,
			    .priority = 9);
	struct bpf_tc_hook hook = {.attach_point = BPF_TC_EGRESS};

	pair(true);
	hook.sz = offsetof(struct bpf_tc_hook, parent) + sizeof(hook.parent);
	hook.ifindex = if_nametoindex("pair0");
	assert_int_equal(bpf_tc_hook_create(&hook), 0);
	assert_true(direct());
	assert_int_equal(bpf_tc_attach(&hook, &filter), 0);
	assert_false(direct());
	ip("del pair0");
}

static void test_a_tcx_program_is_not_passed_by(void **state)
{
	int link;

	pair(true);
	link = bpf_link_create(dp.prog, if_nametoindex("pair0"), 47, NULL);
	if (link < 0) {
		ip("del pair0");
		skip(); /* before 6.6 */
	}
	assert_false(direct());
	close(link);
	assert_true(direct());
	ip("del pair0");
}

static uint32_t recorded(void)
{
	uint32_t ifindex = if_nametoindex("pair0");
	struct weir_attachment at = {};

	assert_int_equal(bpf_map_lookup_elem(dp.map[DP_MAP_attachments], &ifindex, &at),
			 0);
	return at.peer;
}

static void test_the_data_path_is_told(void **state)
{
	pair(true);
	assert_ok(attach_iface(&dp, "pair0", &err));
	assert_int_equal(recorded(), 1);
	assert_int_equal(system("tc qdisc add dev pair0 root pfifo limit 10"), 0);
	assert_ok(attach_iface(&dp, "pair0", &err));
	assert_int_equal(recorded(), 0);
	assert_ok(detach_iface(&dp, "pair0", &err));
	ip("del pair0");
}

static int other_namespace(void **state)
{
	int ready[2];
	char c;

	if (pipe(ready))
		return -1;
	elsewhere = fork();
	if (!elsewhere) {
		if (unshare(CLONE_NEWNET) || write(ready[1], "", 1) != 1)
			_exit(1);
		pause();
		_exit(0);
	}
	return elsewhere > 0 && read(ready[0], &c, 1) == 1 ? 0 : -1;
}

static int other_namespace_end(void **state)
{
	kill(elsewhere, SIGKILL);
	waitpid(elsewhere, NULL, 0);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FIXTURE_TEST(test_other_end_elsewhere),
		FIXTURE_TEST(test_other_end_here),
		FIXTURE_TEST(test_no_pair),
		FIXTURE_TEST(test_a_queue_is_not_passed_by),
		FIXTURE_TEST(test_a_filter_is_not_passed_by),
		FIXTURE_TEST(test_a_tcx_program_is_not_passed_by),
		FIXTURE_TEST(test_the_data_path_is_told),
	};
	int skipped = fixture_enter("peer");

	if (skipped)
		return skipped;
	return cmocka_run_group_tests_name("peer", tests, other_namespace,
					   other_namespace_end);
}

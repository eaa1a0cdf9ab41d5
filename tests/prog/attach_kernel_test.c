/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dp/attach against the kernel: TCX and clsact, names that change hands, other programs
 * and qdiscs. Needs root.
 */
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "fixture.h"

#include "base/mem.h"
#include "base/netns.h"
#include "dp/attach.h"
#include "dp/clsact.h"
#include "dp/pin.h"

static const struct attachment *find(const struct attachments *all, const char *name)
{
	size_t i;

	for (i = 0; i < all->len; i++)
		if (!strcmp(all->item[i].name, name))
			return &all->item[i];
	return NULL;
}

static void assert_attached(const char *name, uint16_t kind)
{
	struct attachments all = {};
	const struct attachment *a;

	assert_ok(attach_list(&dp, &all, &err));
	a = find(&all, name);
	assert_non_null(a);
	assert_true(a->live);
	assert_int_equal(a->kind, kind);
	assert_int_equal(a->others, 0);
	vec_free(&all);
}

static bool is_attached(const char *name)
{
	struct attachments all = {};
	const struct attachment *a;
	bool live;

	assert_ok(attach_list(&dp, &all, &err));
	a = find(&all, name);
	live = a && a->live;
	vec_free(&all);
	return live;
}

static void assert_detached(const char *name)
{
	struct attachments all = {};

	assert_ok(attach_list(&dp, &all, &err));
	assert_null(find(&all, name));
	assert_true(clsact_filters(if_nametoindex(name), true) <= 0);
	vec_free(&all);
}

static void attach_and_detach(uint16_t kind)
{
	assert_ok(attach_iface(&dp, "lo", &err));
	assert_attached("lo", kind);
	assert_ok(attach_iface(&dp, "lo", &err));
	assert_attached("lo", kind);
	fixture_adopt(0);
	assert_attached("lo", kind);
	assert_ok(detach_iface(&dp, "lo", &err));
	assert_detached("lo");
	assert_int_equal(detach_iface(&dp, "lo", &err), -ENOENT);
}

static void test_tcx(void **state)
{
	struct attachments all = {};

	assert_ok(attach_iface(&dp, "lo", &err));
	assert_ok(attach_list(&dp, &all, &err));
	if (find(&all, "lo")->kind != WEIR_HOOK_TCX)
		skip(); /* before 6.6 */
	vec_free(&all);
	assert_ok(detach_iface(&dp, "lo", &err));
	attach_and_detach(WEIR_HOOK_TCX);
}

static void lo_hook(struct bpf_tc_hook *hook, enum bpf_tc_attach_point point)
{
	memset(hook, 0, sizeof(*hook));
	hook->sz = offsetof(struct bpf_tc_hook, parent) + sizeof(hook->parent);
	hook->ifindex = if_nametoindex("lo");
	hook->attach_point = point;
}

static void remove_qdisc(void)
{
	struct bpf_tc_hook hook;

	lo_hook(&hook, BPF_TC_INGRESS | BPF_TC_EGRESS);
	assert_int_equal(bpf_tc_hook_destroy(&hook), 0);
}

/* 0, or -EEXIST when it was there. */
static int make_qdisc(void)
{
	struct bpf_tc_hook hook;

	lo_hook(&hook, BPF_TC_INGRESS);
	return bpf_tc_hook_create(&hook);
}

static bool qdisc_is_there(void)
{
	if (make_qdisc())
		return true;
	remove_qdisc();
	return false;
}

static void test_clsact(void **state)
{
	setenv("WEIR_NO_TCX", "1", 1);
	attach_and_detach(WEIR_HOOK_CLSACT);
	assert_false(qdisc_is_there());
	unsetenv("WEIR_NO_TCX");
}

static void test_a_qdisc_of_others_stays(void **state)
{
	DECLARE_LIBBPF_OPTS(bpf_tc_opts, filter, .prog_fd = dp.prog, .handle = 1,
			    .priority = 9);
	struct bpf_tc_hook egress;

	setenv("WEIR_NO_TCX", "1", 1);
	assert_int_equal(make_qdisc(), 0);
	assert_ok(attach_iface(&dp, "lo", &err));
	assert_ok(detach_iface(&dp, "lo", &err));
	assert_true(qdisc_is_there());
	remove_qdisc();

	/* Also ours, when somebody uses it in the meantime. */
	assert_ok(attach_iface(&dp, "lo", &err));
	lo_hook(&egress, BPF_TC_EGRESS);
	assert_int_equal(bpf_tc_attach(&egress, &filter), 0);
	assert_ok(detach_iface(&dp, "lo", &err));
	assert_true(qdisc_is_there());
	remove_qdisc();
	unsetenv("WEIR_NO_TCX");
}

static void test_no_such_interface(void **state)
{
	assert_int_equal(attach_iface(&dp, "nosuch", &err), -ENODEV);
	assert_non_null(strstr(err.what, "nosuch"));
}

static void test_removal_takes_hooks_off(void **state)
{
	setenv("WEIR_NO_TCX", "1", 1);
	assert_ok(attach_iface(&dp, "lo", &err));
	assert_true(qdisc_is_there());
	assert_ok(dp_remove(pin, &err));
	assert_false(qdisc_is_there());
	assert_int_equal(access(pin, F_OK), -1);
	unsetenv("WEIR_NO_TCX");
}

/* Names change hands; hooks stay with their interfaces. */
static void names_change_hands(void)
{
	assert_int_equal(system("ip link add xa type veth peer name xb"), 0);
	assert_ok(attach_iface(&dp, "xa", &err));
	assert_int_equal(system("ip link set xa name xc && ip link set xb name xa"), 0);
	assert_true(is_attached("xc"));
	assert_false(is_attached("xa"));
	assert_ok(attach_iface(&dp, "xa", &err));
	assert_true(is_attached("xa"));
	assert_true(is_attached("xc"));
	fixture_adopt(0);
	assert_true(is_attached("xa"));
	assert_true(is_attached("xc"));
	assert_ok(detach_iface(&dp, "xa", &err));
	assert_false(is_attached("xa"));
	assert_true(is_attached("xc"));
	assert_int_equal(detach_iface(&dp, "xa", &err), -ENOENT);
	assert_ok(attach_iface(&dp, "xa", &err));
	assert_int_equal(system("ip link set xc down && ip link set xc up"), 0);
	assert_true(is_attached("xc"));
	assert_int_equal(system("ip link del xc"), 0);
	assert_false(is_attached("xa"));
	/* The same names, another pair. */
	assert_int_equal(system("ip link add xa type veth peer name xc"), 0);
	assert_false(is_attached("xa"));
	assert_ok(attach_iface(&dp, "xa", &err));
	assert_ok(attach_iface(&dp, "xc", &err));
	assert_true(is_attached("xa"));
	assert_true(is_attached("xc"));
	assert_ok(detach_all(&dp, &err));
	assert_int_equal(system("ip link del xa"), 0);
	assert_int_equal(rmdir(pin_path(pin, "links", "").s), 0);
	assert_ok(pin_mkdirs(pin, &err));
}

static void test_names_change_hands(void **state)
{
	names_change_hands();
	setenv("WEIR_NO_TCX", "1", 1);
	names_change_hands();
	unsetenv("WEIR_NO_TCX");
}

/* Other programs on the hook: weir comes first, and they are told in their order. */
static void test_other_programs_on_the_hook(void **state)
{
	auto_fd int other = bpf_link_create(dp.prog, if_nametoindex("lo"), 46, NULL);
	struct attachments all = {};

	if (other < 0)
		skip();	  /* before 6.6 */
	fixture_adopt(0); /* another program, of the same name */
	assert_ok(attach_iface(&dp, "lo", &err));
	assert_ok(attach_list(&dp, &all, &err));
	assert_int_equal(all.item[0].others, 1);
	assert_int_equal(all.item[0].program_count, 2);
	assert_true(all.item[0].programs[0].is_ours);
	assert_false(all.item[0].programs[1].is_ours);
	assert_string_equal(all.item[0].programs[1].name, WEIR_PROG_NAME);
	vec_free(&all);
}

static void test_another_namespace_is_refused(void **state)
{
	auto_fd int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	struct weir_settings s;
	struct dp other;
	pid_t inhabitant = fork();

	if (!inhabitant)
		_exit(pause());
	assert_ok(attach_iface(&dp, "lo", &err));
	assert_int_equal(unshare(CLONE_NEWNET), 0);
	assert_int_equal(dp_load(&other, pin, 0, &err), -EXDEV);
	assert_non_null(strstr(err.hint, "--netns"));
	assert_int_equal(setns(home, CLONE_NEWNET), 0);
	assert_true(is_attached("lo"));

	/* A namespace in which nobody lives has no claim to the pins. */
	kill(inhabitant, SIGKILL);
	waitpid(inhabitant, NULL, 0);
	assert_int_equal(unshare(CLONE_NEWNET), 0);
	fixture_adopt(0);
	assert_ok(dp_settings_read(&dp, &s, &err));
	assert_int_equal(s.netns, netns_inode());
	assert_detached("lo");
	assert_int_equal(setns(home, CLONE_NEWNET), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FIXTURE_TEST(test_tcx),
		FIXTURE_TEST(test_clsact),
		FIXTURE_TEST(test_a_qdisc_of_others_stays),
		FIXTURE_TEST(test_no_such_interface),
		FIXTURE_TEST(test_removal_takes_hooks_off),
		FIXTURE_TEST(test_names_change_hands),
		FIXTURE_TEST(test_other_programs_on_the_hook),
		FIXTURE_TEST(test_another_namespace_is_refused),
	};
	int skipped = fixture_enter("attach");

	if (skipped)
		return skipped;
	return cmocka_run_group_tests_name("attach", tests, NULL, NULL);
}

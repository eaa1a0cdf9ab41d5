/* SPDX-License-Identifier: BSD-2-Clause */
/* The filter of system calls, in a child that has it. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/seccomp.h"

/* The errno of a call that fails, else 0; -SIGNAL; 250: no filter. */
static int tried(int (*call)(void))
{
	pid_t pid = fork();
	int status;

	if (!pid) {
		struct err err = {};

		if (seccomp_confine(&err))
			_exit(250);
		_exit(call() < 0 ? errno : 0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

static int call_exec(void)
{
	char *const argv[] = {"true", NULL};

	return syscall(SYS_execve, "/bin/true", argv, argv);
}

static int call_ptrace(void)
{
	return syscall(SYS_ptrace, PTRACE_TRACEME, 0, 0, 0);
}

static int call_chroot(void)
{
	return syscall(SYS_chroot, "/");
}

static int call_kill(void)
{
	return syscall(SYS_kill, getppid(), 0);
}

static int call_packet_socket(void)
{
	return syscall(SYS_socket, AF_PACKET, SOCK_RAW, 0);
}

static int call_executable(void)
{
	return syscall(SYS_mmap, NULL, 4096, PROT_READ | PROT_EXEC,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == -1
		       ? -1
		       : 0;
}

static int call_typing(void)
{
	return syscall(SYS_ioctl, 0, TIOCSTI, "x");
}

static int call_file(void)
{
	char c;
	int fd = open("/proc/self/status", O_RDONLY);

	return fd < 0 || read(fd, &c, 1) != 1 ? -1 : close(fd);
}

static int call_sockets(void)
{
	static const int families[] = {AF_UNIX, AF_INET, AF_NETLINK};
	size_t i;

	for (i = 0; i < sizeof(families) / sizeof(families[0]); i++)
		if (socket(families[i], SOCK_DGRAM, 0) < 0)
			return -1;
	return 0;
}

/* It gets as far as the address. */
static int call_interface(void)
{
	return ioctl(socket(AF_INET, SOCK_DGRAM, 0), 0x8910, NULL); /* SIOCGIFNAME */
}

static void fatal_ones(void **state)
{
	assert_int_equal(tried(call_exec), -SIGSYS);
	assert_int_equal(tried(call_ptrace), -SIGSYS);
}

static void those_that_fail(void **state)
{
	assert_int_equal(tried(call_chroot), ENOSYS);
	assert_int_equal(tried(call_kill), ENOSYS);
	assert_int_equal(tried(call_packet_socket), ENOSYS);
	assert_int_equal(tried(call_executable), ENOSYS);
	assert_int_equal(tried(call_typing), ENOSYS);
}

static void those_that_are_needed(void **state)
{
	assert_int_equal(tried(call_file), 0);
	assert_int_equal(tried(call_sockets), 0);
	assert_int_equal(tried(call_interface), EFAULT);
}

static void seen_from_outside(void **state)
{
	int done[2];
	pid_t pid;
	char c;

	assert_int_equal(seccomp_of(getpid()), 0);
	assert_int_equal(pipe(done), 0);
	pid = fork();
	if (!pid) {
		struct err err = {};

		seccomp_confine(&err);
		close(done[0]);
		c = write(done[1], "x", 1);
		close(done[1]);
		for (;;)
			poll(NULL, 0, -1);
	}
	assert_int_equal(read(done[0], &c, 1), 1);
	assert_int_equal(seccomp_of(pid), 1);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	assert_int_equal(seccomp_of(pid), -1);
	close(done[0]);
	close(done[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fatal_ones),
		cmocka_unit_test(those_that_fail),
		cmocka_unit_test(those_that_are_needed),
		cmocka_unit_test(seen_from_outside),
	};

	if (!seccomp_is_supported()) {
		print_message("1..0 # SKIP no seccomp in this kernel\n");
		return 77;
	}
	return cmocka_run_group_tests_name("unit.base.seccomp", tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/seccomp.h"

#include <errno.h>
#include <seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/seccomp.h>
#include <linux/sockios.h>

#include "base/mem.h"

#define CALL(name) SCMP_SYS(name)

/* With what glibc, musl and libbpf use for the same on other machines and kernels. */
static const int allowed[] = {
	/* files: manifests, pins, locks, /proc and /sys */
	CALL(access), CALL(faccessat), CALL(faccessat2), CALL(open), CALL(openat),
	CALL(close), CALL(close_range), CALL(read), CALL(readv), CALL(pread64),
	CALL(write), CALL(writev), CALL(lseek), CALL(stat), CALL(lstat), CALL(fstat),
	CALL(newfstatat), CALL(statx), CALL(statfs), CALL(fstatfs), CALL(getdents),
	CALL(getdents64), CALL(readlink), CALL(readlinkat), CALL(getcwd), CALL(fcntl),
	CALL(dup), CALL(dup2), CALL(dup3), CALL(flock), CALL(mkdir), CALL(mkdirat),
	CALL(rmdir), CALL(unlink), CALL(unlinkat), CALL(rename), CALL(renameat),
	CALL(renameat2),
	/* memory, without what is below */
	CALL(brk), CALL(munmap), CALL(mremap), CALL(madvise),
	/* the loop: timers, signals, changes of files */
	CALL(epoll_create1), CALL(epoll_ctl), CALL(epoll_wait), CALL(epoll_pwait),
	CALL(epoll_pwait2), CALL(poll), CALL(ppoll), CALL(eventfd2), CALL(pipe2),
	CALL(timerfd_create), CALL(timerfd_settime), CALL(timerfd_gettime),
	CALL(signalfd4), CALL(inotify_init1), CALL(inotify_add_watch),
	CALL(inotify_rm_watch), CALL(rt_sigaction), CALL(rt_sigprocmask),
	CALL(rt_sigreturn), CALL(sigaltstack), CALL(restart_syscall),
	CALL(clock_gettime), CALL(clock_getres), CALL(clock_nanosleep), CALL(nanosleep),
	CALL(gettimeofday), CALL(time),
	/* sockets: netlink, metrics, health checks, the service manager */
	CALL(bind), CALL(listen), CALL(accept), CALL(accept4), CALL(connect),
	CALL(shutdown), CALL(getsockname), CALL(getpeername), CALL(getsockopt),
	CALL(setsockopt), CALL(sendto), CALL(sendmsg), CALL(sendmmsg), CALL(recvfrom),
	CALL(recvmsg), CALL(recvmmsg),
	/* this process */
	CALL(exit), CALL(exit_group), CALL(getpid), CALL(getppid), CALL(gettid),
	CALL(getuid), CALL(geteuid), CALL(getgid), CALL(getegid), CALL(capget),
	CALL(uname), CALL(sysinfo), CALL(getrandom), CALL(futex), CALL(sched_yield),
	CALL(sched_getaffinity), CALL(prlimit64), CALL(getrlimit), CALL(rseq),
	CALL(set_robust_list), CALL(membarrier),
	/* maps, and the program again when its table grows */
	CALL(bpf)};

static const int fatal[] = {
	CALL(execve),		CALL(execveat),		 CALL(ptrace),
	CALL(process_vm_readv), CALL(process_vm_writev), CALL(init_module),
	CALL(finit_module),	CALL(delete_module),	 CALL(kexec_load),
	CALL(kexec_file_load)};

static int add_all(scmp_filter_ctx filter, uint32_t action, const int *calls,
		   size_t count)
{
	size_t i;
	int r = 0;

	for (i = 0; !r && i < count; i++)
		r = seccomp_rule_add(filter, action, calls[i], 0);
	return r;
}

/* Those that depend on what they are called with. */
static int add_some(scmp_filter_ctx filter)
{
	static const int families[] = {AF_UNIX, AF_INET, AF_INET6, AF_NETLINK};
	static const int mapping[] = {CALL(mmap), CALL(mprotect)};
	/* stdio asks whether it is a terminal */
	static const int ioctls[] = {TCGETS, FIONREAD, FIONBIO};
	size_t i;
	int r = 0;

	for (i = 0; !r && i < sizeof(families) / sizeof(families[0]); i++)
		r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, CALL(socket), 1,
				     SCMP_A0(SCMP_CMP_EQ, families[i]));
	for (i = 0; !r && i < sizeof(mapping) / sizeof(mapping[0]); i++)
		r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, mapping[i], 1,
				     SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
	for (i = 0; !r && i < sizeof(ioctls) / sizeof(ioctls[0]); i++)
		r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, CALL(ioctl), 1,
				     SCMP_A1(SCMP_CMP_EQ, ioctls[i]));
	/* abort() and raise() */
	if (!r)
		r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, CALL(tgkill), 1,
				     SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid()));
	/* SIOCGIFINDEX and its kind: 0x89xx */
	if (!r)
		r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, CALL(ioctl), 1,
				     SCMP_A1(SCMP_CMP_MASKED_EQ, 0xffffff00u,
					     SIOCGIFINDEX & 0xffffff00u));
	return r;
}

int seccomp_confine(struct err *err)
{
	scmp_filter_ctx filter;
	int r;

	if (!seccomp_is_supported())
		return err_set(err, -EOPNOTSUPP,
			       "the kernel has no filters of system calls");
	filter = seccomp_init(SCMP_ACT_ERRNO(ENOSYS));
	if (!filter)
		return err_set(err, -ENOMEM, "filter of system calls: out of memory");
	r = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	if (!r)
		r = seccomp_attr_set(filter, SCMP_FLTATR_CTL_LOG, 1);
	if (!r)
		r = seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	if (!r)
		r = add_all(filter, SCMP_ACT_ALLOW, allowed,
			    sizeof(allowed) / sizeof(allowed[0]));
	if (!r)
		r = add_all(filter, SCMP_ACT_KILL_PROCESS, fatal,
			    sizeof(fatal) / sizeof(fatal[0]));
	if (!r)
		r = add_some(filter);
	if (!r)
		r = seccomp_load(filter);
	seccomp_release(filter);
	return r ? err_set(err, r, "filter of system calls: %s", strerror(-r)) : 0;
}

bool seccomp_is_supported(void)
{
	/* A kernel that has them looks for the filter (seccomp(2)). */
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, NULL) && errno == EFAULT;
}

int seccomp_of(pid_t pid)
{
	auto_file FILE *f = NULL;
	char path[32], line[128];
	int mode;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "Seccomp: %d", &mode) == 1)
			return mode == SECCOMP_MODE_FILTER;
	return -1;
}

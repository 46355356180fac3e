/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The worker's calls from the end of its start on: one loop, files that are
 * read, sockets that are connected, and the threads in which libcurl looks
 * names up. Calls that only some C libraries or versions make are here too,
 * since ENOSYS would mislead those; where one is of one architecture, the
 * other has the modern form alone.
 */
#include "guard/worker_calls.h"
#include "base/macros.h"
#include "guard/call_filter.h"
#include "guard/deadly_calls.h"
#include "guard/sanitizers.h"

#include <fcntl.h>
#include <linux/netlink.h>
#include <sched.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

/* Of newer kernels than some headers know. */
#define SET_VMA 0x53564d41U
#ifndef SYS_futex_waitv
#define SYS_futex_waitv 449
#endif

#define ALL_BITS 0xffffffffU
#define TYPE_BITS (~(uint32_t)(SOCK_NONBLOCK | SOCK_CLOEXEC))

#define IS(argument_, value_)                                                  \
	{                                                                      \
		.argument = (argument_), .mask = ALL_BITS,                     \
		.value = (uint32_t)(value_)                                    \
	}
#define HAS(argument_, bits_)                                                  \
	{                                                                      \
		.argument = (argument_), .mask = (uint32_t)(bits_),            \
		.value = (uint32_t)(bits_)                                     \
	}
#define LACKS(argument_, bits_)                                                \
	{                                                                      \
		.argument = (argument_), .mask = (uint32_t)(bits_), .value = 0 \
	}
#define IS_TYPE(argument_, type_)                                              \
	{                                                                      \
		.argument = (argument_), .mask = TYPE_BITS,                    \
		.value = (uint32_t)(type_)                                     \
	}
#define IS_US(argument_)                                                       \
	{                                                                      \
		.argument = (argument_), .mask = ALL_BITS, .is_own_pid = true  \
	}

#define MAY(name, why)                                                         \
	{                                                                      \
		.number = SYS_##name, .verdict = CALL_ALLOWED, .reason = (why) \
	}
#define MAY_WHEN(name, why, ...)                                               \
	{                                                                      \
		.number = SYS_##name, .verdict = CALL_ALLOWED,                 \
		.when = { __VA_ARGS__ }, .reason = (why)                       \
	}
#define NEVER(name, why)                                                       \
	{                                                                      \
		.number = SYS_##name, .verdict = CALL_DEADLY, .reason = (why)  \
	}

static const struct call_rule allowed[] = {
#ifdef GUARD_HAS_SANITIZERS
	MAY(clone, "LeakSanitizer: the process that looks for leaks"),
	MAY(ptrace, "LeakSanitizer: stops the threads and reads registers"),
	MAY(wait4, "LeakSanitizer: waits for that process"),
	MAY(prctl, "LeakSanitizer: lets itself be traced"),
	MAY(getppid, "LeakSanitizer: whether the traced one lives"),
#ifdef SYS_open
	MAY(open, "LeakSanitizer: the threads, in /proc"),
	MAY(getdents, "LeakSanitizer: the threads, in /proc"),
	MAY(stat, "sanitizers: files that they read"),
#endif
	MAY(pipe2, "UBSan: asks whether memory can be read"),
	MAY(kill, "sanitizers: end by a signal"),
	MAY(mprotect, "sanitizers: shadow of memory"),
#endif

	/* memory; none of it ever becomes code */
	MAY(brk, "the heap"),
	MAY_WHEN(mmap, "heap, pool, stacks, what the keeper hands over",
		 LACKS(2, PROT_EXEC)),
	MAY_WHEN(mprotect, "heap, guard pages of stacks", LACKS(2, PROT_EXEC)),
	MAY(munmap, "gives memory back"),
	MAY(mremap, "large pieces of the heap that grow"),
	MAY(madvise, "pool: left out of cores and forks; unused stacks"),
	MAY(mlock, "pool: never in the swap"),
	MAY(mlock2, "pool: never in the swap"),
	MAY(munlock, "pool: pieces that are given back"),

	/* threads of libcurl, one for each name that is looked up */
	MAY_WHEN(clone, "a thread", HAS(0, CLONE_THREAD | CLONE_VM)),
#ifdef SYS_clone3
	{ .number = SYS_clone3,
	  .verdict = CALL_ABSENT,
	  .reason = "its flags are in memory, unseen: libc takes clone then" },
#endif
	MAY(set_robust_list, "a thread begins"),
	MAY(rseq, "a thread begins"),
	MAY(futex, "locks, and waiting for a thread"),
	MAY(futex_waitv, "locks of newer C libraries"),
	MAY(gettid, "locks that know their owner"),
	MAY(sched_getaffinity, "malloc: how many areas there may be"),
	MAY(sched_yield, "locks"),
	MAY(exit, "a thread ends"),
	MAY(exit_group, "the process ends"),
	MAY_WHEN(prctl, "a thread's name", IS(0, PR_SET_NAME)),
	MAY_WHEN(prctl, "names of memory in /proc", IS(0, SET_VMA)),

	/* signals */
	MAY(rt_sigaction, "SIGPIPE, where libraries write"),
	MAY(rt_sigprocmask, "threads begin with all signals blocked"),
	MAY(rt_sigreturn, "a handler ends"),
	MAY(sigaltstack, "a thread ends"),
	MAY(restart_syscall, "the kernel's own, after a stop"),
	MAY_WHEN(tgkill, "abort(3), and threads that are cancelled", IS_US(0)),

	/* time and chance */
	MAY(clock_gettime, "where the clock is no page of memory"),
	MAY(clock_getres, "OpenSSL, where it looks for chance"),
	MAY(gettimeofday, "where the clock is no page of memory"),
#ifdef SYS_time
	MAY(time, "where the clock is no page of memory"),
#endif
	MAY(clock_nanosleep, "resolver: between two attempts"),
	MAY(nanosleep, "resolver: between two attempts"),
	MAY(getrandom, "TLS, moments that are drawn"),

	/* who and where we are */
	MAY(getpid, "status, log; OpenSSL: whether it was forked"),
	MAY(getuid, "getaddrinfo(3), OpenSSL: whether we are set-user-id"),
	MAY(geteuid, "getaddrinfo(3), OpenSSL: whether we are set-user-id"),
	MAY(getgid, "getaddrinfo(3), OpenSSL: whether we are set-user-id"),
	MAY(getegid, "getaddrinfo(3), OpenSSL: whether we are set-user-id"),
	MAY(uname, "the name of a role's session; resolver"),
	MAY(sysinfo, "qsort(3): how much memory there is"),
	MAY_WHEN(prlimit64, "asks for limits of our own", IS(0, 0), IS(2, 0)),
	MAY_WHEN(prlimit64, "asks for limits of our own", IS_US(0), IS(2, 0)),
#ifdef SYS_getrlimit
	MAY(getrlimit, "asks for limits of our own"),
#endif

	/* files, which Landlock bounds, and none of which can be written */
	MAY(openat, "token, CA files, class, resolver's files, /proc/PID"),
	MAY(openat2, "class, token and secrets, beneath one directory"),
	MAY(close, "what was opened"),
	MAY(read, "files, fuse requests on some kernels, events, replies"),
	MAY(readv, "fuse requests; libraries that read in pieces"),
	MAY(pread64, "files that are read in pieces"),
	MAY(lseek, "stdio"),
	MAY(fstat, "sizes; what kind of file it is"),
	MAY(newfstatat, "whether resolver's files have changed"),
	MAY(statx, "whether files have changed"),
	MAY(getdents64, "names of classes and of secrets that are files"),
	MAY(faccessat, "whether a file is there"),
	MAY(faccessat2, "whether a file is there"),
#ifdef SYS_access
	MAY(access, "whether a file is there"),
#endif
	MAY(readlinkat, "links to files that are read again"),
#ifdef SYS_readlink
	MAY(readlink, "links to files that are read again"),
#endif
	MAY(getcwd, "paths that are made whole"),
	MAY(inotify_add_watch, "directories of secrets and classes"),
	MAY(inotify_rm_watch, "directories that are gone"),
	MAY(inotify_init1, "a source that a new class brings"),
	MAY_WHEN(fcntl, "copies of a descriptor", IS(1, F_DUPFD_CLOEXEC)),
	MAY_WHEN(fcntl, "what a descriptor is like", IS(1, F_GETFD)),
	MAY_WHEN(fcntl, "close-on-exec", IS(1, F_SETFD)),
	MAY_WHEN(fcntl, "what a descriptor is like", IS(1, F_GETFL)),
	MAY_WHEN(fcntl, "sockets that never make us wait", IS(1, F_SETFL)),
	MAY_WHEN(fcntl, "memory that the keeper hands over",
		 IS(1, F_GET_SEALS)),
	MAY_WHEN(ioctl, "resolver: how much can be read", IS(1, FIONREAD)),
	MAY_WHEN(ioctl, "sockets that never make us wait", IS(1, FIONBIO)),

	/* answers, log lines, and sockets */
	MAY(write, "log lines, wake-ups"),
	MAY(writev, "fuse replies; libraries that write in pieces"),
	MAY_WHEN(socket, "AWS", IS(0, AF_INET), IS_TYPE(1, SOCK_STREAM)),
	MAY_WHEN(socket, "DNS", IS(0, AF_INET), IS_TYPE(1, SOCK_DGRAM)),
	MAY_WHEN(socket, "AWS", IS(0, AF_INET6), IS_TYPE(1, SOCK_STREAM)),
	MAY_WHEN(socket, "DNS", IS(0, AF_INET6), IS_TYPE(1, SOCK_DGRAM)),
	MAY_WHEN(socket, "system log; no stream, behind which agents are",
		 IS(0, AF_UNIX), IS_TYPE(1, SOCK_DGRAM)),
	MAY_WHEN(socket, "getaddrinfo(3): the machine's own addresses",
		 IS(0, AF_NETLINK), IS(2, NETLINK_ROUTE)),
	MAY(socketpair, "libcurl: a thread wakes the loop"),
	MAY(eventfd2, "libcurl: a thread wakes the loop"),
	MAY(pipe2, "libcurl: a thread wakes the loop"),
	MAY(connect, "AWS, DNS, system log"),
	MAY(bind, "getaddrinfo(3): its netlink socket; see listen"),
	MAY(listen, "metrics, whose address was taken at the start"),
	MAY(getsockname, "getaddrinfo(3): which address is used to get there"),
	MAY(getpeername, "libcurl: who answers"),
	MAY(getsockopt, "whether a connection is made"),
	MAY(setsockopt, "no delay, keep-alive"),
	MAY(sendto, "requests, orders to the notifier, DNS"),
	MAY(sendmsg, "messages to the keeper, DNS"),
	MAY(sendmmsg, "DNS: both questions at once"),
	MAY(recvfrom, "replies, answers of the notifier, DNS"),
	MAY(recvmsg, "messages of the keeper, with mounts"),
	MAY(shutdown, "the end of a connection"),
	MAY(accept4, "who reads the metrics"),

	/* the loop */
	MAY(epoll_create1, "libcurl of some versions"),
	MAY(epoll_ctl, "what is waited for"),
	MAY(epoll_pwait, "the one wait"),
	MAY(ppoll, "libcurl, resolver"),
#ifdef SYS_epoll_wait
	MAY(epoll_wait, "the one wait"),
#endif
#ifdef SYS_poll
	MAY(poll, "libcurl, resolver"),
#endif
	MAY(wait4, "the end of the process that runs commands"),
};

static const struct call_rule deadly[] = {
	NEVER(execve, "another program"),
	NEVER(execveat, "another program"),
	NEVER(clone, "another process; but see above"),
#ifdef SYS_fork
	NEVER(fork, "another process"),
	NEVER(vfork, "another process"),
#endif
	NEVER(mount, "the keeper's"),
	NEVER(umount2, "the keeper's"),
#ifdef SYS_fsopen
	NEVER(fsopen, "the keeper's"),
	NEVER(fsconfig, "the keeper's"),
	NEVER(fsmount, "the keeper's"),
	NEVER(fspick, "the keeper's"),
	NEVER(move_mount, "the keeper's"),
	NEVER(open_tree, "the keeper's"),
#endif
#ifdef SYS_mount_setattr
	NEVER(mount_setattr, "the keeper's"),
#endif
	NEVER(setuid, "to be another"),
	NEVER(setgid, "to be another"),
	NEVER(setreuid, "to be another"),
	NEVER(setregid, "to be another"),
	NEVER(setresuid, "to be another"),
	NEVER(setresgid, "to be another"),
	NEVER(setfsuid, "to be another"),
	NEVER(setfsgid, "to be another"),
	NEVER(setgroups, "to be another"),
	NEVER(capset, "to be another"),
	NEVER(kill, "other processes of the user"),
	NEVER(tkill, "other processes of the user"),
	NEVER(tgkill, "other processes of the user; but see above"),
	NEVER(rt_sigqueueinfo, "other processes of the user"),
	NEVER(rt_tgsigqueueinfo, "other processes of the user"),
#ifdef SYS_pidfd_send_signal
	NEVER(pidfd_send_signal, "other processes of the user"),
#endif
	NEVER(fchmod, "rights of files, which Landlock leaves alone"),
	NEVER(fchmodat, "rights of files, which Landlock leaves alone"),
	NEVER(fchown, "owners of files, which Landlock leaves alone"),
	NEVER(fchownat, "owners of files, which Landlock leaves alone"),
	NEVER(fsetxattr, "attributes of files, which Landlock leaves alone"),
	NEVER(setxattr, "attributes of files, which Landlock leaves alone"),
	NEVER(lsetxattr, "attributes of files, which Landlock leaves alone"),
	NEVER(utimensat, "times of files, which Landlock leaves alone"),
	NEVER(truncate, "contents of files"),
	NEVER(ftruncate, "contents of the log"),
	NEVER(fallocate, "contents of the log"),
	NEVER(linkat, "names of files"),
	NEVER(symlinkat, "names of files"),
	NEVER(unlinkat, "names of files"),
	NEVER(renameat2, "names of files"),
	NEVER(mkdirat, "names of files"),
	NEVER(mknodat, "names of files"),
#ifdef SYS_chmod
	NEVER(chmod, "rights of files, which Landlock leaves alone"),
	NEVER(chown, "owners of files, which Landlock leaves alone"),
	NEVER(lchown, "owners of files, which Landlock leaves alone"),
	NEVER(link, "names of files"),
	NEVER(symlink, "names of files"),
	NEVER(unlink, "names of files"),
	NEVER(rename, "names of files"),
	NEVER(mkdir, "names of files"),
	NEVER(rmdir, "names of files"),
	NEVER(mknod, "names of files"),
#endif
#ifdef SYS_renameat
	NEVER(renameat, "names of files"),
#endif
};

struct call_policy worker_calls(void)
{
	return (struct call_policy){
		.tables = { { allowed, ARRAY_SIZE(allowed) },
			    { deadly, ARRAY_SIZE(deadly) },
			    *deadly_calls() },
		.otherwise = CALL_ABSENT,
	};
}

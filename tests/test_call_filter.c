/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every call is tried for real, behind the real filter, and none is made: a
 * filter below it hands calls with a mark in their last argument to us instead
 * of the kernel, so whether ours lets them through is seen, and nothing else
 * happens.
 */
#include "tests/needs.h"
#include "tests/test.h"

#include "base/macros.h"
#include "guard/call_filter.h"
#include "guard/keeper_calls.h"
#include "guard/sanitizers.h"
#include "guard/worker_calls.h"
#include "keeper/notifier_sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/netlink.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Past the last of every architecture, for years. */
#define NUMBERS 1024
#define MARK 0x5ec0deU
#define WAIT_MS 20000

/* What no call of the tables ends with. */
#define PASSED_ERRNO EXFULL

struct attempt {
	int number;
	uint64_t arguments[5];
	bool with_own_pid; /* as the first argument */
	enum call_verdict expected;
	int got; /* of enum call_verdict; -1: none of these */
};

/* In shared memory. */
struct attempts {
	struct attempt list[NUMBERS];
	size_t count;
	size_t at;
};

static struct attempts *new_attempts(void)
{
	struct attempts *attempts =
		mmap(NULL, sizeof(*attempts), PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	assert_true(attempts != MAP_FAILED);
	return attempts;
}

static void free_attempts(struct attempts *attempts)
{
	assert_int_equal(munmap(attempts, sizeof(*attempts)), 0);
}

/* A descriptor on which the marked calls arrive, or -1. */
static int divert_marked_calls(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, args[5])),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, MARK, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog program = { ARRAY_SIZE(code), code };

	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
			    SECCOMP_FILTER_FLAG_NEW_LISTENER, &program);
}

static void answer(int listener)
{
	/* Newer kernels' are longer. */
	union {
		struct seccomp_notif notice;
		char room[512];
	} asked = { .room = { 0 } };
	union {
		struct seccomp_notif_resp reply;
		char room[512];
	} reply = { .room = { 0 } };

	if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &asked) < 0)
		return;
	reply.reply.id = asked.notice.id;
	reply.reply.error = -PASSED_ERRNO;
	(void)ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &reply);
}

/* uretprobe and uprobe, which newer kernels ask no filter about: they are for
 * the page that the kernel itself puts into a process. From elsewhere one is
 * SIGILL, the other ENXIO, and neither does anything. */
static bool is_past_filters(int number)
{
#if defined(__x86_64__)
	return number == 335 || number == 336;
#else
	(void)number;
	return false;
#endif
}

static void try_one(struct attempt *attempt)
{
	uint64_t *given = attempt->arguments;
	long r;

	if (attempt->with_own_pid)
		given[0] = (uint64_t)getpid();
	r = syscall(attempt->number, given[0], given[1], given[2], given[3],
		    given[4], (long)MARK);
	if (r == -1 && errno == PASSED_ERRNO)
		attempt->got = CALL_ALLOWED;
	else if (r == -1 && errno == ENOSYS)
		attempt->got = CALL_ABSENT;
	else if (r == -1 && errno == ENXIO && is_past_filters(attempt->number))
		attempt->got = (int)attempt->expected;
}

/* False: by nothing that a call should end with. */
static bool take_end(struct attempt *attempt, int status)
{
	if (!WIFSIGNALED(status))
		return false;
	if (WTERMSIG(status) == SIGSYS)
		attempt->got = CALL_DEADLY;
	else if (WTERMSIG(status) == SIGILL && is_past_filters(attempt->number))
		attempt->got = (int)attempt->expected;
	else
		return false;
	return true;
}

/* Until one ends the process. */
static _Noreturn void try_on(struct attempts *attempts,
			     const struct call_policy *policy)
{
	/* A sanitizer would make an exit code of it. */
	(void)signal(SIGILL, SIG_DFL);
	if (call_filter_install(policy) < 0)
		_exit(1);
	for (; attempts->at < attempts->count; attempts->at++)
		try_one(&attempts->list[attempts->at]);
	(void)syscall(SYS_exit_group, 0);
	for (;;)
		;
}

/* Answers until the child ends; its status. */
static int attend(int listener, pid_t child)
{
	struct pollfd waits[] = {
		{ .fd = listener, .events = POLLIN },
		{ .fd = (int)syscall(SYS_pidfd_open, child, 0),
		  .events = POLLIN },
	};
	int status = -1;

	while (poll(waits, 2, WAIT_MS) > 0 && !waits[1].revents)
		if (waits[0].revents & POLLIN)
			answer(listener);
	if (!waits[1].revents)
		(void)kill(child, SIGKILL);
	(void)waitpid(child, &status, 0);
	(void)close(waits[1].fd);
	return status;
}

static _Noreturn void try_all(struct attempts *attempts,
			      const struct call_policy *policy)
{
	int listener = divert_marked_calls();
	int status = 0;

	if (listener < 0)
		_exit(2);
	while (attempts->at < attempts->count) {
		pid_t child = fork();

		if (child == 0)
			try_on(attempts, policy);
		status = attend(listener, child);
		if (attempts->at == attempts->count ||
		    !take_end(&attempts->list[attempts->at], status))
			break;
		attempts->at++;
	}
	_exit(status == 0 || attempts->at == attempts->count ? 0 : 3);
}

/* Fills in what became of each. */
static void run(struct attempts *attempts, const struct call_policy *policy)
{
	int status;
	pid_t child;

	need_call_filters();
	for (size_t i = 0; i < attempts->count; i++)
		attempts->list[i].got = -1;
	child = fork();
	assert_true(child >= 0);
	if (child == 0)
		try_all(attempts, policy);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	for (size_t i = 0; i < attempts->count; i++) {
		const struct attempt *attempt = &attempts->list[i];

		if (attempt->got != (int)attempt->expected)
			fail_msg("call %d, arguments %llx %llx %llx: %d, not "
				 "%d",
				 attempt->number,
				 (unsigned long long)attempt->arguments[0],
				 (unsigned long long)attempt->arguments[1],
				 (unsigned long long)attempt->arguments[2],
				 attempt->got, (int)attempt->expected);
	}
}

static void sweep(const struct call_policy *policy, uint64_t argument)
{
	struct attempts *attempts = new_attempts();
	uint64_t given[6] = { argument, argument, argument,
			      argument, argument, MARK };

	for (int i = 0; i < NUMBERS; i++) {
		struct attempt *attempt = &attempts->list[attempts->count];

		attempt->number = i;
		memcpy(attempt->arguments, given, sizeof(attempt->arguments));
		attempt->expected = call_policy_verdict(policy, i, given);
		attempts->count++;
	}
	run(attempts, policy);
	free_attempts(attempts);
}

static void each_call_of_a_worker_is_what_its_table_says(void **state)
{
	const struct call_policy policy = worker_calls();

	(void)state;
	sweep(&policy, 0);
	sweep(&policy, UINT64_MAX);
}

static void each_call_of_a_keeper_is_what_its_table_says(void **state)
{
	const struct call_policy policy = keeper_calls();

	(void)state;
	sweep(&policy, 0);
}

static void each_call_of_a_notifier_is_what_its_table_says(void **state)
{
	const struct call_policy policy = notifier_calls();

	(void)state;
	sweep(&policy, 0);
}

static void run_list(const struct call_policy *policy,
		     const struct attempt *list, size_t count)
{
	struct attempts *attempts = new_attempts();

	memcpy(attempts->list, list, count * sizeof(*list));
	attempts->count = count;
	run(attempts, policy);
	free_attempts(attempts);
}

/* Said here once more, so that a table that forgets one is seen. */
static void what_would_harm_others_ends_a_worker(void **state)
{
	static const int numbers[] = {
		SYS_execve,
		SYS_execveat,
		SYS_mount,
		SYS_umount2,
		SYS_pivot_root,
		SYS_chroot,
		SYS_setns,
		SYS_unshare,
		SYS_process_vm_readv,
		SYS_bpf,
		SYS_keyctl,
		SYS_process_vm_writev,
		SYS_init_module,
		SYS_finit_module,
		SYS_kexec_load,
		SYS_reboot,
		SYS_setuid,
		SYS_setresuid,
		SYS_setgroups,
		SYS_capset,
		SYS_perf_event_open,
		SYS_io_uring_setup,
		SYS_open_by_handle_at,
		SYS_fchmodat,
		SYS_unlinkat,
		SYS_renameat2,
		SYS_ftruncate,
		SYS_pidfd_getfd,
		SYS_userfaultfd,
		SYS_pidfd_send_signal,
#ifdef SYS_fork
		SYS_fork,
		SYS_vfork,
#endif
#ifndef GUARD_HAS_SANITIZERS
		SYS_ptrace,
		SYS_kill,
#endif
	};
	const struct call_policy policy = worker_calls();
	struct attempt list[ARRAY_SIZE(numbers)];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		list[i] = (struct attempt){ .number = numbers[i],
					    .expected = CALL_DEADLY };
	run_list(&policy, list, ARRAY_SIZE(list));
}

static void arguments_decide_where_a_rule_names_them(void **state)
{
	static const struct attempt list[] = {
		{ SYS_socket,
		  { AF_INET, SOCK_STREAM | SOCK_CLOEXEC },
		  .expected = CALL_ALLOWED },
		{ SYS_socket,
		  { AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK },
		  .expected = CALL_ALLOWED },
		{ SYS_socket, { AF_INET, SOCK_RAW }, .expected = CALL_ABSENT },
		{ SYS_socket,
		  { AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC },
		  .expected = CALL_ALLOWED },
		{ SYS_socket,
		  { AF_UNIX, SOCK_STREAM },
		  .expected = CALL_ABSENT },
		{ SYS_socket,
		  { AF_UNIX, SOCK_SEQPACKET },
		  .expected = CALL_ABSENT },
		{ SYS_socket,
		  { AF_NETLINK, SOCK_RAW, NETLINK_ROUTE },
		  .expected = CALL_ALLOWED },
		{ SYS_socket,
		  { AF_NETLINK, SOCK_RAW, NETLINK_AUDIT },
		  .expected = CALL_ABSENT },
		{ SYS_socket,
		  { AF_PACKET, SOCK_RAW },
		  .expected = CALL_ABSENT },
		{ SYS_socket,
		  { AF_VSOCK, SOCK_STREAM },
		  .expected = CALL_ABSENT },
		{ SYS_mmap,
		  { 0, 1, PROT_READ | PROT_WRITE },
		  .expected = CALL_ALLOWED },
		{ SYS_mmap,
		  { 0, 1, PROT_READ | PROT_EXEC },
		  .expected = CALL_ABSENT },
		{ SYS_mprotect, { 0, 1, PROT_READ }, .expected = CALL_ALLOWED },
		{ SYS_prctl, { PR_SET_NAME }, .expected = CALL_ALLOWED },
		{ SYS_fcntl, { 0, F_SETFL }, .expected = CALL_ALLOWED },
		{ SYS_fcntl, { 0, F_SETOWN }, .expected = CALL_ABSENT },
		{ SYS_ioctl, { 0, FIONREAD }, .expected = CALL_ALLOWED },
		{ SYS_ioctl, { 0, TIOCSTI }, .expected = CALL_ABSENT },
		{ SYS_prlimit64, { 0, 7, 0 }, .expected = CALL_ALLOWED },
		{ SYS_prlimit64, { 0, 7, 1 }, .expected = CALL_ABSENT },
		{ SYS_prlimit64, { 1, 7, 0 }, .expected = CALL_ABSENT },
		{ SYS_tgkill, { 1, 1, SIGABRT }, .expected = CALL_DEADLY },
		{ SYS_tgkill,
		  { 0, 1, SIGABRT },
		  .with_own_pid = true,
		  .expected = CALL_ALLOWED },
		{ SYS_clone,
		  { CLONE_THREAD | CLONE_VM | CLONE_SIGHAND },
		  .expected = CALL_ALLOWED },
#ifndef GUARD_HAS_SANITIZERS
		{ SYS_clone, { SIGCHLD }, .expected = CALL_DEADLY },
		{ SYS_clone,
		  { CLONE_VM | CLONE_VFORK | SIGCHLD },
		  .expected = CALL_DEADLY },
		{ SYS_prctl, { PR_SET_DUMPABLE, 1 }, .expected = CALL_ABSENT },
		{ SYS_mprotect,
		  { 0, 1, PROT_READ | PROT_EXEC },
		  .expected = CALL_ABSENT },
#endif
	};
	const struct call_policy policy = worker_calls();

	(void)state;
	run_list(&policy, list, ARRAY_SIZE(list));
}

static void every_rule_has_its_reason(void **state)
{
	const struct call_policy policies[] = { worker_calls(), keeper_calls(),
						notifier_calls() };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(policies); i++)
		for (size_t k = 0; k < CALL_POLICY_TABLES_MAX; k++) {
			const struct call_table *table = &policies[i].tables[k];

			for (size_t n = 0; n < table->count; n++) {
				assert_non_null(table->rules[n].reason);
				assert_true(strlen(table->rules[n].reason) > 2);
			}
		}
}

#if defined(__x86_64__)
/* getpid() as i386 has it. Answers 0 where the filter let it through. */
static int call_as_i386(void)
{
	long number = 20;

	__asm__ volatile("int $0x80" : "+a"(number) : : "memory");
	return 0;
}

static void numbers_of_another_architecture_are_deadly(void **state)
{
	const struct call_policy policy = keeper_calls();
	const struct attempt x32 = { .number = 0x40000000 + SYS_getpid,
				     .expected = CALL_DEADLY };
	int status;
	pid_t child;

	(void)state;
	run_list(&policy, &x32, 1);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
		if (call_filter_install(&policy) < 0)
			_exit(1);
		_exit(call_as_i386());
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	/* SIGSEGV where the kernel was built without i386 */
	assert_true(WIFSIGNALED(status) && (WTERMSIG(status) == SIGSYS ||
					    WTERMSIG(status) == SIGSEGV));
}
#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_call_of_a_worker_is_what_its_table_says),
		cmocka_unit_test(each_call_of_a_keeper_is_what_its_table_says),
		cmocka_unit_test(
			each_call_of_a_notifier_is_what_its_table_says),
		cmocka_unit_test(what_would_harm_others_ends_a_worker),
		cmocka_unit_test(arguments_decide_where_a_rule_names_them),
		cmocka_unit_test(every_rule_has_its_reason),
#if defined(__x86_64__)
		cmocka_unit_test(numbers_of_another_architecture_are_deadly),
#endif
	};

	return cmocka_run_group_tests_name("call filter", tests, NULL, NULL);
}

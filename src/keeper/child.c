/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Between fork(2) and execveat(2) a child gives up all that its parent has.
 * Where that fails it says why over its own socket and executes nothing.
 */
#include "keeper/child.h"
#include "base/err.h"
#include "base/macros.h"
#include "keeper/descriptor.h"
#include "keeper/message.h"
#include "keeper/privileges.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define KILL_WAIT_MS 5000

/* Handlers end with execve(2), but what is ignored or blocked would stay. */
static void reset_signals(void)
{
	const struct sigaction by_default = { .sa_handler = SIG_DFL };
	sigset_t none;

	for (int i = 1; i < NSIG; i++)
		(void)sigaction(i, &by_default, NULL);
	(void)sigemptyset(&none);
	(void)pthread_sigmask(SIG_SETMASK, &none, NULL);
}

/* Leaves 0, 1, 2, the socket on 3 and the binary on 4, which closes itself. */
static int arrange_descriptors(const struct child_plan *plan, int socket)
{
	enum { BINARY = CHILD_SOCKET_FD + 1, CLEAR };
	/* Copies far up first: a source may lie where another one goes. */
	int binary = fcntl(plan->binary_fd, F_DUPFD, CLEAR);
	int error = fcntl(plan->error_fd, F_DUPFD, CLEAR);
	int own = fcntl(socket, F_DUPFD, CLEAR);
	int null = open("/dev/null", O_RDWR);

	if (binary < 0 || error < 0 || own < 0 || null < 0)
		return -errno;
	if (dup2(null, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0 ||
	    dup2(error, STDERR_FILENO) < 0 || dup2(own, CHILD_SOCKET_FD) < 0 ||
	    dup3(binary, BINARY, O_CLOEXEC) < 0 ||
	    close_range(CLEAR, ~0U, 0) < 0)
		return -errno;
	return BINARY;
}

/* Returns only if it failed. */
static int become_and_execute(const struct child_plan *plan, int binary,
			      pid_t parent)
{
	int r = plan->keeps_user ? privileges_pass_override()
				 : privileges_become(plan->uid, plan->gid);

	if (r < 0)
		return r;
	/* After the change of user, which would clear it. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
		return -errno;
	if (getppid() != parent)
		return -ESRCH;
	execveat(binary, "", plan->arguments, plan->environment, AT_EMPTY_PATH);
	return -errno;
}

static _Noreturn void run_child(const struct child_plan *plan, int socket,
				pid_t parent)
{
	struct message message;
	char text[128];
	int r;

	reset_signals();
	(void)setsid();
	r = arrange_descriptors(plan, socket);
	if (r >= 0) {
		socket = CHILD_SOCKET_FD;
		r = become_and_execute(plan, r, parent);
	}
	(void)snprintf(text, sizeof(text), "cannot run %s: %s",
		       plan->arguments[0], strerrordesc_np(-r));
	message_fill(&message, MESSAGE_FAILED, MESSAGE_NO_MOUNT, text,
		     strlen(text));
	message.number = 1;
	(void)message_send(socket, &message, -1);
	_exit(127);
}

int child_start(const struct child_plan *plan, struct child *ret,
		struct err *err)
{
	cleanup_fd int ours = -1;
	cleanup_fd int theirs = -1;
	pid_t parent = getpid();
	int pair[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return err_set(err, -errno, "socketpair: %s",
			       strerrordesc_np(errno));
	ours = pair[0];
	theirs = pair[1];
	if (fcntl(ours, F_SETFL, O_NONBLOCK) < 0)
		return err_set(err, -errno, "socketpair: %s",
			       strerrordesc_np(errno));
	pid = fork();
	if (pid < 0)
		return err_set(err, -errno, "fork: %s", strerrordesc_np(errno));
	if (pid == 0)
		run_child(plan, theirs, parent);
	ret->pid = pid;
	ret->pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	ret->socket = descriptor_take(&ours);
	ret->is_attached = false;
	if (ret->pidfd < 0) {
		int code = -errno;

		(void)kill(pid, SIGKILL);
		child_done(ret);
		return err_set(err, code, "pidfd_open of a child failed");
	}
	return 0;
}

int child_wait(struct child *child, int timeout_ms, int *ret_status)
{
	/* Of a socket its end is reported unasked. */
	struct pollfd ended = {
		.fd = child->pidfd >= 0 ? child->pidfd : child->socket,
		.events = child->pidfd >= 0 ? POLLIN : 0,
	};
	int r;

	do
		r = poll(&ended, 1, timeout_ms);
	while (r < 0 && errno == EINTR);
	if (r <= 0)
		return r < 0 ? -errno : -ETIMEDOUT;
	*ret_status = 0;
	if (!child->is_attached && waitpid(child->pid, ret_status, 0) < 0)
		return -errno;
	child->pid = 0;
	return 0;
}

int child_end(struct child *child, int timeout_ms, int *ret_status)
{
	int r;

	if (child->pid == 0 && !child->is_attached)
		return -ECHILD;
	r = child_wait(child, timeout_ms, ret_status);
	if (r != -ETIMEDOUT)
		return r;
	if (syscall(SYS_pidfd_send_signal, child->pidfd, SIGKILL, NULL, 0) < 0)
		return -EPERM;
	return child_wait(child, KILL_WAIT_MS, ret_status);
}

const char *child_describe(int status, char *out, size_t size)
{
	if (WIFSIGNALED(status)) {
		const char *name = sigabbrev_np(WTERMSIG(status));

		(void)snprintf(out, size, "signal %s", name ? name : "unknown");
	} else {
		(void)snprintf(out, size, "exit status %d",
			       WEXITSTATUS(status));
	}
	return out;
}

void child_done(struct child *child)
{
	descriptor_done(&child->pidfd);
	descriptor_done(&child->socket);
	child->is_attached = false;
}

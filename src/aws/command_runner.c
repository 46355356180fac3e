/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs one command at a time in a process group of its own, so that all that it
 * started ends with it. Waits for its output, its end, its time, and for
 * whoever asked to go away.
 */
#include "aws/command_runner.h"
#include "base/macros.h"
#include "base/scrub.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SHELL "/bin/sh"
#define NOT_RUN 127

/* What is cut from the worker's environment. */
#define DEFAULT_PATH                                                           \
	"/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/* What may hold secrets, in pages of its own. */
struct memory {
	unsigned char packet[COMMAND_ANSWER_MAX];
	char command[COMMAND_TEXT_MAX + 1];
};

/* What a pipe brings. More than fits is read and let go. */
struct stream {
	int fd; /* -1: it has ended */
	unsigned char *bytes;
	size_t length;
	size_t max;
	bool is_cut;
};

struct run {
	int socket_fd;
	pid_t pid;
	struct stream output;
	int64_t deadline_ms;
};

static int64_t now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_BOOTTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void close_stream(struct stream *stream)
{
	if (stream->fd >= 0)
		(void)close(stream->fd);
	stream->fd = -1;
}

static void read_stream(struct stream *stream)
{
	unsigned char rest[4096];
	bool has_room = stream->length < stream->max;
	ssize_t got = read(
		stream->fd, has_room ? stream->bytes + stream->length : rest,
		has_room ? stream->max - stream->length : sizeof(rest));

	if (got == 0 || (got < 0 && errno != EINTR))
		close_stream(stream);
	else if (got > 0 && has_room)
		stream->length += (size_t)got;
	else if (got > 0)
		stream->is_cut = true;
	explicit_bzero(rest, sizeof(rest));
}

/* In the child. Nothing is inherited but the three standard descriptors. What
 * it says of an error may quote a secret, as a shell's trace does: so nobody
 * reads that. */
static void execute(const char *command, int output_fd)
{
	char *const arguments[] = { (char *)(uintptr_t) "sh",
				    (char *)(uintptr_t) "-c",
				    (char *)(uintptr_t)command, NULL };
	int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	(void)setpgid(0, 0);
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): this process has one thread */
	(void)setenv("PATH", DEFAULT_PATH, 0);
	(void)signal(SIGTERM, SIG_DFL);
	(void)signal(SIGINT, SIG_DFL);
	if (null_fd >= 0 && dup2(null_fd, STDIN_FILENO) >= 0 &&
	    dup2(output_fd, STDOUT_FILENO) >= 0 &&
	    dup2(null_fd, STDERR_FILENO) >= 0)
		(void)execv(SHELL, arguments);
	_exit(NOT_RUN);
}

static int begin(struct run *run, const char *command)
{
	int output[2];

	if (pipe2(output, O_CLOEXEC) < 0)
		return -errno;
	run->output.fd = output[0];
	run->pid = fork();
	if (run->pid == 0)
		execute(command, output[1]);
	(void)setpgid(run->pid, run->pid);
	(void)close(output[1]);
	return run->pid < 0 ? -errno : 0;
}

/* Until its output has ended. -ETIMEDOUT; -ECANCELED: nobody waits. */
static int watch(struct run *run)
{
	while (run->output.fd >= 0) {
		struct pollfd fds[] = {
			{ .fd = run->output.fd, .events = POLLIN },
			{ .fd = run->socket_fd },
		};
		int64_t left_ms = run->deadline_ms - now_ms();

		if (left_ms <= 0)
			return -ETIMEDOUT;
		if (poll(fds, ARRAY_SIZE(fds), (int)left_ms) < 0)
			continue;
		if (fds[1].revents)
			return -ECANCELED;
		if (fds[0].revents)
			read_stream(&run->output);
	}
	return run->output.is_cut ? -EFBIG : 0;
}

/* What it started must not outlive it; a group that has ended is nobody. */
static int reap(const struct run *run)
{
	int status = 0;

	(void)kill(-run->pid, SIGKILL);
	while (waitpid(run->pid, &status, 0) < 0 && errno == EINTR)
		;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

/* A command that closes its output may still run: its time is the same, and
 * so is who waits. */
static int wait_for_end(const struct run *run)
{
	struct pollfd asker = { .fd = run->socket_fd };
	siginfo_t info;

	while (now_ms() < run->deadline_ms) {
		info.si_pid = 0;
		if (waitid(P_PID, (id_t)run->pid, &info,
			   WEXITED | WNOHANG | WNOWAIT) < 0 ||
		    info.si_pid != 0)
			return 0;
		if (poll(&asker, 1, 10) > 0)
			return -ECANCELED;
	}
	return -ETIMEDOUT;
}

/* The output is read to where it is sent from. */
static void run_command(int socket_fd, const char *command, int64_t timeout_ms,
			unsigned char *packet)
{
	struct command_answer head = { 0 };
	struct run run = {
		.socket_fd = socket_fd,
		.output = { .fd = -1,
			    .bytes = packet + sizeof(head),
			    .max = COMMAND_OUTPUT_MAX },
		.deadline_ms = now_ms() + timeout_ms,
	};

	head.code = begin(&run, command);
	if (head.code == 0) {
		head.code = watch(&run);
		if (head.code == 0)
			head.code = wait_for_end(&run);
		head.exit = reap(&run);
	}
	close_stream(&run.output);
	if (head.code == 0 && head.exit == 0)
		head.output_length = (uint32_t)run.output.length;
	memcpy(packet, &head, sizeof(head));
	(void)send(socket_fd, packet, sizeof(head) + head.output_length,
		   MSG_NOSIGNAL);
}

static struct memory *map_memory(void)
{
	struct memory *memory =
		mmap(NULL, sizeof(*memory), PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		return NULL;
	(void)madvise(memory, sizeof(*memory), MADV_DONTDUMP);
	return memory;
}

/* Where little may be locked, the pool of secrets says so. */
static void handle(int socket_fd, struct memory *memory, size_t length,
		   int64_t timeout_ms)
{
	(void)mlock(memory, sizeof(*memory));
	memory->command[length] = '\0';
	run_command(socket_fd, memory->command, timeout_ms, memory->packet);
	explicit_bzero(memory, sizeof(*memory));
	(void)munlock(memory, sizeof(*memory));
	scrub();
}

/* The command's own signals are as a shell expects them. */
static void settle_process(int socket_fd)
{
	sigset_t none;

	(void)sigemptyset(&none);
	(void)pthread_sigmask(SIG_SETMASK, &none, NULL);
	(void)signal(SIGPIPE, SIG_DFL);
	(void)signal(SIGTERM, SIG_IGN); /* it ends with who asks */
	(void)signal(SIGINT, SIG_IGN);
	(void)prctl(PR_SET_DUMPABLE, 0);
	(void)prctl(PR_SET_NAME, "secretsfs-cmd");
	(void)fcntl(socket_fd, F_SETFD, FD_CLOEXEC);
}

void command_runner_serve(int socket_fd, int64_t timeout_ms)
{
	struct memory *memory = map_memory();

	settle_process(socket_fd);
	while (memory) {
		ssize_t length =
			recv(socket_fd, memory->command, COMMAND_TEXT_MAX, 0);

		if (length < 0 && errno == EINTR)
			continue;
		if (length <= 0)
			break;
		handle(socket_fd, memory, (size_t)length, timeout_ms);
	}
	_exit(0);
}

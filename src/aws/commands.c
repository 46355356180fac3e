/* SPDX-License-Identifier: Apache-2.0 */
/* Answers come in the order of the questions: a queue says whose each is. One
 * that nobody waits for any more stays in it until it has come. */
#include "aws/commands.h"
#include "aws/command_runner.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/macros.h"
#include "loop/loop.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

TAILQ_HEAD(call_queue, command_call);

struct command_call {
	TAILQ_ENTRY(command_call) link;
	command_on_output *on_output; /* NULL: it was cancelled */
	void *owner;
};

struct commands {
	int64_t timeout_ms;
	int fd;
	pid_t pid;
	struct loop_watch *watch;
	struct call_queue calls;
};

static void end_first(struct commands *commands, const char *output,
		      size_t length, const struct err *err)
{
	struct command_call *call = TAILQ_FIRST(&commands->calls);
	/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): it was removed */
	const struct command_call ended = *call;

	TAILQ_REMOVE(&commands->calls, call, link);
	free(call);
	if (ended.on_output)
		ended.on_output(ended.owner, output, length, err);
}

static void explain(const struct commands *commands,
		    const struct command_answer *head, struct err *err)
{
	if (head->code == -ETIMEDOUT)
		(void)err_set(err, -ENOKEY, "it did not end within %d s",
			      (int)(commands->timeout_ms / 1000));
	else if (head->code == -EFBIG)
		(void)err_set(err, -ENOKEY, "it wrote more than %u bytes",
			      COMMAND_OUTPUT_MAX);
	else if (head->code < 0)
		(void)err_set(err, -ENOKEY, "it could not be run: %s",
			      strerrordesc_np(-head->code));
	else
		(void)err_set(err, -ENOKEY,
			      "it ended with %s %d; what it wrote to standard "
			      "error is not shown, as that may hold secrets",
			      head->exit < 0 ? "signal" : "exit code",
			      (int)(head->exit < 0 ? -head->exit : head->exit));
}

/* All that wait. A callback may start anew, which then fails at once. */
static void lose(struct commands *commands)
{
	struct err err;

	loop_unwatch(TAKE(commands->watch));
	(void)err_set(&err, -ENOKEY, "the process that runs commands is gone");
	while (!TAILQ_EMPTY(&commands->calls))
		end_first(commands, NULL, 0, &err);
}

static void read_answer(struct commands *commands, const struct buf *packet)
{
	const char *text = buf_text(packet) + sizeof(struct command_answer);
	struct command_answer head;
	struct err err;

	memcpy(&head, packet->bytes, sizeof(head));
	if (head.output_length > packet->length - sizeof(head)) {
		lose(commands);
		return;
	}
	if (head.code == 0 && head.exit == 0) {
		end_first(commands, text, head.output_length, NULL);
		return;
	}
	explain(commands, &head, &err);
	end_first(commands, NULL, 0, &err);
}

/* The answer is lost, and who waits for it is told; others come yet. */
static void drop_answer(struct commands *commands)
{
	char byte;
	ssize_t length = recv(commands->fd, &byte, 1, MSG_DONTWAIT);
	struct err err;

	if (length < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (length <= 0 || TAILQ_EMPTY(&commands->calls)) {
		lose(commands);
		return;
	}
	(void)err_set(&err, -ENOMEM, "no memory for its output");
	end_first(commands, NULL, 0, &err);
}

static void on_ready(void *owner, unsigned events)
{
	struct commands *commands = owner;
	cleanup_buf struct buf packet;
	ssize_t length;

	(void)events;
	buf_init(&packet, COMMAND_ANSWER_MAX);
	if (buf_reserve(&packet, COMMAND_ANSWER_MAX) < 0) {
		drop_answer(commands);
		return;
	}
	length = recv(commands->fd, packet.bytes, COMMAND_ANSWER_MAX,
		      MSG_DONTWAIT);
	if (length < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (length < (ssize_t)sizeof(struct command_answer) ||
	    TAILQ_EMPTY(&commands->calls)) {
		lose(commands);
		return;
	}
	packet.length = (size_t)length;
	packet.bytes[length] = '\0';
	read_answer(commands, &packet);
}

static int fork_runner(struct commands *commands, struct err *err)
{
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return err_set(err, -errno, "no socket to run commands by: %s",
			       strerrordesc_np(errno));
	commands->pid = fork();
	if (commands->pid == 0) {
		/* of what is open only the end that is needed stays */
		if (dup2(ends[1], STDERR_FILENO + 1) < 0)
			_exit(1);
		closefrom(STDERR_FILENO + 2);
		command_runner_serve(STDERR_FILENO + 1, commands->timeout_ms);
	}
	(void)close(ends[1]);
	commands->fd = ends[0];
	if (commands->pid < 0)
		return err_set(err, -errno, "no process to run commands: %s",
			       strerrordesc_np(errno));
	return 0;
}

int commands_new(struct loop *loop, int64_t timeout_ms, struct commands **ret,
		 struct err *err)
{
	struct commands *commands = calloc(1, sizeof(*commands));
	int r;

	if (!commands)
		return err_set(err, -ENOMEM, "no memory to run commands");
	commands->timeout_ms = timeout_ms;
	commands->fd = -1;
	commands->pid = -1;
	TAILQ_INIT(&commands->calls);
	r = fork_runner(commands, err);
	if (r == 0) {
		commands->watch = loop_watch(loop, commands->fd, LOOP_READ,
					     on_ready, commands);
		if (!commands->watch)
			r = err_set(err, -ENOMEM, "no memory to run commands");
	}
	if (r < 0)
		commands_free(commands);
	else
		*ret = commands;
	return r;
}

void commands_free(struct commands *commands)
{
	struct command_call *call;

	if (!commands)
		return;
	loop_unwatch(commands->watch);
	while ((call = TAILQ_FIRST(&commands->calls))) {
		TAILQ_REMOVE(&commands->calls, call, link);
		free(call);
	}
	if (commands->fd >= 0)
		(void)close(commands->fd);
	while (commands->pid > 0 && waitpid(commands->pid, NULL, 0) < 0 &&
	       errno == EINTR)
		;
	free(commands);
}

struct command_call *command_start(struct commands *commands,
				   const char *command,
				   command_on_output *on_output, void *owner,
				   struct err *err)
{
	size_t length = strlen(command);
	struct command_call *call = calloc(1, sizeof(*call));

	if (!call) {
		(void)err_set(err, -ENOMEM, "no memory to run a command");
		return NULL;
	}
	if (length == 0 || length > COMMAND_TEXT_MAX || !commands->watch ||
	    send(commands->fd, command, length, MSG_NOSIGNAL | MSG_DONTWAIT) <
		    0) {
		(void)err_set(err, -ENOKEY, "it cannot be run: %s",
			      length > COMMAND_TEXT_MAX
				      ? "too long"
				      : "the process that runs commands is "
					"gone");
		free(call);
		return NULL;
	}
	call->on_output = on_output;
	call->owner = owner;
	TAILQ_INSERT_TAIL(&commands->calls, call, link);
	return call;
}

void command_cancel(struct command_call *call)
{
	if (call)
		call->on_output = NULL;
}

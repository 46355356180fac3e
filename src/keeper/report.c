/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one who waits hears MESSAGE_DONE or MESSAGE_FAILED, or the end of the
 * stream: so a keeper that dies on its way is an error too.
 */
#include "keeper/report.h"
#include "base/err.h"
#include "base/macros.h"
#include "keeper/descriptor.h"
#include "keeper/environment.h"
#include "keeper/message.h"

#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* More than all that the keeper itself waits for. */
#define WAIT_MS 90000

/* One line whatever is in it: it may come from a worker. */
static void print_line(const char *kind, const char *line)
{
	char text[MESSAGE_BODY_MAX + 1];
	size_t length = 0;

	for (; line[length] && length < MESSAGE_BODY_MAX; length++) {
		unsigned char c = (unsigned char)line[length];

		text[length] = line[length];
		if (c < 0x20 || c == 0x7f)
			text[length] = '?';
	}
	text[length] = '\0';
	(void)fprintf(stderr, "secretsfs: %s%s\n", kind, text);
}

static int wait_for_report(int fd)
{
	struct pollfd ready = { .fd = fd, .events = POLLIN };
	struct message message;
	int r;

	do
		r = poll(&ready, 1, WAIT_MS);
	while (r < 0 && errno == EINTR);
	if (r > 0)
		r = message_receive(fd, &message, NULL) < 0 ? -1 : 1;
	if (r <= 0) {
		print_line("", r == 0 ? "the keeper does not answer"
				      : "the keeper died before it served");
		return 1;
	}
	if (message.type == MESSAGE_DONE)
		return 0;
	print_line("", message.body);
	return message.number;
}

int report_detach(struct err *err)
{
	cleanup_fd int ours = -1;
	cleanup_fd int theirs = -1;
	int pair[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return err_set(err, -errno, "socketpair: %s",
			       strerrordesc_np(errno));
	theirs = pair[0];
	ours = pair[1];
	pid = fork();
	if (pid < 0)
		return err_set(err, -errno, "fork: %s", strerrordesc_np(errno));
	if (pid > 0) {
		descriptor_done(&ours);
		environment_forget(environ);
		/* The child owns all that exit(3) would flush or undo. */
		_exit(wait_for_report(theirs));
	}
	(void)setsid();
	return descriptor_take(&ours);
}

int report_ready(int fd)
{
	struct message message;

	message_fill(&message, MESSAGE_DONE, MESSAGE_NO_MOUNT, NULL, 0);
	return message_send(fd, &message, -1);
}

void report_failure(int fd, int code, const char *line)
{
	struct message message;

	if (fd < 0) {
		print_line("", line);
		return;
	}
	message_fill(&message, MESSAGE_FAILED, MESSAGE_NO_MOUNT, line,
		     strlen(line));
	message.number = code;
	(void)message_send(fd, &message, -1);
}

void report_warning(const char *line)
{
	print_line("warning: ", line);
}

void report_to_manager(const char *socket_path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	cleanup_fd int fd = -1;
	char text[64];
	socklen_t length;

	if (!socket_path || strlen(socket_path) >= sizeof(address.sun_path))
		return;
	memcpy(address.sun_path, socket_path, strlen(socket_path));
	if (address.sun_path[0] == '@')
		address.sun_path[0] = '\0';
	length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) +
			     strlen(socket_path));
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	(void)snprintf(text, sizeof(text), "READY=1\nMAINPID=%d", getpid());
	(void)sendto(fd, text, strlen(text), MSG_NOSIGNAL,
		     (const struct sockaddr *)&address, length);
}

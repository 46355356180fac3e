/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stands in for secretsfs-worker where the keeper is tested: it keeps to the
 * messages, serves an empty root directory, and misbehaves as its first
 * argument says. See keeper_test.py for the ways. With "lend:PATH" it serves
 * nothing: whoever listens there gets all that comes from the keeper. With
 * "while:PATH" it refuses to start where nothing is at that path. With
 * "held:PATH" it starts when somebody opens the fifo at that path to write, and
 * gives up when it is to reload. With "play:PATH" whoever listens there also
 * says all that a worker says, message by message, and how fast it reads.
 */
#include "base/macros.h"
#include "keeper/child.h"
#include "keeper/message.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define FUSE_ROOT 1
/* No message of a worker's: from now on, read one message in so many ms, or
 * none where that is negative. */
#define PLAY_PACE 1000

struct worker {
	const char *way;
	const char *path; /* that has to be there, or NULL */
	const char *hold; /* a fifo, or NULL */
	int fuse_fd;
	int relay; /* to whom all is lent, or -1 */
	bool is_played;
	int pace_ms;
};

static bool is_way(const struct worker *worker, const char *way)
{
	return strcmp(worker->way, way) == 0;
}

static void say(enum message_type type, uint32_t mount, const char *text,
		int number)
{
	struct message message;

	message_fill(&message, type, mount, text, strlen(text));
	message.number = number;
	if (message_send(CHILD_SOCKET_FD, &message, -1) < 0)
		_exit(9);
}

static void reply(int fd, uint64_t unique, int error, const void *body,
		  size_t length)
{
	unsigned char bytes[512];
	struct fuse_out_header header = {
		.len = (uint32_t)(sizeof(header) + length),
		.error = -error,
		.unique = unique,
	};

	memcpy(bytes, &header, sizeof(header));
	if (length > 0)
		memcpy(bytes + sizeof(header), body, length);
	/* A request whose caller has gone is refused; so be it. */
	if (write(fd, bytes, header.len) < 0)
		return;
}

static void reply_root(int fd, uint64_t unique)
{
	const struct fuse_attr_out out = {
		.attr_valid = 1,
		.attr = { .ino = FUSE_ROOT,
			  .mode = S_IFDIR | 0555,
			  .nlink = 2 },
	};

	reply(fd, unique, 0, &out, sizeof(out));
}

/* Waits in the kernel, and not even SIGKILL ends it: for the look-up that is
 * not answered. */
static void *forget_name(void *owner)
{
	const struct worker *worker = owner;
	struct {
		struct fuse_out_header header;
		struct fuse_notify_inval_entry_out order;
		char name[2];
	} __attribute__((packed)) notice = {
		.header = { .len = sizeof(notice),
			    .error = FUSE_NOTIFY_INVAL_ENTRY },
		.order = { .parent = FUSE_ROOT, .namelen = 1 },
		.name = "x",
	};

	if (write(worker->fuse_fd, &notice, sizeof(notice)) < 0)
		_exit(11);
	return NULL;
}

static void get_stuck(struct worker *worker)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, forget_name, worker) != 0)
		_exit(11);
	for (;;)
		pause();
}

static void answer(int fd, const struct fuse_in_header *request)
{
	const struct fuse_open_out opened = { 0 };

	switch (request->opcode) {
	case FUSE_GETATTR:
		reply_root(fd, request->unique);
		break;
	case FUSE_OPENDIR:
		reply(fd, request->unique, 0, &opened, sizeof(opened));
		break;
	case FUSE_READDIR:
	case FUSE_READDIRPLUS:
	case FUSE_RELEASEDIR:
		reply(fd, request->unique, 0, NULL, 0);
		break;
	case FUSE_LOOKUP:
		reply(fd, request->unique, ENOENT, NULL, 0);
		break;
	case FUSE_FORGET:
	case FUSE_BATCH_FORGET:
	case FUSE_INTERRUPT:
		break;
	default:
		reply(fd, request->unique, ENOSYS, NULL, 0);
		break;
	}
}

static void say_gone(struct worker *worker)
{
	close(worker->fuse_fd);
	worker->fuse_fd = -1;
	say(MESSAGE_GONE, 0, "", 0);
}

static void on_fuse(struct worker *worker)
{
	union {
		struct fuse_in_header header;
		char bytes[FUSE_MIN_READ_BUFFER * 2];
	} request;
	ssize_t length = read(worker->fuse_fd, &request, sizeof(request));

	if (length >= (ssize_t)sizeof(request.header) &&
	    request.header.opcode == FUSE_LOOKUP && is_way(worker, "stuck"))
		get_stuck(worker);
	else if (length >= (ssize_t)sizeof(request.header))
		answer(worker->fuse_fd, &request.header);
	else if (length < 0 && errno == ENODEV)
		say_gone(worker);
}

/* What was handed over must be what the contract says. */
static void check_handover(const struct message *message, int fd)
{
	struct fuse_in_header header;

	if (fd < 0 || message->length < sizeof(header)) {
		say(MESSAGE_FAILED, 0, "a mount came without its fd", 1);
		_exit(1);
	}
	memcpy(&header, message->body, sizeof(header));
	if (header.opcode != FUSE_INIT || header.len != message->length) {
		say(MESSAGE_FAILED, 0, "a mount came without its INIT", 1);
		_exit(1);
	}
}

static void on_mount(struct worker *worker, const struct message *message,
		     int fd)
{
	check_handover(message, fd);
	if (is_way(worker, "fail-late")) {
		say(MESSAGE_FAILED, 0, "cannot serve", 6);
		_exit(6);
	}
	if (is_way(worker, "die-late"))
		_exit(7);
	worker->fuse_fd = fd;
	say(MESSAGE_SERVING, message->mount, "", 0);
	if (is_way(worker, "give-up"))
		say(MESSAGE_FAILED, 0, "out of luck", 1);
	if (is_way(worker, "nonsense-late"))
		say(MESSAGE_READY, 7, "", 0);
	while (is_way(worker, "chatter"))
		say(MESSAGE_BEAT, MESSAGE_NO_MOUNT, "", 0);
}

static int lend_to(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	if (fd < 0 || strlen(path) >= sizeof(address.sun_path))
		_exit(10);
	memcpy(address.sun_path, path, strlen(path));
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		_exit(10);
	return fd;
}

static void on_message(struct worker *worker)
{
	struct message message;
	int fd = -1;

	if (message_receive(CHILD_SOCKET_FD, &message, &fd) < 0)
		_exit(8);
	if (worker->relay >= 0)
		(void)message_send(worker->relay, &message, fd);
	if (message.type == MESSAGE_MOUNT && !worker->is_played)
		on_mount(worker, &message, fd);
	else if (fd >= 0)
		close(fd);
	if (message.type == MESSAGE_BEAT)
		say(MESSAGE_BEAT, MESSAGE_NO_MOUNT, "", 0);
	if (message.type == MESSAGE_RELOAD && worker->hold)
		say(MESSAGE_FAILED, 0, "it is to reload", 1);
	if (message.type == MESSAGE_STOP && !is_way(worker, "linger"))
		_exit(0);
}

/* As it comes, well-formed or not. */
static void pass_on(struct worker *worker)
{
	char bytes[sizeof(struct message)] = { 0 };
	ssize_t length = read(worker->relay, bytes, sizeof(bytes));
	struct message message;

	memcpy(&message, bytes, sizeof(message));
	if (length > 0 && message.type == PLAY_PACE) {
		worker->pace_ms = message.number;
		return;
	}
	if (length <= 0 || write(CHILD_SOCKET_FD, bytes, (size_t)length) < 0)
		_exit(9);
}

static void get_ready(const struct worker *worker)
{
	static const char garbage[] = "no message at all";

	if (is_way(worker, "fail")) {
		say(MESSAGE_FAILED, MESSAGE_NO_MOUNT, "no such\nclass", 5);
		_exit(5);
	}
	if (is_way(worker, "die"))
		_exit(3);
	if (worker->path && access(worker->path, F_OK) < 0) {
		say(MESSAGE_FAILED, MESSAGE_NO_MOUNT, "it is missing", 4);
		_exit(4);
	}
	if (worker->hold && open(worker->hold, O_RDONLY | O_CLOEXEC) < 0)
		_exit(11);
	if (is_way(worker, "nonsense") &&
	    write(CHILD_SOCKET_FD, garbage, sizeof(garbage)) < 0)
		_exit(9);
	if (is_way(worker, "warn"))
		say(MESSAGE_WARNING, MESSAGE_NO_MOUNT, "mind\x1b[2J\nthis", 0);
	while (is_way(worker, "babble"))
		say(MESSAGE_WARNING, MESSAGE_NO_MOUNT, "and so on", 0);
	if (is_way(worker, "silent"))
		pause();
	say(MESSAGE_READY, 0, "secretsfs:stub source", 0);
	if (is_way(worker, "two"))
		say(MESSAGE_READY, 1, "secretsfs:second", 0);
	say(MESSAGE_READY, MESSAGE_NO_MOUNT, "", 0);
}

/* What comes behind the colon of "KEY:...", or NULL. */
static const char *behind(const struct worker *worker, const char *key)
{
	size_t length = strlen(key);

	return strncmp(worker->way, key, length) == 0 ? worker->way + length
						      : NULL;
}

static void set_way(struct worker *worker)
{
	const char *lent_to = behind(worker, "lend:");
	const char *played_by = behind(worker, "play:");

	if (lent_to || played_by)
		worker->relay = lend_to(lent_to ? lent_to : played_by);
	worker->is_played = played_by != NULL;
	worker->path = behind(worker, "while:");
	worker->hold = behind(worker, "held:");
}

static void turn(struct worker *worker)
{
	struct pollfd fds[] = {
		{ .fd = worker->pace_ms < 0 ? -1 : CHILD_SOCKET_FD,
		  .events = POLLIN },
		{ .fd = worker->fuse_fd,
		  .events = (short)(worker->relay < 0 ? POLLIN : 0) },
		{ .fd = worker->is_played ? worker->relay : -1,
		  .events = POLLIN },
	};

	if (poll(fds, ARRAY_SIZE(fds), -1) < 0)
		return;
	if (fds[0].revents) {
		on_message(worker);
		/* Slow, so that what is played waits as well. */
		(void)poll(NULL, 0, worker->pace_ms);
	}
	if (fds[2].revents)
		pass_on(worker);
	if (fds[1].revents && worker->relay >= 0)
		say_gone(worker);
	else if (fds[1].revents)
		on_fuse(worker);
}

int main(int argc, char **argv)
{
	struct worker worker = { .way = argc > 1 ? argv[1] : "serve",
				 .fuse_fd = -1,
				 .relay = -1 };

	set_way(&worker);
	if (!worker.is_played)
		get_ready(&worker);
	for (;;)
		turn(&worker);
}

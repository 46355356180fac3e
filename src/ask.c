/* SPDX-License-Identifier: Apache-2.0 */
/* The mount is found in the mount table and its keeper by the mount's id, so
 * that nothing is looked up in a mount that may not answer. The keeper hands
 * the connection on; everything has to be here by one deadline. */
#include "ask.h"
#include "base/err.h"
#include "base/macros.h"
#include "keeper/descriptor.h"
#include "keeper/mountinfo.h"
#include "keeper/place.h"
#include "keeper/runtime.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdint.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define FSTYPE "fuse.secretsfs"

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* 0; -ENOENT: no secretsfs is mounted there; or negative errno, with err
 * filled. */
static int find_mount(const char *path, struct mountinfo *ret, struct err *err)
{
	int r = mountinfo_find(MOUNTINFO_SELF, path, ret);

	if (r < 0 && r != -ENOENT)
		return err_set(err, r, "%s: %s", MOUNTINFO_SELF,
			       strerrordesc_np(-r));
	return r == 0 && strcmp(ret->fstype, FSTYPE) == 0 ? 0 : -ENOENT;
}

/* To the keeper of what is mounted below a directory. A descriptor or negative
 * errno; -EINVAL: there is none. */
static int connect_to_directory(const char *path)
{
	cleanup_fd int fd =
		open(path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int socket = fd < 0 ? -ENOENT : runtime_connect_directory(fd);

	return socket == -ENOENT ? -EINVAL : socket;
}

/* What is known then: nobody listens where its keeper would. */
static int refuse_unfound(const struct mountinfo *mount, struct err *err)
{
	if (mount->user_id == geteuid() || mount->user_id == MOUNTINFO_NO_USER)
		return err_set(err, -ENOENT,
			       "no socket of its keeper is found: it is in "
			       "another container, or has died; unmount takes "
			       "the mount off");
	return err_set(err, -ENOENT,
		       "uid %u has mounted it, and no socket of that user's "
		       "keeper is found; ask as that user, with the same "
		       "XDG_RUNTIME_DIR",
		       (unsigned)mount->user_id);
}

/* A descriptor, or negative errno with err filled. */
static int connect_to(const char *path, struct err *err)
{
	struct mountinfo mount = { 0 };
	int r = find_mount(path, &mount, err);
	int socket;

	if (r < 0 && r != -ENOENT)
		return r;
	socket =
		r == 0 ? runtime_connect(mount.id) : connect_to_directory(path);
	if (socket == -EINVAL)
		return err_set(err, -EINVAL, "no secretsfs is mounted there");
	if (socket == -ENOENT)
		return refuse_unfound(&mount, err);
	if (socket == -ECONNREFUSED)
		return err_set(err, socket,
			       "its keeper has died; unmount takes it off");
	if (socket == -EACCES || socket == -EPERM)
		return err_set(err, socket,
			       "only who has mounted it and root may ask");
	if (socket < 0)
		return err_set(err, socket, "the keeper cannot be reached: %s",
			       strerrordesc_np(-socket));
	return socket;
}

static int send_question(int socket, const struct asking *asking,
			 struct err *err)
{
	const char *name = asking->name ? asking->name : "";
	struct message message;
	int r;

	if (strlen(name) > MESSAGE_NAME_MAX)
		return err_set(err, -ENAMETOOLONG, "the name is too long");
	message_fill(&message, asking->type, MESSAGE_NO_MOUNT, name,
		     strlen(name));
	r = message_send(socket, &message, asking->fd ? *asking->fd : -1);
	return r < 0 ? err_set(err, r, "the keeper cannot be asked: %s",
			       strerrordesc_np(-r))
		     : 0;
}

static int await(int socket, int64_t deadline_ms, struct message *ret,
		 struct err *err)
{
	struct pollfd ready = { .fd = socket, .events = POLLIN };
	int64_t left_ms = deadline_ms - now_ms();
	int r = poll(&ready, 1, left_ms > 0 ? (int)left_ms : 0);

	if (r < 0)
		return err_set(err, -errno, "poll: %s", strerrordesc_np(errno));
	if (r == 0)
		return err_set(err, -ETIMEDOUT,
			       "the worker does not answer in time");
	r = message_receive(socket, ret, NULL);
	if (r < 0)
		return err_set(err, r,
			       "the connection ended without an answer");
	return 0;
}

/* Root may ask what an ordinary user has made, and a terminal obeys control
 * bytes. */
static void write_out(char *text, size_t length, FILE *out)
{
	for (size_t i = 0; i < length; i++)
		if (((unsigned char)text[i] < ' ' && text[i] != '\n') ||
		    text[i] == 0x7f)
			text[i] = '?';
	(void)fwrite(text, 1, length, out);
}

static int take_answer(int socket, const struct asking *asking,
		       unsigned *ret_number, struct err *err)
{
	unsigned timeout_s =
		asking->timeout_s > 0 ? asking->timeout_s : ASK_TIMEOUT_S;
	int64_t deadline_ms = now_ms() + timeout_s * INT64_C(1000);
	struct message message = { 0 };
	size_t length = 0;

	for (;;) {
		int r = await(socket, deadline_ms, &message, err);

		if (r < 0)
			return r;
		if (message.type == MESSAGE_FAILED)
			return err_set(err, -EIO, "%s", message.body);
		if (message.type == MESSAGE_DONE)
			break;
		length += message.length;
		if (message.type != MESSAGE_ANSWER || !asking->out ||
		    length > ASK_ANSWER_MAX)
			return err_set(err, -EPROTO, "the answer is not one");
		write_out(message.body, message.length, asking->out);
	}
	*ret_number = message.number > 0 ? (unsigned)message.number : 0;
	return 0;
}

static int ask_at(const char *path, const struct asking *asking,
		  unsigned *ret_number, struct err *err)
{
	cleanup_fd int socket = -1;
	int r;

	socket = connect_to(path, err);
	if (socket < 0)
		return socket;
	r = send_question(socket, asking, err);
	return r < 0 ? r : take_answer(socket, asking, ret_number, err);
}

int ask(const struct asking *asking, unsigned *ret_number, struct err *err)
{
	char path[PATH_MAX];
	int r = place_follow(asking->mount_point, path, err);

	if (r < 0)
		return r;
	r = ask_at(path, asking, ret_number, err);
	return r < 0 ? err_wrap(err, "%.256s", path) : 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Unmounting means asking the keeper of the mount, who ends the worker too. A
 * mount whose keeper has died is taken off here, without ever looking into it:
 * nobody would answer.
 */
#include "base/err.h"
#include "base/macros.h"
#include "command.h"
#include "keeper/descriptor.h"
#include "keeper/layers.h"
#include "keeper/message.h"
#include "keeper/mountinfo.h"
#include "keeper/place.h"
#include "keeper/runtime.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* All that a keeper waits for at its end, and some. */
#define ANSWER_TIMEOUT_MS 20000
#define TURNS_MAX 64 /* others may mount there meanwhile */

/* 0 when the keeper says it is done; -EPIPE when it left without a word. */
static int ask(int socket, struct err *err)
{
	struct pollfd ready = { .fd = socket, .events = POLLIN };
	struct message message;
	int r;

	message_fill(&message, MESSAGE_UNMOUNT, MESSAGE_NO_MOUNT, NULL, 0);
	r = message_send(socket, &message, -1);
	if (r < 0)
		return err_set(err, r, "the keeper cannot be asked: %s",
			       strerrordesc_np(-r));
	if (poll(&ready, 1, ANSWER_TIMEOUT_MS) <= 0)
		return err_set(err, -ETIMEDOUT,
			       "the keeper does not answer within %d s",
			       ANSWER_TIMEOUT_MS / 1000);
	r = message_receive(socket, &message, NULL);
	if (r < 0)
		return err_set(err, r, "the keeper left without an answer");
	if (message.type != MESSAGE_DONE)
		return err_set(err, -EIO, "%s", message.body);
	return 0;
}

/* why: what came of looking for its keeper. */
static int detach(const struct mountinfo *mount, int why, struct err *err)
{
	CLEANUP(place_done) struct place place = { .parent_fd = -1 };
	int r = place_open(mount->mount_point, &place, err);

	if (r < 0)
		return r;
	r = place_unmount(&place, mount->id);
	if (r < 0)
		return err_set(err, r, "%s", strerrordesc_np(-r));
	runtime_remove(mount->id, -1);
	if (why != -ENOENT)
		command_complain("%s: its keeper was gone, unmounted it",
				 mount->mount_point);
	else
		command_complain("%s: its keeper was not found (uid %u had "
				 "mounted it), unmounted it",
				 mount->mount_point, (unsigned)mount->user_id);
	return 0;
}

static int stop(const struct mountinfo *mount, int socket, struct err *err)
{
	int r = ask(socket, err);

	if ((r < 0 && r != -EPIPE) ||
	    mountinfo_has(MOUNTINFO_SELF, mount->id) != 1)
		return r == -EPIPE ? 0 : r;
	/* It was ending anyway, or has just died. */
	if (r == -EPIPE)
		return detach(mount, r, err);
	return err_set(err, -EBUSY,
		       "its keeper says that it is unmounted, and it is not");
}

/* Takes one layer off. With only_dead, a mount that has a keeper stays: it is
 * one that somebody has made since. */
static int unmount_layer(const struct mountinfo *mount, bool only_dead,
			 struct err *err)
{
	cleanup_fd int socket = runtime_connect(mount->id);

	if (socket == -ENOENT || socket == -ECONNREFUSED)
		return detach(mount, socket, err);
	if (socket < 0)
		return err_set(err, socket, "the keeper cannot be reached: %s",
			       strerrordesc_np(-socket));
	return only_dead ? -EALREADY : stop(mount, socket, err);
}

/* What is mounted at path on top, if that is a secretsfs: 1; 0: it is not; or
 * negative errno with err filled. */
static int find_mount(const char *path, struct mountinfo *ret, struct err *err)
{
	int r = mountinfo_find(MOUNTINFO_SELF, path, ret);

	if (r < 0 && r != -ENOENT)
		return err_set(err, r, "%s: %s", MOUNTINFO_SELF,
			       strerrordesc_np(-r));
	return r == 0 && strcmp(ret->fstype, LAYERS_FSTYPE) == 0;
}

/* Below a mount there may be others, of keepers that died before it. */
static int unmount_all(const char *path, unsigned *ret_count, struct err *err)
{
	struct mountinfo mount;
	unsigned count = 0;
	int r = find_mount(path, &mount, err);

	while (r > 0 && count < TURNS_MAX) {
		r = unmount_layer(&mount, count > 0, err);
		if (r == 0)
			count++;
		if (r == 0)
			r = find_mount(path, &mount, err);
	}
	if (r < 0 && r != -EALREADY)
		return r;
	*ret_count = count;
	return 0;
}

/* Of "/a/space/name" the second but last; false where that is the root. */
static bool copy_name_above(const char *point, char ret[NAME_MAX + 1])
{
	const char *end = strrchr(point, '/');
	const char *slash = memrchr(point, '/', (size_t)(end - point));
	size_t length = slash ? (size_t)(end - slash) - 1 : 0;

	if (length == 0 || length > NAME_MAX)
		return false;
	memcpy(ret, slash + 1, length);
	ret[length] = '\0';
	return true;
}

static bool is_same_directory(int a, int b)
{
	const int flags = AT_EMPTY_PATH | AT_STATX_DONT_SYNC;
	struct statx one;
	struct statx other;

	return statx(a, "", flags, STATX_INO, &one) == 0 &&
	       statx(b, "", flags, STATX_INO, &other) == 0 &&
	       one.stx_ino == other.stx_ino &&
	       one.stx_dev_major == other.stx_dev_major &&
	       one.stx_dev_minor == other.stx_dev_minor;
}

/* A space of folder.h goes when nothing is in it any more. By now its path may
 * lead elsewhere, where nothing is to go: who owns it can swap it for a link.
 */
static void leave_space(const struct place *place, const char *point)
{
	CLEANUP(place_done) struct place space = { .parent_fd = -1 };
	cleanup_fd int fd = -1;

	if (!copy_name_above(point, space.name))
		return;
	space.parent_fd = openat(place->parent_fd, "..",
				 O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (space.parent_fd < 0)
		return;
	fd = place_enter(&space);
	if (fd >= 0 && is_same_directory(fd, place->parent_fd))
		(void)place_remove(&space);
}

/* A keeper that died, or gave up, has left the directory marked. 0; 1: it has
 * not; or negative errno with err filled. */
static int give_back(const char *path, struct err *err)
{
	CLEANUP(place_done) struct place place = { .parent_fd = -1 };
	struct mountinfo mount;
	bool is_above_made = false;
	uint64_t id;
	int r = find_mount(path, &mount, err);

	if (r != 0)
		return r;
	r = place_open(path, &place, err);
	/* Its keeper has taken the directory above it along. */
	if (r < 0)
		return r == -ENOENT ? 1 : r;
	r = place_mount_id(&place, &id);
	if (r == 0)
		r = layers_give_back(&place, id, &is_above_made);
	if (is_above_made)
		leave_space(&place, path);
	if (r < 0 && r != -ENOENT && r != -EBUSY)
		return err_set(err, r, "giving the mount point back: %s",
			       strerrordesc_np(-r));
	return r == 0 ? 0 : 1;
}

/* Mount points of ours below a directory. */
struct below {
	const char *path;
	char **points;
	size_t count;
};

static void below_done(struct below *below)
{
	for (size_t i = 0; i < below->count; i++)
		free(below->points[i]);
	free(below->points);
}

static int note_below(void *owner, const struct mountinfo *mount)
{
	struct below *below = owner;
	size_t length = strlen(below->path);
	char **points;

	if (strcmp(mount->fstype, LAYERS_FSTYPE) != 0 ||
	    strncmp(mount->mount_point, below->path, length) != 0 ||
	    mount->mount_point[length] != '/')
		return 0;
	points = realloc(below->points, (below->count + 1) * sizeof(*points));
	if (!points)
		return -ENOMEM;
	below->points = points;
	points[below->count] = strdup(mount->mount_point);
	if (!points[below->count])
		return -ENOMEM;
	below->count++;
	return 0;
}

static int unmount_dead(const char *point, struct err *err)
{
	struct mountinfo mount;
	unsigned count;
	int r = find_mount(point, &mount, err);
	cleanup_fd int keeper = r > 0 ? runtime_connect(mount.id) : -1;

	/* Another one's, or taken off with the one before. */
	if (r <= 0 || keeper >= 0)
		return r < 0 ? r : 0;
	r = unmount_all(point, &count, err);
	if (r == 0)
		r = give_back(point, err);
	return r < 0 ? r : 0;
}

/* What a keeper that died has left below a directory. */
static int unmount_below(const char *path, struct err *err)
{
	CLEANUP(below_done) struct below below = { .path = path };
	int r = mountinfo_each(MOUNTINFO_SELF, note_below, &below);

	if (r < 0)
		return err_set(err, r, "%s: %s", MOUNTINFO_SELF,
			       strerrordesc_np(-r));
	for (size_t i = 0; r == 0 && i < below.count; i++)
		r = unmount_dead(below.points[i], err);
	return r;
}

/* 0; 1: nothing of ours is below it, as far as is known; or negative errno with
 * err filled. */
static int unmount_directory(const char *path, struct err *err)
{
	cleanup_fd int fd =
		open(path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	cleanup_fd int socket =
		fd < 0 ? -ENOENT : runtime_connect_directory(fd);

	int r;

	if (socket == -ENOENT)
		return 1;
	if (socket < 0 && socket != -ECONNREFUSED)
		return err_set(err, socket, "the keeper cannot be reached: %s",
			       strerrordesc_np(-socket));
	r = socket >= 0 ? ask(socket, err) : 0;
	if (r == 0)
		r = unmount_below(path, err);
	if (r == 0 && socket < 0)
		runtime_remove_directory(fd, -1);
	return r;
}

static int unmount(const char *path, struct err *err)
{
	struct mountinfo mount;
	unsigned count;
	int r = find_mount(path, &mount, err);

	if (r == 0) {
		r = unmount_directory(path, err);
		if (r <= 0)
			return r;
	}
	r = unmount_all(path, &count, err);
	if (r < 0)
		return r;
	r = give_back(path, err);
	if (r < 0 || count > 0)
		return r < 0 ? r : 0;
	if (r > 0)
		return err_set(err, -EINVAL, "no secretsfs is mounted there");
	command_complain("%s: was not mounted any more, gave the directory "
			 "back",
			 path);
	return 0;
}

int command_unmount(int argc, char **argv)
{
	char path[PATH_MAX];
	struct err err;

	if (argc != 2 || argv[1][0] == '-') {
		command_complain("usage: secretsfs unmount MOUNTPOINT");
		return EXIT_USAGE;
	}
	if (place_follow(argv[1], path, &err) < 0) {
		command_complain("%s", err.text);
		return EXIT_FAILURE;
	}
	if (unmount(path, &err) < 0) {
		command_complain("%s: %s", path, err.text);
		return EXIT_FAILURE;
	}
	return EXIT_SUCCESS;
}

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
#include "keeper/message.h"
#include "keeper/mountinfo.h"
#include "keeper/place.h"
#include "keeper/runtime.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#define FSTYPE "fuse.secretsfs"
/* All that a keeper waits for at its end, and some. */
#define ANSWER_TIMEOUT_MS 20000
#define LAYERS_MAX 64

/* 0 when the keeper says it is done; -EPIPE when it left without a word. */
static int ask(int socket, struct err *err)
{
	struct pollfd ready = { .fd = socket, .events = POLLIN };
	cleanup_fd int unwanted = -1;
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
	r = message_receive(socket, &message, &unwanted);
	if (r < 0)
		return err_set(err, r, "the keeper left without an answer");
	if (message.type != MESSAGE_DONE)
		return err_set(err, -EIO, "%s", message.body);
	return 0;
}

static int detach(const struct mountinfo *mount, struct err *err)
{
	CLEANUP(place_done) struct place place = { .parent_fd = -1 };
	int r = place_open(mount->mount_point, &place, err);

	if (r < 0)
		return r;
	r = place_unmount(&place, mount->id);
	if (r < 0)
		return err_set(err, r, "%s", strerrordesc_np(-r));
	runtime_remove(mount->id);
	command_complain("%s: its keeper was gone, unmounted it",
			 mount->mount_point);
	return 0;
}

static int stop(const struct mountinfo *mount, int socket, struct err *err)
{
	int r = ask(socket, err);

	if (r != -EPIPE)
		return r;
	/* It was ending anyway, or has just died. */
	return mountinfo_has(MOUNTINFO_SELF, mount->id) == 1
		       ? detach(mount, err)
		       : 0;
}

/* Takes one layer off. With only_dead, a mount that has a keeper stays: it is
 * one that somebody has made since. */
static int unmount_layer(const struct mountinfo *mount, bool only_dead,
			 struct err *err)
{
	cleanup_fd int socket = runtime_connect(mount->id);

	if (socket == -ENOENT || socket == -ECONNREFUSED)
		return detach(mount, err);
	if (socket < 0)
		return err_set(err, socket, "the keeper cannot be reached: %s",
			       strerrordesc_np(-socket));
	return only_dead ? -EALREADY : stop(mount, socket, err);
}

/* Below a mount there may be others, of keepers that died before it. */
static int unmount_all(const char *path, struct err *err)
{
	struct mountinfo mount;

	for (unsigned layers = 0; layers < LAYERS_MAX; layers++) {
		int r = mountinfo_find(MOUNTINFO_SELF, path, &mount);

		if (r < 0 && r != -ENOENT)
			return err_set(err, r, "%s: %s", MOUNTINFO_SELF,
				       strerrordesc_np(-r));
		if (r == -ENOENT || strcmp(mount.fstype, FSTYPE) != 0)
			return layers > 0 ? 0
					  : err_set(err, -EINVAL,
						    "no secretsfs is mounted "
						    "there");
		r = unmount_layer(&mount, layers > 0, err);
		if (r < 0)
			return r == -EALREADY ? 0 : r;
	}
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
	if (unmount_all(path, &err) < 0) {
		command_complain("%s: %s", path, err.text);
		return EXIT_FAILURE;
	}
	return EXIT_SUCCESS;
}

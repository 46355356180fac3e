/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A socket is named after the mount's id where its keeper lives, so each keeper
 * is asked for its device. A directory has one name everywhere.
 */
#include "keeper/succeed.h"
#include "base/err.h"
#include "base/macros.h"
#include "keeper/descriptor.h"
#include "keeper/message.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define ANSWER_TIMEOUT_MS 3000
#define TURNS_MAX 5

struct search {
	struct message_heir heir;
	int fd;		/* of the directory, if it is one */
	char *path;	/* RUNTIME_PATH_MAX bytes */
	bool is_silent; /* somebody does not answer, at path */
	bool has_ended; /* somebody who was there has gone */
};

/* DONE; 0 for another answer; or negative errno. */
static int ask(const struct search *search, int socket)
{
	struct pollfd ready = { .fd = socket, .events = POLLIN };
	struct message message;
	int r;

	message_fill(&message, MESSAGE_WHICH, MESSAGE_NO_MOUNT, &search->heir,
		     sizeof(search->heir));
	r = message_send(socket, &message, -1);
	if (r < 0)
		return r;
	r = poll(&ready, 1, ANSWER_TIMEOUT_MS);
	if (r <= 0)
		return r < 0 ? -errno : -ETIMEDOUT;
	r = message_receive(socket, &message, NULL);
	return r < 0 ? r : message.type == MESSAGE_DONE;
}

/* One that ends meanwhile serves nothing, nor does a child of one that died.
 * But another one may have its mounts then. */
static bool has_ended(int code)
{
	return code == -EPIPE || code == -ECONNRESET;
}

static int judge(void *owner, int socket, const char *path)
{
	struct search *search = owner;
	int r = socket < 0 ? socket : ask(search, socket);

	search->has_ended |= has_ended(r);
	if (r == 0 || has_ended(r))
		return 0;
	(void)snprintf(search->path, RUNTIME_PATH_MAX, "%s", path);
	search->is_silent = r < 0;
	return r > 0 ? 1 : 0;
}

static int conclude(const struct search *search, int found, struct err *err)
{
	if (found < 0)
		return err_set(err, found, "the sockets of other keepers: %s",
			       strerrordesc_np(-found));
	if (found == 0 && search->is_silent)
		return err_set(
			err, -ETIMEDOUT,
			"--succeed: the keeper at %s does not answer; it "
			"may be the one that serves",
			search->path);
	return found;
}

static int look_at_mounts(struct search *search)
{
	return runtime_each(judge, search);
}

static int look_at_directory(struct search *search)
{
	cleanup_fd int keeper = runtime_connect_own_directory(search->fd);
	char path[RUNTIME_PATH_MAX];
	int r = keeper < 0 ? keeper : runtime_path_directory(search->fd, path);

	if (r == -ENOENT || r == -ECONNREFUSED)
		return 0;
	return r < 0 ? r : judge(search, keeper, path);
}

/* One that ended while it was asked may have given its mounts to another, whose
 * socket is there by then. */
static int find(struct search *search, int (*look)(struct search *search),
		struct err *err)
{
	int found;

	for (int i = 0; i < TURNS_MAX; i++) {
		search->is_silent = search->has_ended = false;
		found = look(search);
		if (found != 0 || !search->has_ended)
			break;
	}
	return conclude(search, found, err);
}

/* NOLINTBEGIN(readability-non-const-parameter): judge() writes the path */
int succeed_find(uint32_t device, char ret[RUNTIME_PATH_MAX], struct err *err)
{
	struct search search = { .heir = { .device = device }, .path = ret };

	return find(&search, look_at_mounts, err);
}

int succeed_find_directory(int fd, char ret[RUNTIME_PATH_MAX], struct err *err)
{
	struct search search = { .heir = { .is_folder = 1 },
				 .fd = fd,
				 .path = ret };

	return find(&search, look_at_directory, err);
}
/* NOLINTEND(readability-non-const-parameter) */

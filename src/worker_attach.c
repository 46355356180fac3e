/* SPDX-License-Identifier: Apache-2.0 */
/* Keeper and worker may be two containers that are started at once, so the
 * socket may still be missing. */
#include "worker_attach.h"
#include "base/err.h"
#include "base/macros.h"
#include "keeper/descriptor.h"
#include "keeper/message.h"
#include "secret_memory.h"
#include "version.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define TRIES 300
#define PAUSE_NS 100000000

static int reduce(struct err *err)
{
	if (geteuid() == 0)
		return err_set(err, -EPERM, "the worker does not run as root");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_set(err, -errno, "cannot give up rights: %s",
			       strerrordesc_np(errno));
	return 0;
}

static int connect_once(int fd, const struct sockaddr_un *address)
{
	return connect(fd, (const struct sockaddr *)address, sizeof(*address)) <
			       0
		       ? -errno
		       : 0;
}

static bool may_pass(int code)
{
	return code == -ENOENT || code == -ECONNREFUSED || code == -EAGAIN;
}

static int connect_to(int fd, const char *path)
{
	static const struct timespec pause = { .tv_nsec = PAUSE_NS };
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int r;

	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	memcpy(address.sun_path, path, strlen(path));
	r = connect_once(fd, &address);
	for (unsigned i = 0; i < TRIES && may_pass(r); i++) {
		(void)nanosleep(&pause, NULL);
		r = connect_once(fd, &address);
	}
	return r;
}

static int say_version(int fd)
{
	struct message message;

	message_fill(&message, MESSAGE_ATTACH, MESSAGE_NO_MOUNT,
		     SECRETSFS_VERSION, strlen(SECRETSFS_VERSION));
	return message_send(fd, &message, -1);
}

static int attach(const char *path, int fd, struct err *err)
{
	cleanup_fd int own = -1;
	int r = reduce(err);

	/* Before it waits: see secret_memory.h. */
	if (r == 0)
		r = secret_memory_hide(err);
	if (r < 0)
		return r;
	own = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (own < 0)
		r = -errno;
	else
		r = connect_to(own, path);
	if (r == 0 && own != fd && dup3(own, fd, O_CLOEXEC) < 0)
		r = -errno;
	if (r == 0)
		r = say_version(fd);
	if (own == fd)
		(void)descriptor_take(&own);
	if (r < 0)
		return err_set(err, r, "--attach %s: %s", path,
			       strerrordesc_np(-r));
	return 0;
}

int worker_attach(int *argc, char ***argv, int fd)
{
	struct err err;
	int r;

	if (*argc < 2 || strcmp((*argv)[1], "--attach") != 0)
		return 0;
	r = attach(*argc > 2 ? (*argv)[2] : "", fd, &err);
	if (r < 0) {
		(void)fprintf(stderr, "secretsfs-worker: %s\n", err.text);
		return r;
	}
	*argc -= 2;
	*argv += 2;
	return 1;
}

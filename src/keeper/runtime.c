/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whoever may write to the directory could put a keeper of his own in it, so
 * its owner and mode are looked at; the sockets are open to their owner only,
 * and the peer is asked for by the kernel's word.
 */
#include "keeper/runtime.h"
#include "base/err.h"
#include "base/macros.h"
#include "keeper/descriptor.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#define WAITING_CLIENTS 8
#define SEND_TIMEOUT_S 3

static void fill_address(uint64_t mount_id, struct sockaddr_un *address)
{
	*address = (struct sockaddr_un){ .sun_family = AF_UNIX };
	(void)snprintf(address->sun_path, sizeof(address->sun_path),
		       RUNTIME_DIRECTORY "/%" PRIu64 ".sock", mount_id);
}

/* By what the directory is, however it is reached. */
static int fill_directory_address(int fd, struct sockaddr_un *address)
{
	struct stat about;

	if (fstat(fd, &about) < 0)
		return -errno;
	*address = (struct sockaddr_un){ .sun_family = AF_UNIX };
	(void)snprintf(address->sun_path, sizeof(address->sun_path),
		       RUNTIME_DIRECTORY "/directory-%jx-%ju.sock",
		       (uintmax_t)about.st_dev, (uintmax_t)about.st_ino);
	return 0;
}

int runtime_prepare(struct err *err)
{
	cleanup_fd int fd = -1;
	struct stat directory;

	if (mkdir(RUNTIME_DIRECTORY, 0755) < 0 && errno != EEXIST)
		return err_set(err, -errno, "%s: %s", RUNTIME_DIRECTORY,
			       strerrordesc_np(errno));
	fd = open(RUNTIME_DIRECTORY,
		  O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &directory) < 0)
		return err_set(err, -errno, "%s: %s", RUNTIME_DIRECTORY,
			       strerrordesc_np(errno));
	if (directory.st_uid != geteuid())
		return err_set(err, -EPERM, "%s: belongs to uid %u",
			       RUNTIME_DIRECTORY, directory.st_uid);
	/* Also undoes what the umask took. */
	if (fchmod(fd, 0755) < 0)
		return err_set(err, -errno, "%s: %s", RUNTIME_DIRECTORY,
			       strerrordesc_np(errno));
	return 0;
}

static int listen_at(const struct sockaddr_un *address, struct err *err)
{
	cleanup_fd int fd = -1;
	mode_t mask;
	int r;

	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return err_set(err, -errno, "socket: %s",
			       strerrordesc_np(errno));
	(void)unlink(address->sun_path);
	mask = umask(0177);
	r = bind(fd, (const struct sockaddr *)address, sizeof(*address));
	umask(mask);
	if (r < 0 || listen(fd, WAITING_CLIENTS) < 0)
		return err_set(err, -errno, "%s: %s", address->sun_path,
			       strerrordesc_np(errno));
	return descriptor_take(&fd);
}

int runtime_listen(uint64_t mount_id, struct err *err)
{
	struct sockaddr_un address;

	fill_address(mount_id, &address);
	return listen_at(&address, err);
}

int runtime_listen_directory(int fd, struct err *err)
{
	struct sockaddr_un address;
	int r = fill_directory_address(fd, &address);

	return r < 0 ? err_set(err, r, "the mount point: %s",
			       strerrordesc_np(-r))
		     : listen_at(&address, err);
}

int runtime_accept(int listening, uid_t owner)
{
	cleanup_fd int fd = -1;
	struct ucred peer;
	socklen_t length = sizeof(peer);

	fd = accept4(listening, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd < 0)
		return -errno;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) < 0)
		return -errno;
	if (peer.uid != 0 && peer.uid != owner)
		return -EACCES;
	return descriptor_take(&fd);
}

static int connect_to(const struct sockaddr_un *address)
{
	/* Else connect(2) waits for a place in the queue of a keeper that
	 * hangs. */
	const struct timeval patience = { .tv_sec = SEND_TIMEOUT_S };
	cleanup_fd int fd = -1;

	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience,
				 sizeof(patience)) < 0)
		return -errno;
	if (connect(fd, (const struct sockaddr *)address, sizeof(*address)) < 0)
		return errno == EAGAIN ? -ETIMEDOUT : -errno;
	return descriptor_take(&fd);
}

int runtime_connect(uint64_t mount_id)
{
	struct sockaddr_un address;

	fill_address(mount_id, &address);
	return connect_to(&address);
}

int runtime_connect_to(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	memcpy(address.sun_path, path, strlen(path));
	return connect_to(&address);
}

int runtime_connect_directory(int fd)
{
	struct sockaddr_un address;
	int r = fill_directory_address(fd, &address);

	return r < 0 ? r : connect_to(&address);
}

void runtime_remove(uint64_t mount_id)
{
	struct sockaddr_un address;

	fill_address(mount_id, &address);
	(void)unlink(address.sun_path);
}

void runtime_remove_directory(int fd)
{
	struct sockaddr_un address;

	if (fill_directory_address(fd, &address) == 0)
		(void)unlink(address.sun_path);
}

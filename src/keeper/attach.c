/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A worker is known by its socket: that it ends is its end. Its pid may mean
 * nothing here, so a pidfd comes from the kernel or not at all (SO_PEERPIDFD,
 * since Linux 6.5); one opened by number could be another's.
 */
#include "keeper/attach.h"
#include "base/err.h"
#include "base/log.h"
#include "base/macros.h"
#include "keeper/descriptor.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define WAITING 4

#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77
#endif

void attach_init(struct attach *attach)
{
	*attach = (struct attach){ .listening = -1 };
}

static void remove_old(const char *path)
{
	struct stat status;

	if (lstat(path, &status) == 0 && S_ISSOCK(status.st_mode))
		(void)unlink(path);
}

static int bind_to(int fd, const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	mode_t mask;
	int r;

	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	memcpy(address.sun_path, path, strlen(path));
	remove_old(path);
	mask = umask(0177);
	r = bind(fd, (const struct sockaddr *)&address, sizeof(address));
	umask(mask);
	return r < 0 ? -errno : 0;
}

int attach_listen(struct attach *attach, const char *path, uid_t uid, gid_t gid,
		  struct err *err)
{
	cleanup_fd int fd = socket(
		AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int r = fd < 0 ? -errno : bind_to(fd, path);

	if (r == 0 && (lchown(path, uid, gid) < 0 || listen(fd, WAITING) < 0))
		r = -errno;
	if (r < 0)
		return err_set(err, r, "--attach-socket %s: %s", path,
			       strerrordesc_np(-r));
	attach->path = path;
	attach->listening = descriptor_take(&fd);
	attach->uid = uid;
	return 0;
}

static int check_peer(const struct attach *attach, int fd, pid_t *ret_pid)
{
	struct ucred peer;
	socklen_t length = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) < 0)
		return -errno;
	if (peer.uid != 0 && peer.uid != getuid() && peer.uid != attach->uid) {
		log_warn("a stranger wanted to be a worker", "uid=%u pid=%d",
			 peer.uid, peer.pid);
		return -EACCES;
	}
	*ret_pid = peer.pid;
	return 0;
}

int attach_accept(const struct attach *attach, struct child *ret)
{
	cleanup_fd int fd = accept4(attach->listening, NULL, NULL,
				    SOCK_CLOEXEC | SOCK_NONBLOCK);
	socklen_t length = sizeof(int);
	int pidfd = -1;
	pid_t pid = 0;
	int r = fd < 0 ? -errno : check_peer(attach, fd, &pid);

	if (r < 0)
		return r;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERPIDFD, &pidfd, &length) < 0)
		pidfd = -1;
	*ret = (struct child){ .pid = pid,
			       .pidfd = pidfd,
			       .socket = descriptor_take(&fd),
			       .is_attached = true };
	return 0;
}

void attach_done(struct attach *attach)
{
	if (attach->listening >= 0)
		remove_old(attach->path);
	descriptor_done(&attach->listening);
}

void attach_leave(struct attach *attach)
{
	descriptor_done(&attach->listening);
}

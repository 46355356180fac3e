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
#include <stdio.h>
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

/* Where the socket is while it is not at its path; nobody looks for it there.
 */
static const char before[] = ".new";
static const char aside[] = ".old";

static int fill_address(struct sockaddr_un *address, const char *path,
			const char *tail)
{
	int length;

	*address = (struct sockaddr_un){ .sun_family = AF_UNIX };
	length = snprintf(address->sun_path, sizeof(address->sun_path), "%s%s",
			  path, tail);
	return length < 0 || (size_t)length >= sizeof(address->sun_path)
		       ? -ENAMETOOLONG
		       : 0;
}

static void remove_socket(const char *path)
{
	struct stat about;

	if (lstat(path, &about) == 0 && S_ISSOCK(about.st_mode))
		(void)unlink(path);
}

static int bind_to(int fd, const struct sockaddr_un *address)
{
	mode_t mask;
	int r;

	remove_socket(address->sun_path);
	mask = umask(0177);
	r = bind(fd, (const struct sockaddr *)address, sizeof(*address));
	umask(mask);
	return r < 0 ? -errno : 0;
}

static int note_identity(struct attach *attach, const char *path)
{
	struct stat about;

	if (lstat(path, &about) < 0)
		return -errno;
	attach->device = about.st_dev;
	attach->inode = about.st_ino;
	return 0;
}

int attach_listen(struct attach *attach, const char *path, uid_t uid, gid_t gid,
		  struct err *err)
{
	cleanup_fd int fd = socket(
		AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct sockaddr_un address;
	int r = fd < 0 ? -errno : fill_address(&address, path, before);

	if (r == 0)
		r = bind_to(fd, &address);
	if (r == 0 &&
	    (lchown(address.sun_path, uid, gid) < 0 || listen(fd, WAITING) < 0))
		r = -errno;
	if (r == 0)
		r = note_identity(attach, address.sun_path);
	if (r < 0)
		return err_set(err, r, "--attach-socket %s: %s", path,
			       strerrordesc_np(-r));
	attach->path = path;
	attach->listening = descriptor_take(&fd);
	attach->uid = uid;
	return 0;
}

static bool is_ours(const struct attach *attach, const char *path)
{
	struct stat about;

	return lstat(path, &about) == 0 && about.st_dev == attach->device &&
	       about.st_ino == attach->inode;
}

/* From what is to what will be behind the path. */
static int move(const struct attach *attach, const char *from, const char *to)
{
	struct sockaddr_un old;
	struct sockaddr_un new;

	if (attach->listening < 0 ||
	    fill_address(&old, attach->path, from) < 0 ||
	    fill_address(&new, attach->path, to) < 0)
		return 0;
	if (!is_ours(attach, old.sun_path))
		return -ENOENT;
	return rename(old.sun_path, new.sun_path) < 0 ? -errno : 0;
}

int attach_publish(const struct attach *attach)
{
	return move(attach, before, "");
}

void attach_step_aside(const struct attach *attach)
{
	(void)move(attach, "", aside);
}

void attach_return(const struct attach *attach)
{
	int r = move(attach, aside, "");

	if (r < 0)
		log_err("workers cannot come any more",
			"attach_socket=%s error=%s", attach->path,
			strerrordesc_np(-r));
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

void attach_sweep(const struct attach *attach)
{
	struct sockaddr_un address;

	if (attach->listening >= 0 &&
	    fill_address(&address, attach->path, aside) == 0)
		remove_socket(address.sun_path);
}

void attach_done(struct attach *attach)
{
	static const char *const tails[] = { "", before, aside };
	struct sockaddr_un address;

	for (size_t i = 0; attach->listening >= 0 && i < ARRAY_SIZE(tails); i++)
		if (fill_address(&address, attach->path, tails[i]) == 0 &&
		    is_ours(attach, address.sun_path))
			(void)unlink(address.sun_path);
	descriptor_done(&attach->listening);
}

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
#include "keeper/mountinfo.h"
#include "keeper/seek.h"
#include "keeper/stream.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#define WAITING_CLIENTS 8
#define SEND_TIMEOUT_S 3
#define ROOTS_DIRECTORY "/run/secretsfs"
#define DIRECTORY_MAX sizeof(((struct sockaddr_un *)NULL)->sun_path)

_Static_assert(DIRECTORY_MAX == RUNTIME_PATH_MAX, "a path is one of a socket");

static int write_path(char *ret, size_t size, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static int write_path(char *ret, size_t size, const char *format, ...)
{
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vsnprintf(ret, size, format, arguments);
	va_end(arguments);
	return length < 0 || (size_t)length >= size ? -ENAMETOOLONG : 0;
}

/* Above the directory of who is not root: ret of DIRECTORY_MAX bytes. */
static int write_base(char *ret)
{
	const char *given = secure_getenv("XDG_RUNTIME_DIR");

	return given && *given == '/'
		       ? write_path(ret, DIRECTORY_MAX, "%s", given)
		       : write_path(ret, DIRECTORY_MAX, "/run/user/%u",
				    geteuid());
}

static int write_directory(char *ret)
{
	char base[DIRECTORY_MAX];
	int r;

	if (geteuid() == 0)
		return write_path(ret, DIRECTORY_MAX, ROOTS_DIRECTORY);
	r = write_base(base);
	return r < 0 ? r : write_path(ret, DIRECTORY_MAX, "%s/secretsfs", base);
}

static int fill_address(uint64_t mount_id, struct sockaddr_un *address)
{
	char directory[DIRECTORY_MAX];
	int r = write_directory(directory);

	*address = (struct sockaddr_un){ .sun_family = AF_UNIX };
	return r < 0 ? r
		     : write_path(address->sun_path, sizeof(address->sun_path),
				  "%s/%" PRIu64 ".sock", directory, mount_id);
}

/* By what the directory is, however it is reached. It may be of a mount whose
 * server hangs, so that one is not asked. */
static int name_directory(int fd, char ret[NAME_MAX + 1], uid_t *ret_owner)
{
	struct statx about;

	if (statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC,
		  STATX_INO | STATX_UID, &about) < 0)
		return -errno;
	*ret_owner = about.stx_uid;
	return write_path(
		ret, NAME_MAX + 1, "directory-%jx-%ju.sock",
		(uintmax_t)makedev(about.stx_dev_major, about.stx_dev_minor),
		(uintmax_t)about.stx_ino);
}

static int fill_directory_address(int fd, struct sockaddr_un *address)
{
	char directory[DIRECTORY_MAX];
	char name[NAME_MAX + 1];
	uid_t owner;
	int r = write_directory(directory);

	if (r == 0)
		r = name_directory(fd, name, &owner);
	*address = (struct sockaddr_un){ .sun_family = AF_UNIX };
	return r < 0 ? r
		     : write_path(address->sun_path, sizeof(address->sun_path),
				  "%s/%s", directory, name);
}

static int refuse_directory(const char *path, int code, struct err *err)
{
	return err_set(err, code, "%s: %s%s", path, strerrordesc_np(-code),
		       geteuid() != 0 && code == -ENOENT
			       ? " (XDG_RUNTIME_DIR names a directory of yours "
				 "for sockets)"
			       : "");
}

int runtime_prepare(struct err *err)
{
	const mode_t mode = geteuid() == 0 ? 0755 : 0700;
	char path[DIRECTORY_MAX] = "XDG_RUNTIME_DIR";
	cleanup_fd int fd = -1;
	struct stat directory;
	int r = write_directory(path);

	if (r < 0)
		return refuse_directory(path, r, err);
	if (mkdir(path, mode) < 0 && errno != EEXIST)
		return refuse_directory(path, -errno, err);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &directory) < 0)
		return refuse_directory(path, -errno, err);
	if (directory.st_uid != geteuid())
		return err_set(err, -EPERM, "%s: belongs to uid %u", path,
			       directory.st_uid);
	/* Also undoes what the umask took. */
	if (fchmod(fd, mode) < 0)
		return refuse_directory(path, -errno, err);
	return 0;
}

/* By a name that nobody looks for, so that there is always one to find. */
static int bind_to(int fd, const struct sockaddr_un *address)
{
	struct sockaddr_un before = { .sun_family = AF_UNIX };
	mode_t mask;
	int r = write_path(before.sun_path, sizeof(before.sun_path), "%s~",
			   address->sun_path);

	if (r < 0)
		return r;
	(void)unlink(before.sun_path);
	mask = umask(0177);
	r = bind(fd, (const struct sockaddr *)&before, sizeof(before));
	umask(mask);
	if (r < 0 || listen(fd, WAITING_CLIENTS) < 0)
		return -errno;
	return rename(before.sun_path, address->sun_path) < 0 ? -errno : 0;
}

static int listen_at(const struct sockaddr_un *address, struct err *err)
{
	cleanup_fd int fd = -1;
	int r;

	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return err_set(err, -errno, "socket: %s",
			       strerrordesc_np(errno));
	r = bind_to(fd, address);
	if (r < 0)
		return err_set(err, r, "%s: %s", address->sun_path,
			       strerrordesc_np(-r));
	return descriptor_take(&fd);
}

int runtime_listen(uint64_t mount_id, struct err *err)
{
	struct sockaddr_un address;
	int r = fill_address(mount_id, &address);

	return r < 0 ? err_set(err, r, "the runtime directory: %s",
			       strerrordesc_np(-r))
		     : listen_at(&address, err);
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

/* Of a mount of root's everyone may hear that he may not ask. */
static int connect_to_roots(uint64_t mount_id)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int r = write_path(address.sun_path, sizeof(address.sun_path),
			   ROOTS_DIRECTORY "/%" PRIu64 ".sock", mount_id);

	return r < 0 ? r : connect_to(&address);
}

/* Of another user's mount only that user's own directories tell. */
static int connect_to_user(uid_t owner, const char *name, int why)
{
	int found;

	if (owner != geteuid() && geteuid() != 0)
		return -EACCES;
	found = seek_keeper(owner, name);
	return found == -ENOENT && owner == geteuid() ? why : found;
}

/* why: what came of looking where the sockets of who asks are. */
static int connect_elsewhere(uint64_t mount_id, int why)
{
	struct mountinfo mount;
	char name[NAME_MAX + 1];

	if (mountinfo_get(MOUNTINFO_SELF, mount_id, &mount) < 0 ||
	    mount.user_id == MOUNTINFO_NO_USER)
		return why;
	if (mount.user_id == 0)
		return geteuid() == 0 ? why : connect_to_roots(mount_id);
	(void)snprintf(name, sizeof(name), "%" PRIu64 ".sock", mount_id);
	return connect_to_user(mount.user_id, name, why);
}

static bool is_nobody(int code)
{
	return code == -ENOENT || code == -ECONNREFUSED;
}

int runtime_connect(uint64_t mount_id)
{
	struct sockaddr_un address;
	int r = fill_address(mount_id, &address);

	if (r == 0)
		r = connect_to(&address);
	return is_nobody(r) ? connect_elsewhere(mount_id, r) : r;
}

int runtime_connect_to(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	memcpy(address.sun_path, path, strlen(path));
	return connect_to(&address);
}

int runtime_connect_own_directory(int fd)
{
	struct sockaddr_un address;
	int r = fill_directory_address(fd, &address);

	return r < 0 ? r : connect_to(&address);
}

int runtime_connect_directory(int fd)
{
	char name[NAME_MAX + 1];
	uid_t owner = 0;
	int r = runtime_connect_own_directory(fd);

	if (!is_nobody(r) || name_directory(fd, name, &owner) < 0)
		return r;
	return owner == 0 || (geteuid() != 0 && owner != geteuid())
		       ? r
		       : connect_to_user(owner, name, r);
}

/* Those of mounts; not what is being made, and not those of directories. */
static bool is_of_mount(const char *name)
{
	size_t digits = strspn(name, "0123456789");

	return digits > 0 && strcmp(name + digits, ".sock") == 0;
}

static int judge_one(const char *directory, const char *name,
		     int (*judge)(void *owner, int socket, const char *path),
		     void *owner)
{
	cleanup_fd int socket = -1;
	char path[RUNTIME_PATH_MAX];

	if (!is_of_mount(name) ||
	    write_path(path, sizeof(path), "%s/%s", directory, name) < 0)
		return 0;
	socket = runtime_connect_to(path);
	return is_nobody(socket) ? 0 : judge(owner, socket, path);
}

int runtime_each(int (*judge)(void *owner, int socket, const char *path),
		 void *owner)
{
	cleanup_listing DIR *listing = NULL;
	char directory[DIRECTORY_MAX];
	int r = write_directory(directory);

	if (r < 0)
		return r;
	listing = opendir(directory);
	if (!listing)
		return -errno;
	for (;;) {
		/* NOLINTNEXTLINE(concurrency-mt-unsafe): it has one thread */
		const struct dirent *entry = readdir(listing);

		if (!entry)
			return 0;
		r = judge_one(directory, entry->d_name, judge, owner);
		if (r != 0)
			return r;
	}
}

int runtime_path_directory(int fd, char ret[RUNTIME_PATH_MAX])
{
	struct sockaddr_un address;
	int r = fill_directory_address(fd, &address);

	return r < 0 ? r
		     : write_path(ret, RUNTIME_PATH_MAX, "%s",
				  address.sun_path);
}

/* Of who listens, also when asked of the socket that is listened at. 0: a
 * process of a namespace beside this one; or negative errno. */
static pid_t pid_of(int socket)
{
	struct ucred peer;
	socklen_t length = sizeof(peer);

	return getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &length) < 0
		       ? -errno
		       : peer.pid;
}

/* Whether another keeper listens there: one that has followed this one, or that
 * goes on where this one could not follow it. */
static bool is_anothers(const struct sockaddr_un *address, int listening)
{
	cleanup_fd int fd = -1;

	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	/* Where it cannot be known, it is not removed. */
	if (fd < 0)
		return true;
	if (connect(fd, (const struct sockaddr *)address, sizeof(*address)) < 0)
		return errno == EAGAIN;
	return listening < 0 || pid_of(fd) != pid_of(listening);
}

static void remove_socket(const struct sockaddr_un *address, int listening)
{
	if (!is_anothers(address, listening))
		(void)unlink(address->sun_path);
}

void runtime_remove(uint64_t mount_id, int listening)
{
	struct sockaddr_un address;

	if (fill_address(mount_id, &address) == 0)
		remove_socket(&address, listening);
}

void runtime_remove_directory(int fd, int listening)
{
	struct sockaddr_un address;

	if (fill_directory_address(fd, &address) == 0)
		remove_socket(&address, listening);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fusermount3(1) is setuid root, so it is found where packages put it, works in
 * the directory that holds the mount point and gets a plain name, and inherits
 * nothing but what it needs. Its own words are the error: they say more than
 * its number.
 */
#include "keeper/fusermount.h"
#include "base/err.h"
#include "base/macros.h"
#include "keeper/descriptor.h"
#include "keeper/moment.h"
#include "keeper/place.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define FUSE_DEVICE "/dev/fuse"
#define NAME "fusermount3"
#define OPTIONS                                                                \
	"rw,nosuid,nodev,noexec,noatime,default_permissions,subtype=secretsfs"
#define SOURCE_MAX 255 /* as of mount.c */
#define OPTIONS_MAX (sizeof(OPTIONS ",allow_other,fsname=") + 2UL * SOURCE_MAX)
#define WORDS_MAX 256
#define TIMEOUT_MS 10000

/* Where it finds the socket that it sends the descriptor through. */
#define COMM_FD 3
#define COMM_VARIABLE "_FUSE_COMMFD=3"

/* One run of it. */
struct run {
	const struct place *place;
	const char *const *arguments;
	int comm; /* its end of a socket, or -1 */
	int words;
};

bool fusermount_is_needed(void)
{
	return geteuid() != 0;
}

static const char *find_program(void)
{
	static const char *const paths[] = {
		"/usr/bin/" NAME,
		"/bin/" NAME,
		"/usr/local/bin/" NAME,
		"/run/wrappers/bin/" NAME,
	};

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
		if (access(paths[i], X_OK) == 0)
			return paths[i];
	return NULL;
}

static int refuse_missing(struct err *err)
{
	return err_set(err, -ENOENT,
		       "mounting without root needs " NAME
		       ", which is not installed (package fuse3)");
}

/* What it would refuse itself, but with fewer words. */
static int check_target(int fd, const char *path, struct err *err)
{
	char by_fd[64];
	struct stat about;

	(void)snprintf(by_fd, sizeof(by_fd), "/proc/self/fd/%d", fd);
	if (fstat(fd, &about) < 0)
		return err_set(err, -errno, "mount point %s: %s", path,
			       strerrordesc_np(errno));
	if (access(by_fd, W_OK) == 0 &&
	    (!(about.st_mode & S_ISVTX) || about.st_uid == getuid()))
		return 0;
	return err_set(err, -EACCES,
		       "mount point %s: belongs to uid %u; without root it has "
		       "to be a directory of your own",
		       path, (unsigned)about.st_uid);
}

int fusermount_check(int target_fd, const char *path, struct err *err)
{
	if (!find_program())
		return refuse_missing(err);
	if (access(FUSE_DEVICE, R_OK | W_OK) < 0)
		return err_set(err, -errno, FUSE_DEVICE ": %s (%s)",
			       strerrordesc_np(errno),
			       errno == EACCES ? "its mode has to let you read "
						 "and write it"
					       : "is FUSE in the kernel?");
	return target_fd < 0 ? 0 : check_target(target_fd, path, err);
}

/* Leaves what the program knows: 0, 1 and 2, the socket, and nothing else. */
static int arrange_descriptors(const struct run *run)
{
	enum { CLEAR = COMM_FD + 1 };
	/* Copies far up first: a source may lie where another one goes. */
	int comm = run->comm < 0 ? -1 : fcntl(run->comm, F_DUPFD, CLEAR);
	int words = fcntl(run->words, F_DUPFD, CLEAR);
	int null = open("/dev/null", O_RDWR);

	if (words < 0 || null < 0 || (run->comm >= 0 && comm < 0))
		return -errno;
	if (dup2(null, STDIN_FILENO) < 0 || dup2(words, STDOUT_FILENO) < 0 ||
	    dup2(words, STDERR_FILENO) < 0 ||
	    dup2(comm < 0 ? null : comm, COMM_FD) < 0 ||
	    close_range(CLEAR, ~0U, 0) < 0)
		return -errno;
	return 0;
}

static _Noreturn void run_child(const struct run *run, const char *program)
{
	static const char *const environment[] = { COMM_VARIABLE, NULL };
	int words = run->words;
	sigset_t none;

	(void)sigemptyset(&none);
	(void)pthread_sigmask(SIG_SETMASK, &none, NULL);
	if (fchdir(run->place->parent_fd) == 0 &&
	    arrange_descriptors(run) == 0) {
		words = STDERR_FILENO;
		/* execve(2) takes no constants, and changes none */
		execve(program, (char *const *)(uintptr_t)run->arguments,
		       (char *const *)(uintptr_t)environment);
	}
	(void)dprintf(words, NAME ": %s\n", strerrordesc_np(errno));
	_exit(127);
}

/* What it says until its end. 0, or -ETIMEDOUT. */
static int listen_to(int fd, char *ret)
{
	int64_t deadline_ms = moment_ms() + TIMEOUT_MS;
	size_t length = 0;
	ssize_t got;

	ret[0] = '\0';
	do {
		struct pollfd ready = { .fd = fd, .events = POLLIN };
		char more[WORDS_MAX];
		int r = poll(&ready, 1, moment_rest_ms(deadline_ms));

		if (r == 0)
			return -ETIMEDOUT;
		got = r < 0 ? -1 : read(fd, more, sizeof(more));
		for (ssize_t i = 0; i < got && length < WORDS_MAX - 1; i++)
			ret[length++] = more[i];
		ret[length] = '\0';
	} while (got > 0 || (got < 0 && errno == EINTR));
	return 0;
}

/* Its first line, without its own name. */
static char *first_line(char *words)
{
	char *name = strstr(words, NAME ": ");

	words[strcspn(words, "\n")] = '\0';
	return name ? name + strlen(NAME ": ") : words;
}

static const char *hint_for(const char *words)
{
	if (strstr(words, "determine username"))
		return " (your uid has no entry in /etc/passwd)";
	if (strstr(words, "not permitted"))
		return " (is it setuid root, and may programs here become "
		       "root?)";
	return "";
}

static int judge(int status, char *words, struct err *err)
{
	const char *line;

	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	line = first_line(words);
	return err_set(err, -EPERM, NAME ": %s%s",
		       *line ? line : "failed without a word", hint_for(line));
}

static int wait_for(pid_t pid, int words_fd, struct err *err)
{
	char words[WORDS_MAX];
	int timed_out = listen_to(words_fd, words);
	int status;

	if (timed_out < 0)
		(void)kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return err_set(err, -errno, NAME ": %s",
				       strerrordesc_np(errno));
	if (timed_out < 0)
		return err_set(err, timed_out, NAME ": does not end");
	return judge(status, words, err);
}

static int run_it(const struct place *place, const char *const *arguments,
		  int comm, struct err *err)
{
	const char *program = find_program();
	cleanup_fd int words = -1;
	cleanup_fd int its_words = -1;
	int ends[2];
	pid_t pid;

	if (!program)
		return refuse_missing(err);
	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_set(err, -errno, "pipe: %s", strerrordesc_np(errno));
	words = ends[0];
	its_words = ends[1];
	pid = fork();
	if (pid < 0)
		return err_set(err, -errno, "fork: %s", strerrordesc_np(errno));
	if (pid == 0)
		run_child(&(struct run){ .place = place,
					 .arguments = arguments,
					 .comm = comm,
					 .words = its_words },
			  program);
	descriptor_done(&its_words);
	return wait_for(pid, words, err);
}

static int receive_device(int comm)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control;
	char byte;
	struct iovec piece = { &byte, sizeof(byte) };
	struct msghdr header = { .msg_iov = &piece,
				 .msg_iovlen = 1,
				 .msg_control = control.bytes,
				 .msg_controllen = sizeof(control.bytes) };
	const struct cmsghdr *part;
	int fd;

	if (recvmsg(comm, &header, MSG_CMSG_CLOEXEC | MSG_DONTWAIT) < 0)
		return -errno;
	part = CMSG_FIRSTHDR(&header);
	if (!part || part->cmsg_type != SCM_RIGHTS ||
	    part->cmsg_len != CMSG_LEN(sizeof(fd)))
		return -EPROTO;
	memcpy(&fd, CMSG_DATA(part), sizeof(fd));
	return fd;
}

/* A comma ends an option, unless it is escaped. */
static void write_options(char *out, const char *source, bool allow_other)
{
	int length = snprintf(out, OPTIONS_MAX, OPTIONS "%s,fsname=",
			      allow_other ? ",allow_other" : "");
	char *end = out + length;

	for (size_t i = 0; source[i] && i < SOURCE_MAX; i++) {
		if (source[i] == ',' || source[i] == '\\')
			*end++ = '\\';
		*end++ = source[i];
	}
	*end = '\0';
}

static int take_device(const struct place *place, int comm, struct err *err)
{
	cleanup_fd int fd = receive_device(comm);

	int code = fd < 0 ? fd : 0;

	if (fd >= 0 && fcntl(fd, F_SETFL, O_RDWR | O_NONBLOCK) < 0)
		code = -errno;
	if (code == 0)
		return descriptor_take(&fd);
	(void)fusermount_unmount(place, NULL);
	return err_set(err, code, NAME ": mounted and gave no descriptor");
}

int fusermount_mount(const struct place *place, const char *source,
		     bool allow_other, struct err *err)
{
	char options[OPTIONS_MAX];
	const char *const arguments[] = { NAME, "-o",	     options,
					  "--", place->name, NULL };
	cleanup_fd int ours = -1;
	cleanup_fd int theirs = -1;
	int pair[2];
	int r;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return err_set(err, -errno, "socketpair: %s",
			       strerrordesc_np(errno));
	ours = pair[0];
	theirs = pair[1];
	write_options(options, source, allow_other);
	r = run_it(place, arguments, theirs, err);
	return r < 0 ? r : take_device(place, ours, err);
}

int fusermount_unmount(const struct place *place, struct err *err)
{
	const char *const arguments[] = { NAME, "-u",	     "-z",
					  "--", place->name, NULL };

	return run_it(place, arguments, -1, err);
}

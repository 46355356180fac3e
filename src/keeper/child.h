/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KEEPER_CHILD_H
#define KEEPER_CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct err;

/* Where a child finds its end of the socket to the keeper. */
#define CHILD_SOCKET_FD 3

struct child {
	pid_t pid;  /* 0 once it is reaped */
	int pidfd;  /* readable when it has ended */
	int socket; /* SOCK_SEQPACKET, non-blocking, close-on-exec */

	/* Someone else has started it: its pid may be 0 for one that cannot be
	 * seen here, pidfd may be -1, and its status is never known. */
	bool is_attached;
};

/* All borrowed, for the time of the call. */
struct child_plan {
	int binary_fd; /* open, so it may lie where uid cannot go */
	uid_t uid;     /* not 0 */
	gid_t gid;
	bool keeps_user; /* uid and gid do not count; see
			    privileges_pass_override() */
	int error_fd;	 /* becomes its standard error */
	char *const *arguments;
	char *const *environment;
};

/*
 * Starts a child in its own session, with nothing open but /dev/null as
 * standard input and output, error_fd, and its socket. It ends by SIGKILL when
 * its parent does. If it cannot be executed, it sends MESSAGE_FAILED that says
 * why. 0, or negative errno with err filled.
 */
int child_start(const struct child_plan *plan, struct child *ret,
		struct err *err);

/* Waits for its end for at most timeout_ms; on 0 it is reaped, and ret_status
 * is as of waitpid(2). -ETIMEDOUT, or negative errno. */
int child_wait(struct child *child, int timeout_ms, int *ret_status);

/* Waits likewise, and ends it by SIGKILL if it has not gone by itself. -EPERM:
 * it is attached, and out of our reach. */
int child_end(struct child *child, int timeout_ms, int *ret_status);

/* "signal KILL", "exit status 3". Returns out. */
const char *child_describe(int status, char *out, size_t size);

/* Closes the socket and the pidfd. May be called twice. */
void child_done(struct child *child);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FS_INFLOW_H
#define FS_INFLOW_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct iovec;
struct journal;
struct loop;
struct tree;

/*
 * What flows between the kernel and a session: requests in, answers out, all
 * through the journal. It begins with what another worker has left there, and
 * stops while the journal is full.
 */

struct inflow;

struct inflow_settings {
	struct loop *loop; /* borrowed, like the next two */
	struct tree *tree; /* whose counts of nodes go through the journal */
	struct journal *journal;
	int fd; /* stays the caller's */

	/* Asked before and after each read. False: another worker reads now;
	 * nothing more is taken, and what was read stays in the journal. */
	bool (*may_serve)(void *owner);
	/* Bytes of a request, for the time of the call. */
	void (*on_request)(void *owner, void *bytes, size_t length);
	/* The mount is gone: nothing comes any more. */
	void (*on_gone)(void *owner);
	void *owner;
};

/* Settles what another worker has left, and flows from the next turn on. NULL:
 * no memory. */
struct inflow *inflow_new(const struct inflow_settings *settings);

/* NULL is allowed. */
void inflow_free(struct inflow *inflow);

/* Takes no more requests; may be called twice. Answers still go through. */
void inflow_pause(struct inflow *inflow);

/* An answer, as writev(2). */
ssize_t inflow_answer(struct inflow *inflow, const struct iovec *parts,
		      int count);

#endif

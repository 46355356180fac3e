/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FS_JOURNAL_H
#define FS_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct iovec;
struct ledger;

/*
 * What was read of the kernel's and is not answered, in memory that outlives
 * the worker. A request is in it the instant that it is read, since the memory
 * is what it is read into, and until its answer is written; so a worker that is
 * killed in any moment leaves every request that somebody waits for to the next
 * one. The keeper owns the memory and never looks into it.
 *
 * There are names and numbers in requests, and never what a file shows.
 *
 * Requests of the same turn are handled where they were read. One that is not
 * answered then moves to a slot; when every slot is taken, nothing is read any
 * more until one is answered.
 */

struct journal;

/* As the kernel writes it: one is not read into less than its
 * FUSE_MIN_READ_BUFFER. */
#define JOURNAL_READ_MAX 8192

struct journal_request {
	void *bytes; /* of the journal: valid until it is answered or kept, and
			aligned for what the kernel wrote */
	size_t length;
	uint64_t unique;
};

/* fd is of memory of any size, and taken over. What cannot be read is begun
 * anew. 0, or negative errno: -EINVAL for memory that is too small. */
int journal_open(int fd, struct journal **ret);

/* The memory keeps what is in it. NULL is allowed. */
void journal_close(struct journal *journal);

/* Of the counts of nodes; borrowed. */
struct ledger *journal_ledger(struct journal *journal);

/*
 * Before anything else: what another worker had read and not answered, as far
 * as the kernel still waits for it here. What it does not wait for is let go:
 * it was answered, or comes again. An answer that another worker was writing
 * counts as not taken where the kernel still waits for it.
 */
typedef bool journal_is_awaited(void *owner, uint64_t unique);
struct journal_left {
	bool is_lost;	   /* there was something that cannot be read */
	size_t unanswered; /* that were, when the other worker died */
	size_t awaited;	   /* of these are to be handled here */
	bool has_forget;   /* one is to be counted to its end here */
};
void journal_settle(struct journal *journal, journal_is_awaited *is_awaited,
		    void *owner, struct journal_left *ret);

/* What is to be handled here of another worker's: each once, before the first
 * read. False: that was all. */
bool journal_next_left(struct journal *journal, struct journal_request *ret);

/* Nothing may be read until an answer makes room. */
bool journal_is_full(const struct journal *journal);

/* Reads the next request, for journal_handled(). 0 or negative errno. */
int journal_read(struct journal *journal, int fd, struct journal_request *ret);

/* It was handled: answered, or to be answered later. */
void journal_handled(struct journal *journal);

/* Writes an answer, or a message without a request, as writev(2); the request
 * is gone then, whether the kernel took the answer or not. */
ssize_t journal_write(struct journal *journal, int fd,
		      const struct iovec *parts, int count);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_SECRET_H
#define BASE_SECRET_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/queue.h>

/*
 * Immutable plaintext with a length, counted, in pool memory, wiped with its
 * last reference. There is deliberately no way to print one.
 *
 * Where the pool is full, those that nobody has looked at for longest are
 * sealed: ciphertext in ordinary memory until somebody does.
 */

/* The largest value: the quota of Secrets Manager, "Length of a secret value"
 * (AWS Secrets Manager quotas). */
#define SECRET_LENGTH_MAX 65536

struct secret;
struct sealed;

/* Who wants to know where the bytes are. */
struct secret_watch {
	/* One of the two is not NULL, and has the bytes now; the place where
	 * they were has them too until this returns. */
	void (*on_place)(struct secret_watch *watch, const unsigned char *bytes,
			 const struct sealed *sealed);
	LIST_ENTRY(secret_watch) link;
};

/* Copies. NULL with errno set: EFBIG past SECRET_LENGTH_MAX, ENOMEM, EIO. */
struct secret *secret_new(const void *bytes, size_t length);

struct secret *secret_ref(struct secret *secret);

/* NULL is allowed. */
void secret_unref(struct secret *secret);

/* Borrowed, valid while a reference is held, until secrets_make_room(); not
 * terminated. NULL: there is no memory to open a sealed one. */
const unsigned char *secret_bytes(struct secret *secret);
size_t secret_length(const struct secret *secret);

/*
 * Between two turns of the loop, when nobody borrows bytes: has the pool grow,
 * or seals secrets, until there is room for what one reply takes. False: there
 * is none, and nothing left to seal.
 */
bool secrets_make_room(void);

/* Told at once, and whenever the bytes move, until it is taken off: before the
 * secret goes. The watch is the caller's, with on_place set. */
void secret_watch_add(struct secret *secret, struct secret_watch *watch);
void secret_watch_remove(struct secret_watch *watch);

/* How many are sealed now. */
size_t secrets_sealed(void);

#endif

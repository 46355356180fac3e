/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_PARKED_H
#define BASE_PARKED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct secret;

/*
 * Marks in the pool, by which the next process knows what stands there, when
 * this one has died and somebody has kept the pool's descriptor. A mark is read
 * only if a sum over it, its key and the secret's bytes is right: whatever was
 * being written or wiped in the last moment is not there, nor what a secret has
 * in its bytes to look like one. Secrets that are sealed, or have been, are
 * not.
 */

#define PARKED_VERSION_MAX 64

struct parked_times {
	int64_t confirmed_ms;
	int64_t verified_ms;
};

struct parked_about {
	const void *key;
	size_t key_length;
	const char *version;
	const char *arn; /* or NULL */
	int64_t created_ns;
	int64_t keep_ms;
	bool is_binary;
	struct parked_times times; /* these alone may change */
};

struct parked;

/* Borrows the secret. NULL where the pool cannot be kept, or is full. */
struct parked *parked_new(const struct parked_about *about,
			  struct secret *secret);

/* parked may be NULL. */
void parked_set_times(struct parked *parked, const struct parked_times *times);

/* Before the secret goes. NULL is allowed. */
void parked_free(struct parked *parked);

/* All borrowed; bytes are not in this process's pool. */
typedef void parked_on_found(void *owner, const struct parked_about *about,
			     const void *bytes, size_t length);

/* Finds the marks in another process's pool, which must not run any more. fd
 * stays the caller's. 0, or negative errno: -EBADMSG for what is no pool. */
int parked_read(int fd, parked_on_found *on_found, void *owner);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_PARKED_H
#define BASE_PARKED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct secret;

/*
 * Marks in the annex, by which the next process knows what stands in it and in
 * the pool, when this one has died and somebody has kept the descriptors of
 * both. A mark is read only if a sum over it, its key and the secret's bytes is
 * right: whatever was being written or wiped in the last moment is not there. A
 * secret that is being sealed or opened is.
 */

#define PARKED_VERSION_MAX 64

struct parked_times {
	int64_t confirmed_ms;
	int64_t verified_ms;
	int64_t refused_ms; /* as the cache has it */
	int64_t end_ms;	    /* when it is to be held no longer */
};

struct parked_about {
	const void *key;
	size_t key_length;
	const char *version;
	const char *arn; /* or NULL */
	int64_t created_ns;
	bool is_binary;
	struct parked_times times; /* these alone may change */
};

struct parked;

/* Borrows the secret. NULL where pool and annex cannot be kept, or there is no
 * memory. */
struct parked *parked_new(const struct parked_about *about,
			  struct secret *secret);

/* parked may be NULL. */
void parked_set_times(struct parked *parked, const struct parked_times *times);

/* Before the secret goes. NULL is allowed. */
void parked_free(struct parked *parked);

/* All borrowed. Between two of them secrets_make_room() may be called. */
typedef void parked_on_found(void *owner, const struct parked_about *about,
			     const void *bytes, size_t length);

/* Finds the marks of another process, which must not run any more. The
 * descriptors stay the caller's. 0, or negative errno: -EBADMSG for what is no
 * pool or annex. */
int parked_read(int pool_fd, int annex_fd, parked_on_found *on_found,
		void *owner);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_POOL_H
#define BASE_POOL_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Memory for plaintext: one area for the process, wiped when a piece is given
 * back. Only `secret`, `buf` and `seal` use it; everything else goes through
 * them. One thread uses it.
 *
 * The kernel reads no page of POOL_SECRET for anybody: write(2) of its bytes
 * works, but what pins pages (a reply to /dev/fuse) is EFAULT, and needs
 * bounce.h.
 */

enum pool_kind {
	POOL_NONE,     /* not opened yet */
	POOL_SECRET,   /* memfd_secret(2): in no core, /proc/PID/mem, swap */
	POOL_LOCKED,   /* locked, in no core, empty in forked children */
	POOL_UNLOCKED, /* likewise, but nothing may be locked here */
};

#define POOL_RANGE ((size_t)256 << 10)
#define POOL_MAPPED_FIRST ((size_t)768 << 10)
/* Of the limit on locked memory: for bounce.h and the environment. */
#define POOL_FOR_OTHERS ((size_t)512 << 10)
/* What of that limit, which counts for each process, no pool takes: who follows
 * has to map all of a full pool (pool_map_other()) beside what it has itself, a
 * pool as it begins that has grown once. What else it takes over meanwhile, it
 * has no room for and seals. */
#define POOL_SPARE (POOL_FOR_OTHERS + POOL_MAPPED_FIRST + POOL_RANGE)
/* Where less than this would remain, the longest reply would have no room: so
 * under a limit of 6.5 MiB nothing is locked, and the pool is POOL_UNLOCKED, of
 * POOL_SIZE_MAX. The usual limits are 64 KiB, of old container runtimes, and
 * 8 MiB. */
#define POOL_LOCKED_MIN ((size_t)5 << 20)
/* What a test may have at least. */
#define POOL_SIZE_MIN ((size_t)1 << 20)
#define POOL_SIZE_MAX ((size_t)64 << 20)

struct pool_settings {
	enum pool_kind best; /* POOL_NONE: the best there is */
	size_t size_max;     /* 0: what may be locked */
};

/* Before the first piece; without it the first one opens the best there is.
 * 0 or -ENOMEM. */
int pool_open(const struct pool_settings *settings);

/* At least size bytes, zeroed; NULL with errno ENOMEM when the pool is full. */
void *pool_alloc(size_t size);

/* Makes a piece larger where it is, by zeros, which no copy has to be wiped
 * for. False: it cannot be there. */
bool pool_extend(void *bytes, size_t size);

/* Wipes, then gives back. size is what pool_alloc() was asked for. NULL is
 * allowed. */
void pool_free(void *bytes, size_t size);

struct pool_about {
	enum pool_kind kind;
	size_t used;	/* by pieces */
	size_t mapped;	/* has pages */
	size_t maximum; /* what it may become */
};

void pool_describe(struct pool_about *ret);

/*
 * For parked.h. A pool that outlives its process is that of a descriptor; -1
 * where this one is not. A piece is at its offset in it. Another's pool is
 * mapped to be read, as far as it was used, for munmap(2); NULL with errno.
 */
#define POOL_ALIGNMENT 16
int pool_fd(void);
size_t pool_offset(const void *piece);
const char *pool_map_other(int fd, size_t *ret_size);

/* The one piece, at least size bytes long, that another process finds without
 * a search. Of another's pool: NULL where it has none. */
void pool_set_root(const void *piece);
const void *pool_root_of(const char *other, size_t other_size, size_t size);

/* "memfd_secret", "mlock", "unlocked", "none" */
const char *pool_kind_name(enum pool_kind kind);

/* Whether swap never has what the pool holds. */
bool pool_is_locked(void);

/* on_low runs, with owner, within the pool_alloc() or pool_extend() after which
 * there is little room: once, until pool_grow() has been called. It must not
 * use the pool, but have pool_grow() called soon. False: it cannot, and is told
 * again by the next of these calls. NULL: nobody is told. */
void pool_set_on_low(bool (*on_low)(void *owner), void *owner);

/* Whether on_low has promised pool_grow(), which has not run yet: whatever can
 * wait for a turn of the loop should. */
bool pool_is_low(void);

/* Adds pages ahead of need, away from who waits. False: there is little room,
 * and no more to be had. */
bool pool_grow(void);

#endif

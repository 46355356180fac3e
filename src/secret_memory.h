/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SECRET_MEMORY_H
#define SECRET_MEMORY_H

#include <stddef.h>

struct cache;
struct err;
struct loop;
struct loop_timer;
struct options;

/* What a worker does about its pool and its environment. */

struct secret_memory {
	struct loop *loop;
	struct loop_timer *make_room; /* or NULL */
	size_t adopted_count;	      /* secrets of the last worker */
};

/* First of all, before a library that would look into the environment starts:
 * nobody looks in, the environment is cut, the pool is opened. 0, or negative
 * errno with err filled. */
int secret_memory_open(const struct options *options, struct err *err);

/* From now on there is room ahead of need. Both are borrowed. */
void secret_memory_begin(struct secret_memory *memory, struct loop *loop);
void secret_memory_end(struct secret_memory *memory);

/* The keeper holds the pool for the next worker. */
void secret_memory_park(int keeper_fd);

/* Takes over what stands in the pool of the worker before; without it all is
 * fetched again. fd stays the caller's. */
void secret_memory_adopt(struct secret_memory *memory, struct cache *cache,
			 int fd);

#endif

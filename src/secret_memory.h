/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SECRET_MEMORY_H
#define SECRET_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

struct cache;
struct err;
struct loop;
struct loop_timer;
struct options;

/* What a worker does about its pool and its environment. */

struct secret_memory {
	struct loop *loop; /* NULL: not begun */
	struct cache *cache;
	struct loop_timer *make_room; /* or NULL */
	bool is_full;		      /* which has been said */
	int annex_fd; /* of the last worker, until its pool comes; or -1 */
	size_t adopted_count; /* secrets of the last worker */
};

/* First of all, before a library that would look into the environment starts,
 * and before anything that takes time: nobody looks in, the environment is cut,
 * and credentials in it are where nobody sees them. 0, or negative errno with
 * err filled. */
int secret_memory_hide(struct err *err);

/* After that: the pool is opened. 0, or negative errno with err filled. */
int secret_memory_open(const struct options *options, struct err *err);

/* From now on there is room ahead of need. All are borrowed. */
void secret_memory_begin(struct secret_memory *memory, struct loop *loop,
			 struct cache *cache);
void secret_memory_end(struct secret_memory *memory);

/* The keeper holds the pool for the next worker. */
void secret_memory_park(int keeper_fd);

/* Takes over what stands in the memory of the worker before, of which this is
 * a part (message.h); without it all is fetched again. Takes fd. */
void secret_memory_adopt(struct secret_memory *memory, int part, int fd);

#endif

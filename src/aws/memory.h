/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AWS_MEMORY_H
#define AWS_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct loop;
struct source_want;
struct value;

/* What a failover remembers of each want, since other versions of a secret are
 * older or newer: which place answered last, and how new the first place's
 * value was. Where there is no room for it, it is as if that had never been
 * asked for. */

struct memories;

/* The loop, whose clock counts, is borrowed. NULL: no memory. */
struct memories *memories_new(const struct loop *loop);

/* NULL is allowed. */
void memories_free(struct memories *memories);

/* A place answered, with a value or, where that is NULL, without one. */
void memories_note(struct memories *memories, const struct source_want *want,
		   size_t place, const struct value *value);

/* Whether the value is older than what the first place gave within the last
 * trust_ms. */
bool memories_is_older(const struct memories *memories,
		       const struct source_want *want,
		       const struct value *value, int64_t trust_ms);

/* Which place answered last; 0 where none did. */
size_t memories_place(const struct memories *memories,
		      const struct source_want *want);

#endif

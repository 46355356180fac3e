/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AWS_DENIED_H
#define AWS_DENIED_H

#include <stdbool.h>

struct loop;

/*
 * What need not be asked, since it was refused within the last hour: by name,
 * bounded, where the oldest makes room. A permission that is given in the
 * meantime is noticed when the hour is over.
 */

#define DENIED_MS (3600L * 1000)
#define DENIED_MAX 4096

struct denied;

/* The loop, whose clock counts, is borrowed. NULL: no memory. */
struct denied *denied_new(const struct loop *loop);

/* NULL is allowed. */
void denied_free(struct denied *denied);

/* Forgotten at once for want of memory: it costs a call. */
void denied_add(struct denied *denied, const char *name);

bool denied_has(struct denied *denied, const char *name);

#endif

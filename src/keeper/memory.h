/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KEEPER_MEMORY_H
#define KEEPER_MEMORY_H

#include <sys/types.h>

struct err;

/* Memory that outlives the workers which share it. The keeper never looks into
 * it. */

/* Nothing of it is taken before it is written to. Of a fixed size, so that no
 * worker can cut it off below the next one. A descriptor, or negative errno
 * with err filled. */
int memory_open(const char *name, off_t size, struct err *err);

/* Another one, of the same size, with what is in fd now. The same. */
int memory_copy(const char *name, int fd, struct err *err);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_HISTOGRAM_H
#define BASE_HISTOGRAM_H

#include <stddef.h>
#include <stdint.h>

/*
 * How long things took, by how many took no longer than each of some fixed
 * bounds. The bounds are those of a fetch: from an answer within the region to
 * the longest that a reader waits unless told otherwise.
 */

#define HISTOGRAM_BOUNDS 12

struct histogram {
	uint64_t counts[HISTOGRAM_BOUNDS + 1]; /* the last: above all bounds */
	uint64_t sum_ms;
};

/* A negative time is none. */
void histogram_add(struct histogram *histogram, int64_t ms);

/* index < HISTOGRAM_BOUNDS; they ascend. */
int64_t histogram_bound_ms(size_t index);

/* How many took no longer than that bound; of HISTOGRAM_BOUNDS: all. */
uint64_t histogram_up_to(const struct histogram *histogram, size_t index);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Each count is of its own interval, so that to add one is to touch one; sums
 * are made when somebody asks. */
#include "base/histogram.h"
#include "base/macros.h"

#include <assert.h>

static const int64_t bounds_ms[] = {
	5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000, 20000,
};

static_assert(ARRAY_SIZE(bounds_ms) == HISTOGRAM_BOUNDS, "a count for each");

void histogram_add(struct histogram *histogram, int64_t ms)
{
	size_t index = 0;

	if (ms < 0)
		ms = 0;
	while (index < HISTOGRAM_BOUNDS && ms > bounds_ms[index])
		index++;
	histogram->counts[index]++;
	histogram->sum_ms += (uint64_t)ms;
}

int64_t histogram_bound_ms(size_t index)
{
	return bounds_ms[index];
}

uint64_t histogram_up_to(const struct histogram *histogram, size_t index)
{
	uint64_t sum = 0;

	for (size_t i = 0; i <= index; i++)
		sum += histogram->counts[i];
	return sum;
}

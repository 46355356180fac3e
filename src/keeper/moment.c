/* SPDX-License-Identifier: Apache-2.0 */
/* The one clock by which a keeper waits. */
#include "keeper/moment.h"

#include <limits.h>
#include <time.h>

int64_t moment_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int moment_rest_ms(int64_t then_ms)
{
	int64_t rest = then_ms - moment_ms();

	if (rest > INT_MAX)
		return INT_MAX;
	return rest > 0 ? (int)rest : 0;
}

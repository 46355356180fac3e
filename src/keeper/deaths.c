/* SPDX-License-Identifier: Apache-2.0 */
/* What is asked of a worker is asked of the next one too, so one that dies of
 * a request is followed by another that does. */
#include "keeper/deaths.h"

#define MINUTE_MS 60000
#define PAUSE_MS 100
#define PAUSE_MAX_MS 5000

static bool are_too_many(const struct deaths *deaths, int64_t now_ms)
{
	/* The oldest of the last ones is where the next one goes. */
	return deaths->limit > 0 && deaths->total >= deaths->limit &&
	       now_ms - deaths->at_ms[deaths->total % deaths->limit] <
		       MINUTE_MS;
}

static int64_t pause_ms(const struct deaths *deaths)
{
	int64_t pause = PAUSE_MS;

	if (deaths->is_at_once || deaths->in_a_row == 1)
		return 0;
	for (uint32_t i = 2; i < deaths->in_a_row && pause < PAUSE_MAX_MS; i++)
		pause *= 2;
	return pause < PAUSE_MAX_MS ? pause : PAUSE_MAX_MS;
}

int64_t deaths_note(struct deaths *deaths, int64_t now_ms, int64_t served_ms)
{
	if (served_ms >= MINUTE_MS)
		deaths->in_a_row = 0;
	deaths->in_a_row++;
	if (deaths->limit > 0)
		deaths->at_ms[deaths->total % deaths->limit] = now_ms;
	deaths->total++;
	return are_too_many(deaths, now_ms) ? -1 : pause_ms(deaths);
}

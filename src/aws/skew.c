/* SPDX-License-Identifier: Apache-2.0 */
/* The date of an accepted request teaches nothing: only what was refused for
 * its time may move the clock that signs. */
#include "aws/skew.h"
#include "aws/refusal.h"
#include "aws/reply.h"
#include "aws/timestamp.h"
#include "base/clock.h"

int64_t skew_now_s(const struct skew *skew, const struct clock *clock)
{
	return clock_wall_s(clock) + skew->offset_s;
}

bool skew_learn(struct skew *skew, const struct clock *clock,
		const struct aws_reply *reply)
{
	int64_t date_s;
	int64_t off_s;

	if (!reply->date || !refusal_may_be_of_time(reply) ||
	    timestamp_parse_http(reply->date, &date_s) < 0)
		return false;
	off_s = date_s - skew_now_s(skew, clock);
	if (off_s <= SKEW_NOTICED_S && off_s >= -SKEW_NOTICED_S)
		return false;
	skew->offset_s += off_s;
	return true;
}

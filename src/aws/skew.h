/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AWS_SKEW_H
#define AWS_SKEW_H

#include <stdbool.h>
#include <stdint.h>

struct aws_reply;
struct clock;

/*
 * How far this machine's clock is from AWS's. Signatures hold for five minutes
 * around AWS's time; a clock that is further off is corrected by what refusals
 * of signatures carry as their date, as in the newest of the SDKs.
 */

#define SKEW_NOTICED_S 240

/* Zero initialisation: none is known. */
struct skew {
	int64_t offset_s;
};

/* AWS's wall time, as far as it is known. */
int64_t skew_now_s(const struct skew *skew, const struct clock *clock);

/* Whether a refusal can be for the time, and its date is more than
 * SKEW_NOTICED_S off from what was thought: then it is believed, and asking
 * again may help. */
bool skew_learn(struct skew *skew, const struct clock *clock,
		const struct aws_reply *reply);

#endif

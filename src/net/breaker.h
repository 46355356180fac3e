/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NET_BREAKER_H
#define NET_BREAKER_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * Whether an endpoint is asked at all. After some transport failures in a row
 * it is open: calls fail at once with the last of them. After a pause one call
 * goes through as the probe; its outcome closes the breaker, or begins another
 * pause. Any HTTP answer, a refusal too, is a sign of life.
 */

#define BREAKER_FAILURES 5

/* A pause is drawn between half of its length and all of it; the length doubles
 * from the first to the last. The last is short, since a network that is back
 * must be noticed within two seconds, also by readers of an old value, who ask
 * once a second; and one request in that time is no burden. */
#define BREAKER_PAUSE_FIRST_MS 500
#define BREAKER_PAUSE_LAST_MS 1000

enum breaker_state {
	BREAKER_CLOSED,
	BREAKER_OPEN,
	BREAKER_PROBING, /* the probe is in flight */
};

/* To be read by anybody, changed by the functions below. */
struct breaker {
	enum breaker_state state;
	unsigned failures;   /* transport failures in a row */
	struct err last;     /* of them; code 0: none yet */
	int64_t probe_at_ms; /* open: when the next call goes through */
	unsigned pauses;     /* in a row */
};

/* Closed. */
void breaker_init(struct breaker *breaker);

/*
 * Asks for leave to call. 0, with *ret_is_probe to be handed to the one of the
 * functions below that tells how the call went; or -EIO, with the last error
 * and for how long nobody is asked in err.
 */
int breaker_admit(struct breaker *breaker, int64_t now_ms, bool *ret_is_probe,
		  struct err *err);

/* The endpoint answered something. Whether that closed the breaker. */
bool breaker_answered(struct breaker *breaker);

/* err is why there was no answer; random draws the pause. Whether that opened
 * a breaker that was closed. */
bool breaker_failed(struct breaker *breaker, bool is_probe,
		    const struct err *err, int64_t now_ms, uint32_t random);

/* The call ended without telling anything about the endpoint. */
void breaker_withdrawn(struct breaker *breaker, bool is_probe);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NET_RETRY_H
#define NET_RETRY_H

#include "net/http.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct breaker;
struct err;
struct loop;
struct tally;

/*
 * Requests that are made again when that may help, after the AWS SDKs'
 * standard mode of 2026: three attempts, exponential back-off with full
 * jitter, and for each endpoint a bucket of what retries may cost (quota.h)
 * and a breaker (breaker.h). Whoever calls the same URL shares these two.
 *
 * - A call ends exactly once: in its callback, or in retry_cancel().
 * - A callback never runs before retry_start() returns.
 * - A call ends by its timeout. Where the next attempt would begin past that,
 *   it ends at once, with what the last one brought.
 */

#define RETRY_ATTEMPTS_MAX 3
#define RETRY_ATTEMPT_TIMEOUT_MS 10000

/* The first retry waits for a random part of this, each later one of twice as
 * much, up to the last. */
#define RETRY_DELAY_MS 50
#define RETRY_DELAY_THROTTLED_MS 1000
#define RETRY_DELAY_MAX_MS 20000

/* How much longer than that a server may make us wait. */
#define RETRY_HINT_MAX_MS 5000

/* A call that is cancelled with less than this left, and without an answer,
 * has timed out: the caller's own deadline was there a moment before ours. */
#define RETRY_CANCEL_MS 100

/* How many requests an endpoint is sent at once. What is beyond waits for its
 * turn, in order, as long as the breaker is closed: a thousand secrets that are
 * asked for in one moment are no thousand connections. */
#define RETRY_IN_FLIGHT_MAX 32

struct retry;
struct retry_call;

/* How an endpoint is, for status and log. */
struct retry_endpoint {
	const char *url;
	bool by_proxy; /* as in the settings */
	const struct breaker *breaker;
	unsigned tokens;	   /* left for retries, of QUOTA_MAX */
	uint64_t requests;	   /* so far, every attempt counted */
	const struct tally *tally; /* of these, by operation and outcome */
};

/* What is told is borrowed until it returns. It must not start or cancel
 * calls. */
typedef void retry_on_endpoint(void *owner,
			       const struct retry_endpoint *endpoint);

struct retry_settings {
	/* Uniform in all 32 bits. NULL: the kernel's. */
	uint32_t (*random)(void *owner);
	/* A breaker has opened, or has closed again. NULL: nobody asks. */
	retry_on_endpoint *on_breaker;
	void *owner;   /* of both */
	bool by_proxy; /* told with each endpoint: of one URL there may be two
			*/
};

/* loop and http are borrowed, settings are copied. NULL: no memory. */
struct retry *retry_new(struct loop *loop, struct http *http,
			const struct retry_settings *settings);

/* Every call must have ended. NULL is allowed. */
void retry_free(struct retry *retry);

/* For every endpoint that was called so far, in no order. */
void retry_each_endpoint(const struct retry *retry,
			 retry_on_endpoint *on_endpoint, void *owner);

/* Whether the endpoint's bucket pays for one more attempt of a call that is
 * throttled. */
bool retry_can_pay(const struct retry *retry, const char *url);

/* A number as settings.random gives it, for what else is to be spread. */
uint32_t retry_random(const struct retry *retry);

enum retry_verdict_kind {
	RETRY_DONE, /* another attempt would bring the same */
	RETRY_TRANSIENT,
	RETRY_THROTTLED,
};

struct retry_verdict {
	enum retry_verdict_kind kind;
	int64_t after_ms; /* the server's wish for the delay; 0: none */
};

/*
 * Fills a request of its own for each attempt, since a signature is good for
 * one only; attempt counts from 0. What is borrowed stays as it is until the
 * next make or the end of the call; timeout_ms is set by the caller. 0, or a
 * negative errno with err filled, which ends the call.
 */
typedef int retry_make(void *owner, unsigned attempt, struct http_request *ret,
		       struct err *err);

/* What a reply means for this. Replies that never came need no judge: where
 * the transport failed it is transient, other errors are final. */
typedef void retry_judge(void *owner, const struct http_reply *reply,
			 struct retry_verdict *ret);

struct retry_request {
	const char *url;       /* which endpoint; for retry_start() only */
	const char *operation; /* what is counted under; a constant that
				* outlives the retry, or NULL */
	int64_t timeout_ms;    /* for all attempts and what is between them */
	int64_t attempt_ms;    /* for one; 0: RETRY_ATTEMPT_TIMEOUT_MS */
	retry_make *make;
	retry_judge *judge;
	/* With what the last attempt brought, as http_start() would tell it;
	 * other errors are those of make, -EIO of an open breaker with the last
	 * error as its text, and -ENOMEM. */
	http_on_reply *on_reply;
	void *owner; /* of the three */
};

/* NULL with err filled where the first attempt could not begin: such an error
 * of make, -EIO of an open breaker, -ETIMEDOUT where timeout_ms is not
 * positive, -ENOMEM. */
struct retry_call *retry_start(struct retry *retry,
			       const struct retry_request *request,
			       struct err *err);

/* In the call's own callback, where it has ended, it does nothing. NULL is
 * allowed. */
void retry_cancel(struct retry_call *call);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AWS_PLAIN_CALL_H
#define AWS_PLAIN_CALL_H

#include "aws/request.h"
#include "net/http.h"

#include <stdbool.h>
#include <stdint.h>

struct aws_reply;
struct err;
struct retry;

/*
 * A request that nobody signs, as metadata services and SSO take it: one URL, a
 * few headers. Asked again where the status says that this may help.
 */

#define PLAIN_REPLY_MAX (64U << 10)

struct plain_call;

/* What it asks; all borrowed until the call ends. */
struct plain_order {
	enum http_method method;
	const char *place;     /* for net/retry.h: whose health counts */
	const char *operation; /* what it is counted under; a constant */
	const char *url;
	bool is_metadata; /* see net/http.h */
	int64_t timeout_ms;
	int64_t attempt_ms; /* for one attempt; 0: as net/retry.h has it */

	/* Sets the headers, anew for each attempt. NULL: there are none. 0, or
	 * negative errno with err filled. */
	int (*set_headers)(void *owner, struct request *request,
			   struct err *err);

	/* reply is any that came, and NULL exactly where err is not. */
	void (*on_reply)(void *owner, const struct aws_reply *reply,
			 const struct err *err);
	void *owner;
};

/* Ends exactly once: in on_reply, never before this returns, or in
 * plain_call_cancel(). NULL with err filled where it could not begin. */
struct plain_call *plain_call_start(struct retry *retry,
				    const struct plain_order *order,
				    struct err *err);

/* NULL is allowed. */
void plain_call_cancel(struct plain_call *call);

/*
 * Says why a reply is not the one that was wanted: the status, and where that
 * is 400 or more the first line of a body that is a short text. Returns the
 * code: -EACCES for 401 and 403, -EIO for what may pass, -ENOKEY for others.
 */
int plain_refusal(const struct aws_reply *reply, struct err *err);

#endif

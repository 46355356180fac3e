/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AWS_REFUSAL_H
#define AWS_REFUSAL_H

#include <stdbool.h>

struct aws_reply;
struct err;

/* Why AWS said no, in its own words, and what a reader gets for it. */

/*
 * Reads any reply that is not a success: JSON (its __type, the header's type,
 * or the Error of STS), or the XML of the query protocol, which some services
 * send for errors before they look at the protocol. Of one whose status is
 * below 400 only the header is read: its body may be a secret.
 *
 * Always fails, with err as "Type (request id ID): message", the id where no
 * cut reaches it, and the code of the one table in refusal.c: -ENOENT, -EACCES
 * or -EIO. Only what AWS names is
 * definite: a reply without a type is not AWS's word on the matter, whatever
 * its status, and is -EIO, as is every 5xx. The message is its first line, cut,
 * without control bytes: what follows in AWS's signature errors quotes the
 * request and with it the session token. -ENOMEM where it could not be read.
 */
int refusal_read(const struct aws_reply *reply, struct err *err);

/* What is to be expected of asking again. */
enum refusal_kind {
	REFUSAL_DEFINITE,
	REFUSAL_TRANSIENT,
	REFUSAL_THROTTLED,
};

/*
 * After the standard mode of the AWS SDKs: by the type that AWS names, else by
 * the status: 429 is throttling, 500, 502, 503 and 504 may pass. Of STS also
 * where it could not reach the identity provider. What refusal_read() has a
 * code other than -EIO for is definite. reply is not a success.
 */
enum refusal_kind refusal_kind(const struct aws_reply *reply);

/* Whether it is the keys that were refused, so that newer ones may serve. True
 * also where that cannot be told for want of memory: to ask once more harms
 * nobody, to end what is cached would. */
bool refusal_is_of_keys(const struct aws_reply *reply);

/* Whether it may be the request's time that was refused: of a signature, which
 * covers it, and for want of permission, which AWS says of a wrong signature,
 * too. False where it cannot be told for want of memory. */
bool refusal_may_be_of_time(const struct aws_reply *reply);

/* Whether AWS's type is this one. False also for want of memory. */
bool refusal_is(const struct aws_reply *reply, const char *type);

/* Whether it is the operation that may not be had, for want of permission or
 * because the endpoint has none such, so that another one may serve. Endpoints
 * that are not AWS say the latter by 501, or by 404 or 405 without a type. True
 * also where it cannot be told for want of memory, for the same reason. */
bool refusal_is_of_operation(const struct aws_reply *reply);

/* Whether, of several things that were asked for in one call, one alone may be
 * to blame. True also where that cannot be told for want of memory. */
bool refusal_is_of_one(const struct aws_reply *reply);

/*
 * An error that stands within a success of several parts: always fails, as
 * refusal_read() with the text and code for that type and message. -EAGAIN with
 * err untouched for what is worth asking again.
 */
int refusal_of_part(const struct aws_reply *reply, const char *type,
		    const char *message, struct err *err);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AWS_REPLY_H
#define AWS_REPLY_H

struct buf;
struct http_reply;

/* A reply with what its parsers want of it. They need no connection, so tests
 * and fuzzers make their own. All borrowed. */
struct aws_reply {
	int status;
	const char *error_type;	 /* x-amzn-ErrorType; NULL: not sent */
	const char *request_id;	 /* x-amzn-RequestId; NULL: not sent */
	const char *retry_after; /* x-amz-retry-after; NULL: not sent */
	const char *date;	 /* Date; NULL: not sent */
	const struct buf *body;
};

/* Borrows from reply. */
struct aws_reply aws_reply_of(const struct http_reply *reply);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* The seam between the network and the parsers, which is why it is a file of
 * its own: parsers link without net. */
#include "aws/reply.h"
#include "net/http.h"

struct aws_reply aws_reply_of(const struct http_reply *reply)
{
	return (struct aws_reply){
		.status = reply->status,
		.error_type = http_reply_header(reply, "x-amzn-ErrorType"),
		.request_id = http_reply_header(reply, "x-amzn-RequestId"),
		.retry_after = http_reply_header(reply, "x-amz-retry-after"),
		.date = http_reply_header(reply, "Date"),
		.body = reply->body,
	};
}

/* SPDX-License-Identifier: Apache-2.0 */
/* What net/retry.h must know of a reply, from what refusal.h knows. Apart from
 * both: refusals are parsed without net, retries know no AWS. */
#include "aws/verdict.h"
#include "aws/refusal.h"
#include "aws/reply.h"
#include "base/parse.h"
#include "net/retry.h"

#define STATUS_OK 200

static int64_t read_wish(const char *text)
{
	uint64_t after_ms;

	if (!text || parse_decimal(text, INT32_MAX, &after_ms) < 0)
		return 0;
	return (int64_t)after_ms;
}

static enum retry_verdict_kind kind_of(const struct aws_reply *reply)
{
	switch (refusal_kind(reply)) {
	case REFUSAL_TRANSIENT:
		return RETRY_TRANSIENT;
	case REFUSAL_THROTTLED:
		return RETRY_THROTTLED;
	case REFUSAL_DEFINITE:
		break;
	}
	return RETRY_DONE;
}

void aws_judge(void *owner, const struct http_reply *reply,
	       struct retry_verdict *ret)
{
	const struct aws_reply parts = aws_reply_of(reply);

	(void)owner;
	*ret = (struct retry_verdict){ .kind = RETRY_DONE };
	if (parts.status == STATUS_OK)
		return;
	ret->kind = kind_of(&parts);
	ret->after_ms = read_wish(parts.retry_after);
}

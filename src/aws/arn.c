/* SPDX-License-Identifier: Apache-2.0 */
/* An ARN is shown to people and programs, so its form is checked and what it
 * says is not: AWS may have partitions and services that are new. */
#include "aws/arn.h"
#include "base/buf.h"
#include "base/macros.h"
#include "store/value.h"

#include <errno.h>
#include <string.h>

#define START "arn"
#define PARTS 6

/* Of each part, in order. */
static const bool may_be_empty[PARTS] = { [3] = true, [4] = true };

static bool is_printable(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (text[i] <= ' ' || text[i] > '~')
			return false;
	return true;
}

bool arn_is_plausible(const char *text, size_t length)
{
	size_t at = 0;

	if (length > VALUE_ARN_MAX || length < strlen(START) ||
	    memcmp(text, START, strlen(START)) != 0 ||
	    !is_printable(text, length))
		return false;
	for (size_t part = 0; part < PARTS; part++) {
		const char *colon = memchr(text + at, ':', length - at);
		size_t end = colon && part < PARTS - 1 ? (size_t)(colon - text)
						       : length;

		if (end == at && !may_be_empty[part])
			return false;
		if (part == 0 && end != strlen(START))
			return false;
		if (part < PARTS - 1 && !colon)
			return false;
		at = end + 1;
	}
	return true;
}

int arn_read(const struct jdoc *doc, jdoc_node parent, struct buf *out)
{
	jdoc_node node = jdoc_member(doc, parent, "ARN", strlen("ARN"));
	cleanup_buf struct buf text;
	int r;

	buf_init(&text, VALUE_ARN_MAX);
	if (jdoc_type(doc, node) != JDOC_STRING)
		return 0;
	r = jdoc_string(doc, node, &text);
	if (r == -ENOMEM)
		return r;
	if (r < 0 || !arn_is_plausible(buf_text(&text), text.length))
		return 0;
	return buf_append(out, text.bytes, text.length);
}

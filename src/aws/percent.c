/* SPDX-License-Identifier: Apache-2.0 */
/* For forms and queries alike: a blank is %20, which both take. */
#include "aws/percent.h"
#include "base/buf.h"

#include <ctype.h>
#include <string.h>

int percent_append(struct buf *out, const char *text)
{
	static const char digits[] = "0123456789ABCDEF";
	int r = 0;

	for (; r == 0 && *text != '\0'; text++) {
		unsigned char byte = (unsigned char)*text;

		if (isalnum(byte) || strchr("-._~", byte)) {
			r = buf_append(out, text, 1);
			continue;
		}
		r = buf_append_text(out, "%");
		if (r == 0)
			r = buf_append(out, &digits[byte >> 4], 1);
		if (r == 0)
			r = buf_append(out, &digits[byte & 15], 1);
	}
	return r;
}

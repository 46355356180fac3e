/* SPDX-License-Identifier: Apache-2.0 */
/* A server, or who poses as one, must not be able to fill our memory: AWS sends
 * about ten headers, and libcurl has had no limit on them (CVE-2023-38039). */
#include "net/intake.h"
#include "base/err.h"

#include <errno.h>

void intake_init(struct intake *intake, size_t body_max)
{
	*intake = (struct intake){ 0 };
	buf_init(&intake->body, body_max);
}

void intake_done(struct intake *intake)
{
	buf_done(&intake->body);
}

int intake_header(struct intake *intake, size_t length, struct err *err)
{
	intake->header_lines++;
	intake->header_bytes += length;
	if (intake->header_lines > INTAKE_HEADER_LINES_MAX ||
	    intake->header_bytes > INTAKE_HEADER_BYTES_MAX)
		return err_set(err, -EFBIG, "too many headers");
	return 0;
}

int intake_body(struct intake *intake, const void *bytes, size_t length,
		struct err *err)
{
	int r = buf_append(&intake->body, bytes, length);

	if (r == -EFBIG)
		return err_set(err, r, "more than %zu bytes",
			       intake->body.limit);
	if (r < 0)
		return err_set(err, r, "no memory for the body");
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NET_INTAKE_H
#define NET_INTAKE_H

#include "base/buf.h"

#include <stddef.h>

struct err;

/* What is taken of a reply: its body, and the bounds of it and its headers. */
struct intake {
	struct buf body;
	size_t header_lines;
	size_t header_bytes;
};

#define INTAKE_HEADER_LINES_MAX 128
#define INTAKE_HEADER_BYTES_MAX 65536

void intake_init(struct intake *intake, size_t body_max);

/* Wipes the body. */
void intake_done(struct intake *intake);

/* Counts one header line. 0, or -EFBIG past a limit above. */
int intake_header(struct intake *intake, size_t length, struct err *err);

/* Appends to the body. 0, -EFBIG past body_max, -ENOMEM. */
int intake_body(struct intake *intake, const void *bytes, size_t length,
		struct err *err);

#endif

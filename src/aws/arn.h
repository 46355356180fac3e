/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AWS_ARN_H
#define AWS_ARN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/jdoc.h"

struct buf;

/* The name that AWS gives a thing for good:
 * "arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE". */

/* Whether it may be one: six parts, of which only region and account may be
 * empty, in printable ASCII without spaces, and no longer than VALUE_ARN_MAX.
 * What is not is shown to nobody. */
bool arn_is_plausible(const char *text, size_t length);

/* Appends the "ARN" of an object of a reply, and nothing where it has no
 * plausible one, which is no reason to keep a reader from the value. 0,
 * -ENOMEM. */
int arn_read(const struct jdoc *doc, jdoc_node parent, struct buf *out);

#endif

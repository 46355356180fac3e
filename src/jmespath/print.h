/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JMESPATH_PRINT_H
#define JMESPATH_PRINT_H

struct buf;
struct jvalue;

/* Values as JSON. Both recurse as deep as values are. 0, -EFBIG, -ENOMEM. */

/* Nodes as they are written, what is made without blanks. */
int print(const struct jvalue *value, struct buf *out);

/* All of it without blanks; strings and numbers as they are written. */
int print_compact(const struct jvalue *value, struct buf *out);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JMESPATH_PARSER_H
#define JMESPATH_PARSER_H

#include <stddef.h>

struct err;
struct jmespath;

/* Sets the root of an empty jmespath whose text has room for length bytes.
 * 0, -EINVAL, -E2BIG, -ENOMEM; what is built then is the jmespath's anyway. */
int parser_run(struct jmespath *jmespath, const char *text, size_t length,
	       struct err *err);

#endif

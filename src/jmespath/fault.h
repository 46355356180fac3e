/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JMESPATH_FAULT_H
#define JMESPATH_FAULT_H

#include <stddef.h>

struct err;

/* What can be wrong, in the words of the specification (jmespath.h). */
enum fault {
	FAULT_SYNTAX,
	FAULT_UNKNOWN_FUNCTION,
	FAULT_INVALID_ARITY,
	FAULT_INVALID_TYPE,
	FAULT_INVALID_VALUE,
	FAULT_LIMIT,
};

/* Fills err, and returns -EINVAL, or -E2BIG for a limit. offset is where in the
 * expression. */
int fault_set(struct err *err, enum fault fault, size_t offset,
	      const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Fills err, and returns -ENOMEM. */
int fault_set_memory(struct err *err);

#endif

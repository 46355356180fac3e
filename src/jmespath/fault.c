/* SPDX-License-Identifier: Apache-2.0 */
/* Every error of the room has one form: the kind, which programs may read, the
 * place in the expression, and the reason, which people read. */
#include "jmespath/fault.h"
#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#define REASON_SIZE 256

static const char *const kinds[] = {
	[FAULT_SYNTAX] = "syntax error",
	[FAULT_UNKNOWN_FUNCTION] = "unknown-function",
	[FAULT_INVALID_ARITY] = "invalid-arity",
	[FAULT_INVALID_TYPE] = "invalid-type",
	[FAULT_INVALID_VALUE] = "invalid-value",
	[FAULT_LIMIT] = "limit",
};

int fault_set(struct err *err, enum fault fault, size_t offset,
	      const char *format, ...)
{
	char reason[REASON_SIZE];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(reason, sizeof(reason), format, args);
	va_end(args);
	return err_set(err, fault == FAULT_LIMIT ? -E2BIG : -EINVAL,
		       "%s at byte %zu: %s", kinds[fault], offset, reason);
}

int fault_set_memory(struct err *err)
{
	return err_set(err, -ENOMEM, "no memory for JMESPath");
}

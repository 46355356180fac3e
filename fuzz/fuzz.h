/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FUZZ_FUZZ_H
#define FUZZ_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* What a fuzz target must define (libFuzzer's name for it): takes any bytes,
 * borrowed and never NULL, and returns 0. A broken promise of the code below
 * it must end the process: PROMISE. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

/* An assertion that no build leaves out. */
#define PROMISE(condition) fuzz_promise((condition), #condition)

static inline void fuzz_promise(bool is_kept, const char *condition)
{
	if (is_kept)
		return;
	(void)fprintf(stderr, "broken promise: %s\n", condition);
	abort();
}

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KEEPER_MOMENT_H
#define KEEPER_MOMENT_H

#include <stdint.h>

/* Now, on a clock that only goes forward (CLOCK_MONOTONIC). */
int64_t moment_ms(void);

/* How long until then, for poll(2): 0 where it is over. */
int moment_rest_ms(int64_t then_ms);

#endif

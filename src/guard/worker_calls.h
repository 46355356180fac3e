/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GUARD_WORKER_CALLS_H
#define GUARD_WORKER_CALLS_H

#include "guard/call_filter.h"

/* What a worker may call once it has started: what is named here, and why;
 * what would harm others ends it; anything else is not there. */
struct call_policy worker_calls(void);

#endif

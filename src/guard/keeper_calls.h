/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GUARD_KEEPER_CALLS_H
#define GUARD_KEEPER_CALLS_H

#include "guard/call_filter.h"

/*
 * What the keeper may call: all but what no program of ours ever does. It is
 * a list of what is forbidden, and a short one, since the keeper forks and
 * executes, and its children inherit the filter: what they need to start would
 * have to be in it.
 */
struct call_policy keeper_calls(void);

#endif

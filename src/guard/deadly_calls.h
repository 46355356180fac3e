/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GUARD_DEADLY_CALLS_H
#define GUARD_DEADLY_CALLS_H

struct call_table;

/* What no program of ours ever calls, and who has taken one over might want
 * to. Constant. */
const struct call_table *deadly_calls(void);

#endif

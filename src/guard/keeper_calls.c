/* SPDX-License-Identifier: Apache-2.0 */
/* CAP_SYS_ADMIN is for much more than mounting: most of that ends here. */
#include "guard/keeper_calls.h"
#include "base/macros.h"
#include "guard/deadly_calls.h"
#include "guard/sanitizers.h"

#include <sys/syscall.h>

#ifdef GUARD_HAS_SANITIZERS
static const struct call_rule allowed[] = {
	{ .number = SYS_ptrace,
	  .verdict = CALL_ALLOWED,
	  .reason = "LeakSanitizer: stops the threads and reads registers" },
	{ .number = SYS_personality,
	  .verdict = CALL_ALLOWED,
	  .reason = "sanitizers: how children's memory is laid out" },
};
#endif

struct call_policy keeper_calls(void)
{
	return (struct call_policy){
#ifdef GUARD_HAS_SANITIZERS
		.tables = { { allowed, ARRAY_SIZE(allowed) }, *deadly_calls() },
#else
		.tables = { *deadly_calls() },
#endif
		.otherwise = CALL_ALLOWED,
	};
}

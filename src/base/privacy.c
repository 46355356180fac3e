/* SPDX-License-Identifier: Apache-2.0 */
/* The limit is for cores that are files: the kernel hands others to a program
 * whatever it says, but for no process that is not dumpable. */
#include "base/privacy.h"
#include "base/err.h"

#include <errno.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

int privacy_begin(struct err *err)
{
	const struct rlimit no_core = { 0, 0 };

	if (setrlimit(RLIMIT_CORE, &no_core) < 0)
		return err_set(err, -errno, "switching core files off: %s",
			       strerrordesc_np(errno));
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return err_set(err, -errno, "PR_SET_DUMPABLE: %s",
			       strerrordesc_np(errno));
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KEEPER_NOTIFIER_SANDBOX_H
#define KEEPER_NOTIFIER_SANDBOX_H

#include "guard/call_filter.h"

struct err;

/*
 * What a notifier gives up before it takes its first order. For good, and for
 * the whole process, which has one thread.
 */

/* Keeps CAP_DAC_OVERRIDE alone, and of that nothing to inherit; without root
 * there is nothing to keep. 0, or -EPERM with err filled where root lacks it:
 * such a notifier could do nothing. */
int notifier_sandbox_capabilities(struct err *err);

/*
 * Landlock: below root, an open directory, files may be opened for reading,
 * renamed within their directory and unlinked; elsewhere nothing may be. Where
 * the kernel has an ABI for them, no TCP, no abstract sockets and no signals
 * either. 0; -EOPNOTSUPP where the kernel has no Landlock or does not run it;
 * or negative errno.
 */
int notifier_sandbox_files(int root);

/* Any system call but those of the table ends the process. */
struct call_policy notifier_calls(void);

/* seccomp, as the table says. 0;
 * -EOPNOTSUPP where the kernel has no filters; or negative errno. */
int notifier_sandbox_calls(void);

#endif

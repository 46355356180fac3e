/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GUARD_SANDBOX_H
#define GUARD_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>

struct call_policy;
struct err;
struct reach;

/* What a process gives up once it has started: for good, and with it all that
 * it would need to get anything back. */

enum sandbox_part {
	SANDBOX_USER,	      /* not root */
	SANDBOX_CAPABILITIES, /* none, and no_new_privs */
	SANDBOX_FILES,	      /* Landlock */
	SANDBOX_CALLS,	      /* seccomp */
	/* What newer kernels add to Landlock: */
	SANDBOX_PORTS,	/* since Linux 6.7 */
	SANDBOX_SCOPES, /* abstract sockets and signals, since Linux 6.12 */
	SANDBOX_PARTS,
};

struct sandbox {
	int missing[SANDBOX_PARTS]; /* negative errno, or 0: it is there */
};

/*
 * Closes every part that can be had: limits on core files, descriptors and
 * priorities, capabilities, no_new_privs, and then opens nothing but what is
 * in reach and calls nothing but what is in calls. Call it with one thread. ret
 * is filled in any case.
 *
 * 0; -EPERM with err naming what is missing, where that is one of the first
 * four parts and insecure is not set. What could be closed is closed then, too.
 */
int sandbox_close(const struct reach *reach, const struct call_policy *calls,
		  bool insecure, struct sandbox *ret, struct err *err);

#define SANDBOX_TEXT_MAX 256 /* of all names */

/* The names of what is missing, with commas; "" if nothing is. Returns out. */
const char *sandbox_describe(const struct sandbox *sandbox, char *out,
			     size_t size);

#endif

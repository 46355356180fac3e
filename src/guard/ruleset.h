/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GUARD_RULESET_H
#define GUARD_RULESET_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Landlock: what a process may open and where it may connect, from the moment
 * on that the rule set is enforced. All that the kernel knows to forbid and no
 * rule allows is forbidden: see landlock(7).
 */

struct ruleset {
	int fd;
	int abi; /* of what the kernel has and we know: 1 to 6 */
};

/* 0 and ret for ruleset_done(); -EOPNOTSUPP where the kernel has no Landlock
 * or does not run it; or negative errno. */
int ruleset_new(struct ruleset *ret);

/* May be called twice. */
void ruleset_done(struct ruleset *ruleset);

/* rights: LANDLOCK_ACCESS_FS_*, all known to ABI 1, beneath a file or directory
 * that is open, O_PATH being enough. 0 or negative errno. */
int ruleset_allow_beneath(const struct ruleset *ruleset, int fd,
			  uint64_t rights);

/* Whether it has rules for TCP at all: where not, every port is open. */
bool ruleset_has_ports(const struct ruleset *ruleset);

/* Whether abstract sockets and signals end at the process's own domain. */
bool ruleset_has_scopes(const struct ruleset *ruleset);

/* TCP connections to that port of any machine. 0 or negative errno. */
int ruleset_allow_port(const struct ruleset *ruleset, uint16_t port);

/* A socket that listens there. 0 or negative errno. */
int ruleset_allow_listening(const struct ruleset *ruleset, uint16_t port);

/* For good, for the calling thread and what it creates; needs no_new_privs. 0
 * or negative errno. */
int ruleset_enforce(const struct ruleset *ruleset);

#endif

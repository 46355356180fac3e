/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KEEPER_PRIVILEGES_H
#define KEEPER_PRIVILEGES_H

#include <stdint.h>
#include <sys/types.h>

struct err;

/*
 * Limits that the keeper's children inherit: no core files, and 64 MiB that
 * may be locked (secrets never reach the swap). Raising the latter needs
 * CAP_SYS_RESOURCE, so it comes before privileges_reduce(); without that it
 * goes as far as is allowed. 0, or negative errno with err filled.
 */
int privileges_set_limits(struct err *err);

/*
 * Keeps SYS_ADMIN (to mount), SETUID and SETGID (to start the worker as
 * someone else) and KILL (to end it). The bounding set is empty, so nothing
 * comes back by execve(2), except for DAC_OVERRIDE: the keeper cannot use it,
 * but the notifier inherits it. For good. 0, or negative errno with err filled.
 * A keeper that lacks DAC_OVERRIDE goes on without. One that is not root keeps
 * nothing.
 */
int privileges_reduce(struct err *err);

/*
 * Once that is done: no_new_privs, since nothing that the keeper executes is to
 * gain anything, and an end by SIGSYS for what no program of ours ever calls;
 * children inherit both. Landlock has no place here: behind any of its rules
 * nobody may mount. One that is not root goes without, since fusermount3 has to
 * become root for it. 0, or negative errno with err filled.
 */
int privileges_fence(struct err *err);

/*
 * For a child before it executes: becomes uid and gid with no other group, no
 * capability at all, and no_new_privs. uid must not be 0; without root it is
 * the caller's own, whose groups stay. 0 or negative errno.
 */
int privileges_become(uid_t uid, gid_t gid);

/*
 * For a child likewise, that stays who it is: as root no other group; and
 * no_new_privs,
 * and after execve(2), as root, no capability but what is inheritable, which
 * is DAC_OVERRIDE. 0 or negative errno.
 */
int privileges_pass_override(void);

/* The capabilities that are in force now, by number: bit 0 is CAP_CHOWN. */
uint64_t privileges_effective(void);

/* Of those in force keeps only these. */
void privileges_keep_effective(uint64_t kept);

#endif

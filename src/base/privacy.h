/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_PRIVACY_H
#define BASE_PRIVACY_H

struct err;

/*
 * Nobody but root looks into this process from now on: no core file, no
 * ptrace(2), no memory or environment in /proc. execve(2) and a change of user
 * undo it, so each program says it for itself, first of all. 0, or negative
 * errno with err filled.
 */
int privacy_begin(struct err *err);

#endif

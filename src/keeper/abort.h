/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KEEPER_ABORT_H
#define KEEPER_ABORT_H

struct mount;
struct session;

/*
 * The last resort where a worker cannot be ended, since it waits in the kernel
 * for what only an answer of its own would bring: the connections of all
 * mounts are broken, so that everybody who waits gets an error. The log says
 * so of each. One that is over already is passed over.
 */
void abort_connections(const struct session *session);

/* The same of one mount at an end that was asked for: the log tells of failures
 * only. */
void abort_quietly(const struct mount *mount);

#endif

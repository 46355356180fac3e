/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KEEPER_ENDING_H
#define KEEPER_ENDING_H

#include <stdbool.h>

struct session;

/* How a session ends, when it serves no more. */

/* Takes all mounts off their places. 0; -EBUSY: something that is not ours
 * stands on one, and all is as it was, unless it came in between; or negative
 * errno. What was taken off by then is served on for who has it still, and is
 * not put back; the others stay. */
int ending_detach(struct session *session);

/* Closes all mounts, as session_drop_mount() does. */
void ending_drop(struct session *session, bool gives_back);

/* Takes the mounts off, has the worker answer what is in flight, and closes
 * all. */
void ending_unmount(struct session *session);

/* The same, but the mounts stay on their places, dead, with the marks below
 * them: the next keeper mounts upon them. */
void ending_leave(struct session *session);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KEEPER_NOTIFIERS_H
#define KEEPER_NOTIFIERS_H

#include <poll.h>

#include "keeper/session.h"

/*
 * What a session does with the notifiers of its mounts. None of it fails: a
 * mount without a notifier goes on, the log says why, and its worker is told.
 */

enum {
	NOTIFIERS_POLL_TABLE, /* someone changed the mount table */
	NOTIFIERS_POLL_SOCKETS,
	NOTIFIERS_POLL_ENDED = NOTIFIERS_POLL_SOCKETS + SESSION_MOUNTS_MAX,
	NOTIFIERS_POLL_COUNT = NOTIFIERS_POLL_ENDED + SESSION_MOUNTS_MAX,
};

/* Starts one for each mount that is attached and has none, or has one that was
 * dismissed: when that has ended. */
void notifiers_start(struct session *session);

/* The worker has gone: dismisses all until notifiers_start(). Does not wait. */
void notifiers_pause(struct session *session);

/* Fills NOTIFIERS_POLL_COUNT places; poll(2) passes over what is not there. */
void notifiers_fill_poll(const struct session *session, struct pollfd *fds);

/*
 * After poll(2): one that died is followed by another, and one whose mount was
 * unmounted by someone is dismissed, since its clone would keep the file
 * system alive and the worker from learning of it.
 */
void notifiers_on_poll(struct session *session, const struct pollfd *fds);

/* Before the mounts are taken off: drops all clones. One that waits for the
 * worker is left behind after half a second, to be ended by notifiers_end(). */
void notifiers_drop(struct session *session);

/* After the mount's descriptors are closed, which ends all its requests. */
void notifiers_end(struct session_mount *mount);

#endif

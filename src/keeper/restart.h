/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KEEPER_RESTART_H
#define KEEPER_RESTART_H

#include <stdbool.h>
#include <stddef.h>

struct message;
struct session;

/*
 * A worker that dies is followed by another on the same mounts. Requests that
 * it had read are taken back by the kernel, and the next one reads them
 * (FUSE_NOTIFY_RESEND, since Linux 6.9); on a kernel that cannot do that it
 * finds them in the journal (fs/journal.h), and until then who waits cannot be
 * killed.
 *
 * Nothing here waits: a start goes on with what the worker sends, within the
 * time that it has. Meanwhile the session answers signals and clients.
 *
 * A worker that leaves of itself is followed by another in the same way, but
 * is none of those that died.
 */

/*
 * The worker is dead, or is not to be trusted any more: it is ended, and the
 * next one planned. False: it was the last, and the mounts are to end; the log
 * says why.
 */
bool restart_after_death(struct session *session);

/* Has the kernel send again what was read and is not answered. False: this one
 * cannot, and the next worker takes them from the journal. */
bool restart_resend(const struct session *session);

/* Every mount is served by the worker. */
void restart_begin(struct session *session);

/* The worker has not read what it was handed in the time for it: it is given up
 * at the next turn, as one that has died. */
void restart_on_deaf(struct session *session);

/* There is no worker any more, and there should be: one is started at once. */
void restart_anew(struct session *session);

/* How long poll(2) may wait. */
int restart_timeout_ms(const struct session *session);

/* Starts the worker that is due, asks whether the one that serves still does,
 * and gives up one that does not answer, get ready or leave in its time. False:
 * as restart_after_death(). */
bool restart_on_time(struct session *session);

/* The worker cannot be ended: it is shut out, and its memory becomes its own.
 * Its socket is kept among the session's strays, to tell of its end: what it
 * reads until it notices has to be sent again then. */
void restart_fence_off(struct session *session);

/* One of the session's strays is gone. */
void restart_on_stray(struct session *session, size_t index);

/* A mount of a folder is not there any more: a worker that is starting may
 * serve all that are left. */
void restart_on_left(struct session *session);

/* What a worker that is starting or leaving sends. False: a worker does not
 * send that. */
bool restart_on_message(struct session *session, const struct message *message);

#endif

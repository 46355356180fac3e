/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KEEPER_SUCCESSOR_H
#define KEEPER_SUCCESSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "keeper/child.h"

struct message;
struct session;

/*
 * A worker that is to follow one that serves well: of another build, which the
 * keeper starts for an upgrade, or one that has attached itself. It gets ready
 * beside the one that serves; only when it is, that one is asked to leave. So
 * one that cannot start changes nothing.
 */
struct successor {
	struct child process; /* socket -1: there is none */
	bool has_said_version;
	bool is_ready;
	unsigned warnings;
	uint32_t mounts; /* that it has named */
	/* ADD, of a folder: done when it is the worker */
	struct message *wishes; /* room for SESSION_MOUNTS_MAX, or NULL */
	size_t wish_count;
	int64_t deadline_ms;
	int pool_fd;   /* as of session.h */
	int binary_fd; /* what the keeper has started it of, or -1 */
	int client;    /* a command that waits for it, or -1 */
};

void successor_init(struct successor *successor);

/*
 * Starts one of that binary. Both descriptors are taken over; client gets DONE
 * when the new one serves, or FAILED with the reason why it does not.
 */
void successor_start(struct session *session, int binary_fd, int client);

/* Someone has come to the socket of attach.h. */
void successor_on_connect(struct session *session);

/* After poll(2): it has sent something, or is gone. */
void successor_on_message(struct session *session);

/* Gives up one that does not get ready in its time. */
void successor_on_time(struct session *session);

/* One that is ready and one that serves: asks the latter to leave. */
void successor_urge(struct session *session);

/* The worker is gone. True: the one that is ready is the worker now, has in a
 * folder what it asked for, and still has to be handed the mounts. */
bool successor_take(struct session *session);

/* The one that was taken serves; or, why not NULL, it has died before. */
void successor_conclude(struct session *session, const char *why);

/* Drops it. May be called twice. */
void successor_done(struct session *session, const char *why);

#endif

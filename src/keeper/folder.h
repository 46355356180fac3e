/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KEEPER_FOLDER_H
#define KEEPER_FOLDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "keeper/session.h"

struct err;
struct message;

/*
 * A directory below which mounts come and go as the worker asks: it names them,
 * the keeper makes them, in directories of its own making where there are none.
 * A name is NAME or SPACE/NAME, and each of these a plain one.
 */

/* Whether name is one of these, and no longer than FOLDER_NAME_MAX. */
bool folder_is_name(const char *name);

/* Makes the session one of a folder; nothing of it is mounted yet. 0, or
 * negative errno with err filled. */
int folder_open(struct session *session, const char *path, struct err *err);

/* From here on commands find its keeper. 0, or negative errno with err filled.
 */
int folder_listen(struct session *session, struct err *err);

/* Removes what directories of ours are empty. Nothing where there is none. */
void folder_close(struct session *session);

bool folder_is_open(const struct session *session);

/* What the worker asks for by a message of type ADD, at its start: made, but
 * handed over and attached by nobody yet. 0, or negative errno with err filled.
 */
int folder_add(struct session *session, const struct message *message,
	       struct err *err);

/* Finds the mount of that name that another keeper has made, as mount_find()
 * does: it is the last of the session's. 0, or negative errno with err filled.
 */
int folder_inherit(struct session *session, const char *name, struct err *err);

/* Tells the worker at that socket that it gets no mount of that name. */
void folder_refuse(int worker, const char *name, const char *why);

/* Another worker was started: it has no mount, and has asked for none. */
void folder_begin(struct session *session);

/* It is ready: what it has not asked for, or has unsaid, is taken off. */
void folder_settle(struct session *session);

/* The worker serves it: puts it on its place where it is not there yet. */
void folder_on_served(struct session *session, struct session_mount *mount);

/* Takes it off, or finds it gone, and tells no worker. */
void folder_drop(struct session *session, struct session_mount *mount);

/* What else the worker may say of a folder. Whether it was that. */
bool folder_on_message(struct session *session, const struct message *message);

/* Takes one mount off for a client. 0, or -EBUSY: something stands on it. */
int folder_unmount(struct session *session, size_t index);

#endif

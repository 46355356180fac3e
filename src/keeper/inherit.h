/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KEEPER_INHERIT_H
#define KEEPER_INHERIT_H

#include <stdbool.h>

struct err;
struct session;

/*
 * A keeper that ends may leave its mounts to another one, which is there
 * already and whose worker is ready: it hands over all descriptors, and goes
 * when they are served. Mounts and ids stay, and no read fails. If the other
 * one fails on its way, it goes on as after the death of a worker.
 */

/*
 * Another keeper has asked for it over client, which was checked. Waits for it,
 * but not for ever. True: it has the mounts, and this one is to touch nothing
 * of them any more.
 */
bool inherit_give(struct session *session, int client);

/* The other side: asks the keeper at the session's socket, and takes what it
 * gives for the mounts that were found. 0, or negative errno with err filled.
 */
int inherit_take(struct session *session, struct err *err);

/* They are served; the one before may go. 0, or negative errno with err filled:
 * it has not waited. */
int inherit_finish(struct session *session, struct err *err);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KEEPER_INHERIT_H
#define KEEPER_INHERIT_H

#include <stdbool.h>
#include <stdint.h>

struct err;
struct message;
struct session;

/*
 * A keeper may leave its mounts to another one, which is there already: it
 * hands over all descriptors, and they are the other one's when that has a
 * worker for them. Mounts and ids stay, and no read fails. If the other one
 * fails on its way, it goes on as after the death of a worker.
 */

/*
 * Another keeper has asked for it by that message over client, which was
 * checked. Waits for it: as long as it takes where the other one has all and
 * awaits a worker, else not for ever. True: it has the mounts, and this one
 * holds nothing of them any more. The client is answered, also where it is
 * refused.
 */
bool inherit_give(struct session *session, int client,
		  const struct message *message);

/* After that: waits for the signal to end, unless it has come already. */
void inherit_linger(struct session *session);

/* WHICH has come over client: answers it. */
void inherit_tell(const struct session *session, int client,
		  const struct message *message);

#endif

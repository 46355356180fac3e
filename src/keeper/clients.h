/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KEEPER_CLIENTS_H
#define KEEPER_CLIENTS_H

#include <stddef.h>

#include "keeper/message.h"

struct session;
struct session_client;

/* Commands that have come to a keeper's sockets. */

/* Someone has: mount as of struct session_client. One that finds no place is
 * turned away. */
void clients_connect(struct session *session, int listening, size_t mount);

/* DONE, or FAILED with one line that says why. */
void clients_answer(int client, enum message_type type, const char *line);

/* The worker answers it; from here on the keeper has no part in it. A STATUS
 * where there is no worker the keeper answers itself. */
void clients_pass_on(const struct session *session,
		     struct session_client *client,
		     const struct message *message);

/* Whoever waits for the end gets DONE. Who has not been heard yet gets no word
 * of what he did not ask. */
void clients_tell_of_end(const struct session *session);

#endif

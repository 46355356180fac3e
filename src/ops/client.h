/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OPS_CLIENT_H
#define OPS_CLIENT_H

#include <stddef.h>

struct loop;

/*
 * Commands that have asked something, and what they are told: the messages of
 * keeper/message.h, over a socket that the keeper has accepted and checked.
 *
 * A client costs its text until it has read it or its time is over, and never
 * a wait.
 */

#define CLIENTS_MAX 8
#define CLIENT_TIMEOUT_MS 10000

struct clients;

/* Borrows the loop. NULL: no memory. */
struct clients *clients_new(struct loop *loop);

/* Turns away who is still reading. NULL is allowed. */
void clients_free(struct clients *clients);

/* Sends the text, in ANSWERs, and then DONE. Takes over socket, and text, which
 * is for free(3). Where CLIENTS_MAX are reading already, it is refused. */
void clients_answer(struct clients *clients, int socket, char *text,
		    size_t length);

/* The whole answer at once; takes socket over. DONE with that number, or FAILED
 * with a line for a person. */
void client_tell(int socket, unsigned number);
void client_refuse(int socket, const char *line);

#endif

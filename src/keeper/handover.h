/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KEEPER_HANDOVER_H
#define KEEPER_HANDOVER_H

#include <stdint.h>

struct message;
struct session;

/* When a handover that begins now has to be over. All its messages have one
 * deadline: a worker that reads slowly is slow with each of them. */
int64_t handover_deadline_ms(void);

/* Shuts out the worker before, tells the new one how it will know that it is
 * shut out itself (fence.h), and gives it the pool. Before handover_mount(),
 * and as that. */
int handover_begin(const struct session *session, int64_t deadline_ms);

/* Where one that cannot be ended may still write to what workers share, all of
 * it is copied for the next one. Before handover_mount(). */
void handover_part(struct session *session);

/*
 * Gives the mount to the worker, whose first or later one it may be: what the
 * kernel asks of it, the FUSE_INIT that was answered, and the table of nodes
 * and the journal of requests that its workers share. Waits until the deadline
 * for a worker that has much to read. 0, or negative errno; -EPIPE: the worker
 * has gone; -EAGAIN: it does not read.
 */
int handover_mount(struct session *session, uint32_t index,
		   int64_t deadline_ms);

/* The same to whoever is at the socket, but without the mount's name. As of
 * handover_send(). */
int handover_give(const struct session *session, int socket, uint32_t index);

/* Before the first mount: the pool of the worker that served last, if it had
 * one that outlives it, and before that what is beside the pool (annex.h of
 * base). As of handover_send(). */
int handover_pool(const struct session *session, int socket);

/* As message_send(), but waits for who has much to read, until a deadline of
 * its own. 0, or negative errno; -EPIPE: the other one has gone; -EAGAIN: it
 * does not read. */
int handover_send(int socket, const struct message *message, int fd);

#endif

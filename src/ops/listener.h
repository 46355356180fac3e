/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OPS_LISTENER_H
#define OPS_LISTENER_H

#include <stddef.h>
#include <sys/socket.h>

struct err;
struct loop;

/*
 * HTTP for whoever watches: GET and HEAD, one request a connection, answered
 * from what is at hand. Connections are few, their requests short, and each
 * ends at its deadline however slowly it is read or written; nothing waits for
 * them.
 */

#define LISTENER_CONNECTIONS_MAX 16
/* So that one address leaves room for others; what it opens beyond is closed.
 * Kubelet asks two things at once, and who has the reply may not have closed
 * his end yet. */
#define LISTENER_PER_ADDRESS_MAX 4
#define LISTENER_REQUEST_MAX 8192 /* bytes of it, and of the reply's head */
#define LISTENER_TIMEOUT_MS 10000

struct listener;

struct listener_reply {
	unsigned status;  /* of HTTP */
	const char *type; /* a constant */
	const char *text; /* borrowed until the loop turns */
	size_t length;
};

/* path: as it was asked for, with its escapes, without what follows a "?". */
typedef void listener_answer(void *owner, const char *path,
			     struct listener_reply *ret);

struct listener_settings {
	struct loop *loop; /* borrowed */
	const struct sockaddr_storage *address;
	socklen_t length;
	listener_answer *answer;
	void *owner;
};

/*
 * Listens at the address; "::" is that of both families, whatever the machine
 * says of it, and of the other alone where the kernel has no IPv6. A port of 0
 * is any that is free: listener_port() tells. 0; -EADDRINUSE and such with err
 * filled; -ENOSYS where the build cannot; -ENOMEM.
 */
int listener_new(const struct listener_settings *settings,
		 struct listener **ret, struct err *err);

unsigned listener_port(const struct listener *listener);

/* Ends every connection. NULL is allowed. */
void listener_free(struct listener *listener);

#endif

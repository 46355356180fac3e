/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_PLAYED_NOTIFIER_H
#define TESTS_PLAYED_NOTIFIER_H

#include "keeper/notify_order.h"
#include "tests/tree_fixture.h"

/* The test plays the notifier: it takes orders from the other end of the
 * socket, and makes the requests by which the kernel would come back. All fail
 * the test by themselves. */

#define NOTIFIER_PID 4242
#define STRANGER_PID 4243

struct played {
	struct scene *scene;
	int fd; /* the other end; -1: it died */
};

/* Another one begins. */
void played_start(struct played *played);

/* Some turns of the loop. */
void turn(struct played *played);

/* False: there is none. */
bool next_order(struct played *played, struct notify_order *ret);

struct notify_order take_order(struct played *played, uint32_t kind,
			       const char *name);
void assert_no_order(struct played *played);
void answer(struct played *played, const struct notify_order *order,
	    int result);

/* In the root, answered at once. */
struct request look_up_as(struct played *played, pid_t pid, const char *name);

/* The code that it is answered with. */
int rename_as(struct played *played, pid_t pid, const char *from,
	      const char *to);
int unlink_as(struct played *played, pid_t pid, const char *name);

/* The name does not exist, and the kernel does not keep that. */
void assert_absent(const struct request *request);

/* As the kernel does it; the new node. */
uint64_t obey_rename(struct played *played, const struct notify_order *order);

#endif

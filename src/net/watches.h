/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NET_WATCHES_H
#define NET_WATCHES_H

struct loop;
struct watch;

/* The descriptors that one owner waits for, found by their number. */

typedef void watches_on_ready(void *owner, int fd, unsigned events);

struct watches {
	struct loop *loop;
	watches_on_ready *on_ready;
	void *owner;
	struct watch *first;
};

/* on_ready runs as a loop_on_ready, with its events; it may call anything
 * below. loop and owner are borrowed. */
void watches_init(struct watches *watches, struct loop *loop,
		  watches_on_ready *on_ready, void *owner);

/* Stops waiting for all of them; they must still be open. */
void watches_done(struct watches *watches);

/* Waits for these LOOP_ events of fd from now on. 0 or negative errno. */
int watches_set(struct watches *watches, int fd, unsigned events);

/* Also where fd is not waited for; else it must still be open. */
void watches_remove(struct watches *watches, int fd);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FS_NOTIFIER_H
#define FS_NOTIFIER_H

#include <stdint.h>
#include <sys/types.h>

struct loop;
struct notify_wish;

/*
 * The worker's end of the notifier of one mount (keeper/notify_order.h). The
 * notifier may wait for a LOOKUP that this very loop has to answer, so nothing
 * here waits for it: orders are written as far as the socket takes them, and
 * what it does not take is kept.
 */

struct notifier;

/* Called once for each order, from the loop: 0 or negative errno. -EPIPE: the
 * notifier is gone, and the order may have been executed or not. */
typedef void notifier_on_answer(void *owner, uint64_t id, int result);

/* Takes fd over, also on failure. NULL with errno set. */
struct notifier *notifier_new(struct loop *loop, int fd, pid_t pid,
			      notifier_on_answer *on_answer, void *owner);

/* Orders that were not answered stay so. NULL is allowed. */
void notifier_free(struct notifier *notifier);

/* As FUSE requests carry it. */
pid_t notifier_pid(const struct notifier *notifier);

/* 0; -EPIPE: it is gone; -EAGAIN: so many orders are on their way that this one
 * has to wait for an answer; what notify_order_fill() says. */
int notifier_order(struct notifier *notifier, const struct notify_wish *wish);

#endif

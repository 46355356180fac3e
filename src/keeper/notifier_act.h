/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KEEPER_NOTIFIER_ACT_H
#define KEEPER_NOTIFIER_ACT_H

#include <limits.h>
#include <stdint.h>

struct notify_order;

/* How a notifier comes into its mount, see mount_open_way(). */
struct notifier_way {
	int fd;
	char name[NAME_MAX + 1];
	uint64_t device; /* of the file system there; 0: there is no name */
};

/* fd stays open and name is copied. 0 or negative errno. */
int notifier_way_open(int fd, const char *name, struct notifier_way *ret);

/* The root of the mount, borrowed; -ESTALE where it is not there any more; or
 * negative errno. ret_entered is what is to be closed after use: as long as it
 * is open, nobody but root can unmount. It is set only where there is such. */
int notifier_way_enter(const struct notifier_way *way, int *ret_entered);

/*
 * Executes an order that notify_order_check() let pass, below root, an open
 * directory. Waits as long as the file system does. What cannot be opened is
 * still renamed over or unlinked; only NOTIFY_DROP fails by it. 0 or negative
 * errno.
 */
int notifier_act(int root, const struct notify_order *order);

#endif

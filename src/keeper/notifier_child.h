/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KEEPER_NOTIFIER_CHILD_H
#define KEEPER_NOTIFIER_CHILD_H

#include <stdbool.h>
#include <stdint.h>

#include "keeper/child.h"

struct err;
struct mount;

/*
 * The notifier of one mount, as its keeper holds it. It holds the mount's
 * clone, and nobody else does: when it is gone, so is the clone.
 *
 * It may be within a call that ends only when the worker answers, and then
 * not even SIGKILL ends it. So nothing here waits for it without a limit.
 */

/* What every notifier is started of; borrowed. */
struct notifier_plan {
	int binary_fd; /* -1: there is none */
	int error_fd;  /* as of child.h */
};

struct notifier_child {
	struct child process; /* pid 0: none runs */
	bool is_wanted;	      /* to be started again when it dies */
	bool is_due;	      /* dismissed, and to be followed by another */
	unsigned starts;      /* in a row; see notifier_child_may_start() */
	int64_t started_ms;
};

void notifier_child_init(struct notifier_child *notifier);

/*
 * Starts one with a fresh clone of the mount, which has to be attached.
 * ret_orders is the worker's end of the socket of notify_order.h, non-blocking
 * and the caller's. None may be running. 0, or negative errno with err filled.
 */
int notifier_child_start(struct notifier_child *notifier,
			 const struct notifier_plan *plan,
			 const struct mount *mount, int *ret_orders,
			 struct err *err);

/* Whether one that died may be followed by another: five may die within a
 * minute each. */
bool notifier_child_may_start(struct notifier_child *notifier);

/* Asks it to leave, and starts no other. */
void notifier_child_dismiss(struct notifier_child *notifier);

/* Reaps one that was dismissed, for at most timeout_ms; one that stays then
 * gets SIGKILL. Whether it is gone. */
bool notifier_child_await(struct notifier_child *notifier, int timeout_ms);

/* Reaps one that has ended by itself. What child_wait() returns. */
int notifier_child_bury(struct notifier_child *notifier, int *ret_status);

#endif

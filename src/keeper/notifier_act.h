/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KEEPER_NOTIFIER_ACT_H
#define KEEPER_NOTIFIER_ACT_H

struct notify_order;

/*
 * Executes an order that notify_order_check() let pass, below root, an open
 * directory. Waits as long as the file system does. What cannot be opened is
 * still renamed over or unlinked; only NOTIFY_DROP fails by it. 0 or negative
 * errno.
 */
int notifier_act(int root, const struct notify_order *order);

#endif

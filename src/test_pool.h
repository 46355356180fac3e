/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TEST_POOL_H
#define TEST_POOL_H

struct err;

/*
 * Opens the pool. choice, of --test-pool, is NULL for the best there is, or
 * "memfd_secret", "mlock" or "unlocked" for none better, and may go on with
 * ":BYTES" for the most that it may become. 0, or -EINVAL, -ENOMEM with err
 * filled.
 */
int test_pool_open(const char *choice, struct err *err);

#endif

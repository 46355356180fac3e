/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_FAIL_ALLOC_H
#define TESTS_FAIL_ALLOC_H

/*
 * Memory that runs out when a test wants it. A program that is linked with
 * $(fail_alloc) and its LDFLAGS has the requests of its own objects counted:
 * those to the heap and those of the pool, not those that libraries make.
 */

/* Does its work once, from nothing to nothing: 0, or negative errno. */
typedef int alloc_attempt(void *owner);

/*
 * Lets an attempt run once for each request for memory that it makes, with
 * only that one refused, and again with it and all later ones refused. Fails
 * the test where a run gives something else than 0 or -ENOMEM, or leaves
 * memory behind. What a run must have done when it gives 0 is the attempt's to
 * check. At last it runs with nothing refused and must give 0.
 *
 * Returns how many of those runs gave -ENOMEM: one that is never refused
 * anything tests nothing.
 */
unsigned fail_each_alloc(alloc_attempt *attempt, void *owner);

/* For what a test does on its own account within an attempt. */
void fail_alloc_pause(void);
void fail_alloc_resume(void);

#endif

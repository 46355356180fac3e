/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TEST_CLOCK_H
#define TEST_CLOCK_H

struct clock;
struct err;
struct loop;

/*
 * Time that a test moves: --test-clock names a file of eight bytes, an int64 in
 * the machine's own order, of milliseconds that are added to CLOCK_BOOTTIME.
 * Who writes to it wakes the worker. It only ever grows. Wall time and the
 * kernel's own clocks stay as they are, so the kernel is told to believe no
 * name for any time.
 */

struct test_clock;

/* loop and clock are borrowed; the clock is shifted from now on. NULL with err
 * filled. */
struct test_clock *test_clock_new(struct loop *loop, struct clock *clock,
				  const char *path, struct err *err);

/* NULL is allowed. The clock is the real one again. */
void test_clock_free(struct test_clock *test_clock);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* The file is mapped, so that reading the time stays a matter of nanoseconds;
 * inotify only wakes the loop, which then looks at its timers. */
#include "test_clock.h"
#include "base/clock.h"
#include "base/err.h"
#include "loop/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <unistd.h>

#define EVENTS_MAX 4096

struct test_clock {
	struct clock *clock;
	void *page;
	struct loop_watch *watch;
	int inotify_fd;
};

static void on_written(void *owner, unsigned events)
{
	const struct test_clock *test_clock = owner;
	char ignored[EVENTS_MAX];

	(void)events;
	while (read(test_clock->inotify_fd, ignored, sizeof(ignored)) > 0)
		;
}

static int map_file(struct test_clock *test_clock, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int code;

	if (fd < 0)
		return -errno;
	test_clock->page =
		mmap(NULL, sizeof(int64_t), PROT_READ, MAP_SHARED, fd, 0);
	code = errno;
	(void)close(fd);
	if (test_clock->page != MAP_FAILED)
		return 0;
	test_clock->page = NULL;
	return -code;
}

static int watch_file(struct test_clock *test_clock, struct loop *loop,
		      const char *path)
{
	test_clock->inotify_fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (test_clock->inotify_fd < 0 ||
	    inotify_add_watch(test_clock->inotify_fd, path, IN_MODIFY) < 0)
		return -errno;
	test_clock->watch = loop_watch(loop, test_clock->inotify_fd, LOOP_READ,
				       on_written, test_clock);
	return test_clock->watch ? 0 : -errno;
}

struct test_clock *test_clock_new(struct loop *loop, struct clock *clock,
				  const char *path, struct err *err)
{
	struct test_clock *test_clock = calloc(1, sizeof(*test_clock));
	int r;

	if (!test_clock) {
		(void)err_set(err, -ENOMEM, "no memory");
		return NULL;
	}
	test_clock->clock = clock;
	test_clock->inotify_fd = -1;
	r = map_file(test_clock, path);
	if (r == 0)
		r = watch_file(test_clock, loop, path);
	if (r < 0) {
		test_clock_free(test_clock);
		(void)err_set(err, r, "--test-clock '%s': %s", path,
			      strerrordesc_np(-r));
		return NULL;
	}
	clock->shift_ms = test_clock->page;
	return test_clock;
}

void test_clock_free(struct test_clock *test_clock)
{
	if (!test_clock)
		return;
	test_clock->clock->shift_ms = NULL;
	loop_unwatch(test_clock->watch);
	if (test_clock->inotify_fd >= 0)
		(void)close(test_clock->inotify_fd);
	if (test_clock->page)
		(void)munmap(test_clock->page, sizeof(int64_t));
	free(test_clock);
}

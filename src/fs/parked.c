/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel says once that a signal came, whether it kills or is handled. An
 * EINTR to a caller who handles the signal would surface in open(2), so the
 * caller is looked at, again and again, until it is clear that it dies.
 */
#include "fs/parked.h"
#include "base/err.h"
#include "base/macros.h"
#include "loop/loop.h"
#include "store/cache.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LOOK_EVERY_MS 250

/* A caller in a pid namespace that we do not see gets EINTR after this. */
#define UNSEEN_GRACE_MS 1000

void parking_init(struct parking *parking, struct loop *loop,
		  struct cache *cache)
{
	parking->loop = loop;
	parking->cache = cache;
	TAILQ_INIT(&parking->waiting);
}

/* Takes the request out of every queue; it is then its caller's again. */
static void unpark(struct parked *parked)
{
	TAILQ_REMOVE(&parked->parking->waiting, parked, link);
	loop_timer_cancel(TAKE(parked->look));
	loop_timer_cancel(TAKE(parked->patience));
	parked->get = NULL;
}

static void give_up(struct parked *parked, int code)
{
	cache_cancel(parked->get);
	unpark(parked);
	request_fail(parked->request, code);
	free(parked);
}

void parking_done(struct parking *parking)
{
	struct parked *parked;

	while ((parked = TAILQ_FIRST(&parking->waiting)))
		/* It has left the list, which the analyzer does not follow.
		 * NOLINTNEXTLINE(clang-analyzer-unix.Malloc) */
		give_up(parked, -EIO);
}

/* Whether "NAME:\t<hex mask>" in a /proc/PID/status has SIGKILL in it. */
static bool mask_has_kill(const char *status, const char *name)
{
	static const char digits[] = "0123456789abcdef";
	const char *line = strstr(status, name);
	const char *digit;
	uint64_t mask = 0;

	if (!line)
		return false;
	line += strlen(name);
	line += strspn(line, "\t");
	for (; *line && (digit = strchr(digits, *line)); line++)
		mask = mask << 4 | (uint64_t)(digit - digits);
	return mask & (UINT64_C(1) << (SIGKILL - 1));
}

enum caller_state { CALLER_LIVES, CALLER_DIES, CALLER_UNSEEN };

/* A fatal signal, whichever it was, stands as SIGKILL in the pending masks of
 * the thread or its process (kernel/signal.c, complete_signal()). */
static enum caller_state look_at(pid_t pid)
{
	char path[32];
	char status[4096];
	ssize_t length;
	int fd;

	if (pid == 0)
		return CALLER_UNSEEN;
	(void)snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? CALLER_DIES : CALLER_UNSEEN;
	length = read(fd, status, sizeof(status) - 1);
	(void)close(fd);
	if (length <= 0)
		return CALLER_UNSEEN;
	status[length] = '\0';
	return mask_has_kill(status, "\nSigPnd:") ||
			       mask_has_kill(status, "\nShdPnd:")
		       ? CALLER_DIES
		       : CALLER_LIVES;
}

static void on_look(void *owner)
{
	struct parked *parked = owner;
	struct loop *loop = parked->parking->loop;
	enum caller_state state = look_at(request_pid(parked->request));
	int64_t now_ms = loop_now_ms(loop);

	parked->look = NULL;
	if (state == CALLER_DIES ||
	    (state == CALLER_UNSEEN &&
	     now_ms - parked->interrupted_ms >= UNSEEN_GRACE_MS)) {
		give_up(parked, -EINTR);
		return;
	}
	parked->look =
		loop_timer(loop, now_ms + LOOK_EVERY_MS, on_look, parked);
}

/* Not looked at here: the signal may come before the park is complete. */
static void on_interrupt(void *owner)
{
	struct parked *parked = owner;
	struct loop *loop = parked->parking->loop;

	parked->interrupted_ms = loop_now_ms(loop);
	if (!parked->look)
		parked->look = loop_soon(loop, on_look, parked);
}

static void on_result(void *owner, const struct cache_result *result)
{
	struct parked *parked = owner;

	unpark(parked);
	request_watch_interrupt(parked->request, NULL, NULL);
	parked->go_on(parked, result);
}

static void on_patience_over(void *owner)
{
	struct parked *parked = owner;
	struct err err;

	parked->patience = NULL;
	cache_cancel(parked->get);
	unpark(parked);
	request_watch_interrupt(parked->request, NULL, NULL);
	err_set(&err, -EIO, "not known yet");
	parked->go_on(parked, &(struct cache_result){ .err = &err });
}

static int park(struct parked *parked, const struct cache_want *want,
		int64_t patience_ms)
{
	struct parking *parking = parked->parking;
	struct loop *loop = parking->loop;

	if (patience_ms > 0) {
		parked->patience =
			loop_timer(loop, loop_now_ms(loop) + patience_ms,
				   on_patience_over, parked);
		if (!parked->patience)
			return -ENOMEM;
	}
	parked->get = cache_get(parking->cache, want, on_result, parked);
	if (!parked->get) {
		loop_timer_cancel(TAKE(parked->patience));
		return -ENOMEM;
	}
	TAILQ_INSERT_TAIL(&parking->waiting, parked, link);
	return 0;
}

void parked_want(struct parked *parked, const struct cache_want *want,
		 int64_t patience_ms, parked_go_on *go_on)
{
	struct cache_result result;

	if (cache_peek(parked->parking->cache, want, &result)) {
		go_on(parked, &result);
		return;
	}
	parked->go_on = go_on;
	if (park(parked, want, patience_ms) < 0) {
		request_fail(parked->request, -ENOMEM);
		free(parked);
		return;
	}
	request_watch_interrupt(parked->request, on_interrupt, parked);
}

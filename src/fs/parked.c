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
#include "store/listing.h"
#include "store/value.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* One thing that a parked request waits for. */
struct wait {
	struct parked *parked;
	struct cache_get *get; /* NULL: known */
	size_t index;
};

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

size_t parking_count(const struct parking *parking)
{
	const struct parked *parked;
	size_t count = 0;

	TAILQ_FOREACH(parked, &parking->waiting, link)
	count++;
	return count;
}

/* Takes the request out of every queue; it is then its caller's again, and
 * parked->results are whoever takes them. */
static void unpark(struct parked *parked)
{
	TAILQ_REMOVE(&parked->parking->waiting, parked, link);
	loop_timer_cancel(TAKE(parked->look));
	loop_timer_cancel(TAKE(parked->patience));
	for (size_t i = 0; parked->waits && i < parked->count; i++)
		cache_cancel(parked->waits[i].get);
	free(TAKE(parked->waits));
	request_watch_interrupt(parked->request, NULL, NULL);
}

static void free_results(struct parked_result *results, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		value_unref(results[i].value);
		listing_unref(results[i].listing);
	}
	free(results);
}

static void give_up(struct parked *parked, int code)
{
	unpark(parked);
	free_results(TAKE(parked->results), parked->count);
	request_fail(parked->request, code);
	parked->release(parked);
}

/* The struct may be gone when go_on returns, or waiting for something else. */
static void go_on(struct parked *parked)
{
	struct parked_result *results = TAKE(parked->results);
	size_t count = parked->count;

	parked->go_on(parked, &(struct parked_results){ .at = results,
							.count = count });
	free_results(results, count);
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

static void note(struct parked *parked, size_t index,
		 const struct cache_result *result)
{
	struct parked_result *noted = &parked->results[index];

	noted->is_known = true;
	noted->code = result->err ? result->err->code : 0;
	noted->value = result->value ? value_ref(result->value) : NULL;
	noted->listing = result->listing ? listing_ref(result->listing) : NULL;
	noted->fresh_ms = result->fresh_ms;
	parked->unknown--;
}

static bool is_settled(struct parked *parked)
{
	if (parked->unknown == 0)
		return true;
	return parked->is_enough &&
	       parked->is_enough(parked, &(struct parked_results){
						 .at = parked->results,
						 .count = parked->count });
}

static void on_result(void *owner, const struct cache_result *result)
{
	struct wait *wait = owner;
	struct parked *parked = wait->parked;

	wait->get = NULL;
	note(parked, wait->index, result);
	if (!is_settled(parked))
		return;
	unpark(parked);
	go_on(parked);
}

static void on_patience_over(void *owner)
{
	struct parked *parked = owner;

	parked->patience = NULL;
	unpark(parked);
	go_on(parked);
}

/* Starts to wait for what is not known. */
static int wait_for(struct parked *parked, const struct parked_wants *wants)
{
	struct parking *parking = parked->parking;

	parked->waits = calloc(wants->count, sizeof(*parked->waits));
	if (!parked->waits)
		return -ENOMEM;
	for (size_t i = 0; i < wants->count; i++) {
		struct wait *wait = &parked->waits[i];

		if (parked->results[i].is_known)
			continue;
		wait->parked = parked;
		wait->index = i;
		wait->get = cache_get(parking->cache, &wants->at[i], on_result,
				      wait);
		if (!wait->get)
			return -ENOMEM;
	}
	return 0;
}

static int park(struct parked *parked, const struct parked_wants *wants)
{
	struct loop *loop = parked->parking->loop;

	TAILQ_INSERT_TAIL(&parked->parking->waiting, parked, link);
	request_watch_interrupt(parked->request, on_interrupt, parked);
	if (wants->patience_ms > 0) {
		parked->patience =
			loop_timer(loop, loop_now_ms(loop) + wants->patience_ms,
				   on_patience_over, parked);
		if (!parked->patience)
			return -ENOMEM;
	}
	return wait_for(parked, wants);
}

static void note_what_is_known(struct parked *parked,
			       const struct parked_wants *wants)
{
	for (size_t i = 0; i < wants->count; i++) {
		struct cache_result result;

		if (cache_peek(parked->parking->cache, &wants->at[i], &result))
			note(parked, i, &result);
	}
}

void parked_want(struct parked *parked, const struct parked_wants *wants,
		 parked_go_on *what_next)
{
	parked->results = calloc(wants->count + 1, sizeof(*parked->results));
	if (!parked->results) {
		request_fail(parked->request, -ENOMEM);
		parked->release(parked);
		return;
	}
	parked->count = wants->count;
	parked->unknown = wants->count;
	parked->go_on = what_next;
	parked->is_enough = wants->is_enough;
	note_what_is_known(parked, wants);
	if (is_settled(parked))
		go_on(parked);
	else if (park(parked, wants) < 0)
		give_up(parked, -ENOMEM);
}

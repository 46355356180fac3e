/* SPDX-License-Identifier: Apache-2.0 */
/* The order in which a worker follows another: first what the kernel still
 * waits for of what that one had read, and only then what is new. */
#include "fs/inflow.h"
#include "base/log.h"
#include "fs/journal.h"
#include "fs/traffic.h"
#include "fs/tree.h"
#include "loop/loop.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

/* Requests taken in one turn, so that other mounts get theirs. */
#define REQUESTS_A_TURN 64

struct inflow {
	struct inflow_settings settings;
	struct loop_timer *taking_over;
	struct loop_watch *watch;
	bool is_pausing;
};

static void leave(struct inflow *inflow)
{
	loop_unwatch(inflow->watch);
	inflow->watch = NULL;
	inflow->settings.on_gone(inflow->settings.owner);
}

/* The kernel's queue is as good a place to wait as ours. */
static void pause_or_go_on(struct inflow *inflow)
{
	bool is_full = journal_is_full(inflow->settings.journal);

	if (is_full == inflow->is_pausing || !inflow->watch)
		return;
	if (loop_watch_change(inflow->watch, is_full ? 0 : LOOP_READ) == 0)
		inflow->is_pausing = is_full;
}

static void handle(struct inflow *inflow, const struct journal_request *request)
{
	const struct inflow_settings *settings = &inflow->settings;

	settings->on_request(settings->owner, request->bytes, request->length);
	journal_handled(settings->journal);
}

/* Whether another request may be waiting. */
static bool serve_one(struct inflow *inflow)
{
	const struct inflow_settings *settings = &inflow->settings;
	struct journal_request request;
	int r;

	if (!settings->may_serve(settings->owner))
		return false;
	r = journal_read(settings->journal, settings->fd, &request);
	if (r == 0) {
		if (!settings->may_serve(settings->owner))
			return false;
		if (traffic_came_again(request.unique))
			tree_request_came_again(settings->tree, request.unique);
		handle(inflow, &request);
		return true;
	}
	/* ENOENT: the request was taken back before it was read */
	if (r == -EINTR || r == -ENOENT)
		return true;
	if (r != -EAGAIN)
		leave(inflow);
	return false;
}

static void on_ready(void *owner, unsigned events)
{
	struct inflow *inflow = owner;

	for (int i = 0; i < REQUESTS_A_TURN; i++) {
		if (journal_is_full(inflow->settings.journal)) {
			pause_or_go_on(inflow);
			/* which the kernel says of a mount that is gone */
			if (events & LOOP_ERROR)
				leave(inflow);
			return;
		}
		if (!serve_one(inflow))
			return;
	}
}

static void take_over(void *owner)
{
	struct inflow *inflow = owner;
	const struct inflow_settings *settings = &inflow->settings;
	struct journal_request request;

	inflow->taking_over = NULL;
	while (settings->may_serve(settings->owner) &&
	       journal_next_left(settings->journal, &request))
		handle(inflow, &request);
	inflow->watch = loop_watch(settings->loop, settings->fd, LOOP_READ,
				   on_ready, inflow);
	if (!inflow->watch)
		leave(inflow);
	else
		pause_or_go_on(inflow);
}

static bool is_awaited(void *owner, uint64_t unique)
{
	const struct inflow *inflow = owner;

	return traffic_is_awaited(inflow->settings.fd, unique);
}

static void settle(struct inflow *inflow)
{
	const struct inflow_settings *settings = &inflow->settings;
	struct journal_left left;

	journal_settle(settings->journal, is_awaited, inflow, &left);
	tree_keep_counts(settings->tree, journal_ledger(settings->journal));
	if (left.is_lost)
		log_err("requests that another worker had read are lost", NULL);
	if (left.unanswered == 0 && !left.has_forget)
		return;
	log_info("requests of another worker",
		 "unanswered=%zu taken_over=%zu forgets=%d", left.unanswered,
		 left.awaited, left.has_forget);
}

struct inflow *inflow_new(const struct inflow_settings *settings)
{
	struct inflow *inflow = calloc(1, sizeof(*inflow));

	if (!inflow)
		return NULL;
	inflow->settings = *settings;
	inflow->taking_over = loop_soon(settings->loop, take_over, inflow);
	if (!inflow->taking_over) {
		free(inflow);
		return NULL;
	}
	settle(inflow);
	return inflow;
}

void inflow_free(struct inflow *inflow)
{
	if (!inflow)
		return;
	loop_timer_cancel(inflow->taking_over);
	loop_unwatch(inflow->watch);
	free(inflow);
}

void inflow_pause(struct inflow *inflow)
{
	loop_timer_cancel(inflow->taking_over);
	loop_unwatch(inflow->watch);
	inflow->taking_over = NULL;
	inflow->watch = NULL;
}

ssize_t inflow_answer(struct inflow *inflow, const struct iovec *parts,
		      int count)
{
	ssize_t r = journal_write(inflow->settings.journal, inflow->settings.fd,
				  parts, count);
	int code = errno;

	pause_or_go_on(inflow);
	errno = code;
	return r;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secretsfs-notifier: renames and unlinks names of one mount through a private
 * writable clone of it, so that those who watch the mount hear of it. Each of
 * these calls waits for the worker that serves the mount, and may wait behind
 * a slow lookup: that is why it is a process of its own, one for each mount,
 * and nobody waits for it in turn.
 */
#include "base/err.h"
#include "base/macros.h"
#include "base/privacy.h"
#include "keeper/child.h"
#include "keeper/descriptor.h"
#include "keeper/message.h"
#include "keeper/notifier_act.h"
#include "keeper/notifier_sandbox.h"
#include "keeper/notify_order.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

struct notifier {
	struct notifier_way way;
	int orders; /* the worker's; -1 once it is gone */
};

static void tell_keeper(enum message_type type, const char *line)
{
	struct message message;

	message_fill(&message, type, MESSAGE_NO_MOUNT, line, strlen(line));
	(void)message_send(CHILD_SOCKET_FD, &message, -1);
}

/* The next message, which has to be of that type and to bring a descriptor. */
static int take(enum message_type type, struct message *ret, int *ret_fd)
{
	cleanup_fd int fd = -1;
	int r = message_receive(CHILD_SOCKET_FD, ret, &fd);

	if (r < 0)
		return r;
	if (ret->type != (uint32_t)type || fd < 0)
		return -EPROTO;
	*ret_fd = descriptor_take(&fd);
	return 0;
}

static int take_all(struct notifier *notifier)
{
	struct message message;
	struct message way;
	int fd = -1;
	int r = take(MESSAGE_CLONE, &way, &fd);

	if (r == 0)
		r = take(MESSAGE_NOTIFIER, &message, &notifier->orders);
	if (r == 0)
		r = notifier_way_open(fd, way.body, &notifier->way);
	return r;
}

static int fence(int r, const char *missing, struct err *err)
{
	if (r != -EOPNOTSUPP)
		return r < 0 ? err_set(err, r, "cannot be fenced in: %s",
				       strerrordesc_np(-r))
			     : 0;
	tell_keeper(MESSAGE_WARNING, missing);
	return 0;
}

static int enter_sandbox(const struct notifier *notifier, struct err *err)
{
	cleanup_fd int entered = -1;
	int root = notifier_way_enter(&notifier->way, &entered);
	int r = root < 0 ? root : notifier_sandbox_capabilities(err);

	if (root < 0)
		return err_set(err, r, "the mount is not there: %s",
			       strerrordesc_np(-r));
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	if (r == 0)
		r = fence(notifier_sandbox_files(root),
			  "the notifier runs without Landlock", err);
	if (r == 0)
		r = fence(notifier_sandbox_calls(),
			  "the notifier runs without a seccomp filter", err);
	return r;
}

static void answer(const struct notifier *notifier, uint64_t id, int result)
{
	const struct notify_answer answer = { .magic = NOTIFY_MAGIC,
					      .result = result,
					      .id = id };

	/* A worker that left hears of nothing. */
	(void)send(notifier->orders, &answer, sizeof(answer), MSG_NOSIGNAL);
}

static int act(const struct notifier *notifier,
	       const struct notify_order *order)
{
	cleanup_fd int entered = -1;
	int root = notifier_way_enter(&notifier->way, &entered);

	return root < 0 ? root : notifier_act(root, order);
}

static void serve(struct notifier *notifier)
{
	struct notify_order order = { 0 };
	/* Gives the record's own length, also of one that was cut. */
	ssize_t length =
		recv(notifier->orders, &order, sizeof(order), MSG_TRUNC);
	int r;

	if (length < 0 && errno == EINTR)
		return;
	if (length <= 0) {
		descriptor_done(&notifier->orders);
		return;
	}
	r = notify_order_check(&order, (size_t)length);
	/* What has another format has no id either. */
	answer(notifier, r == -EPROTO ? 0 : order.id,
	       r < 0 ? r : act(notifier, &order));
}

/* Until the keeper closes its end. One that lost its worker waits for that:
 * the keeper decides what comes next. */
static int run(struct notifier *notifier)
{
	for (;;) {
		struct pollfd fds[] = {
			{ .fd = CHILD_SOCKET_FD, .events = POLLIN },
			{ .fd = notifier->orders, .events = POLLIN },
		};

		if (ppoll(fds, ARRAY_SIZE(fds), NULL, NULL) < 0) {
			if (errno != EINTR)
				return 1;
			continue;
		}
		if (fds[0].revents)
			return 0;
		if (fds[1].revents)
			serve(notifier);
	}
}

int main(void)
{
	struct notifier notifier = { .way = { .fd = -1 }, .orders = -1 };
	struct err err;

	if (privacy_begin(NULL) < 0 || take_all(&notifier) < 0)
		return 1;
	if (enter_sandbox(&notifier, &err) < 0) {
		tell_keeper(MESSAGE_FAILED, err.text);
		return 1;
	}
	/* By itself: what exit(3) does beside, and a sanitizer before _exit(2),
	 * is forbidden by now. */
	return (int)syscall(SYS_exit_group, run(&notifier));
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A notifier is one process a mount, although they do the same: Landlock can
 * only ever take rights away, so it has to know its clone before it is fenced
 * in; one that waits behind a slow lookup holds up no other mount; and the
 * end of the process is the proof that the clone is gone.
 */
#include "keeper/notifier_child.h"
#include "base/err.h"
#include "base/macros.h"
#include "keeper/descriptor.h"
#include "keeper/message.h"
#include "keeper/moment.h"
#include "keeper/mount.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>

#define STARTS_MAX 5
#define SETTLED_MS 60000

void notifier_child_init(struct notifier_child *notifier)
{
	memset(notifier, 0, sizeof(*notifier));
	notifier->process.pidfd = notifier->process.socket = -1;
}

/* The worker's end never makes it wait; the notifier's may. */
static int make_orders(int *ret_worker, int *ret_notifier)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	*ret_worker = pair[0];
	*ret_notifier = pair[1];
	return fcntl(pair[0], F_SETFL, O_NONBLOCK) < 0 ? -errno : 0;
}

static int give(const struct notifier_child *notifier, enum message_type type,
		const char *name, int fd)
{
	struct message message;

	message_fill(&message, type, MESSAGE_NO_MOUNT, name, strlen(name));
	return message_send(notifier->process.socket, &message, fd);
}

static int execute(struct notifier_child *notifier,
		   const struct notifier_plan *plan, struct err *err)
{
	char name[] = "secretsfs-notifier";
	char *arguments[] = { name, NULL };
	char *environment[] = { NULL };
	const struct child_plan child = {
		.binary_fd = plan->binary_fd,
		.keeps_user = true,
		.error_fd = plan->error_fd,
		.arguments = arguments,
		.environment = environment,
	};

	if (plan->binary_fd < 0)
		return err_set(err, -ENOENT, "%s is not beside the keeper",
			       name);
	return child_start(&child, &notifier->process, err);
}

int notifier_child_start(struct notifier_child *notifier,
			 const struct notifier_plan *plan,
			 const struct mount *mount, int *ret_orders,
			 struct err *err)
{
	const char *name;
	cleanup_fd int way = mount_open_way(mount, &name);
	cleanup_fd int ours = -1;
	cleanup_fd int theirs = -1;
	int r = way < 0 ? way : make_orders(&ours, &theirs);

	if (r < 0)
		return err_set(err, r, "no way for it into the mount: %s",
			       strerrordesc_np(-r));
	r = execute(notifier, plan, err);
	if (r < 0)
		return r;
	notifier->starts++;
	notifier->started_ms = moment_ms();
	notifier->is_wanted = true;
	notifier->is_due = false;
	r = give(notifier, MESSAGE_CLONE, name, way);
	if (r == 0)
		r = give(notifier, MESSAGE_NOTIFIER, "", theirs);
	/* One that is gone already is found by its pidfd, like any other. */
	if (r < 0 && r != -EPIPE) {
		notifier_child_dismiss(notifier);
		return err_set(err, r, "the notifier takes no messages: %s",
			       strerrordesc_np(-r));
	}
	*ret_orders = descriptor_take(&ours);
	return 0;
}

bool notifier_child_may_start(struct notifier_child *notifier)
{
	if (moment_ms() - notifier->started_ms > SETTLED_MS)
		notifier->starts = 0;
	return notifier->starts < STARTS_MAX;
}

void notifier_child_dismiss(struct notifier_child *notifier)
{
	notifier->is_wanted = false;
	notifier->is_due = false;
	descriptor_done(&notifier->process.socket);
}

int notifier_child_bury(struct notifier_child *notifier, int *ret_status)
{
	int r = child_wait(&notifier->process, 0, ret_status);

	if (r == 0)
		child_done(&notifier->process);
	return r;
}

bool notifier_child_await(struct notifier_child *notifier, int timeout_ms)
{
	int status;

	if (notifier->process.pid == 0)
		return true;
	if (child_wait(&notifier->process, timeout_ms, &status) < 0) {
		(void)kill(notifier->process.pid, SIGKILL);
		return false;
	}
	child_done(&notifier->process);
	return true;
}

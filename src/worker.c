/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secretsfs-worker: everything but mounting. The keeper starts it with a
 * socket as descriptor 3 and hands it one mount after the other; it leaves
 * when it is told to, or when the keeper is gone.
 *
 * This file wires the rooms together and knows the order in which they start
 * and end; what they do is theirs.
 */
#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/macros.h"
#include "base/pool.h"
#include "config/options.h"
#include "control.h"
#include "fenced.h"
#include "fs/layout.h"
#include "fs/session.h"
#include "fs/tree.h"
#include "keeper/message.h"
#include "leaving.h"
#include "loop/loop.h"
#include "ops/client.h"
#include "provider.h"
#include "served.h"
#include "shown.h"
#include "store/cache.h"
#include "test_clock.h"
#include "worker_attach.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define KEEPER_FD 3

/* What a person or a script may grow, and what bounds it. */
#define SECRETS_MAX 10000
#define NEGATIVE_MS 5000
#define LINGER_MS 1000
#define PATIENCE_MS 2000
#define STALE_MS 1000
#define MOUNTS_MAX 256

struct worker {
	struct options options;
	struct clock clock;
	struct loop *loop;
	struct cache *cache;
	struct provider *provider;
	struct shown shown;
	struct test_clock *test_clock; /* or NULL */
	struct clients *clients;
	int64_t started_ms;
	struct loop_watch *keeper;
	struct loop_signal *terminate;
	struct served *mounts[MOUNTS_MAX];
	int nodes_fd; /* of the mount that comes next, or -1 */
	struct leaving leaving;
	struct fenced fenced;
	bool is_attached; /* someone else than the keeper has started it */
	int exit_code;
};

static void tell_keeper(enum message_type type, uint32_t mount,
			const char *text, int number)
{
	struct message message;

	message_fill(&message, type, mount, text, strlen(text));
	message.number = number;
	if (message_send(KEEPER_FD, &message, -1) < 0)
		log_debug("the keeper does not listen", NULL);
}

static void on_fetch_failed(void *owner, const char *name,
			    const struct err *err)
{
	const struct worker *worker = owner;
	const struct layout *layout = worker->shown.layout;

	/* The name may be longer than a line, and is cut before the rest is. A
	 * name that is not there is an answer, not a fault, unless the
	 * configuration needs it. */
	if (err->code == -ENOENT && !(layout && layout_needs(layout, name)))
		log_info("no such secret", "name=%.256s error=%s", name,
			 err->text);
	else
		log_warn("cannot fetch", "name=%.256s error=%s", name,
			 err->text);
}

static void on_gone(void *owner, struct served *served)
{
	struct worker *worker = owner;

	for (size_t i = 0; i < MOUNTS_MAX; i++)
		if (worker->mounts[i] == served)
			worker->mounts[i] = NULL;
	served_free(served);
}

/* Of what it holds nothing is answered: that is sent to the other one. */
static void give_up(struct worker *worker)
{
	if (!worker->leaving.is_followed)
		log_warn("another worker serves, leaving", NULL);
	worker->leaving.is_followed = true;
	loop_stop(worker->loop);
}

static bool may_serve(void *owner)
{
	struct worker *worker = owner;
	bool is_out = fenced_is_out(&worker->fenced);

	if (is_out)
		give_up(worker);
	return !is_out;
}

/* Takes fd over. */
static int add_mount(struct worker *worker, const struct message *message,
		     int fd, struct err *err)
{
	const struct served_settings settings = {
		.loop = worker->loop,
		.cache = worker->cache,
		.shown = &worker->shown,
		.index = message->mount,
		.keeper_fd = KEEPER_FD,
		.is_asked_always = worker->test_clock != NULL,
		.has_extended = worker->options.xattr,
		.on_gone = on_gone,
		.may_serve = may_serve,
		.owner = worker,
	};
	const struct served_mount mount = {
		.fuse_fd = fd,
		.nodes_fd = worker->nodes_fd,
		.init = message,
	};

	worker->nodes_fd = -1;
	return served_new(&settings, &mount, &worker->mounts[message->mount],
			  err);
}

static void on_mount(struct worker *worker, const struct message *message,
		     int fd)
{
	struct err err;

	if (fd < 0 || message->mount >= MOUNTS_MAX ||
	    worker->mounts[message->mount]) {
		log_err("a mount came that cannot be", "mount=%u",
			message->mount);
		if (fd >= 0)
			(void)close(fd);
		return;
	}
	if (add_mount(worker, message, fd, &err) < 0)
		tell_keeper(MESSAGE_FAILED, message->mount, err.text, 1);
	else
		tell_keeper(MESSAGE_SERVING, message->mount, "", 0);
}

static void on_nodes(struct worker *worker, int fd)
{
	if (worker->nodes_fd >= 0)
		(void)close(worker->nodes_fd);
	worker->nodes_fd = fd;
}

/* The last one's is closed: it is gone. Without fd there is none. */
static void on_notifier(struct worker *worker, const struct message *message,
			int fd)
{
	struct served *mount = message->mount < MOUNTS_MAX
				       ? worker->mounts[message->mount]
				       : NULL;

	if (!mount) {
		if (fd >= 0)
			(void)close(fd);
		return;
	}
	tree_set_notifier(served_tree(mount), fd, message->number);
	log_debug("notifier", "mount=%u pid=%d", message->mount,
		  fd >= 0 ? message->number : -1);
}

/* From a command, whose socket fd is. */
static void on_client(struct worker *worker, const struct message *message,
		      int fd)
{
	const struct served *mount = message->mount < MOUNTS_MAX
					     ? worker->mounts[message->mount]
					     : NULL;
	const struct control control = {
		.loop = worker->loop,
		.clients = worker->clients,
		.cache = worker->cache,
		.provider = worker->provider,
		.options = &worker->options,
		.shown = &worker->shown,
		.started_ms = worker->started_ms,
	};
	struct message_client client;

	if (fd < 0)
		return;
	if (!mount || !message_client_read(message, &client)) {
		client_refuse(fd, "the mount is going");
		return;
	}
	control_answer(
		&control,
		&(struct control_mount){
			.tree = served_tree(mount),
			.session = served_session(mount),
			.has_notifier = tree_has_notifier(served_tree(mount)),
		},
		&client, fd);
}

static void on_refresh(struct worker *worker)
{
	size_t count = cache_refresh(worker->cache, NULL);

	for (size_t i = 0; i < MOUNTS_MAX; i++)
		if (worker->mounts[i])
			(void)session_expire_names(
				served_session(worker->mounts[i]));
	log_info("refreshing what is in use", "secrets=%zu", count);
}

/* The mounts' names may all have changed meaning; where the kernel cannot be
 * told at once, it asks when their time is over. */
static void show_again(struct worker *worker)
{
	for (size_t i = 0; i < MOUNTS_MAX; i++) {
		const struct served *mount = worker->mounts[i];

		if (!mount)
			continue;
		tree_set_layout(served_tree(mount), worker->shown.layout);
		(void)session_expire_names(served_session(mount));
	}
}

static void on_reload(struct worker *worker)
{
	struct shown shown;
	struct err err;

	if (!worker->shown.layout) {
		log_info("nothing to read again", NULL);
		return;
	}
	if (shown_read(worker->provider, &worker->options, &shown, &err) < 0) {
		log_err("the old configuration stays in force", "error=%s",
			err.text);
		return;
	}
	shown_done(&worker->shown);
	worker->shown = shown;
	show_again(worker);
	log_info("the configuration was read again", "source=%s",
		 worker->options.source);
}

static void leave(struct worker *worker, bool is_followed)
{
	worker->leaving.is_followed |= is_followed;
	leaving_start(&worker->leaving);
}

static void on_message(struct worker *worker, const struct message *message,
		       int fd)
{
	if (message->type == MESSAGE_MOUNT) {
		on_mount(worker, message, fd);
		return;
	}
	if (message->type == MESSAGE_FENCE) {
		if (fenced_adopt(&worker->fenced, message, fd) < 0)
			give_up(worker);
		return;
	}
	if (message->type == MESSAGE_NODES) {
		on_nodes(worker, fd);
		return;
	}
	if (message->type == MESSAGE_NOTIFIER) {
		on_notifier(worker, message, fd);
		return;
	}
	if (message->type == MESSAGE_CLIENT) {
		on_client(worker, message, fd);
		return;
	}
	if (fd >= 0)
		(void)close(fd);
	if (message->type == MESSAGE_RELOAD)
		on_reload(worker);
	else if (message->type == MESSAGE_REFRESH)
		on_refresh(worker);
	else if (message->type == MESSAGE_BEAT && may_serve(worker))
		tell_keeper(MESSAGE_BEAT, MESSAGE_NO_MOUNT, "", 0);
	else if (message->type == MESSAGE_STOP ||
		 message->type == MESSAGE_LEAVE)
		leave(worker, message->type == MESSAGE_LEAVE);
}

static void on_keeper(void *owner, unsigned events)
{
	struct worker *worker = owner;
	struct message message;
	int fd;
	int r = message_receive(KEEPER_FD, &message, &fd);

	(void)events;
	if (r == -EAGAIN || r == -EINTR)
		return;
	if (r < 0) {
		log_debug("the keeper is gone", "error=%s",
			  strerrordesc_np(-r));
		loop_stop(worker->loop);
	} else {
		on_message(worker, &message, fd);
	}
}

static void on_terminate(void *owner)
{
	struct worker *worker = owner;

	log_info("leaving, another worker follows", "signal=TERM");
	tell_keeper(MESSAGE_LEAVE, MESSAGE_NO_MOUNT, "", 0);
	leave(worker, true);
}

static int start(struct worker *worker, struct err *err)
{
	static const struct cache_limits limits = {
		.max_entries = SECRETS_MAX,
		.negative_ms = NEGATIVE_MS,
		.linger_ms = LINGER_MS,
		.patience_ms = PATIENCE_MS,
		.stale_ms = STALE_MS,
	};

	worker->loop = loop_new(&worker->clock);
	if (!worker->loop)
		return err_set(err, -errno, "cannot start the event loop: %s",
			       strerrordesc_np(errno));
	if (worker->options.test_clock) {
		worker->test_clock =
			test_clock_new(worker->loop, &worker->clock,
				       worker->options.test_clock, err);
		if (!worker->test_clock)
			return -EINVAL;
	}
	worker->leaving = (struct leaving){
		.loop = worker->loop,
		.mounts = worker->mounts,
		.count = MOUNTS_MAX,
	};
	worker->started_ms = loop_now_ms(worker->loop);
	worker->clients = clients_new(worker->loop);
	worker->cache = cache_new(worker->loop, &limits);
	if (worker->cache)
		cache_set_on_failure(worker->cache, on_fetch_failed, worker);
	worker->terminate =
		loop_signal(worker->loop, SIGTERM, on_terminate, worker);
	worker->keeper = loop_watch(worker->loop, KEEPER_FD, LOOP_READ,
				    on_keeper, worker);
	if (!worker->clients || !worker->cache || !worker->terminate ||
	    !worker->keeper)
		return err_set(err, -ENOMEM, "cannot start: %s",
			       strerrordesc_np(errno));
	worker->provider = provider_new(worker->loop, &worker->options);
	if (!worker->provider)
		return err_set(err, -ENOMEM, "no memory");
	return shown_read(worker->provider, &worker->options, &worker->shown,
			  err);
}

/* In the order that keeps every borrowed thing alive until it is let go. */
static void finish(struct worker *worker)
{
	leaving_done(&worker->leaving);
	fenced_done(&worker->fenced);
	for (size_t i = 0; i < MOUNTS_MAX; i++)
		if (worker->mounts[i])
			served_free(worker->mounts[i]);
	clients_free(worker->clients);
	shown_done(&worker->shown);
	cache_free(worker->cache);
	provider_free(worker->provider);
	test_clock_free(worker->test_clock);
	loop_unwatch(worker->keeper);
	loop_signal_free(worker->terminate);
	loop_free(worker->loop);
	options_done(&worker->options);
}

static void set_up_log(const struct worker *worker)
{
	const struct options *options = &worker->options;

	log_setup(&(struct log_settings){
		.program = "secretsfs-worker",
		.level = options->log_level,
		.json = options->log_json,
		.syslog = !options->foreground && !options->log_file &&
			  !worker->is_attached,
	});
}

/* In the foreground the log is what whoever mounts reads. */
static void warn(const struct worker *worker, const char *warning)
{
	log_warn("reading will fail until this is mended", "error=%s", warning);
	if (!worker->options.foreground)
		tell_keeper(MESSAGE_WARNING, MESSAGE_NO_MOUNT, warning, 0);
}

static void announce(const struct worker *worker)
{
	const char *warning = provider_warning(worker->provider);

	if (warning)
		warn(worker, warning);

	if (!pool_is_locked())
		log_warn("memory for secrets cannot be locked against swap",
			 "hint=\"raise the limit on locked memory\"");
	tell_keeper(MESSAGE_READY, 0, worker->shown.label, 0);
	tell_keeper(MESSAGE_READY, MESSAGE_NO_MOUNT, "", 0);
}

static int run(struct worker *worker)
{
	struct err err;
	int r = start(worker, &err);

	if (r == 0) {
		announce(worker);
		r = loop_run(worker->loop);
		if (r < 0)
			(void)err_set(&err, r, "the event loop: %s",
				      strerrordesc_np(-r));
	}
	if (r < 0)
		tell_keeper(MESSAGE_FAILED, MESSAGE_NO_MOUNT, err.text, 1);
	return r < 0 ? 1 : 0;
}

int main(int argc, char **argv)
{
	struct worker *worker = calloc(1, sizeof(*worker));
	struct err err;
	int code;

	if (!worker)
		return 1;
	worker->nodes_fd = -1;
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGINT, SIG_IGN); /* the terminal's goes to the keeper */
	options_init(&worker->options);
	code = worker_attach(&argc, &argv, KEEPER_FD);
	worker->is_attached = code > 0;
	if (code < 0) {
		code = 1;
	} else if (options_parse(&worker->options, argc, argv, &err) < 0) {
		tell_keeper(MESSAGE_FAILED, MESSAGE_NO_MOUNT, err.text, 2);
		code = 2;
	} else {
		set_up_log(worker);
		code = run(worker);
	}
	finish(worker);
	free(worker);
	return code;
}

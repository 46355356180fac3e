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
#include "classes.h"
#include "config/options.h"
#include "control.h"
#include "fenced.h"
#include "fs/layout.h"
#include "fs/session.h"
#include "fs/tree.h"
#include "keeper/message.h"
#include "leaving.h"
#include "loop/loop.h"
#include "metrics.h"
#include "mounts.h"
#include "ops/client.h"
#include "provider.h"
#include "secret_memory.h"
#include "served.h"
#include "shown.h"
#include "store/cache.h"
#include "tell.h"
#include "test_clock.h"
#include "worker_attach.h"
#include "worker_sandbox.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What a person or a script may grow, and what bounds it. */
#define SECRETS_MAX 10000
#define NEGATIVE_MS 5000
#define LINGER_MS 1000
#define PATIENCE_MS 2000
#define STALE_MS 1000

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
	struct worker_sandbox sandbox;
	struct secret_memory memory;
	struct mounts *mounts;
	struct metrics *metrics; /* or NULL */
	struct leaving leaving;
	struct fenced fenced;
	bool is_attached; /* someone else than the keeper has started it */
	int exit_code;
};

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

/* Of what it holds nothing is answered: that is left to the other one. */
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

static struct control control_of(const struct worker *worker)
{
	return (struct control){
		.loop = worker->loop,
		.clients = worker->clients,
		.cache = worker->cache,
		.provider = worker->provider,
		.options = &worker->options,
		.shown = &worker->shown,
		.sandbox = &worker->sandbox.sandbox,
		.mounts = worker->mounts,
		.started_ms = worker->started_ms,
		.adopted_count = worker->memory.adopted_count,
	};
}

/* From a command, whose socket fd is. */
static void on_client(struct worker *worker, const struct message *message,
		      int fd)
{
	const struct served *mount =
		mounts_find(worker->mounts, message->mount);
	const struct control control = control_of(worker);
	struct message_client client;

	if (fd < 0)
		return;
	if (message_client_read(message, &client) &&
	    message->mount == MESSAGE_NO_MOUNT &&
	    mounts_classes(worker->mounts)) {
		control_answer_all(&control, &client, fd);
		return;
	}
	if (!mount || !message_client_read(message, &client)) {
		client_refuse(fd, "the mount is going");
		return;
	}
	control_answer(
		&control,
		&(struct control_mount){
			.index = message->mount,
			.tree = served_tree(mount),
			.session = served_session(mount),
			.has_notifier = tree_has_notifier(served_tree(mount)),
		},
		&client, fd);
}

static void on_refresh(struct worker *worker)
{
	size_t count = cache_refresh(worker->cache, NULL);

	mounts_expire_names(worker->mounts);
	log_info("refreshing what is in use", "secrets=%zu", count);
}

static void on_reload(struct worker *worker)
{
	struct shown shown;
	struct err err;

	if (mounts_classes(worker->mounts)) {
		classes_read_again(mounts_classes(worker->mounts));
		return;
	}
	if (!worker->shown.layout) {
		log_info("nothing to read again", NULL);
		return;
	}
	if (shown_read(worker->provider, &worker->options, &shown, &err) < 0) {
		worker->shown.is_old = true;
		worker_sandbox_explain(&worker->sandbox, worker->options.source,
				       &err);
		log_err("the old configuration stays in force", "error=%s",
			err.text);
		return;
	}
	shown_done(&worker->shown);
	worker->shown = shown;
	mounts_show_again(worker->mounts);
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
	if (mounts_on_message(worker->mounts, message, fd))
		return;
	if (message->type == MESSAGE_FENCE) {
		if (fenced_adopt(&worker->fenced, message, fd) < 0)
			give_up(worker);
		return;
	}
	if (message->type == MESSAGE_POOL && fd >= 0) {
		secret_memory_adopt(&worker->memory, message->number, fd);
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

static int start_showing(struct worker *worker, struct err *err)
{
	const struct options *options = &worker->options;

	worker->mounts = mounts_new(&(struct mounts_settings){
		.loop = worker->loop,
		.cache = worker->cache,
		.provider = worker->provider,
		.options = options,
		.shown = &worker->shown,
		.is_asked_always = worker->test_clock != NULL,
		.may_serve = may_serve,
		.owner = worker,
	});
	if (!worker->mounts)
		return err_set(err, -ENOMEM, "no memory");
	worker->leaving = (struct leaving){ .loop = worker->loop,
					    .mounts = worker->mounts };
	return classes_are_at(options->source)
		       ? mounts_start_classes(worker->mounts, err)
		       : shown_read(worker->provider, options, &worker->shown,
				    err);
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
	worker->started_ms = loop_now_ms(worker->loop);
	worker->clients = clients_new(worker->loop);
	worker->cache = cache_new(worker->loop, &limits);
	if (worker->cache) {
		cache_set_on_failure(worker->cache, on_fetch_failed, worker);
		secret_memory_begin(&worker->memory, worker->loop,
				    worker->cache);
	}
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
	return start_showing(worker, err);
}

/* In the order that keeps every borrowed thing alive until it is let go. */
static void finish(struct worker *worker)
{
	leaving_done(&worker->leaving);
	secret_memory_end(&worker->memory);
	metrics_free(worker->metrics);
	mounts_free(worker->mounts);
	fenced_done(&worker->fenced);
	/* What is cached stays marked in the pool, for the one that follows. */
	if (worker->leaving.is_followed)
		_exit(EXIT_SUCCESS);
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
static void warn(const struct worker *worker, const char *what,
		 const char *warning)
{
	log_warn(what, "error=%s", warning);
	if (!worker->options.foreground)
		tell_keeper(MESSAGE_WARNING, MESSAGE_NO_MOUNT, warning, 0);
}

/* Before the sandbox: afterwards port 0 would be refused. */
static int serve_metrics(struct worker *worker, struct err *err)
{
	const struct control control = control_of(worker);
	int r = metrics_new(&control, &worker->metrics, err);

	if (r < 0 && worker->metrics) {
		warn(worker, "metrics are not served", err->text);
		r = 0;
	}
	return r;
}

static void announce(const struct worker *worker)
{
	const char *warning = provider_warning(worker->provider);

	if (warning)
		warn(worker, "reading will fail until this is mended", warning);

	if (!pool_is_locked())
		log_warn("memory for secrets cannot be locked against swap",
			 "hint=\"raise the limit on locked memory\"");
	secret_memory_park(KEEPER_FD);
	if (!mounts_classes(worker->mounts))
		tell_keeper(MESSAGE_READY, 0, worker->shown.label, 0);
	tell_keeper(MESSAGE_READY, MESSAGE_NO_MOUNT, "", 0);
}

/* Whoever has started one that was attached sees its own log, and no other. */
static int tell_failed(const struct worker *worker, const struct err *err,
		       int code)
{
	if (worker->is_attached)
		log_err("cannot serve", "error=%s", err->text);
	tell_keeper(MESSAGE_FAILED, MESSAGE_NO_MOUNT, err->text, code);
	return code;
}

static int run(struct worker *worker)
{
	struct err err;
	int r;

	worker_sandbox_prepare();
	r = worker->is_attached ? 0 : secret_memory_hide(&err);
	if (r == 0)
		r = secret_memory_open(&worker->options, &err);
	if (r == 0)
		r = start(worker, &err);
	if (r == 0)
		r = serve_metrics(worker, &err);
	if (r == 0)
		r = worker_sandbox_close(&worker->sandbox, &worker->options,
					 worker->provider, &err);
	if (r == 0) {
		announce(worker);
		r = loop_run(worker->loop);
		if (r < 0)
			(void)err_set(&err, r, "the event loop: %s",
				      strerrordesc_np(-r));
	}
	return r < 0 ? tell_failed(worker, &err, 1) : 0;
}

int main(int argc, char **argv)
{
	struct worker *worker = calloc(1, sizeof(*worker));
	struct err err;
	int code;
	int r;

	if (!worker)
		return 1;
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGINT, SIG_IGN); /* the terminal's goes to the keeper */
	options_init(&worker->options);
	code = worker_attach(&argc, &argv, KEEPER_FD);
	worker->is_attached = code > 0;
	if (code < 0) {
		code = 1;
	} else {
		r = options_parse(&worker->options, argc, argv, &err);
		set_up_log(worker);
		code = r < 0 ? tell_failed(worker, &err, 2) : run(worker);
	}
	finish(worker);
	free(worker);
	return code;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Three paths. That the loop turns is shown by any answer at all, so /healthz
 * looks at nothing: an outage of AWS must never have the worker replaced.
 */
#include "metrics.h"
#include "base/err.h"
#include "base/log.h"
#include "base/macros.h"
#include "classes.h"
#include "config/address_text.h"
#include "config/options.h"
#include "control.h"
#include "loop/loop.h"
#include "metrics_text.h"
#include "mounts.h"
#include "ops/exposition.h"
#include "ops/listener.h"
#include "served.h"
#include "shown.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PLAIN "text/plain; charset=utf-8"

#define OK_LINE "ok\n"

#define HTTP_OK 200
#define HTTP_NOT_FOUND 404
#define HTTP_FAILED 500
#define HTTP_NOT_READY 503

struct metrics {
	struct control control;
	struct listener *listener; /* NULL: it is tried again */
	struct loop_timer *retry;

	/* the last text, and when it was written */
	char *text;
	size_t length;
	int64_t written_ms;

	char line[ERR_TEXT_MAX]; /* why it is not ready */
};

static void say(struct listener_reply *reply, unsigned status, const char *line)
{
	*reply = (struct listener_reply){
		.status = status,
		.type = PLAIN,
		.text = line,
		.length = strlen(line),
	};
}

static bool serves_any(const struct mounts *mounts)
{
	for (uint32_t i = 0; i < MOUNTS_MAX; i++) {
		const struct served *served = mounts_find(mounts, i);

		if (served && !served_has_gone(served))
			return true;
	}
	return false;
}

/* Tells of the first one that is wrong. */
static void note_class(void *owner, const struct class_about *class)
{
	struct metrics *metrics = owner;

	if (!*metrics->line && class->state != CLASS_MOUNTED)
		(void)snprintf(metrics->line, sizeof(metrics->line),
			       "class %.200s is %s\n", class->name,
			       class_state_name(class->state));
}

static void note_fault(void *owner, const char *file, const char *fault)
{
	struct metrics *metrics = owner;

	(void)fault;
	if (!*metrics->line)
		(void)snprintf(metrics->line, sizeof(metrics->line),
			       "%.255s is wrong, see status and log\n", file);
}

/* Whether what is configured is shown; if not, line says why. */
static bool is_ready(struct metrics *metrics)
{
	const struct control *control = &metrics->control;
	const struct classes *classes = mounts_classes(control->mounts);
	const char *why = "";

	metrics->line[0] = '\0';
	if (classes) {
		classes_each(classes, note_class, metrics);
		classes_each_fault(classes, note_fault, metrics);
		return !*metrics->line;
	}
	if (!serves_any(control->mounts))
		why = "no mount is served\n";
	else if (control->shown->is_old)
		why = "the class file is wrong, see the log\n";
	(void)snprintf(metrics->line, sizeof(metrics->line), "%s", why);
	return !*metrics->line;
}

/* Keeps the last text where there is no memory for another. */
static void write_again(struct metrics *metrics)
{
	char *text = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&text, &length);
	bool is_whole;

	if (!out)
		return;
	metrics_text_write(&metrics->control, is_ready(metrics), out);
	is_whole = !ferror(out);
	if (fclose(out) != 0 || !is_whole) {
		free(text);
		return;
	}
	free(metrics->text);
	metrics->text = text;
	metrics->length = length;
	metrics->written_ms = loop_now_ms(metrics->control.loop);
}

static void answer_metrics(struct metrics *metrics,
			   struct listener_reply *reply)
{
	if (!metrics->text || loop_now_ms(metrics->control.loop) >=
				      metrics->written_ms + METRICS_AGE_MS)
		write_again(metrics);
	if (!metrics->text) {
		say(reply, HTTP_FAILED, "no memory\n");
		return;
	}
	*reply = (struct listener_reply){
		.status = HTTP_OK,
		.type = EXPOSITION_TYPE,
		.text = metrics->text,
		.length = metrics->length,
	};
}

static void answer_ready(struct metrics *metrics, struct listener_reply *reply)
{
	bool ready = is_ready(metrics);

	say(reply, ready ? HTTP_OK : HTTP_NOT_READY,
	    ready ? OK_LINE : metrics->line);
}

static void on_request(void *owner, const char *path,
		       struct listener_reply *reply)
{
	struct metrics *metrics = owner;

	if (strcmp(path, "/metrics") == 0)
		answer_metrics(metrics, reply);
	else if (strcmp(path, "/readyz") == 0)
		answer_ready(metrics, reply);
	else if (strcmp(path, "/healthz") == 0)
		say(reply, HTTP_OK, OK_LINE);
	else
		say(reply, HTTP_NOT_FOUND, "/metrics, /healthz, /readyz\n");
}

static void on_retry(void *owner);

/* err tells why not. */
static int listen_now(struct metrics *metrics, struct err *err)
{
	const struct control *control = &metrics->control;
	struct address_text address;
	int r = address_text_parse(control->options->metrics, &address);

	if (r < 0)
		return err_set(err, r, "--metrics takes another form");
	r = listener_new(
		&(struct listener_settings){ .loop = control->loop,
					     .address = &address.address,
					     .length = address.length,
					     .answer = on_request,
					     .owner = metrics },
		&metrics->listener, err);
	if (r == 0) {
		log_info("metrics are served", "address=%s port=%u",
			 control->options->metrics,
			 listener_port(metrics->listener));
		return 0;
	}
	metrics->retry = loop_timer(
		control->loop, loop_now_ms(control->loop) + METRICS_RETRY_MS,
		on_retry, metrics);
	return err_wrap(err, "--metrics %s", control->options->metrics);
}

/* The log has why not from the first time. */
static void on_retry(void *owner)
{
	struct metrics *metrics = owner;
	struct err err;

	metrics->retry = NULL;
	if (listen_now(metrics, &err) < 0)
		log_debug("metrics are still not served", "error=%s", err.text);
}

int metrics_new(const struct control *control, struct metrics **ret,
		struct err *err)
{
	struct metrics *metrics;
	int r;

	if (!control->options->metrics)
		return 0;
	metrics = calloc(1, sizeof(*metrics));
	if (!metrics)
		return err_set(err, -ENOMEM, "no memory");
	metrics->control = *control;
	r = listen_now(metrics, err);
	if (r == -ENOSYS)
		metrics_free(metrics);
	else
		*ret = metrics;
	return r;
}

void metrics_free(struct metrics *metrics)
{
	if (!metrics)
		return;
	listener_free(metrics->listener);
	loop_timer_cancel(metrics->retry);
	free(metrics->text);
	free(metrics);
}

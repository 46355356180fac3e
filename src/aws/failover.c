/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A call goes from place to place and waits for one of them at a time. What is
 * remembered of a want is how new its value in the first place was, and where
 * it was answered last.
 */
#include "aws/failover.h"
#include "aws/memory.h"
#include "aws/want.h"
#include "base/err.h"
#include "base/macros.h"
#include "loop/loop.h"
#include "store/source.h"
#include "store/value.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct failover {
	struct source source;
	struct loop *loop;
	struct failover_place places[FAILOVER_PLACES_MAX];
	size_t count;
	int64_t timeout_ms;
	const char *name; /* or NULL, as is the stage */
	const char *stage;
	struct memories *memories;
	char *identity;
	char texts[];
};

struct source_call {
	struct failover *failover;
	struct source_want want; /* its texts stand in texts */
	const char *version;	 /* to confirm; NULL: it is a fetch */
	size_t place;
	int64_t deadline_ms;

	struct source_call *inner; /* what is waited for, until: */
	struct loop_timer *limit;

	struct err failure; /* of the first place, and what came after */
	source_on_value *on_value;
	source_on_confirmed *on_confirmed;
	void *owner;
	char texts[];
};

static void note_answer(const struct source_call *call,
			const struct value *value)
{
	memories_note(call->failover->memories, &call->want, call->place,
		      value);
}

/* Of another secret than the first place's nothing can be said. */
static bool is_behind(const struct source_call *call, const struct value *value)
{
	const struct failover *failover = call->failover;

	return call->place > 0 && !failover->name && !call->want.version &&
	       memories_is_older(failover->memories, &call->want, value,
				 FAILOVER_TRUST_MS);
}

static void stop_waiting(struct source_call *call)
{
	loop_timer_cancel(TAKE(call->limit));
	call->inner = NULL;
}

static void end(struct source_call *call, struct value *value, bool is_current,
		const struct err *err)
{
	source_on_value *on_value = call->on_value;
	source_on_confirmed *on_confirmed = call->on_confirmed;
	void *owner = call->owner;
	bool is_confirmation = call->version != NULL;
	struct err failure = { 0 };

	if (err)
		failure = *err;
	free(call);
	if (is_confirmation)
		on_confirmed(owner, is_current, err ? &failure : NULL);
	else
		on_value(owner, value, err ? &failure : NULL);
}

static bool can_be_mended(const struct err *err)
{
	return err->code == -EIO || err->code == -EBUSY;
}

static const char *region_of_place(const struct source_call *call)
{
	return call->failover->places[call->place].region;
}

/* The code stays the first place's. */
static void note_failure(struct source_call *call, const char *text)
{
	struct err *failure = &call->failure;
	size_t length = strlen(failure->text);

	(void)snprintf(failure->text + length, sizeof(failure->text) - length,
		       "%s%s: %s", length ? "; " : "", region_of_place(call),
		       text);
}

static int ask_place(struct source_call *call);

/* The place could not help: the next one, or the end. */
static void go_on(struct source_call *call, const char *text)
{
	note_failure(call, text);
	call->place++;
	if (call->place < call->failover->count && ask_place(call) == 0)
		return;
	end(call, NULL, false, &call->failure);
}

/* An error that ends the call, or is the first place's that others may mend. */
static void on_error(struct source_call *call, const struct err *err)
{
	if (call->place == 0 && !can_be_mended(err)) {
		if (err->code != -ENOSYS)
			note_answer(call, NULL);
		end(call, NULL, false, err);
		return;
	}
	if (call->place == 0)
		call->failure.code = err->code;
	go_on(call, err->text);
}

static void on_limit(void *owner)
{
	struct source_call *call = owner;
	struct source_call *inner = call->inner;
	const struct failover *failover = call->failover;
	struct err err;

	call->limit = NULL;
	call->inner = NULL;
	failover->places[call->place].source->operations->cancel(inner);
	(void)err_set(&err, -EIO, "no answer in its share of %.1f s",
		      (double)failover->timeout_ms / 1000);
	on_error(call, &err);
}

static void on_value(void *owner, struct value *value, const struct err *err)
{
	struct source_call *call = owner;

	stop_waiting(call);
	if (err) {
		on_error(call, err);
	} else if (is_behind(call, value)) {
		go_on(call, "its value is older than the last one");
	} else {
		note_answer(call, value);
		end(call, value, false, NULL);
	}
}

static void on_confirmed(void *owner, bool is_current, const struct err *err)
{
	struct source_call *call = owner;

	stop_waiting(call);
	if (err) {
		on_error(call, err);
	} else if (call->place > 0 && !is_current) {
		go_on(call, "it has another version");
	} else {
		note_answer(call, NULL);
		end(call, NULL, is_current, NULL);
	}
}

/* arn:PARTITION:SERVICE:REGION:..., with another region; a name as it is. NULL:
 * no memory. */
static char *move_arn(const char *name, const char *region)
{
	const char *from = name;
	char *moved;

	if (strncmp(name, "arn:", strlen("arn:")) != 0)
		return strdup(name);
	for (unsigned colons = 0; colons < 3; colons++) {
		from = strchr(from, ':');
		if (!from)
			return strdup(name);
		from++;
	}
	if (asprintf(&moved, "%.*s%s%s", (int)(from - name), name, region,
		     strchrnul(from, ':')) < 0)
		return NULL;
	return moved;
}

/* What the place is asked for, the name in an allocation of its own. */
static int want_there(const struct source_call *call, struct source_want *ret,
		      char **ret_name)
{
	const struct failover *failover = call->failover;
	bool is_other = call->place > 0 && failover->name;

	*ret = call->want;
	if (is_other && failover->stage)
		ret->stage = failover->stage;
	*ret_name = call->place > 0
			    ? move_arn(is_other ? failover->name : ret->name,
				       region_of_place(call))
			    : strdup(ret->name);
	ret->name = *ret_name;
	return *ret_name ? 0 : -ENOMEM;
}

/* Each has an equal share of what is left. */
static int set_limit(struct source_call *call)
{
	const struct failover *failover = call->failover;
	int64_t now_ms = loop_now_ms(failover->loop);
	int64_t share_ms = (call->deadline_ms - now_ms) /
			   (int64_t)(failover->count - call->place);

	call->limit =
		loop_timer(failover->loop, now_ms + share_ms, on_limit, call);
	return call->limit ? 0 : -ENOMEM;
}

static int ask_place(struct source_call *call)
{
	struct source *source = call->failover->places[call->place].source;
	struct source_want want;
	char *name;

	if (want_there(call, &want, &name) < 0)
		return -ENOMEM;
	if (set_limit(call) == 0)
		call->inner = call->version
				      ? source->operations->confirm(
						source, &want, call->version,
						on_confirmed, call)
				      : source->operations->fetch(
						source, &want, on_value, call);
	free(name);
	if (call->inner)
		return 0;
	loop_timer_cancel(TAKE(call->limit));
	return -ENOMEM;
}

/* NULL: no memory. */
static struct source_call *new_call(struct source *base,
				    const struct source_want *want,
				    const char *version)
{
	struct failover *failover = CONTAINER_OF(base, struct failover, source);
	size_t size = version ? strlen(version) + 1 : 0;
	struct source_call *call =
		calloc(1, sizeof(*call) + want_texts_size(want) + size);
	char *to;

	if (!call)
		return NULL;
	to = want_copy(want, call->texts, &call->want);
	if (version)
		call->version = memcpy(to, version, size);
	call->failover = failover;
	call->deadline_ms = loop_now_ms(failover->loop) + failover->timeout_ms;
	return call;
}

static struct source_call *begin(struct source_call *call)
{
	if (ask_place(call) == 0)
		return call;
	free(call);
	return NULL;
}

static struct source_call *fetch(struct source *base,
				 const struct source_want *want,
				 source_on_value *on_value_there, void *owner)
{
	struct source_call *call = new_call(base, want, NULL);

	if (!call)
		return NULL;
	call->on_value = on_value_there;
	call->owner = owner;
	return begin(call);
}

static struct source_call *confirm(struct source *base,
				   const struct source_want *want,
				   const char *version,
				   source_on_confirmed *on_confirmed_there,
				   void *owner)
{
	struct source_call *call = new_call(base, want, version);

	if (!call)
		return NULL;
	call->on_confirmed = on_confirmed_there;
	call->owner = owner;
	return begin(call);
}

static void cancel(struct source_call *call)
{
	struct source *source;

	if (!call)
		return;
	source = call->failover->places[call->place].source;
	loop_timer_cancel(call->limit);
	source->operations->cancel(call->inner);
	free(call);
}

static const char *where(const struct source *base,
			 const struct source_want *want)
{
	const struct failover *failover = (const struct failover *)base;
	size_t place = memories_place(failover->memories, want);

	return failover->places[place].region;
}

static void free_failover(struct source *base)
{
	struct failover *failover;

	if (!base)
		return;
	failover = CONTAINER_OF(base, struct failover, source);
	memories_free(failover->memories);
	free(failover->identity);
	free(failover);
}

static const struct source_operations operations = {
	.fetch = fetch,
	.confirm = confirm,
	.cancel = cancel,
	.where = where,
	.free = free_failover,
};

/* Of sources that have no such question. */
static const struct source_operations operations_without_confirm = {
	.fetch = fetch,
	.cancel = cancel,
	.where = where,
	.free = free_failover,
};

static size_t size_of(const char *text)
{
	return text ? strlen(text) + 1 : 0;
}

static size_t texts_size(const struct failover_settings *settings)
{
	size_t size = size_of(settings->name) + size_of(settings->stage);

	for (size_t i = 0; i < settings->count; i++)
		size += size_of(settings->places[i].region);
	return size;
}

/* Returns the copy, NULL for NULL, and moves `to` behind it. */
static const char *copy_text(char **to, const char *text)
{
	size_t size = size_of(text);
	const char *copy = text ? memcpy(*to, text, size) : NULL;

	*to += size;
	return copy;
}

static void copy_settings(struct failover *failover,
			  const struct failover_settings *settings)
{
	char *to = failover->texts;

	failover->count = settings->count;
	failover->timeout_ms = settings->timeout_ms;
	failover->name = copy_text(&to, settings->name);
	failover->stage = copy_text(&to, settings->stage);
	for (size_t i = 0; i < settings->count; i++)
		failover->places[i] = (struct failover_place){
			.source = settings->places[i].source,
			.region = copy_text(&to, settings->places[i].region),
		};
}

/* All that are asked, and for what. 0 or -ENOMEM. */
static int set_identity(struct failover *failover)
{
	char *identity = NULL;

	if (asprintf(&identity, "failover %s %s",
		     failover->name ? failover->name : "",
		     failover->stage ? failover->stage : "") < 0)
		return -ENOMEM;
	for (size_t i = 0; i < failover->count; i++) {
		char *longer = NULL;
		int r = asprintf(&longer, "%s | %s", identity,
				 failover->places[i].source->identity);

		free(identity);
		if (r < 0)
			return -ENOMEM;
		identity = longer;
	}
	failover->identity = identity;
	failover->source.identity = identity;
	return 0;
}

int failover_new(struct loop *loop, const struct failover_settings *settings,
		 struct source **ret, struct err *err)
{
	const struct source *first = settings->places[0].source;
	struct failover *failover =
		calloc(1, sizeof(*failover) + texts_size(settings));

	if (!failover)
		return err_set(err, -ENOMEM, "no memory for a source");
	failover->loop = loop;
	failover->source.operations = first->operations->confirm
					      ? &operations
					      : &operations_without_confirm;
	failover->source.grace_ms = first->grace_ms;
	failover->source.has_no_stages = first->has_no_stages;
	copy_settings(failover, settings);
	failover->memories = memories_new(loop);
	if (!failover->memories || set_identity(failover) < 0) {
		free_failover(&failover->source);
		return err_set(err, -ENOMEM, "no memory for a source");
	}
	*ret = &failover->source;
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Holds each call open until the test ends it. */
#include "tests/test.h"

#include "tests/fake_source.h"

#include "base/err.h"
#include "base/secret.h"
#include "store/value.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct source_call *open_call(struct source *base, const char *name,
				     void *owner)
{
	struct fake_source *source = (struct fake_source *)base;
	struct source_call *call = calloc(1, sizeof(*call));

	assert_true(source->open_count < FAKE_CALLS_MAX);
	if (!call)
		return NULL;
	call->source = source;
	call->owner = owner;
	(void)snprintf(call->name, sizeof(call->name), "%s", name);
	source->open[source->open_count++] = call;
	source->fetches++;
	return call;
}

static void close_call(struct source_call *call)
{
	struct fake_source *source = call->source;
	size_t i = 0;

	while (source->open[i] != call)
		i++;
	source->open_count--;
	for (; i < source->open_count; i++)
		source->open[i] = source->open[i + 1];
	free(call);
}

static struct source_call *fetch(struct source *base,
				 const struct source_want *want,
				 source_on_value *on_value, void *owner)
{
	struct source_call *call = open_call(base, want->name, owner);

	if (!call)
		return NULL;
	(void)snprintf(call->version, sizeof(call->version), "%s",
		       want->version ? want->version : "");
	(void)snprintf(call->stage, sizeof(call->stage), "%s",
		       want->stage ? want->stage : "");
	call->on_value = on_value;
	return call;
}

static struct source_call *
confirm(struct source *base, const struct source_want *want,
	const char *version, source_on_confirmed *on_confirmed, void *owner)
{
	struct source_call *call = open_call(base, want->name, owner);

	(void)snprintf(call->version, sizeof(call->version), "%s", version);
	call->on_confirmed = on_confirmed;
	call->source->confirms++;
	return call;
}

static struct source_call *list(struct source *base, const char *prefix,
				source_on_listing *on_listing, void *owner)
{
	struct source_call *call = open_call(base, prefix, owner);

	if (!call)
		return NULL;
	call->is_listing = true;
	call->on_listing = on_listing;
	return call;
}

static void cancel(struct source_call *call)
{
	call->source->cancels++;
	close_call(call);
}

static const struct source_operations operations = {
	.fetch = fetch,
	.list = list,
	.cancel = cancel,
};

static const struct source_operations confirming_operations = {
	.fetch = fetch,
	.confirm = confirm,
	.list = list,
	.cancel = cancel,
};

void fake_source_can_confirm(struct fake_source *source)
{
	source->base.operations = &confirming_operations;
}

void fake_source_init(struct fake_source *source, const char *identity)
{
	*source = (struct fake_source){
		.base = { .operations = &operations, .identity = identity },
		.created_ns = 1000000000,
	};
}

/* name NULL: the oldest one. */
static struct source_call take(struct fake_source *source, const char *name)
{
	struct source_call call;
	size_t i = 0;

	while (name && i < source->open_count &&
	       strcmp(source->open[i]->name, name) != 0)
		i++;
	assert_true(i < source->open_count);
	call = *source->open[i];
	close_call(source->open[i]);
	return call;
}

void fake_source_confirm(struct fake_source *source, bool is_current)
{
	struct source_call call = take(source, NULL);

	assert_non_null(call.on_confirmed);
	call.on_confirmed(call.owner, is_current, NULL);
}

void fake_source_answer_for(struct fake_source *source, const char *name,
			    const char *version, const char *text)
{
	struct source_call call = take(source, name);
	struct secret *secret = secret_new(text, strlen(text));
	struct value_about about = { .version = version,
				     .arn = source->arn,
				     .created_ns = source->created_ns };
	struct value *value = value_new(secret, &about);

	secret_unref(secret);
	call.on_value(call.owner, value, NULL);
	value_unref(value);
}

void fake_source_answer(struct fake_source *source, const char *version,
			const char *text)
{
	fake_source_answer_for(source, NULL, version, text);
}

void fake_source_answer_names(struct fake_source *source,
			      struct listing *listing)
{
	struct source_call call = take(source, NULL);

	call.on_listing(call.owner, listing, NULL);
}

void fake_source_fail_for(struct fake_source *source, const char *name,
			  int code)
{
	struct source_call call = take(source, name);
	struct err err;

	err_set(&err, code, "the fake says %d", code);
	if (call.on_confirmed)
		call.on_confirmed(call.owner, false, &err);
	else if (call.is_listing)
		call.on_listing(call.owner, NULL, &err);
	else
		call.on_value(call.owner, NULL, &err);
}

void fake_source_fail(struct fake_source *source, int code)
{
	fake_source_fail_for(source, NULL, code);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* credential_process ("Process credential provider", AWS SDKs and Tools
 * Reference Guide): a command whose output is JSON with keys. */
#include "aws/commands.h"
#include "aws/environment.h"
#include "aws/key_provider.h"
#include "aws/key_providers.h"
#include "aws/keys.h"
#include "aws/keys_json.h"
#include "aws/profile_chain.h"
#include "base/err.h"
#include "base/jdoc.h"
#include "base/macros.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

struct process_keys {
	struct key_provider provider;
	struct key_context context;
	const char *profile;
	const char *command;
};

struct key_call {
	struct process_keys *self;
	struct command_call *command_call;
	key_provider_on_keys *on_keys;
	void *owner;
};

static struct process_keys *of(struct key_provider *provider)
{
	return CONTAINER_OF(provider, struct process_keys, provider);
}

static int wrap(const struct process_keys *self, struct err *err)
{
	return err_wrap(err, "profile '%.128s', credential_process",
			self->profile);
}

static bool is_version_1(const struct jdoc *doc)
{
	jdoc_node node = jdoc_find(doc, 0, "Version");
	int64_t version = 0;

	return jdoc_type(doc, node) == JDOC_NUMBER &&
	       jdoc_integer(doc, node, &version) == 0 && version == 1;
}

static int read_keys(const char *output, size_t length, struct keys **ret,
		     struct err *err)
{
	static const struct keys_members members = {
		.id = "AccessKeyId",
		.secret = "SecretAccessKey",
		.token = "SessionToken",
		.expires = "Expiration",
		.is_lasting = true,
	};
	cleanup_jdoc struct jdoc *doc = NULL;
	int r = jdoc_parse(output, length, &doc, NULL);

	if (r == 0 && !is_version_1(doc))
		return err_set(err, -ENOKEY, "its Version is not 1");
	if (r == 0)
		r = keys_json_read(doc, 0, &members, ret);
	if (r == -ENOMEM)
		return err_set(err, r, "no memory for its output");
	return r < 0 ? err_set(err, -ENOKEY, "output without usable keys") : 0;
}

static void on_output(void *owner, const char *output, size_t length,
		      const struct err *err)
{
	cleanup_keys struct keys *keys = NULL;
	struct key_call *call = owner;
	const struct key_call ended = *call;
	struct err failure;
	int r;

	free(call);
	if (output) {
		r = read_keys(output, length, &keys, &failure);
	} else {
		failure = *err;
		r = failure.code;
	}
	if (r < 0)
		(void)wrap(ended.self, &failure);
	ended.on_keys(ended.owner, keys, r < 0 ? &failure : NULL);
}

/* The command has its own, longer time. */
static struct key_call *start(struct key_provider *provider, int64_t timeout_ms,
			      key_provider_on_keys *on_keys, void *owner,
			      struct err *err)
{
	struct process_keys *self = of(provider);
	struct key_call *call = calloc(1, sizeof(*call));

	(void)timeout_ms;
	if (!call) {
		(void)err_set(err, -ENOMEM, "no memory to run a command");
		return NULL;
	}
	call->self = self;
	call->on_keys = on_keys;
	call->owner = owner;
	call->command_call = command_start(self->context.environment->commands,
					   self->command, on_output, call, err);
	if (call->command_call)
		return call;
	(void)wrap(self, err);
	free(call);
	return NULL;
}

static void cancel(struct key_call *call)
{
	if (!call)
		return;
	command_cancel(call->command_call);
	free(call);
}

static void free_provider(struct key_provider *provider)
{
	free(of(provider));
}

static const struct key_provider_operations operations = {
	.start = start,
	.cancel = cancel,
	.free = free_provider,
};

int process_keys_new(const struct key_context *context,
		     const struct profile_chain *chain,
		     struct key_provider **ret, struct err *err)
{
	struct process_keys *self;
	int r;

	if (!context->environment->commands)
		return err_set(err, -EINVAL,
			       "profile '%.128s': credential_process is run "
			       "only with --allow-credential-process when "
			       "root mounts",
			       chain->profile);
	self = calloc(1, sizeof(*self));
	if (!self)
		return err_set(err, -ENOMEM, "no memory for a process");
	self->provider.operations = &operations;
	self->provider.name = "process";
	self->context = *context;
	self->profile = chain->profile;
	self->command = chain->process;
	r = key_provider_name(&self->provider, "process of profile",
			      chain->profile, err);
	if (r < 0)
		key_provider_free(&self->provider);
	else
		*ret = &self->provider;
	return r;
}

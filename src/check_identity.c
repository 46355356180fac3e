/* SPDX-License-Identifier: Apache-2.0 */
/* The chain of providers as a mount has it, its notes made into lines, and the
 * one that was chosen asked once. */
#include "check_identity.h"
#include "aws/key_chain.h"
#include "aws/key_provider.h"
#include "aws/keys.h"
#include "base/clock.h"
#include "base/err.h"
#include "command.h"
#include "config/options.h"
#include "keeper/privileges.h"
#include "loop/loop.h"
#include "provider.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define EXIT_UNREAD 3
#define TIME_SIZE 32

struct identity {
	struct clock clock;
	struct loop *loop;
	struct provider *provider;
	struct provider_context context;
	struct key_chain chain;
	bool has_ended;
	int exit_code;
};

/* Names come from files: nothing in them may steer a terminal. */
static void print(const char *text)
{
	for (; *text != '\0'; text++)
		(void)putchar((unsigned char)*text < ' ' || *text == 0x7f
				      ? '?'
				      : *text);
}

static void print_line(const char *what, const char *text)
{
	(void)printf("%s: ", what);
	print(text);
	(void)putchar('\n');
}

static void print_notes(const struct key_chain *chain)
{
	for (size_t i = 0; i < chain->note_count; i++) {
		const struct key_chain_note *note = &chain->notes[i];

		if (note->why.code < 0) {
			print_line(note->what, note->why.text);
			continue;
		}
		(void)printf("%s: serves, by %s\n", note->what,
			     chain->chosen->name);
		print_line("as", chain->chosen->identity);
	}
}

static void print_end(const struct identity *identity, const struct keys *keys)
{
	int64_t end_s = keys_expires_s(keys);
	int64_t left_s = end_s - clock_wall_s(&identity->clock);
	time_t end = (time_t)end_s;
	char text[TIME_SIZE] = "";
	struct tm parts;

	if (end_s == 0) {
		(void)puts("keys: without an end");
		return;
	}
	if (gmtime_r(&end, &parts))
		(void)strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ",
			       &parts);
	(void)printf("keys: until %s (%lld s from now)\n", text,
		     (long long)left_s);
}

static void on_keys(void *owner, struct keys *keys, const struct err *err)
{
	struct identity *identity = owner;

	identity->has_ended = true;
	if (keys) {
		if (identity->chain.chosen->role)
			print_line("role", identity->chain.chosen->role);
		print_end(identity, keys);
		return;
	}
	print_line("keys", err->text);
	identity->exit_code = EXIT_UNREAD;
}

static int ask(struct identity *identity, int64_t timeout_ms, struct err *err)
{
	struct key_provider *chosen = identity->chain.chosen;
	int r = 0;

	if (!chosen)
		return err_set(err, -EINVAL, "nobody serves");
	if (!chosen->operations->start(chosen, timeout_ms, on_keys, identity,
				       err)) {
		on_keys(identity, NULL, err);
		return 0;
	}
	while (r == 0 && !identity->has_ended)
		r = loop_turn(identity->loop, -1);
	return r < 0 ? err_set(err, r, "cannot wait: %s", strerrordesc_np(-r))
		     : 0;
}

static int start(struct identity *identity, const struct options *options,
		 struct err *err)
{
	struct err less;

	/* no core file; what can be locked is as much as is allowed */
	(void)privileges_set_limits(&less);
	identity->loop = loop_new(&identity->clock);
	if (identity->loop)
		identity->provider = provider_new(identity->loop, options);
	if (!identity->provider)
		return err_set(err, -ENOMEM, "no memory");
	return provider_get_context(identity->provider, &identity->context,
				    err);
}

static int run(struct identity *identity, const struct options *options,
	       struct err *err)
{
	int r = start(identity, options, err);

	if (r < 0)
		return r;
	print_line("region", identity->context.region);
	r = key_chain_choose(&identity->context.keys, &identity->chain, err);
	print_notes(&identity->chain);
	return r < 0 ? r : ask(identity, options->timeout_ms, err);
}

int check_identity(const struct options *options)
{
	struct identity identity = { 0 };
	struct err err;

	if (run(&identity, options, &err) < 0) {
		command_complain("check: %s", err.text);
		identity.exit_code = EXIT_FAILURE;
	}
	key_provider_free(identity.chain.chosen);
	provider_free(identity.provider);
	if (identity.loop)
		loop_free(identity.loop);
	return identity.exit_code;
}

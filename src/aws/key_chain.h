/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AWS_KEY_CHAIN_H
#define AWS_KEY_CHAIN_H

#include "base/err.h"

#include <stddef.h>

struct key_context;
struct key_provider;

/*
 * Which provider serves: keys in the environment, the profile of AWS_PROFILE,
 * web identity of the environment, the default profile, the container, the
 * instance. The first that is configured is the one, also where it fails: to go
 * on would be to work as somebody else. A profile that was chosen by an option
 * comes before all of them.
 */

#define KEY_CHAIN_MAX 8

struct key_chain_note {
	const char *what; /* "AWS_PROFILE"; constant */
	struct err why;	  /* it does not serve; code 0: it does */
};

struct key_chain {
	struct key_provider *chosen; /* for key_provider_free() */
	struct key_chain_note notes[KEY_CHAIN_MAX]; /* in their order */
	size_t note_count;
};

/*
 * Asks nobody. -EACCES: none is configured, err says what was looked for;
 * -EINVAL or another code of the provider that is configured and cannot serve;
 * -ENOMEM. The notes are filled in either case.
 */
int key_chain_choose(const struct key_context *context, struct key_chain *ret,
		     struct err *err);

#endif

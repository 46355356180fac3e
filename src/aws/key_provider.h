/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AWS_KEY_PROVIDER_H
#define AWS_KEY_PROVIDER_H

#include <stdbool.h>
#include <stdint.h>

struct aws_environment;
struct err;
struct keys;
struct loop;
struct retry;
struct skew;

/*
 * One way to get keys. credentials.h asks it, one question at a time, and keeps
 * what it gives.
 */

struct key_call; /* each provider's own */
struct key_provider;

/* keys is borrowed (ref it to keep it), and NULL exactly where err is not. */
typedef void key_provider_on_keys(void *owner, struct keys *keys,
				  const struct err *err);

struct key_provider_operations {
	/*
	 * Asks for keys; timeout_ms is for the whole call. It ends exactly
	 * once: in on_keys, never before this returns, or in cancel. NULL with
	 * err filled where it could not begin. Codes: -ENOKEY for what is
	 * missing on this side, others as in refusal.h and net/retry.h.
	 */
	struct key_call *(*start)(struct key_provider *provider,
				  int64_t timeout_ms,
				  key_provider_on_keys *on_keys, void *owner,
				  struct err *err);
	void (*cancel)(struct key_call *call); /* NULL is allowed */

	/* Whether keys could be asked for now, told without the network: 0, or
	 * -ENOKEY with err filled. NULL: nothing can be told. */
	int (*check)(const struct key_provider *provider, struct err *err);

	/* Its calls must have ended. */
	void (*free)(struct key_provider *provider);
};

struct key_provider {
	const struct key_provider_operations *operations;
	const char *name; /* constant: "web identity" */
	char *identity;	  /* its own: as whom, "role ARN" */
	char *role;	  /* its own: that who gave keys last named, or NULL */
	int64_t keep_ms;  /* keys without an end are asked for anew; 0: never */
	bool is_constant; /* asking again brings the same keys */
	bool outlives_end; /* keys go on to be used while it gives no newer */
	bool is_regional;  /* keys are of the STS of the context's region */
};

/* What providers need; all borrowed as long as they live. */
struct key_context {
	struct loop *loop;
	struct retry *retry;
	const struct aws_environment *environment;
	const char *region; /* "" where none is known */
	struct skew *skew;
};

/* NULL is allowed. */
void key_provider_free(struct key_provider *provider);

/* Notes the role; nothing where there is no memory. */
void key_provider_note_role(struct key_provider *provider, const char *role);

/* Sets the identity: "WHAT NAME". 0, or -ENOMEM with err filled. */
int key_provider_name(struct key_provider *provider, const char *what,
		      const char *name, struct err *err);

#endif

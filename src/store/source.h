/* SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_SOURCE_H
#define STORE_SOURCE_H

#include <stdbool.h>
#include <stdint.h>

struct err;
struct listing;
struct value;

/*
 * What a provider of secrets must do. A third provider needs nothing but this.
 *
 * - A call ends exactly once: in its callback, or in source_cancel().
 * - A callback never runs before the call that set it returns.
 * - Error codes are those that a reader will get: ENOENT, EACCES, EIO,
 *   EBADMSG, EFBIG. EIO is for what may pass by itself; the others are
 *   definite.
 * - Two codes more may pass as well. EBUSY is told to readers as EIO: the
 *   service is there, but throttles or fails, so that asking less often is what
 *   helps it. ENOKEY is told as EACCES: what is needed to ask is missing here,
 *   a token file say, so nobody has refused anything. ENOMEM may pass too.
 */

/* What a secret has at this stage when nobody says which. */
#define SOURCE_STAGE_CURRENT "AWSCURRENT"

/*
 * Which secret, and which of its versions. With both a version and a stage the
 * version must have that stage, as far as the provider can tell; with a version
 * alone, it may have any or none.
 */
struct source_want {
	const char *name;
	const char *version; /* NULL: whichever has the stage */
	const char *stage;   /* NULL: SOURCE_STAGE_CURRENT, unless a version
			      * is given */
};

struct source;
struct source_call; /* a provider embeds or is one; opaque to callers */

/* value is borrowed (ref it to keep it), and NULL exactly where err is not. */
typedef void source_on_value(void *owner, struct value *value,
			     const struct err *err);

/* Likewise for the names directly below a prefix. */
typedef void source_on_listing(void *owner, struct listing *listing,
			       const struct err *err);

/* is_current is set where the want still leads to the version that was asked
 * about; err as above. -ENOSYS: only a fetch can tell. */
typedef void source_on_confirmed(void *owner, bool is_current,
				 const struct err *err);

/* What is cached of name may be old, whatever its version or stage. A prefix
 * ("" or "a/b/") means its listing, NULL everything that the source ever
 * gave. */
typedef void source_on_change(void *owner, struct source *source,
			      const char *name);

/* What failed for want of an answer may be answered now. It asks for nothing
 * before the loop turns. */
typedef void source_on_return(void *owner, struct source *source);

struct source_operations {
	/* NULL: no memory. want is borrowed for the call only. */
	struct source_call *(*fetch)(struct source *source,
				     const struct source_want *want,
				     source_on_value *on_value, void *owner);

	/* Asks whether the want still leads to that version (value_version()),
	 * which costs less than a fetch and needs no right to read. NULL where
	 * the provider has no such question. */
	struct source_call *(*confirm)(struct source *source,
				       const struct source_want *want,
				       const char *version,
				       source_on_confirmed *on_confirmed,
				       void *owner);

	/* prefix: "" or "a/b/". NULL where the provider cannot list. */
	struct source_call *(*list)(struct source *source, const char *prefix,
				    source_on_listing *on_listing, void *owner);

	/* Which of several places answered for the want last, or will be asked
	 * first; borrowed until the next call ends. NULL where there is but
	 * one. */
	const char *(*where)(const struct source *source,
			     const struct source_want *want);

	/* The callback of this call will not run. */
	void (*cancel)(struct source_call *call);

	/* Every call must have ended. */
	void (*free)(struct source *source);
};

/* Embedded by the provider as its first member. */
struct source {
	const struct source_operations *operations;

	/* Who asks, and where: part of every cache key, so that no value is
	 * ever served across identities. Constant for the source's life. */
	const char *identity;

	/* The longest time that a value may be taken for current; 0: no bound
	 * of the provider's own. */
	int64_t max_ttl_ms;

	/* How long a value is served after the source began to refuse it, since
	 * a refusal may be a passing one that looks definite. */
	int64_t grace_ms;

	/* Nothing of it is at a stage: what no want names is the latest. */
	bool has_no_stages;

	/* on_change is called for whatever changes: what is in use need not be
	 * confirmed because of max_ttl_ms. */
	bool tells_changes;

	/* Set by whoever knows that the place that is asked does not answer,
	 * and calls on_return when it does again: meanwhile one secret at a
	 * time is asked for, to find out. */
	bool is_away;

	/* Set by the cache; may be NULL. */
	source_on_change *on_change;
	source_on_return *on_return;
	void *on_change_owner; /* of both */
};

#endif

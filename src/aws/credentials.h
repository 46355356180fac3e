/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AWS_CREDENTIALS_H
#define AWS_CREDENTIALS_H

#include <stdbool.h>
#include <stdint.h>

struct aws_environment;
struct aws_reply;
struct err;
struct keys;
struct loop;
struct retry;
struct sts_role;

/*
 * Who we are to AWS: finds the first provider that is configured (key_chain.h)
 * and keeps its keys fresh.
 *
 * - Gets share one question to the provider.
 * - Each get ends exactly once: in its callback, or in credentials_cancel().
 * - A callback never runs before the credentials_get() that set it returns.
 * - Keys near their end are handed out while newer ones are fetched.
 */

/* A refresh begins when this much, or half of the lifetime if that is less, is
 * left, and up to a quarter of that time earlier. With less than the second, or
 * a quarter of the lifetime, the keys are not handed out any more. */
#define CREDENTIALS_REFRESH_MS (15L * 60 * 1000)
#define CREDENTIALS_UNUSABLE_MS (60L * 1000)

/* After a refresh has failed, the next one that nobody waits for. So long the
 * words of an STS that refuses a role are also told to who waits, without
 * asking it. */
#define CREDENTIALS_HOLD_OFF_MS (30L * 1000)

/* Keys that are used past their end, since their provider has no newer: the
 * next refresh, and up to as much later. */
#define CREDENTIALS_EXTENDED_MS (10L * 60 * 1000)

/* A get that waits ends so long before its deadline: whoever asks may have a
 * timer of the same moment, which could not say who it is that is silent. */
#define CREDENTIALS_MARGIN_MS 50

/* For one question. */
#define CREDENTIALS_TIMEOUT_MS (10L * 1000)

struct credentials;
struct credentials_get;

/* keys is borrowed (ref it to keep it), and NULL exactly where err is not. */
typedef void credentials_on_keys(void *owner, struct keys *keys,
				 const struct err *err);

/*
 * Chooses the provider; asks nobody yet. loop, retry and environment are
 * borrowed and outlive the credentials; the region is copied and says which
 * STS to ask. Codes are those of key_chain_choose().
 */
int credentials_new(struct loop *loop, struct retry *retry,
		    const struct aws_environment *environment,
		    const char *region, struct credentials **ret,
		    struct err *err);

/*
 * Makes them those of a role that the chosen one assumes, as a class may want
 * it; before the first get. role's texts are borrowed as long as the
 * credentials live, session_name and external_id may be NULL, token_file is not
 * used. The identity then tells both. On failure, -EINVAL or -ENOMEM with err
 * filled, only credentials_free() may follow.
 */
int credentials_assume(struct credentials *credentials,
		       const struct sts_role *role, struct err *err);

/* Every get must have ended. NULL is allowed. */
void credentials_free(struct credentials *credentials);

/* Keys that may be used now. deadline_ms is of loop_now_ms(); by then the get
 * ends with -ETIMEDOUT. Other codes are those of refusal.h and net/http.h.
 * NULL: no memory. */
struct credentials_get *credentials_get(struct credentials *credentials,
					int64_t deadline_ms,
					credentials_on_keys *on_keys,
					void *owner);

/* The question goes on, for others and for later. NULL is allowed. */
void credentials_cancel(struct credentials_get *get);

/* A service refused these keys: they will not be handed out again. Returns
 * whether a further get may bring others. */
bool credentials_drop(struct credentials *credentials, const struct keys *keys);

/* "role ARN", "key ID" or the like: what a value that these keys fetched may be
 * kept under. Constant, borrowed. */
const char *credentials_identity(const struct credentials *credentials);

/* Whether their keys are of the region's STS; else they are the same in all. */
bool credentials_are_regional(const struct credentials *credentials);

/* The time to sign for, since 1970: AWS's, as far as it is known (skew.h). */
int64_t credentials_now_s(const struct credentials *credentials);

/* Whether a refusal shows that the clock is wrong, which is corrected then:
 * asking again may help. */
bool credentials_learn_time(struct credentials *credentials,
			    const struct aws_reply *reply);

/* Whether keys could be asked for now, told without the network: for a warning
 * at mount time. 0, or -ENOKEY with err naming variable and file. */
int credentials_check(const struct credentials *credentials, struct err *err);

#endif

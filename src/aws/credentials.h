/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AWS_CREDENTIALS_H
#define AWS_CREDENTIALS_H

#include <stdbool.h>
#include <stdint.h>

struct aws_environment;
struct err;
struct keys;
struct loop;
struct retry;

/*
 * Who we are to AWS: finds the first provider that is configured and keeps its
 * keys fresh.
 *
 * Providers, in the order of the AWS SDKs: keys in the environment, then web
 * identity (AWS_WEB_IDENTITY_TOKEN_FILE and AWS_ROLE_ARN). One that is
 * configured and fails ends the search, since falling through to another would
 * work as somebody else. For the same reason what is not supported yet is
 * refused where it would be used.
 *
 * - Gets share one question to STS.
 * - Each get ends exactly once: in its callback, or in credentials_cancel().
 * - A callback never runs before the credentials_get() that set it returns.
 * - Keys near their end are handed out while newer ones are fetched.
 */

/* A refresh begins when this much, or half of the lifetime if that is less, is
 * left; with less than the second the keys are not handed out any more. */
#define CREDENTIALS_REFRESH_MS (15L * 60 * 1000)
#define CREDENTIALS_UNUSABLE_MS (60L * 1000)

/* After a refresh has failed, the next one that nobody waits for. */
#define CREDENTIALS_HOLD_OFF_MS (30L * 1000)

#define CREDENTIALS_STS_TIMEOUT_MS (10L * 1000)

struct credentials;
struct credentials_get;

/* keys is borrowed (ref it to keep it), and NULL exactly where err is not. */
typedef void credentials_on_keys(void *owner, struct keys *keys,
				 const struct err *err);

/*
 * Chooses the provider; asks nobody yet. loop, retry and environment are
 * borrowed and outlive the credentials; the region is copied and says which
 * STS to ask. -EINVAL with err filled for settings that are incomplete or not
 * supported, -EACCES where there are none (the text says what was looked for),
 * -ENOMEM.
 */
int credentials_new(struct loop *loop, struct retry *retry,
		    const struct aws_environment *environment,
		    const char *region, struct credentials **ret,
		    struct err *err);

/* Every get must have ended. NULL is allowed. */
void credentials_free(struct credentials *credentials);

/* Keys that may be used now. deadline_ms is of loop_now_ms(); past it the get
 * ends with -ETIMEDOUT. Other codes are those of refusal.h and net/http.h.
 * NULL: no memory. */
struct credentials_get *credentials_get(struct credentials *credentials,
					int64_t deadline_ms,
					credentials_on_keys *on_keys,
					void *owner);

/* The question to STS goes on, for others and for later. NULL is allowed. */
void credentials_cancel(struct credentials_get *get);

/* A service refused these keys: they will not be handed out again. Returns
 * whether a further get may bring others. */
bool credentials_drop(struct credentials *credentials, const struct keys *keys);

/* "role ARN" or "key ID": what a value that these keys fetched may be kept
 * under. Constant, borrowed. */
const char *credentials_identity(const struct credentials *credentials);

/* Whether keys could be asked for now, told without the network: for a warning
 * at mount time. 0, or -ENOKEY with err naming variable and file. */
int credentials_check(const struct credentials *credentials, struct err *err);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AWS_IDENTITIES_H
#define AWS_IDENTITIES_H

struct aws_environment;
struct credentials;
struct err;
struct loop;
struct retry;

/*
 * As whom AWS is asked, each identity once: whatever asks as the same one, be
 * it for secrets or parameters, in this region or that, shares its keys, and
 * the questions for them. A role's keys are of one region's STS, so that a
 * region that is silent takes no other's keys along.
 */

/* A role that is assumed with the keys that are found. */
struct aws_role {
	const char *arn;	 /* NULL: none */
	const char *external_id; /* NULL: none */
	unsigned duration_s;	 /* 0: what STS gives */
};

struct identities;

/* Asks nobody. All is borrowed and outlives the identities. NULL: no memory. */
struct identities *identities_new(struct loop *loop, struct retry *retry,
				  const struct aws_environment *environment);

/* Frees all credentials, whose gets must have ended. NULL is allowed. */
void identities_free(struct identities *identities);

struct loop *identities_loop(const struct identities *identities);
struct retry *identities_retry(const struct identities *identities);
const struct aws_environment *
identities_environment(const struct identities *identities);

/* The credentials for a region and a role, which is copied. Borrowed from the
 * identities; asked for again, they are the same. Asks nobody. Codes are those
 * of credentials_new() and credentials_assume(). */
int identities_get(struct identities *identities, const char *region,
		   const struct aws_role *role, struct credentials **ret,
		   struct err *err);

#endif

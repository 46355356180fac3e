/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_AWS_FIXTURE_H
#define TESTS_AWS_FIXTURE_H

#include "aws/environment.h"
#include "base/clock.h"
#include "net/retry.h"
#include "tests/fake_http.h"

/* A loop with a clock that stands still, a fake of the network, and an
 * environment that begins empty. */

#define FIXTURE_NOW_MS 1000000
#define FIXTURE_WALL_S 1795428672 /* 2026-11-23T10:11:12Z */

struct fixture {
	struct clock clock;
	struct loop *loop;
	struct http *http;
	struct retry *retry;
	struct identities *identities;
	uint32_t random; /* 0: retries begin at once */
	struct aws_environment environment;
	char token_file[64];
};

void fixture_init(struct fixture *fixture);

/* Fails where a call is still in flight. */
void fixture_done(struct fixture *fixture);

/* Static keys; token may be NULL. */
void fixture_set_keys(struct fixture *fixture, const char *token);

/* A role, and a token file that holds "eyJ.token". */
void fixture_set_role(struct fixture *fixture);

/* Runs what is due now, and what comes of it. */
void fixture_settle(struct fixture *fixture);

/* Moves both clocks, then settles. */
void fixture_advance(struct fixture *fixture, int64_t by_ms);

/* What STS answers in JSON: keys with this id until that time (decimal). */
#define FIXTURE_STS_BODY(id, expires)                                          \
	"{\"AssumeRoleWithWebIdentityResponse\":"                              \
	"{\"AssumeRoleWithWebIdentityResult\":{\"Credentials\":{"              \
	"\"AccessKeyId\":\"" id "\",\"SecretAccessKey\":\"s3cr3t\","           \
	"\"SessionToken\":\"IQoJtoken\",\"Expiration\":" expires "}}}}"

#endif

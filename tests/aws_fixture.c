/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/aws_fixture.h"

#include "aws/identities.h"
#include "base/err.h"
#include "loop/loop.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TURNS 20
#define CREDENTIAL_MAX 4096

static uint32_t draw(void *owner)
{
	const struct fixture *fixture = owner;

	return fixture->random;
}

void fixture_init(struct fixture *fixture)
{
	static const struct http_settings settings = { 0 };

	*fixture = (struct fixture){ 0 };
	clock_set(&fixture->clock, FIXTURE_NOW_MS, FIXTURE_WALL_S);
	fixture->loop = loop_new(&fixture->clock);
	assert(fixture->loop);
	fixture->http = http_new(fixture->loop, &settings, NULL);
	fixture->retry = retry_new(
		fixture->loop, fixture->http,
		&(struct retry_settings){ .random = draw, .owner = fixture });
	assert(fixture->retry);
	fixture->identities = identities_new(fixture->loop, fixture->retry,
					     &fixture->environment);
	assert(fixture->identities);
	buf_init(&fixture->environment.secret_key, CREDENTIAL_MAX);
	buf_init(&fixture->environment.session_token, CREDENTIAL_MAX);
	buf_init(&fixture->environment.container_token, CREDENTIAL_MAX);
	fixture->environment.region = "eu-west-1";
	fixture->environment.home = "/nonexistent";
	fixture->environment.metadata_disabled = "true";
}

void fixture_done(struct fixture *fixture)
{
	if (fixture->token_file[0] != '\0')
		(void)unlink(fixture->token_file);
	aws_environment_done(&fixture->environment);
	identities_free(fixture->identities);
	retry_free(fixture->retry);
	http_free(fixture->http);
	loop_free(fixture->loop);
}

void fixture_set_keys(struct fixture *fixture, const char *token)
{
	struct aws_environment *environment = &fixture->environment;

	environment->access_key_id = "AKIDEXAMPLE";
	assert(buf_append_text(&environment->secret_key,
			       "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY") ==
	       0);
	if (token)
		assert(buf_append_text(&environment->session_token, token) ==
		       0);
}

void fixture_set_role(struct fixture *fixture)
{
	static const char token[] = "eyJ.token\n";
	int fd;

	(void)snprintf(fixture->token_file, sizeof(fixture->token_file),
		       "/tmp/test_aws.XXXXXX");
	fd = mkstemp(fixture->token_file);
	assert(fd >= 0);
	assert(write(fd, token, strlen(token)) == (ssize_t)strlen(token));
	(void)close(fd);
	fixture->environment.role_arn = "arn:aws:iam::123456789012:role/app";
	fixture->environment.token_file = fixture->token_file;
	fixture->environment.session_name = "session";
}

void fixture_settle(struct fixture *fixture)
{
	for (unsigned i = 0; i < TURNS; i++)
		assert(loop_turn(fixture->loop, 0) == 0);
}

void fixture_advance(struct fixture *fixture, int64_t by_ms)
{
	clock_advance(&fixture->clock, by_ms);
	fixture_settle(fixture);
}

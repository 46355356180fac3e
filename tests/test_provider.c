/* SPDX-License-Identifier: Apache-2.0 */
/* Whoever asks the same place as the same caller gets the same source, however
 * that was said: the cache knows a source by its identity. */
#include "tests/test.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/macros.h"
#include "config/options.h"
#include "loop/loop.h"
#include "provider.h"
#include "store/source.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ARN(region) "arn:aws:secretsmanager:" region ":1:secret:app-a1B2c3"
#define ROLE "arn:aws:iam::1:role/app"

struct setup {
	struct clock clock;
	struct loop *loop;
	struct options options;
	struct provider *provider;
};

static void set_up(struct setup *setup, const char *region)
{
	*setup = (struct setup){ 0 };
	clock_set(&setup->clock, 1000000, 1700000000);
	setup->loop = loop_new(&setup->clock);
	assert_non_null(setup->loop);
	options_init(&setup->options);
	assert_int_equal(setenv("AWS_ACCESS_KEY_ID", "AKID", 1), 0);
	assert_int_equal(setenv("AWS_SECRET_ACCESS_KEY", "s3cr3t", 1), 0);
	assert_int_equal(setenv("AWS_CONFIG_FILE", "/dev/null", 1), 0);
	assert_int_equal(setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null", 1),
			 0);
	assert_int_equal(setenv("AWS_REGION", region, 1), 0);
	setup->provider = provider_new(setup->loop, &setup->options);
	assert_non_null(setup->provider);
}

static void tear_down(struct setup *setup)
{
	provider_free(setup->provider);
	loop_free(setup->loop);
}

/* NULL: it is refused. */
static struct source *find(struct setup *setup,
			   const struct provider_want *want)
{
	struct source *source = NULL;
	const char *region;
	struct err err = { 0 };
	int r = provider_aws(setup->provider, want, &source, &region, &err);

	assert_int_equal(r, err.code);
	return r == 0 ? source : NULL;
}

static void one_identity_is_one_source(void **state)
{
	static const struct {
		struct provider_want one;
		struct provider_want other;
		bool is_same;
	} cases[] = {
		{ { 0 }, { .region = "eu-west-1" }, true },
		{ { .region = "eu-west-1" }, { 0 }, true },
		{ { 0 }, { .name = ARN("eu-west-1") }, true },
		{ { 0 }, { .region = "us-east-1" }, false },
		{ { 0 }, { .is_parameter = true }, false },
		{ { .role_arn = ROLE },
		  { .role_arn = ROLE, .region = "eu-west-1" },
		  true },
		{ { .role_arn = ROLE },
		  { .role_arn = ROLE, .role_duration_s = 900 },
		  false },
		{ { .role_arn = ROLE },
		  { .role_arn = ROLE, .role_external_id = "x" },
		  false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct source *one;
		const struct source *other;
		struct setup setup;

		set_up(&setup, "eu-west-1");
		one = find(&setup, &cases[i].one);
		other = find(&setup, &cases[i].other);
		if (!one || !other) {
			fail_msg("case %zu is refused", i);
			return;
		}
		assert_true((one == other) == cases[i].is_same);
		assert_true((strcmp(one->identity, other->identity) == 0) ==
			    cases[i].is_same);
		assert_ptr_equal(find(&setup, &cases[i].other), other);
		tear_down(&setup);
	}
}

/* What one class says of its region is nothing that another one has said. */
static void an_arn_lends_its_region_to_nobody_else(void **state)
{
	const struct provider_want here = { .name = ARN("eu-west-1") };
	const struct provider_want there = { .name = ARN("us-east-1") };
	const struct provider_want nowhere = { .name = "app" };
	struct setup setup;

	(void)state;
	set_up(&setup, "");
	assert_null(find(&setup, &nowhere));
	assert_non_null(find(&setup, &here));
	assert_non_null(find(&setup, &there));
	assert_ptr_not_equal(find(&setup, &here), find(&setup, &there));
	assert_null(find(&setup, &nowhere));
	tear_down(&setup);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_identity_is_one_source),
		cmocka_unit_test(an_arn_lends_its_region_to_nobody_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

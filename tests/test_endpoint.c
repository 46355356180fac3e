/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include "aws/endpoint.h"
#include "aws/environment.h"
#include "aws/region.h"
#include "base/err.h"
#include "base/macros.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ARN                                                                    \
	"arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/db-a1B2c3"

static void check_host(enum aws_service service, const char *region,
		       const struct aws_environment *environment,
		       const char *host)
{
	struct endpoint endpoint;
	char url[ENDPOINT_URL_SIZE] = "https://";

	assert_int_equal(endpoint_find(service, region, NULL, environment,
				       &endpoint, NULL),
			 0);
	assert_string_equal(endpoint.host, host);
	assert_string_equal(endpoint.region, region);
	(void)strncat(url, host, 250);
	(void)strncat(url, "/", 2);
	assert_string_equal(endpoint.url, url);
	assert_memory_equal(endpoint.service, host, strlen(endpoint.service));
}

/* Of each partition what is different from the others', and of each service. */
static void knows_the_hosts_of_each_partition(void **state)
{
	enum { PLAIN, FIPS, DUALSTACK, BOTH };
	static const struct {
		int variant;
		const char *region;
		const char *secretsmanager;
		const char *ssm;
		const char *sts;
	} cases[] = {
		{ PLAIN, "eu-west-1", "secretsmanager.eu-west-1.amazonaws.com",
		  "ssm.eu-west-1.amazonaws.com",
		  "sts.eu-west-1.amazonaws.com" },
		{ FIPS, "us-east-1",
		  "secretsmanager-fips.us-east-1.amazonaws.com",
		  "ssm-fips.us-east-1.amazonaws.com",
		  "sts-fips.us-east-1.amazonaws.com" },
		{ DUALSTACK, "mx-central-1",
		  "secretsmanager.mx-central-1.amazonaws.com",
		  "ssm.mx-central-1.api.aws", "sts.mx-central-1.api.aws" },
		{ BOTH, "us-west-2",
		  "secretsmanager-fips.us-west-2.amazonaws.com",
		  "ssm-fips.us-west-2.api.aws", "sts-fips.us-west-2.api.aws" },
		{ PLAIN, "cn-north-1",
		  "secretsmanager.cn-north-1.amazonaws.com.cn",
		  "ssm.cn-north-1.amazonaws.com.cn",
		  "sts.cn-north-1.amazonaws.com.cn" },
		{ DUALSTACK, "cn-north-1",
		  "secretsmanager.cn-north-1.amazonaws.com.cn",
		  "ssm.cn-north-1.api.amazonwebservices.com.cn",
		  "sts.cn-north-1.api.amazonwebservices.com.cn" },
		{ BOTH, "cn-northwest-1",
		  "secretsmanager-fips.cn-northwest-1.api.amazonwebservices."
		  "com.cn",
		  "ssm-fips.cn-northwest-1.api.amazonwebservices.com.cn",
		  "sts-fips.cn-northwest-1.api.amazonwebservices.com.cn" },
		{ FIPS, "us-gov-west-1",
		  "secretsmanager-fips.us-gov-west-1.amazonaws.com",
		  "ssm.us-gov-west-1.amazonaws.com",
		  "sts.us-gov-west-1.amazonaws.com" },
		{ DUALSTACK, "us-gov-west-1",
		  "secretsmanager.us-gov-west-1.amazonaws.com",
		  "ssm.us-gov-west-1.api.aws", "sts.us-gov-west-1.api.aws" },
		{ BOTH, "us-gov-east-1",
		  "secretsmanager-fips.us-gov-east-1.amazonaws.com",
		  "ssm-fips.us-gov-east-1.api.aws",
		  "sts-fips.us-gov-east-1.api.aws" },
		{ PLAIN, "eusc-de-east-1",
		  "secretsmanager.eusc-de-east-1.amazonaws.eu",
		  "ssm.eusc-de-east-1.amazonaws.eu",
		  "sts.eusc-de-east-1.amazonaws.eu" },
		{ DUALSTACK, "eusc-de-east-1",
		  "secretsmanager.eusc-de-east-1.api.amazonwebservices.eu",
		  "ssm.eusc-de-east-1.api.amazonwebservices.eu",
		  "sts.eusc-de-east-1.api.amazonwebservices.eu" },
		{ FIPS, "us-iso-east-1",
		  "secretsmanager-fips.us-iso-east-1.c2s.ic.gov",
		  "ssm-fips.us-iso-east-1.c2s.ic.gov",
		  "sts-fips.us-iso-east-1.c2s.ic.gov" },
		{ DUALSTACK, "us-isob-east-1",
		  "secretsmanager.us-isob-east-1.api.aws.scloud",
		  "ssm.us-isob-east-1.api.aws.scloud",
		  "sts.us-isob-east-1.api.aws.scloud" },
		{ PLAIN, "eu-isoe-west-1",
		  "secretsmanager.eu-isoe-west-1.cloud.adc-e.uk",
		  "ssm.eu-isoe-west-1.cloud.adc-e.uk",
		  "sts.eu-isoe-west-1.cloud.adc-e.uk" },
		{ PLAIN, "us-isof-south-1",
		  "secretsmanager.us-isof-south-1.csp.hci.ic.gov",
		  "ssm.us-isof-south-1.csp.hci.ic.gov",
		  "sts.us-isof-south-1.csp.hci.ic.gov" },
		{ PLAIN, "aws-iso-b-global",
		  "secretsmanager.aws-iso-b-global.sc2s.sgov.gov",
		  "ssm.aws-iso-b-global.sc2s.sgov.gov",
		  "sts.aws-iso-b-global.sc2s.sgov.gov" },
		{ PLAIN, "xx-new-9", "secretsmanager.xx-new-9.amazonaws.com",
		  "ssm.xx-new-9.amazonaws.com", "sts.xx-new-9.amazonaws.com" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct aws_environment environment = {
			.use_fips = cases[i].variant & FIPS ? "true" : NULL,
			.use_dualstack =
				cases[i].variant & DUALSTACK ? "TRUE" : "false",
		};
		const char *const hosts[] = {
			[AWS_SERVICE_SECRETSMANAGER] = cases[i].secretsmanager,
			[AWS_SERVICE_SSM] = cases[i].ssm,
			[AWS_SERVICE_STS] = cases[i].sts,
		};

		for (size_t k = 0; k < ARRAY_SIZE(hosts); k++)
			check_host((enum aws_service)k, cases[i].region,
				   &environment, hosts[k]);
	}
}

static void knows_the_one_endpoint_that_sts_had(void **state)
{
	static const struct {
		const char *wish;
		const char *region;
		const char *host;
		const char *signed_for;
	} cases[] = {
		{ NULL, "eu-west-1", "sts.eu-west-1.amazonaws.com",
		  "eu-west-1" },
		{ "regional", "eu-west-1", "sts.eu-west-1.amazonaws.com",
		  "eu-west-1" },
		{ "legacy", "eu-west-1", "sts.amazonaws.com", "us-east-1" },
		{ "Legacy", "us-west-2", "sts.amazonaws.com", "us-east-1" },
		{ "legacy", "eu-south-1", "sts.eu-south-1.amazonaws.com",
		  "eu-south-1" },
		{ "legacy", "cn-north-1", "sts.cn-north-1.amazonaws.com.cn",
		  "cn-north-1" },
		{ NULL, "aws-global", "sts.amazonaws.com", "us-east-1" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct aws_environment environment = {
			.sts_regional_endpoints = cases[i].wish,
		};
		struct endpoint endpoint;

		assert_int_equal(endpoint_find(AWS_SERVICE_STS, cases[i].region,
					       NULL, &environment, &endpoint,
					       NULL),
				 0);
		assert_string_equal(endpoint.host, cases[i].host);
		assert_string_equal(endpoint.region, cases[i].signed_for);
		/* nobody else has one */
		assert_int_equal(endpoint_find(AWS_SERVICE_SSM, cases[i].region,
					       NULL, &environment, &endpoint,
					       NULL),
				 0);
		assert_string_equal(endpoint.region, cases[i].region);
	}
}

static void writes_an_override_anew(void **state)
{
	static const struct {
		const char *text;
		const char *url;
		const char *host;
	} cases[] = {
		{ "https://example.com", "https://example.com/",
		  "example.com" },
		{ "https://example.com/", "https://example.com/",
		  "example.com" },
		{ "HTTPS://Example.COM:443", "https://example.com/",
		  "example.com" },
		{ "https://vpce-0a-1b.secretsmanager.eu-west-1.vpce."
		  "amazonaws.com:8443/",
		  "https://vpce-0a-1b.secretsmanager.eu-west-1.vpce."
		  "amazonaws.com:8443/",
		  "vpce-0a-1b.secretsmanager.eu-west-1.vpce.amazonaws.com:"
		  "8443" },
		{ "https://10.1.2.3:00443", "https://10.1.2.3/", "10.1.2.3" },
		{ "https://[2001:DB8::1]:80", "https://[2001:db8::1]:80/",
		  "[2001:db8::1]:80" },
		{ "http://127.0.0.1:18411", "http://127.0.0.1:18411/",
		  "127.0.0.1:18411" },
		{ "http://127.255.0.9:80", "http://127.255.0.9/",
		  "127.255.0.9" },
		{ "http://[::1]:5000/", "http://[::1]:5000/", "[::1]:5000" },
		{ "http://localhost:443", "http://localhost:443/",
		  "localhost:443" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct endpoint endpoint;
		struct err err = { 0 };

		print_message("%s\n", cases[i].text);
		assert_int_equal(
			endpoint_parse("X", cases[i].text, &endpoint, &err), 0);
		assert_string_equal(endpoint.url, cases[i].url);
		assert_string_equal(endpoint.host, cases[i].host);
	}
}

static void refuses_other_overrides_without_quoting_them(void **state)
{
	static const char *const texts[] = {
		"",
		"example.com",
		"//example.com",
		"ftp://example.com",
		"https:/example.com",
		"https://",
		"https:///",
		"https://example.com/path",
		"https://example.com//",
		"https://example.com/?q",
		"https://example.com?q",
		"https://example.com#f",
		"https://user:hunter2@example.com",
		"https://user@example.com",
		"https://example.com:",
		"https://example.com:0",
		"https://example.com:65536",
		"https://example.com:+80",
		"https://example.com:80x",
		"https://exa mple.com",
		"https://example..com",
		"https://example.com.",
		"https://-example.com",
		"https://example.com\r\nX: y",
		"https://ex%41mple.com",
		"https://[::1",
		"https://[::1]x",
		"https://[::1%eth0]",
		"https://[example.com]",
		"https://::1",
		"http://example.com",
		"http://10.0.0.1",
		"http://127.1",
		"http://127.0.0.1.example.com",
		"http://localhost.example.com",
		"http://[::2]",
		"http://[::ffff:127.0.0.1]",
	};
	char long_host[400] = "https://";

	(void)state;
	memset(long_host + 8, 'a', 300);
	for (size_t i = 0; i <= ARRAY_SIZE(texts); i++) {
		const char *text = i < ARRAY_SIZE(texts) ? texts[i] : long_host;
		struct endpoint endpoint = { .url = "before" };
		struct err err;

		print_message("'%s'\n", text);
		assert_int_equal(endpoint_parse("AWS_ENDPOINT_URL", text,
						&endpoint, &err),
				 -EINVAL);
		assert_string_equal(endpoint.url, "before");
		assert_memory_equal(err.text, "AWS_ENDPOINT_URL", 16);
		assert_null(strstr(err.text, "hunter2"));
	}
}

static void prefers_the_most_special_override(void **state)
{
	static const struct {
		const char *option;
		const char *of_service; /* variables AWS_ENDPOINT_URL_* */
		const char *of_all;
		const char *ignore;
		const char *host; /* NULL: AWS's own */
	} cases[] = {
		{ NULL, "https://a", "https://c", NULL, "a" },
		{ NULL, NULL, "https://c", "false", "c" },
		{ NULL, "https://a", NULL, NULL, "a" },
		{ "https://o", "https://a", "https://c", NULL, "o" },
		{ "https://o", "https://a", "https://c", "true", "o" },
		{ NULL, "https://a", "https://c", "TRUE", NULL },
		{ NULL, "not a url", NULL, "true", NULL },
		{ NULL, NULL, NULL, NULL, NULL },
	};
	static const char *const hosts[] = {
		[AWS_SERVICE_SECRETSMANAGER] =
			"secretsmanager.eu-west-1.amazonaws.com",
		[AWS_SERVICE_SSM] = "ssm.eu-west-1.amazonaws.com",
		[AWS_SERVICE_STS] = "sts.eu-west-1.amazonaws.com",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases) * ARRAY_SIZE(hosts); i++) {
		size_t row = i / ARRAY_SIZE(hosts);
		enum aws_service service =
			(enum aws_service)(i % ARRAY_SIZE(hosts));
		/* the others' variables are not its own */
		struct aws_environment environment = {
			.endpoint_url_secrets_manager = "https://x",
			.endpoint_url_ssm = "https://x",
			.endpoint_url_sts = "https://x",
			.endpoint_url = cases[row].of_all,
			.ignore_endpoint_urls = cases[row].ignore,
		};
		const char **const variables[] = {
			[AWS_SERVICE_SECRETSMANAGER] =
				&environment.endpoint_url_secrets_manager,
			[AWS_SERVICE_SSM] = &environment.endpoint_url_ssm,
			[AWS_SERVICE_STS] = &environment.endpoint_url_sts,
		};
		struct endpoint endpoint;

		*variables[service] = cases[row].of_service;
		assert_int_equal(endpoint_find(service, "eu-west-1",
					       cases[row].option, &environment,
					       &endpoint, NULL),
				 0);
		assert_string_equal(endpoint.host, cases[row].host
							   ? cases[row].host
							   : hosts[service]);
		assert_string_equal(endpoint.region, "eu-west-1");
		assert_memory_equal(hosts[service], endpoint.service,
				    strlen(endpoint.service));
	}
}

static void refuses_by_name_what_cannot_be(void **state)
{
	static const struct {
		struct aws_environment environment;
		const char *text;
	} cases[] = {
		{ { .use_fips = "true", .endpoint_url = "https://a" },
		  "AWS_USE_FIPS_ENDPOINT=true does not go with "
		  "AWS_ENDPOINT_URL" },
		{ { .use_dualstack = "True",
		    .endpoint_url_secrets_manager = "https://a" },
		  "AWS_USE_DUALSTACK_ENDPOINT=true does not go with "
		  "AWS_ENDPOINT_URL_SECRETS_MANAGER" },
		{ { .sts_regional_endpoints = "global" },
		  "AWS_STS_REGIONAL_ENDPOINTS must be regional or legacy" },
		{ { .use_fips = "1" },
		  "AWS_USE_FIPS_ENDPOINT must be true or false" },
		{ { .use_dualstack = "yes" },
		  "AWS_USE_DUALSTACK_ENDPOINT must be true or false" },
		{ { .ignore_endpoint_urls = "on" },
		  "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS must be true or false" },
		{ { .endpoint_url_secrets_manager = "http://example.com" },
		  "AWS_ENDPOINT_URL_SECRETS_MANAGER: http is for loopback "
		  "addresses only, use https" },
		{ { .endpoint_url = "example.com" },
		  "AWS_ENDPOINT_URL must start with https://" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct endpoint endpoint;
		struct err err;

		assert_int_equal(endpoint_find(AWS_SERVICE_SECRETSMANAGER,
					       "eu-west-1", NULL,
					       &cases[i].environment, &endpoint,
					       &err),
				 -EINVAL);
		assert_string_equal(err.text, cases[i].text);
	}
}

/* An endpoint of the own network is no reason to fail where it does not count.
 */
static void lets_a_variant_be_with_an_override_that_is_ignored(void **state)
{
	const struct aws_environment environment = {
		.use_fips = "true",
		.endpoint_url = "https://a",
		.ignore_endpoint_urls = "true",
	};

	(void)state;
	check_host(AWS_SERVICE_SSM, "us-east-1", &environment,
		   "ssm-fips.us-east-1.amazonaws.com");
}

static void chooses_the_region_by_its_place(void **state)
{
	static const struct {
		const char *option;
		const char *region;
		const char *default_region;
		const char *secret;
		const char *expected;
	} cases[] = {
		{ "eu-west-1", "us-east-1", "us-east-2", NULL, "eu-west-1" },
		{ NULL, "us-east-1", "us-east-2", "name", "us-east-1" },
		{ NULL, NULL, "us-east-2", NULL, "us-east-2" },
		{ NULL, NULL, NULL, ARN, "eu-west-1" },
		{ "eu-west-1", "us-east-1", NULL, ARN, "eu-west-1" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct aws_environment environment = {
			.region = cases[i].region,
			.default_region = cases[i].default_region,
		};
		char region[REGION_SIZE];

		assert_int_equal(region_choose(cases[i].option, &environment,
					       cases[i].secret, region, NULL),
				 0);
		assert_string_equal(region, cases[i].expected);
	}
}

static void says_what_is_wrong_with_a_region(void **state)
{
	static const struct {
		const char *option;
		const char *region;
		const char *secret;
		const char *text;
	} cases[] = {
		{ NULL, NULL, NULL,
		  "no AWS region: set --region, AWS_REGION or region of the "
		  "profile" },
		{ "eu_west_1", NULL, NULL,
		  "--region: 'eu_west_1' is not an AWS region" },
		{ NULL, "evil.example.com", NULL,
		  "AWS_REGION: 'evil.example.com' is not an AWS region" },
		{ "", NULL, NULL, "--region: '' is not an AWS region" },
		{ "-a", NULL, NULL, "--region: '-a' is not an AWS region" },
		{ NULL, "us-east-1", ARN,
		  "the ARN is of region eu-west-1, but AWS_REGION "
		  "says us-east-1: one mount reads from one region" },
		{ NULL, "us-east-1", "arn:aws:s3:::bucket",
		  "'arn:aws:s3:::bucket' is not the ARN of a secret "
		  "(arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME)" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct aws_environment environment = {
			.region = cases[i].region,
		};
		char region[REGION_SIZE] = "before";
		struct err err;

		assert_int_equal(region_choose(cases[i].option, &environment,
					       cases[i].secret, region, &err),
				 -EINVAL);
		assert_string_equal(err.text, cases[i].text);
		assert_string_equal(region, "before");
	}
}

static void tells_arns_from_names(void **state)
{
	static const struct {
		const char *name;
		int code;
		const char *region;
	} cases[] = {
		{ "prod/db", 0, "" },
		{ "arnold", 0, "" },
		{ ARN, 0, "eu-west-1" },
		{ "arn:aws-cn:secretsmanager:cn-north-1:1:secret:x", 0,
		  "cn-north-1" },
		{ "arn:", -EINVAL, "" },
		{ "arn:aws:secretsmanager:eu-west-1:1:secret:", -EINVAL, "" },
		{ "arn:aws:secretsmanager:eu-west-1:1:other:x", -EINVAL, "" },
		{ "arn:aws:secretsmanager::1:secret:x", -EINVAL, "" },
		{ "arn:aws:secretsmanager:a.b:1:secret:x", -EINVAL, "" },
		{ "arn:aws:ssm:eu-west-1:1:parameter/x", -EINVAL, "" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char region[REGION_SIZE] = "";

		assert_int_equal(region_of_secret(cases[i].name, region, NULL),
				 cases[i].code);
		assert_string_equal(region, cases[i].region);
	}
}

static void moves_credentials_out_of_the_environment(void **state)
{
	struct aws_environment environment;

	(void)state;
	assert_int_equal(setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE", 1), 0);
	assert_int_equal(setenv("AWS_SECRET_ACCESS_KEY", "hunter2", 1), 0);
	assert_int_equal(setenv("AWS_SESSION_TOKEN", "token", 1), 0);
	assert_int_equal(setenv("AWS_REGION", "", 1), 0);
	assert_int_equal(setenv("AWS_DEFAULT_REGION", "eu-west-1", 1), 0);
	assert_int_equal(setenv("AWS_CA_BUNDLE", "/etc/ca.pem", 1), 0);
	assert_int_equal(aws_environment_read(&environment, NULL), 0);
	assert_string_equal(environment.access_key_id, "AKIDEXAMPLE");
	assert_string_equal(buf_text(&environment.secret_key), "hunter2");
	assert_string_equal(buf_text(&environment.session_token), "token");
	assert_null(environment.region);
	assert_string_equal(environment.default_region, "eu-west-1");
	assert_string_equal(environment.ca_bundle, "/etc/ca.pem");
	assert_string_equal(getenv("AWS_SECRET_ACCESS_KEY"), "");
	assert_string_equal(getenv("AWS_SESSION_TOKEN"), "");
	aws_environment_done(&environment);
	assert_null(environment.access_key_id);
}

/* smithy-rs, environment_variables_blank: who sets nothing says nothing. And
 * what botocore alone reads is nothing either. */
static void takes_blank_variables_for_none(void **state)
{
	static const char *const blank[] = {
		"AWS_ACCESS_KEY_ID",
		"AWS_SECRET_ACCESS_KEY",
		"AWS_SESSION_TOKEN",
		"AWS_PROFILE",
		"AWS_WEB_IDENTITY_TOKEN_FILE",
		"AWS_ROLE_ARN",
		"AWS_CONTAINER_CREDENTIALS_FULL_URI",
		"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
		"AWS_EC2_METADATA_DISABLED",
		"AWS_ENDPOINT_URL",
	};
	struct aws_environment environment;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(blank); i++)
		assert_int_equal(setenv(blank[i], "", 1), 0);
	assert_int_equal(setenv("AWS_SECURITY_TOKEN", "old", 1), 0);
	assert_int_equal(setenv("AWS_DEFAULT_PROFILE", "old", 1), 0);
	assert_int_equal(aws_environment_read(&environment, NULL), 0);
	assert_null(environment.access_key_id);
	assert_string_equal(buf_text(&environment.secret_key), "");
	assert_string_equal(buf_text(&environment.session_token), "");
	assert_null(environment.profile);
	assert_null(environment.token_file);
	assert_null(environment.role_arn);
	assert_null(environment.container_url);
	assert_null(environment.container_path);
	assert_null(environment.metadata_disabled);
	assert_null(environment.endpoint_url);
	aws_environment_done(&environment);
}

static void refuses_a_credential_without_end(void **state)
{
	static char value[20000];
	struct aws_environment environment = { 0 };
	struct err err;

	(void)state;
	memset(value, 'x', sizeof(value) - 1);
	assert_int_equal(setenv("AWS_SESSION_TOKEN", value, 1), 0);
	assert_int_equal(aws_environment_read(&environment, &err), -EINVAL);
	assert_string_equal(err.text,
			    "AWS_SESSION_TOKEN is longer than 16384 bytes");
	assert_int_equal(unsetenv("AWS_SESSION_TOKEN"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(knows_the_hosts_of_each_partition),
		cmocka_unit_test(knows_the_one_endpoint_that_sts_had),
		cmocka_unit_test(writes_an_override_anew),
		cmocka_unit_test(refuses_other_overrides_without_quoting_them),
		cmocka_unit_test(prefers_the_most_special_override),
		cmocka_unit_test(refuses_by_name_what_cannot_be),
		cmocka_unit_test(
			lets_a_variant_be_with_an_override_that_is_ignored),
		cmocka_unit_test(chooses_the_region_by_its_place),
		cmocka_unit_test(says_what_is_wrong_with_a_region),
		cmocka_unit_test(tells_arns_from_names),
		cmocka_unit_test(moves_credentials_out_of_the_environment),
		cmocka_unit_test(takes_blank_variables_for_none),
		cmocka_unit_test(refuses_a_credential_without_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

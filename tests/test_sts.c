/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include "aws/keys.h"
#include "aws/reply.h"
#include "aws/sts.h"
#include "aws/xml.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/macros.h"

#include <config.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CREDENTIALS_XML                                                        \
	"<Credentials><SessionToken>tok+/=</SessionToken>"                     \
	"<SecretAccessKey>wJalr/hunter2</SecretAccessKey>"                     \
	"<Expiration>2026-11-23T11:11:12Z</Expiration>"                        \
	"<AccessKeyId>ASIAEXAMPLE</AccessKeyId></Credentials>"
#define REPLY_XML                                                              \
	"<?xml version=\"1.0\"?>\n<!-- > -->"                                  \
	"<AssumeRoleWithWebIdentityResponse xmlns=\"https://x/>'\">"           \
	"<AssumeRoleWithWebIdentityResult><Audience/>" CREDENTIALS_XML         \
	"</AssumeRoleWithWebIdentityResult>"                                   \
	"</AssumeRoleWithWebIdentityResponse>"
#define REPLY_JSON(expiration)                                                 \
	"{\"AssumeRoleWithWebIdentityResponse\":"                              \
	"{\"AssumeRoleWithWebIdentityResult\":{\"Credentials\":{"              \
	"\"AccessKeyId\":\"ASIAEXAMPLE\",\"SessionToken\":\"tok+\\/=\","       \
	"\"SecretAccessKey\":\"wJalr/hunter2\",\"Expiration\":" expiration     \
	"}}}}"

static void finds_texts_by_their_path(void **state)
{
	static const struct {
		const char *xml;
		const char *path;
		const char *text;
	} cases[] = {
		{ "<a><b>x</b></a>", "a/b", "x" },
		{ "<a><b>x</b></a>", "b", "x" },
		{ "<r><a><b>x</b></a></r>", "a/b", "x" },
		{ "<a><c><b>no</b></c><b>yes</b></a>", "a/b", "yes" },
		{ "<a><ab>no</ab><b>yes</b></a>", "b", "yes" },
		{ "<a><b/><b>x</b></a>", "b", "" },
		{ "<a><b></b></a>", "b", "" },
		{ "<a x='/>'><b y=\"<\" >x</b ></a>", "b", NULL },
		{ "<a x='/>'><b y=\">\" >x</b ></a>", "b", "x" },
		{ "<?xml version='1.0'?><!-- <b>no</b> --><b>x</b>", "b", "x" },
		{ "<b>&lt;&amp;&gt;&quot;&apos;amp;</b>", "b", "<&>\"'amp;" },
		{ "<b> x\n</b>", "b", " x\n" },
		{ "<b>x</b", "b", NULL },
		{ "<b>x</c>", "b", NULL },
		{ "<a><b>x</c></a>", "b", NULL },
		{ "<b>x", "b", NULL },
		{ "<b", "b", NULL },
		{ "<b>&nbsp;</b>", "b", NULL },
		{ "<b>&#65;</b>", "b", NULL },
		{ "<b>a&am", "b", NULL },
		{ "<b><c>x</c></b>", "b", NULL },
		{ "<!DOCTYPE a [<!ENTITY e 'x'>]><b>x</b>", "b", NULL },
		{ "<b><![CDATA[x]]></b>", "b", NULL },
		{ "<a><!-- ", "b", NULL },
		{ "<a><?x ", "b", NULL },
		{ "</b>", "b", NULL },
		{ "<>x</>", "b", NULL },
		{ "<a><c></a></c><b>x</b>", "b", NULL },
		{ "<a>", "b", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct buf out;
		int r;

		print_message("%s\n", cases[i].xml);
		buf_init(&out, 100);
		assert_int_equal(buf_append_text(&out, "+"), 0);
		r = xml_find_text(cases[i].xml, strlen(cases[i].xml),
				  cases[i].path, &out);
		assert_int_equal(r, cases[i].text ? 0 : -EBADMSG);
		assert_string_equal(buf_text(&out) + 1,
				    cases[i].text ? cases[i].text : "");
		buf_done(&out);
	}
}

static void tells_absent_from_broken(void **state)
{
	struct buf out;

	(void)state;
	buf_init(&out, 2);
	assert_int_equal(xml_find_text("", 0, "b", &out), -ENOENT);
	assert_int_equal(xml_find_text("text", 4, "b", &out), -ENOENT);
	assert_int_equal(xml_find_text("<a></a>", 7, "b", &out), -ENOENT);
	assert_int_equal(xml_find_text("<b></b>", 7, "a/b", &out), -ENOENT);
	assert_int_equal(xml_find_text("<b>abc</b>", 10, "b", &out), -EFBIG);
	assert_int_equal(out.length, 0);
	buf_done(&out);
}

static void nests_only_so_deep(void **state)
{
	char xml[512] = "";
	struct buf out;

	(void)state;
	buf_init(&out, 10);
	for (size_t i = 0; i < XML_DEPTH_MAX - 1; i++)
		(void)strncat(xml, "<a>", 4);
	(void)strncat(xml, "<b>x</b>", 9);
	assert_int_equal(xml_find_text(xml, strlen(xml), "b", &out), 0);
	xml[0] = '\0';
	for (size_t i = 0; i < XML_DEPTH_MAX; i++)
		(void)strncat(xml, "<a>", 4);
	(void)strncat(xml, "<b>x</b>", 9);
	assert_int_equal(xml_find_text(xml, strlen(xml), "b", &out), -EBADMSG);
	buf_done(&out);
}

static int read_reply(int status, const char *text, struct keys **ret,
		      struct err *err)
{
	struct buf body;
	struct aws_reply reply = { .status = status, .body = &body };
	int r;

	buf_init(&body, STS_REPLY_MAX);
	assert_int_equal(buf_append_text(&body, text), 0);
	r = sts_reply_read(&reply, ret, err);
	buf_done(&body);
	return r;
}

static void reads_keys_from_either_form(void **state)
{
	static const char *const bodies[] = {
		REPLY_XML,
		"\n " REPLY_XML,
		REPLY_JSON("1.795432272E9"),
		REPLY_JSON("1795432272"),
		REPLY_JSON("1795432272.5"),
		REPLY_JSON("\"2026-11-23T11:11:12Z\""),
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bodies); i++) {
		struct keys *keys = NULL;

		assert_int_equal(read_reply(200, bodies[i], &keys, NULL), 0);
		assert_string_equal(keys_id(keys), "ASIAEXAMPLE");
		assert_string_equal(keys_secret(keys), "wJalr/hunter2");
		assert_string_equal(keys_token(keys), "tok+/=");
		assert_int_equal(keys_expires_s(keys), 1795432272);
		keys_unref(keys);
	}
}

/* aws-c-auth reads no reply of more than 10,000 bytes; nobody has promised that
 * tokens stay shorter. */
static void reads_keys_with_a_long_token(void **state)
{
	static char token[20001];
	static char body[22000];
	struct keys *keys = NULL;

	(void)state;
	memset(token, 't', sizeof(token) - 1);
	(void)snprintf(body, sizeof(body),
		       "<Credentials><AccessKeyId>ASIA</AccessKeyId>"
		       "<SecretAccessKey>hunter2</SecretAccessKey>"
		       "<SessionToken>%s</SessionToken>"
		       "<Expiration>2026-11-23T11:11:12Z</Expiration>"
		       "</Credentials>",
		       token);
	assert_int_equal(read_reply(200, body, &keys, NULL), 0);
	assert_string_equal(keys_token(keys), token);
	keys_unref(keys);
}

static void never_quotes_keys_that_it_cannot_use(void **state)
{
	static const char *const bodies[] = {
		"",
		"{}",
		"<a/>",
		"<a><Credentials><AccessKeyId>hunter2",
		"hunter2",
		REPLY_JSON("null"),
		REPLY_JSON("-1"),
		REPLY_JSON("9e18"),
		REPLY_JSON("\"tomorrow\""),
		REPLY_JSON("1}"),
		"<Credentials><AccessKeyId>a b</AccessKeyId><SecretAccessKey>"
		"hunter2</SecretAccessKey><SessionToken>t</SessionToken>"
		"<Expiration>2026-11-23T11:11:12Z</Expiration></Credentials>",
		"<Credentials><AccessKeyId>a</AccessKeyId><SecretAccessKey>"
		"hunter2</SecretAccessKey><SessionToken></SessionToken>"
		"<Expiration>2026-11-23T11:11:12Z</Expiration></Credentials>",
		"{\"AssumeRoleWithWebIdentityResponse\":"
		"{\"AssumeRoleWithWebIdentityResult\":{\"Credentials\":{"
		"\"AccessKeyId\":\"A\",\"SessionToken\":\"t\","
		"\"SecretAccessKey\":\"hunter2\\u0000x\",\"Expiration\":1}}}}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bodies); i++) {
		struct keys *keys = NULL;
		struct err err;

		print_message("%s\n", bodies[i]);
		assert_int_equal(read_reply(200, bodies[i], &keys, &err), -EIO);
		assert_null(keys);
		assert_string_equal(err.text, "reply without usable keys");
	}
}

static void maps_the_refusals_of_sts(void **state)
{
	static const struct {
		int status;
		const char *body;
		int code;
		const char *text;
	} cases[] = {
		{ 403,
		  "<ErrorResponse xmlns=\"x\"><Error><Type>Sender</Type><Code>"
		  "AccessDenied</Code><Message>Not authorized</Message></Error>"
		  "<RequestId>r</RequestId></ErrorResponse>",
		  -EACCES, "AccessDenied: Not authorized" },
		{ 400,
		  "{\"Error\":{\"Code\":\"ExpiredTokenException\",\"Message\":"
		  "\"Token expired\",\"Type\":\"Sender\"},\"RequestId\":\"r\"}",
		  -EACCES, "ExpiredTokenException: Token expired" },
		{ 400, "{\"Error\":{\"Code\":\"IDPCommunicationError\"}}", -EIO,
		  "IDPCommunicationError" },
		{ 400,
		  "{\"Error\":{\"Code\":\"InvalidIdentityToken\",\"Message\":"
		  "\"Couldn't retrieve verification key from your identity "
		  "provider\"}}",
		  -EIO,
		  "InvalidIdentityToken: Couldn't retrieve verification key "
		  "from your identity provider" },
		{ 400,
		  "{\"Error\":{\"Code\":\"InvalidIdentityToken\",\"Message\":"
		  "\"No OpenIDConnect provider found\"}}",
		  -EACCES,
		  "InvalidIdentityToken: No OpenIDConnect provider found" },
		{ 403, "{\"Error\":{\"Code\":\"IDPRejectedClaim\"}}", -EACCES,
		  "IDPRejectedClaim" },
		{ 403, "{\"Error\":{\"Code\":\"RegionDisabledException\"}}",
		  -EACCES, "RegionDisabledException" },
		{ 400, "{\"Error\":{\"Code\":\"MalformedPolicyDocument\"}}",
		  -EACCES, "MalformedPolicyDocument" },
		{ 400, "{\"Error\":{\"Code\":\"PackedPolicyTooLarge\"}}",
		  -EACCES, "PackedPolicyTooLarge" },
		{ 400,
		  "<ErrorResponse><Error><Code>ValidationError</Code><Message>"
		  "DurationSeconds &amp; more</Message></Error>"
		  "</ErrorResponse>",
		  -EACCES, "ValidationError: DurationSeconds & more" },
		{ 400, "{\"Error\":{\"Code\":\"Throttling\"}}", -EIO,
		  "Throttling" },
		{ 503, "", -EIO, "status 503 without an AWS error" },
		{ 201, "{\"Error\":{\"Code\":\"x\",\"Message\":\"s3cr3t\"}}",
		  -EIO, "status 201 without an AWS error" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct keys *keys = NULL;
		struct err err;

		assert_int_equal(
			read_reply(cases[i].status, cases[i].body, &keys, &err),
			cases[i].code);
		assert_string_equal(err.text, cases[i].text);
	}
}

static void write_file(const char *path, const char *text, size_t length)
{
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, length, file), length);
	assert_int_equal(fclose(file), 0);
}

static int enter_folder(void **state)
{
	static char folder[] = "/tmp/test_sts.XXXXXX";

	*state = mkdtemp(folder);
	return *state ? chdir(folder) : -1;
}

static int leave_folder(void **state)
{
	(void)unlink("token");
	return chdir("/") < 0 ? -1 : rmdir(*state);
}

static void writes_the_form_from_the_file_of_the_moment(void **state)
{
	static const struct sts_role role = {
		.arn = "arn:aws:iam::123456789012:role/r+x",
		.token_file = "token",
		.session_name = "secretsfs-a,b",
	};
	struct buf out;

	(void)state;
	buf_init(&out, 65536);
	write_file("token", "eyJ.a-b_c.~ /\xff \t\r\n\n", 19);
	assert_int_equal(sts_form(&role, &out, NULL), 0);
	assert_string_equal(
		buf_text(&out),
		"Action=AssumeRoleWithWebIdentity&Version=2011-06-15"
		"&RoleArn=arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2Fr%2Bx"
		"&RoleSessionName=secretsfs-a%2Cb"
		"&WebIdentityToken=eyJ.a-b_c.~%20%2F%FF");
	buf_clear(&out);
	write_file("token", "second", 6);
	assert_int_equal(sts_form(&role, &out, NULL), 0);
	assert_non_null(strstr(buf_text(&out), "WebIdentityToken=second"));
	buf_done(&out);
}

static void takes_a_token_up_to_its_limit(void **state)
{
	static char text[20000 + 1]; /* what STS takes, and one more */
	struct err err;
	struct buf out;

	(void)state;
	memset(text, 'x', sizeof(text));
	buf_init(&out, STS_TOKEN_MAX);
	write_file("token", text, sizeof(text) - 1);
	assert_int_equal(sts_token_read("token", &out, &err), 0);
	assert_int_equal(out.length, sizeof(text) - 1);
	buf_clear(&out);
	write_file("token", text, sizeof(text));
	assert_int_equal(sts_token_read("token", &out, &err), -ENOKEY);
	assert_string_equal(err.text, "token file 'token': too long");
	assert_int_equal(out.length, 0);
	buf_done(&out);
}

static void refuses_what_is_no_token_file(void **state)
{
	struct err err;
	struct buf out;

	(void)state;
	buf_init(&out, STS_TOKEN_MAX);
	assert_int_equal(sts_token_read("absent", &out, &err), -ENOKEY);
	assert_string_equal(err.text, "token file 'absent': No such file or "
				      "directory");
	assert_int_equal(sts_token_read(".", &out, &err), -ENOKEY);
	assert_string_equal(err.text, "token file '.': not a regular file");
	write_file("token", " \n", 2);
	assert_int_equal(sts_token_read("token", &out, &err), -ENOKEY);
	assert_string_equal(err.text, "token file 'token': empty");
	write_file("token", "a\0b", 3);
	assert_int_equal(sts_token_read("token", &out, &err), -ENOKEY);
	assert_string_equal(err.text, "token file 'token': not a text");
	buf_done(&out);
}

/* Without O_NONBLOCK this would wait for a writer. */
static void never_waits_for_a_fifo(void **state)
{
	struct err err;
	struct buf out;

	(void)state;
	(void)unlink("token");
	assert_int_equal(mkfifo("token", 0600), 0);
	buf_init(&out, STS_TOKEN_MAX);
	assert_int_equal(sts_token_read("token", &out, &err), -ENOKEY);
	assert_string_equal(err.text, "token file 'token': not a regular file");
	buf_done(&out);
	assert_int_equal(unlink("token"), 0);
}

static void names_the_session_after_version_and_node(void **state)
{
	char name[STS_SESSION_NAME_SIZE] = "";
	struct err err;

	(void)state;
	assert_int_equal(sts_session_name("X", NULL, NULL, name, &err), 0);
	assert_memory_equal(name, "secretsfs-" PACKAGE_VERSION "-",
			    strlen("secretsfs-" PACKAGE_VERSION "-"));
	assert_int_equal(
		sts_session_name("X", NULL, "ip-10-0-0-1.ec2 b", name, &err),
		0);
	assert_string_equal(name,
			    "secretsfs-" PACKAGE_VERSION "-ip-10-0-0-1.ec2");
	assert_int_equal(sts_session_name("X", "my.app@host", NULL, name, &err),
			 0);
	assert_string_equal(name, "my.app@host");
}

static void refuses_a_session_name_that_sts_refuses(void **state)
{
	static const char *const names[] = { "", "a", "a b", "a/b",
					     "\xc3\xa4" };
	char name[STS_SESSION_NAME_SIZE] = "before";
	char longest[66] = "";
	struct err err;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		assert_int_equal(
			sts_session_name("X", names[i], NULL, name, &err),
			-EINVAL);
	assert_string_equal(name, "before");
	memset(longest, 'x', 64);
	assert_int_equal(sts_session_name("X", longest, NULL, name, &err), 0);
	assert_string_equal(name, longest);
	longest[64] = 'x';
	assert_int_equal(sts_session_name("X", longest, NULL, name, &err),
			 -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_texts_by_their_path),
		cmocka_unit_test(tells_absent_from_broken),
		cmocka_unit_test(nests_only_so_deep),
		cmocka_unit_test(reads_keys_from_either_form),
		cmocka_unit_test(reads_keys_with_a_long_token),
		cmocka_unit_test(never_quotes_keys_that_it_cannot_use),
		cmocka_unit_test(maps_the_refusals_of_sts),
		cmocka_unit_test(writes_the_form_from_the_file_of_the_moment),
		cmocka_unit_test(takes_a_token_up_to_its_limit),
		cmocka_unit_test(refuses_what_is_no_token_file),
		cmocka_unit_test(never_waits_for_a_fifo),
		cmocka_unit_test(names_the_session_after_version_and_node),
		cmocka_unit_test(refuses_a_session_name_that_sts_refuses),
	};

	return cmocka_run_group_tests(tests, enter_folder, leave_folder);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as a reply of AWS: what the parsers of Secrets Manager, SSM, STS
 * and errors, and the XML scanner below them, promise in their headers must
 * hold for all of them.
 *
 * The first byte chooses the status, the rest is the body.
 */
#include "fuzz/fuzz.h"

#include "aws/batch_reply.h"
#include "aws/describe.h"
#include "aws/keys.h"
#include "aws/refusal.h"
#include "aws/reply.h"
#include "aws/secretsmanager.h"
#include "aws/ssm.h"
#include "aws/sts.h"
#include "aws/timestamp.h"
#include "aws/xml.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/jdoc.h"
#include "base/macros.h"
#include "base/secret.h"
#include "store/source.h"
#include "store/value.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

static const int statuses[] = { 200, 400, 403, 404, 429, 500 };

/* What a reader may be given; -ENOMEM is our own. */
static bool is_reader_code(int code)
{
	return code == -ENOENT || code == -EACCES || code == -EIO ||
	       code == -EFBIG;
}

/* Terminals show them. */
static void check_text(const char *text)
{
	for (; *text != '\0'; text++)
		PROMISE(!iscntrl((unsigned char)*text));
}

static void check_failure(int r, const struct err *err)
{
	PROMISE(is_reader_code(r) && err->code == r);
	check_text(err->text);
}

static void check_value(const struct value *value)
{
	PROMISE(secret_length(value_bytes(value)) <= SECRET_LENGTH_MAX);
	PROMISE(strlen(value_version(value)) <= VALUE_VERSION_MAX);
}

static void check_secretsmanager(const struct aws_reply *reply)
{
	static const struct source_want want = { .name = "name" };
	struct value *value = NULL;
	struct err err = { 0 };
	int r = secretsmanager_reply_read(reply, &want, &value, &err);

	if (r == 0) {
		PROMISE(reply->status == 200);
		check_value(value);
		value_unref(value);
		return;
	}
	PROMISE(!value);
	PROMISE(strncmp(err.text, "GetSecretValue 'name': ", 23) == 0);
	check_failure(r, &err);
}

static void check_describe(const struct aws_reply *reply,
			   const struct source_want *want)
{
	bool is_current = false;
	struct err err = { 0 };
	int r = describe_reply_read(reply, want, "version", &is_current, &err);

	if (r == 0) {
		PROMISE(reply->status == 200);
		return;
	}
	PROMISE(!is_current);
	PROMISE(strncmp(err.text, "DescribeSecret 'name': ", 23) == 0);
	PROMISE(r != -EFBIG && err.code == r);
	PROMISE(r == -ENOSYS || is_reader_code(r));
	PROMISE(r != -ENOSYS || reply->status != 200);
	check_text(err.text);
}

static void check_batch_entry(const struct aws_reply *reply,
			      const struct jdoc *doc, const char *name)
{
	struct value *value = NULL;
	struct err err = { 0 };
	int r = batch_reply_find(reply, doc, name, &value, &err);

	PROMISE((r == 0) == (value != NULL));
	if (value)
		check_value(value);
	else if (r == -EAGAIN)
		PROMISE(err.code == 0 && err.text[0] == '\0');
	else
		check_failure(r, &err);
	value_unref(value);
}

static void check_batch(const struct aws_reply *reply)
{
	cleanup_jdoc struct jdoc *doc = NULL;

	if (reply->status != 200) {
		PROMISE(batch_reply_is_refusal(reply) ==
			(refusal_kind(reply) == REFUSAL_DEFINITE));
		(void)batch_reply_is_lasting(reply);
		return;
	}
	PROMISE(!batch_reply_is_refusal(reply));
	if (secretsmanager_reply_parse(reply, &doc, NULL) < 0)
		return;
	check_batch_entry(reply, doc, "name");
	check_batch_entry(reply, doc, "arn:aws:secretsmanager:r:1:secret:name");
}

static void check_parameter(const struct jdoc *doc,
			    const struct source_want *want)
{
	struct value *value = NULL;
	struct err err = { 0 };
	int r = ssm_reply_find(doc, want, &value, &err);

	PROMISE((r == 0) == (value != NULL));
	if (value) {
		check_value(value);
		value_unref(value);
		return;
	}
	PROMISE(strncmp(err.text, "GetParameters 'name'", 20) == 0);
	check_failure(r, &err);
}

static void check_ssm(const struct aws_reply *reply)
{
	static const struct source_want wants[] = {
		{ .name = "name" },
		{ .name = "name", .version = "3" },
		{ .name = "name", .stage = "live" },
	};
	cleanup_jdoc struct jdoc *doc = NULL;

	if (reply->status != 200 || ssm_reply_parse(reply, &doc, NULL) < 0)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(wants); i++)
		check_parameter(doc, &wants[i]);
}

/* They become headers. */
static void check_key_text(const char *text)
{
	for (; *text != '\0'; text++)
		PROMISE(isgraph((unsigned char)*text));
}

static void check_sts(const struct aws_reply *reply)
{
	cleanup_keys struct keys *keys = NULL;
	struct err err = { 0 };
	int r = sts_reply_read(reply, &keys, &err);

	if (r < 0) {
		PROMISE(!keys);
		check_failure(r, &err);
		return;
	}
	PROMISE(reply->status == 200);
	PROMISE(keys_id(keys)[0] && keys_secret(keys)[0] &&
		keys_token(keys)[0]);
	check_key_text(keys_id(keys));
	check_key_text(keys_secret(keys));
	check_key_text(keys_token(keys));
	PROMISE(keys_expires_s(keys) > 0);
	PROMISE(keys_expires_s(keys) <= TIMESTAMP_MAX_S);
}

static void check_refusal(const struct aws_reply *reply)
{
	struct err err = { 0 };
	int r = refusal_read(reply, &err);

	check_failure(r, &err);
	PROMISE(r != -EFBIG);
	PROMISE(reply->status < 500 || r == -EIO);
	if (refusal_is_of_keys(reply) && reply->status < 500)
		PROMISE(r == -EACCES);
	if (refusal_kind(reply) != REFUSAL_DEFINITE)
		PROMISE(r == -EIO);
}

static void check_xml(const struct buf *body)
{
	cleanup_buf struct buf out = { .limit = 1000 };
	int r = xml_find_text(buf_text(body), body->length, "Error/Code", &out);

	PROMISE(r == 0 || r == -ENOENT || r == -EBADMSG || r == -EFBIG);
	PROMISE(r == 0 || out.length == 0);
	PROMISE(out.length <= body->length);
}

static void check_timestamp(const char *text)
{
	char basic[TIMESTAMP_BASIC_SIZE];
	int64_t time_s;

	if (timestamp_parse(text, &time_s) < 0)
		return;
	/* an offset may lead a day past the year 9999 */
	PROMISE(time_s >= -86400 && time_s <= TIMESTAMP_MAX_S + 86400);
	PROMISE(timestamp_basic(time_s, basic) == 0 ||
		time_s > TIMESTAMP_MAX_S);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	cleanup_buf struct buf body = { .limit = SECRETSMANAGER_REPLY_MAX };
	struct aws_reply reply = { .body = &body };

	if (length == 0 || buf_append(&body, bytes + 1, length - 1) < 0)
		return 0;
	reply.status = statuses[bytes[0] % ARRAY_SIZE(statuses)];
	check_secretsmanager(&reply);
	check_describe(&reply, &(struct source_want){ .name = "name" });
	check_describe(&reply, &(struct source_want){ .name = "name",
						      .version = "version" });
	check_batch(&reply);
	check_ssm(&reply);
	check_sts(&reply);
	check_refusal(&reply);
	check_xml(&body);
	check_timestamp(buf_text(&body));

	/* the same text where the network would put it */
	reply.error_type = buf_text(&body);
	reply.request_id = buf_text(&body);
	check_refusal(&reply);
	return 0;
}

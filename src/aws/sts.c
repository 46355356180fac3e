/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The texts that go to STS and come back. Token and keys pass through wiped
 * buffers only; both forms of the reply end in one function that makes the
 * keys.
 */
#include "aws/sts.h"
#include "aws/keys.h"
#include "aws/keys_json.h"
#include "aws/percent.h"
#include "aws/refusal.h"
#include "aws/reply.h"
#include "aws/small_file.h"
#include "aws/timestamp.h"
#include "aws/xml.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/jdoc.h"
#include "base/macros.h"

#include <config.h>
#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define FIELD_MAX (32U << 10)
#define HOST_SIZE 256
#define STATUS_OK 200

#define WEB_IDENTITY "AssumeRoleWithWebIdentity"
#define ASSUME_ROLE "AssumeRole"

int sts_token_read(const char *path, struct buf *out, struct err *err)
{
	cleanup_buf struct buf token;
	int r;

	buf_init(&token, STS_TOKEN_MAX);
	r = small_file_read("token file", path, STS_TOKEN_MAX, &token, err);
	if (r == -ENOMEM)
		return r;
	if (r < 0) {
		if (err)
			err->code = -ENOKEY;
		return -ENOKEY;
	}
	while (token.length > 0 && isspace(token.bytes[token.length - 1]))
		token.length--;
	if (token.length == 0)
		return err_set(err, -ENOKEY, "token file '%.256s': empty",
			       path);
	r = buf_append(out, token.bytes, token.length);
	return r < 0 ? err_set(err, r, "no memory for a token") : 0;
}

/* [\w+=,.@-] ("RoleSessionName" of the API reference) */
static bool is_session_char(char c)
{
	return isalnum((unsigned char)c) || (c != '\0' && strchr("_+=,.@-", c));
}

static int check_session_name(const char *what, const char *name,
			      struct err *err)
{
	size_t length = strlen(name);
	size_t good = 0;

	while (good < length && is_session_char(name[good]))
		good++;
	if (good < length || length < 2 || length >= STS_SESSION_NAME_SIZE)
		return err_set(err, -EINVAL,
			       "%s must be 2 to 64 letters, digits or _+=,.@-",
			       what);
	return 0;
}

int sts_session_name(const char *what, const char *wanted, const char *node,
		     char ret[STS_SESSION_NAME_SIZE], struct err *err)
{
	char host[HOST_SIZE] = "";
	int r = wanted ? check_session_name(what, wanted, err) : 0;
	size_t length;

	if (r < 0)
		return r;
	if (wanted) {
		(void)snprintf(ret, STS_SESSION_NAME_SIZE, "%s", wanted);
		return 0;
	}
	if (!node) {
		(void)gethostname(host, sizeof(host) - 1);
		node = host;
	}
	(void)snprintf(ret, STS_SESSION_NAME_SIZE, "%s-%s-%s", PACKAGE_NAME,
		       PACKAGE_VERSION, node);
	for (length = 0; is_session_char(ret[length]);)
		length++;
	ret[length] = '\0';
	return 0;
}

/* "&NAME=" and the value, unless there is none. */
static int append_member(struct buf *out, const char *name, const char *value)
{
	int r;

	if (!value)
		return 0;
	r = buf_append_texts(out, "&", name, "=", NULL);
	return r == 0 ? percent_append(out, value) : r;
}

const char *sts_action(const struct sts_role *role)
{
	return role->token_file ? WEB_IDENTITY : ASSUME_ROLE;
}

int sts_form(const struct sts_role *role, struct buf *out, struct err *err)
{
	cleanup_buf struct buf token;
	char duration[12] = "";
	int r = 0;

	buf_init(&token, STS_TOKEN_MAX);
	if (role->token_file)
		r = sts_token_read(role->token_file, &token, err);
	if (r < 0)
		return r;
	if (role->duration_s > 0)
		(void)snprintf(duration, sizeof(duration), "%u",
			       role->duration_s);
	r = buf_append_texts(out, "Action=", sts_action(role),
			     "&Version=2011-06-15", NULL);
	if (r == 0)
		r = append_member(out, "RoleArn", role->arn);
	if (r == 0)
		r = append_member(out, "RoleSessionName", role->session_name);
	if (r == 0)
		r = append_member(out, "ExternalId", role->external_id);
	if (r == 0)
		r = append_member(out, "DurationSeconds",
				  duration[0] ? duration : NULL);
	if (r == 0)
		r = append_member(out, "WebIdentityToken",
				  role->token_file ? buf_text(&token) : NULL);
	return r < 0 ? err_set(err, r, "no room for a request to STS") : 0;
}

static int read_xml(const struct buf *body, struct keys_fields *ret)
{
	const char *xml = buf_text(body);
	cleanup_buf struct buf expires;
	int r;

	buf_init(&expires, FIELD_MAX);
	r = xml_find_text(xml, body->length, "Credentials/AccessKeyId",
			  &ret->id);
	if (r == 0)
		r = xml_find_text(xml, body->length,
				  "Credentials/SecretAccessKey", &ret->secret);
	if (r == 0)
		r = xml_find_text(xml, body->length, "Credentials/SessionToken",
				  &ret->token);
	if (r == 0)
		r = xml_find_text(xml, body->length, "Credentials/Expiration",
				  &expires);
	if (r == 0)
		r = timestamp_parse(buf_text(&expires), &ret->expires_s);
	return r;
}

static jdoc_node find_credentials(const struct jdoc *doc)
{
	static const char *const paths[][3] = {
		{ WEB_IDENTITY "Response", WEB_IDENTITY "Result",
		  "Credentials" },
		{ ASSUME_ROLE "Response", ASSUME_ROLE "Result", "Credentials" },
	};
	jdoc_node found = JDOC_NONE;

	for (size_t i = 0; i < ARRAY_SIZE(paths) && found == JDOC_NONE; i++) {
		found = 0;
		for (size_t j = 0; j < ARRAY_SIZE(paths[i]); j++)
			found = jdoc_member(doc, found, paths[i][j],
					    strlen(paths[i][j]));
	}
	return found;
}

/* Seconds since 1970 as a number; a text as in XML is understood as well. */
static int read_json(const struct buf *body, struct keys **ret)
{
	static const struct keys_members members = {
		.id = "AccessKeyId",
		.secret = "SecretAccessKey",
		.token = "SessionToken",
		.expires = "Expiration",
	};
	cleanup_jdoc struct jdoc *doc = NULL;
	jdoc_node credentials;
	int r = jdoc_parse(buf_text(body), body->length, &doc, NULL);

	if (r < 0)
		return r;
	credentials = find_credentials(doc);
	if (credentials == JDOC_NONE)
		return -ENOENT;
	return keys_json_read(doc, credentials, &members, ret);
}

static int read_keys(const struct buf *body, struct keys **ret)
{
	cleanup_keys_fields struct keys_fields fields;
	const char *text = buf_text(body);
	int r;

	keys_fields_init(&fields);
	text += strspn(text, " \t\r\n");
	if (*text != '<')
		return read_json(body, ret);
	r = read_xml(body, &fields);
	return r == 0 ? keys_fields_make(&fields, false, ret) : r;
}

int sts_reply_read(const struct aws_reply *reply, struct keys **ret,
		   struct err *err)
{
	int r;

	if (reply->status != STATUS_OK)
		return refusal_read(reply, err);
	r = read_keys(reply->body, ret);
	if (r == -ENOMEM)
		return err_set(err, r, "no memory for the reply of STS");
	if (r < 0)
		return err_set(err, -EIO, "reply without usable keys");
	return 0;
}

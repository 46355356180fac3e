/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The texts that go to STS and come back. Token and keys pass through wiped
 * buffers only; both forms of the reply end in one function that makes the
 * keys.
 */
#include "aws/sts.h"
#include "aws/keys.h"
#include "aws/refusal.h"
#include "aws/reply.h"
#include "aws/timestamp.h"
#include "aws/xml.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/jdoc.h"
#include "base/macros.h"
#include "base/projected.h"

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

static void close_file(const int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
}

#define cleanup_file CLEANUP(close_file)

static int token_error(const char *path, const char *why, struct err *err)
{
	return err_set(err, -ENOKEY, "token file '%.256s': %s", path, why);
}

/* Reads to the end of the file, also where it has grown since fstat(2). */
static int read_all(int fd, const char *path, struct buf *out, struct err *err)
{
	while (out->length < out->limit) {
		ssize_t got = read(fd, out->bytes + out->length,
				   out->limit - out->length);

		if (got == 0)
			return 0;
		if (got < 0 && errno != EINTR)
			return token_error(path, strerrordesc_np(errno), err);
		if (got > 0)
			out->length += (size_t)got;
	}
	return token_error(path, "longer than STS takes", err);
}

static int open_token(const char *path, int *ret_fd, struct err *err)
{
	int fd = projected_open(path);

	if (fd == -EINVAL || fd == -EISDIR)
		return token_error(path, "not a regular file", err);
	if (fd == -EXDEV)
		return token_error(path, "leads out of its directory", err);
	if (fd < 0)
		return token_error(path, strerrordesc_np(-fd), err);
	*ret_fd = fd;
	return 0;
}

int sts_token_read(const char *path, struct buf *out, struct err *err)
{
	cleanup_buf struct buf token;
	cleanup_file int fd = -1;
	int r;

	/* one byte more: only a read at the end tells that it is the end */
	buf_init(&token, STS_TOKEN_MAX + 1);
	r = open_token(path, &fd, err);
	if (r < 0)
		return r;
	r = buf_reserve(&token, STS_TOKEN_MAX + 1);
	if (r < 0)
		return err_set(err, r, "no memory for a token");
	r = read_all(fd, path, &token, err);
	if (r < 0)
		return r;
	while (token.length > 0 && isspace(token.bytes[token.length - 1]))
		token.length--;
	if (token.length == 0)
		return token_error(path, "empty", err);
	if (memchr(token.bytes, '\0', token.length))
		return token_error(path, "not a text", err);
	r = buf_append(out, token.bytes, token.length);
	return r < 0 ? err_set(err, r, "no memory for a token") : 0;
}

/* [\w+=,.@-] ("RoleSessionName" of the API reference) */
static bool is_session_char(char c)
{
	return isalnum((unsigned char)c) || (c != '\0' && strchr("_+=,.@-", c));
}

static int check_session_name(const char *name, struct err *err)
{
	size_t length = strlen(name);
	size_t good = 0;

	while (good < length && is_session_char(name[good]))
		good++;
	if (good < length || length < 2 || length >= STS_SESSION_NAME_SIZE)
		return err_set(err, -EINVAL,
			       "AWS_ROLE_SESSION_NAME must be 2 to 64 letters, "
			       "digits or _+=,.@-");
	return 0;
}

int sts_session_name(const char *wanted, char ret[STS_SESSION_NAME_SIZE],
		     struct err *err)
{
	char host[HOST_SIZE] = "";
	int r = wanted ? check_session_name(wanted, err) : 0;
	size_t length;

	if (r < 0)
		return r;
	if (wanted) {
		(void)snprintf(ret, STS_SESSION_NAME_SIZE, "%s", wanted);
		return 0;
	}
	(void)gethostname(host, sizeof(host) - 1);
	for (length = 0; is_session_char(host[length]);)
		length++;
	host[length] = '\0';
	if (length > 0)
		(void)snprintf(ret, STS_SESSION_NAME_SIZE, "secretsfs-%.54s",
			       host);
	else
		(void)snprintf(ret, STS_SESSION_NAME_SIZE, "secretsfs-%d",
			       (int)getpid());
	return 0;
}

/* Percent-encoding (RFC 3986, 2.1) of all but unreserved characters. */
static int append_encoded(struct buf *out, const char *text)
{
	static const char digits[] = "0123456789ABCDEF";
	int r = 0;

	for (; r == 0 && *text != '\0'; text++) {
		unsigned char byte = (unsigned char)*text;

		if (isalnum(byte) || strchr("-._~", byte)) {
			r = buf_append(out, text, 1);
			continue;
		}
		r = buf_append_text(out, "%");
		if (r == 0)
			r = buf_append(out, &digits[byte >> 4], 1);
		if (r == 0)
			r = buf_append(out, &digits[byte & 15], 1);
	}
	return r;
}

int sts_form(const struct sts_role *role, struct buf *out, struct err *err)
{
	cleanup_buf struct buf token;
	int r;

	buf_init(&token, STS_TOKEN_MAX);
	r = sts_token_read(role->token_file, &token, err);
	if (r < 0)
		return r;
	r = buf_append_text(out, "Action=AssumeRoleWithWebIdentity"
				 "&Version=2011-06-15&RoleArn=");
	if (r == 0)
		r = append_encoded(out, role->arn);
	if (r == 0)
		r = buf_append_text(out, "&RoleSessionName=");
	if (r == 0)
		r = append_encoded(out, role->session_name);
	if (r == 0)
		r = buf_append_text(out, "&WebIdentityToken=");
	if (r == 0)
		r = append_encoded(out, buf_text(&token));
	return r < 0 ? err_set(err, r, "no room for a request to STS") : 0;
}

/* The members of a Credentials element, in whatever form they came. */
struct fields {
	struct buf id;
	struct buf secret;
	struct buf token;
	int64_t expires_s;
};

static void fields_init(struct fields *fields)
{
	*fields = (struct fields){ 0 };
	buf_init(&fields->id, FIELD_MAX);
	buf_init(&fields->secret, FIELD_MAX);
	buf_init(&fields->token, FIELD_MAX);
}

static void fields_done(struct fields *fields)
{
	buf_done(&fields->id);
	buf_done(&fields->secret);
	buf_done(&fields->token);
}

#define cleanup_fields CLEANUP(fields_done)

static int read_xml(const struct buf *body, struct fields *ret)
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
	static const char *const path[] = {
		"AssumeRoleWithWebIdentityResponse",
		"AssumeRoleWithWebIdentityResult",
		"Credentials",
	};
	jdoc_node node = 0;

	for (size_t i = 0; i < ARRAY_SIZE(path) && node != JDOC_NONE; i++)
		node = jdoc_member(doc, node, path[i], strlen(path[i]));
	return node;
}

static int read_member(const struct jdoc *doc, jdoc_node parent,
		       const char *name, struct buf *out)
{
	jdoc_node node = jdoc_member(doc, parent, name, strlen(name));

	return node == JDOC_NONE ? -ENOENT : jdoc_string(doc, node, out);
}

/* Seconds since 1970 as a number; a text as in XML is understood as well. */
static int read_expiration(const struct jdoc *doc, jdoc_node parent,
			   int64_t *ret_s)
{
	jdoc_node node =
		jdoc_member(doc, parent, "Expiration", strlen("Expiration"));
	cleanup_buf struct buf text;
	int r;

	buf_init(&text, FIELD_MAX);
	if (node == JDOC_NONE)
		return -ENOENT;
	if (jdoc_type(doc, node) == JDOC_NUMBER)
		return jdoc_integer(doc, node, ret_s);
	r = jdoc_string(doc, node, &text);
	return r == 0 ? timestamp_parse(buf_text(&text), ret_s) : r;
}

static int read_json(const struct buf *body, struct fields *ret)
{
	cleanup_jdoc struct jdoc *doc = NULL;
	jdoc_node credentials;
	int r = jdoc_parse(buf_text(body), body->length, &doc, NULL);

	if (r < 0)
		return r;
	credentials = find_credentials(doc);
	if (credentials == JDOC_NONE)
		return -ENOENT;
	r = read_member(doc, credentials, "AccessKeyId", &ret->id);
	if (r == 0)
		r = read_member(doc, credentials, "SecretAccessKey",
				&ret->secret);
	if (r == 0)
		r = read_member(doc, credentials, "SessionToken", &ret->token);
	if (r == 0)
		r = read_expiration(doc, credentials, &ret->expires_s);
	return r;
}

/* A key with a NUL inside would be cut where it becomes a text. */
static int make_keys(const struct fields *fields, struct keys **ret)
{
	const struct keys_text text = {
		.id = buf_text(&fields->id),
		.secret = buf_text(&fields->secret),
		.token = buf_text(&fields->token),
	};

	if (strlen(text.id) != fields->id.length ||
	    strlen(text.secret) != fields->secret.length ||
	    strlen(text.token) != fields->token.length ||
	    fields->token.length == 0 || fields->expires_s <= 0 ||
	    fields->expires_s > TIMESTAMP_MAX_S)
		return -EINVAL;
	return keys_new(&text, fields->expires_s, ret);
}

int sts_reply_read(const struct aws_reply *reply, struct keys **ret,
		   struct err *err)
{
	cleanup_fields struct fields fields;
	const char *text = buf_text(reply->body);
	int r;

	fields_init(&fields);
	if (reply->status != STATUS_OK)
		return refusal_read(reply, err);
	text += strspn(text, " \t\r\n");
	if (*text == '<')
		r = read_xml(reply->body, &fields);
	else
		r = read_json(reply->body, &fields);
	if (r == 0)
		r = make_keys(&fields, ret);
	if (r == -ENOMEM)
		return err_set(err, r, "no memory for the reply of STS");
	if (r < 0)
		return err_set(err, -EIO, "reply without usable keys");
	return 0;
}

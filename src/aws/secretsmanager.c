/* SPDX-License-Identifier: Apache-2.0 */
/* From a name to a request, from a reply to a value. The value goes from the
 * reply to locked memory in one decoding, byte for byte. */
#include "aws/secretsmanager.h"
#include "aws/arn.h"
#include "aws/refusal.h"
#include "aws/reply.h"
#include "base/base64.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/jdoc.h"
#include "base/macros.h"
#include "base/secret.h"
#include "store/source.h"
#include "store/value.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define STATUS_OK 200
#define VERSION_TEXT_MAX 256
#define BASE64_MAX (((size_t)SECRET_LENGTH_MAX + 2) / 3 * 4)

/* A text that is sent as it is. */
struct text_kind {
	const char *words;
	size_t least;
	size_t most;
};

static int check_text(const struct text_kind *kind, const char *text,
		      struct err *err)
{
	size_t length = strlen(text);

	if (length < kind->least || length > kind->most)
		return err_set(err, -ENOENT, "a %s has %zu to %zu characters",
			       kind->words, kind->least, kind->most);
	for (size_t i = 0; i < length; i++)
		if (text[i] < ' ' || text[i] > '~')
			return err_set(err, -ENOENT,
				       "no %s holds the byte 0x%02x",
				       kind->words, (unsigned char)text[i]);
	return 0;
}

int secretsmanager_check(const struct source_want *want, struct err *err)
{
	static const struct text_kind name = { "secret's name", 1,
					       SECRETSMANAGER_NAME_MAX };
	static const struct text_kind version = { "version's id",
						  SECRETSMANAGER_VERSION_MIN,
						  SECRETSMANAGER_VERSION_MAX };
	static const struct text_kind stage = { "version's stage", 1,
						SECRETSMANAGER_STAGE_MAX };
	int r = check_text(&name, want->name, err);

	if (r == 0 && want->version)
		r = check_text(&version, want->version, err);
	if (r == 0 && want->stage)
		r = check_text(&stage, want->stage, err);
	return r;
}

int secretsmanager_quote(const char *text, struct buf *out)
{
	int r = buf_append_text(out, "\"");

	for (; r == 0 && *text != '\0'; text++) {
		if (*text == '"' || *text == '\\')
			r = buf_append_text(out, "\\");
		if (r == 0)
			r = buf_append(out, text, 1);
	}
	return r == 0 ? buf_append_text(out, "\"") : r;
}

/* start is what stands before the text, the member's name included. */
static int append_member(struct buf *out, const char *start, const char *text)
{
	int r = buf_append_text(out, start);

	return r == 0 ? secretsmanager_quote(text, out) : r;
}

int secretsmanager_form(const struct source_want *want, struct buf *out)
{
	int r = append_member(out, "{\"SecretId\":", want->name);

	if (r == 0 && want->version)
		r = append_member(out, ",\"VersionId\":", want->version);
	if (r == 0 && want->stage)
		r = append_member(out, ",\"VersionStage\":", want->stage);
	return r == 0 ? buf_append_text(out, "}") : r;
}

int secretsmanager_wrap(const struct source_want *want, struct err *err)
{
	const char *version = want->version ? want->version : "";
	const char *stage = want->stage ? want->stage : "";

	if (!want->version && !want->stage)
		return err_wrap(err, "GetSecretValue '%.256s'", want->name);
	/* cut, so that there is room for what went wrong */
	return err_wrap(err, "GetSecretValue '%.256s' (%s%.64s%s%s%.64s)",
			want->name, want->version ? "version " : "", version,
			want->version && want->stage ? ", " : "",
			want->stage ? "stage " : "", stage);
}

/* A member that is there and not null. */
static jdoc_node find_member(const struct jdoc *doc, jdoc_node parent,
			     const char *name)
{
	jdoc_node node = jdoc_find(doc, parent, name);

	if (node != JDOC_NONE && jdoc_type(doc, node) == JDOC_NULL)
		return JDOC_NONE;
	return node;
}

static int make_secret(const struct buf *bytes, struct secret **ret)
{
	struct secret *secret = secret_new(bytes->bytes, bytes->length);

	if (!secret)
		return -errno;
	*ret = secret;
	return 0;
}

static int decode_string(const struct jdoc *doc, jdoc_node node,
			 struct secret **ret)
{
	cleanup_buf struct buf bytes;
	int r;

	buf_init(&bytes, SECRET_LENGTH_MAX);
	r = jdoc_string(doc, node, &bytes);
	return r == 0 ? make_secret(&bytes, ret) : r;
}

static int decode_binary(const struct jdoc *doc, jdoc_node node,
			 struct secret **ret)
{
	cleanup_buf struct buf text;
	cleanup_buf struct buf bytes;
	int r;

	buf_init(&text, BASE64_MAX);
	buf_init(&bytes, SECRET_LENGTH_MAX);
	r = jdoc_string(doc, node, &text);
	if (r == 0)
		r = base64_decode(buf_text(&text), text.length, &bytes);
	return r == 0 ? make_secret(&bytes, ret) : r;
}

static int decode(const struct jdoc *doc, jdoc_node parent, struct secret **ret,
		  bool *ret_is_binary, struct err *err)
{
	jdoc_node string = find_member(doc, parent, "SecretString");
	jdoc_node binary = find_member(doc, parent, "SecretBinary");
	int r;

	if (string == JDOC_NONE && binary == JDOC_NONE)
		return err_set(err, -EIO, "no SecretString in the reply");
	*ret_is_binary = string == JDOC_NONE;
	if (*ret_is_binary)
		r = decode_binary(doc, binary, ret);
	else
		r = decode_string(doc, string, ret);
	if (r == -EFBIG)
		return err_set(err, r, "the value is longer than %d bytes",
			       SECRET_LENGTH_MAX);
	if (r == -ENOMEM)
		return err_set(err, r, "no memory for the value");
	if (r < 0)
		return err_set(err, -EIO, "no usable %s in the reply",
			       *ret_is_binary ? "SecretBinary"
					      : "SecretString");
	return 0;
}

static int read_version(const struct jdoc *doc, jdoc_node parent,
			struct buf *out, struct err *err)
{
	jdoc_node node = find_member(doc, parent, "VersionId");
	int r = jdoc_string(doc, node, out);

	if (r == -ENOMEM)
		return err_set(err, r, "no memory for the version");
	if (r < 0 || out->length == 0)
		return err_set(err, -EIO, "no usable VersionId in the reply");
	return 0;
}

/* 0, not known, for a date that is missing or odd: no reason to keep a reader
 * from the value. */
static int64_t read_created_ns(const struct jdoc *doc, jdoc_node parent)
{
	jdoc_node node = find_member(doc, parent, "CreatedDate");
	int64_t created_ns;

	if (node == JDOC_NONE || jdoc_seconds_ns(doc, node, &created_ns) < 0)
		return 0;
	return created_ns;
}

int secretsmanager_value_read(const struct jdoc *doc, jdoc_node parent,
			      struct value **ret, struct err *err)
{
	cleanup_buf struct buf version;
	cleanup_buf struct buf arn;
	struct secret *secret = NULL;
	struct value_about about = { 0 };
	struct value *value;
	int r;

	buf_init(&version, VERSION_TEXT_MAX);
	buf_init(&arn, VALUE_ARN_MAX);
	r = read_version(doc, parent, &version, err);
	if (r == 0 && arn_read(doc, parent, &arn) < 0)
		r = err_set(err, -ENOMEM, "no memory for the ARN");
	if (r == 0)
		r = decode(doc, parent, &secret, &about.is_binary, err);
	if (r < 0)
		return r;
	about.version = buf_text(&version);
	about.arn = arn.length > 0 ? buf_text(&arn) : NULL;
	about.created_ns = read_created_ns(doc, parent);
	value = value_new(secret, &about);
	secret_unref(secret);
	if (!value)
		return err_set(err, -ENOMEM, "no memory for the value");
	*ret = value;
	return 0;
}

int secretsmanager_reply_parse(const struct aws_reply *reply, struct jdoc **ret,
			       struct err *err)
{
	int r = jdoc_parse(buf_text(reply->body), reply->body->length, ret,
			   err);

	if (r == 0 || r == -ENOMEM)
		return r;
	(void)err_wrap(err, "the reply is not JSON");
	/* not the secret's fault: what made this reply may pass */
	if (err)
		err->code = -EIO;
	return -EIO;
}

static int read_reply(const struct aws_reply *reply, struct value **ret,
		      struct err *err)
{
	cleanup_jdoc struct jdoc *doc = NULL;
	int r;

	if (reply->status != STATUS_OK)
		return refusal_read(reply, err);
	r = secretsmanager_reply_parse(reply, &doc, err);
	return r == 0 ? secretsmanager_value_read(doc, 0, ret, err) : r;
}

int secretsmanager_reply_read(const struct aws_reply *reply,
			      const struct source_want *want,
			      struct value **ret, struct err *err)
{
	int r = read_reply(reply, ret, err);

	if (r < 0)
		(void)secretsmanager_wrap(want, err);
	return r;
}

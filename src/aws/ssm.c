/* SPDX-License-Identifier: Apache-2.0 */
/* A want is sent as one text, the name with a selector behind it; the reply
 * has name and selector apart, or the text again where there is nothing. */
#include "aws/ssm.h"
#include "aws/arn.h"
#include "aws/reply.h"
#include "aws/secretsmanager.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/jdoc.h"
#include "base/secret.h"
#include "store/source.h"
#include "store/value.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define DIGITS "0123456789"
#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define NS_PER_MS 1000000

/* "SystemsManager, GetParameters: Names"; the colon is of ARNs. */
static int check_name(const char *name, struct err *err)
{
	static const char allowed[] = DIGITS LETTERS "_.-/";
	bool is_arn = strncmp(name, "arn:", strlen("arn:")) == 0;
	size_t length = strlen(name);

	if (length == 0 || length + SSM_LABEL_MAX > SSM_NAME_MAX)
		return err_set(err, -ENOENT,
			       "a parameter's name has 1 to %d characters",
			       SSM_NAME_MAX - SSM_LABEL_MAX);
	if (name[strspn(name, is_arn ? DIGITS LETTERS "_.-/:" : allowed)])
		return err_set(err, -ENOENT,
			       "a parameter's name has letters, digits and "
			       "_.-/ only");
	return 0;
}

/* What stands behind the name's colon; NULL: nothing does. */
static const char *selector_of(const struct source_want *want)
{
	return want->version ? want->version : want->stage;
}

/* AWS takes a number and a label in the same place. */
int ssm_check(const struct source_want *want, struct err *err)
{
	const char *selector = selector_of(want);
	int r = check_name(want->name, err);

	if (r < 0 || !selector)
		return r;
	if (want->version && want->stage)
		return err_set(err, -ENOENT,
			       "a parameter is asked for by version or by "
			       "label, not by both");
	if (*selector == '\0' || strlen(selector) > SSM_LABEL_MAX ||
	    selector[strspn(selector, DIGITS LETTERS "_.-")])
		return err_set(err, -ENOENT,
			       "a parameter's version is a number, or a label "
			       "of 1 to %d letters, digits and _.-",
			       SSM_LABEL_MAX);
	return 0;
}

static int append_text(const struct source_want *want, struct buf *out)
{
	const char *selector = selector_of(want);
	int r = buf_append_text(out, want->name);

	if (r == 0 && selector)
		r = buf_append_text(out, ":");
	return r == 0 && selector ? buf_append_text(out, selector) : r;
}

int ssm_form(const struct source_want *const *wants, size_t count,
	     struct buf *out)
{
	const char *between = "\"";
	int r = buf_append_text(out, "{\"Names\":[");

	/* checked: nothing in them needs an escape */
	for (size_t i = 0; r == 0 && i < count; i++) {
		if (!wants[i])
			continue;
		r = buf_append_text(out, between);
		if (r == 0)
			r = append_text(wants[i], out);
		if (r == 0)
			r = buf_append_text(out, "\"");
		between = ",\"";
	}
	return r == 0 ? buf_append_text(out, "],\"WithDecryption\":true}") : r;
}

int ssm_wrap(const struct source_want *want, struct err *err)
{
	const char *selector = selector_of(want);

	if (!selector)
		return err_wrap(err, "GetParameters '%.256s'", want->name);
	return err_wrap(err, "GetParameters '%.256s' (%s %.100s)", want->name,
			want->version ? "version" : "label", selector);
}

int ssm_reply_parse(const struct aws_reply *reply, struct jdoc **ret,
		    struct err *err)
{
	return secretsmanager_reply_parse(reply, ret, err);
}

/* Some endpoints do not send the selector back. */
static bool has_selector(const struct jdoc *doc, jdoc_node node,
			 const struct source_want *want)
{
	jdoc_node selector = jdoc_find(doc, node, "Selector");
	char text[SSM_LABEL_MAX + 2];

	if (jdoc_string_length(doc, selector) == 0)
		return true;
	(void)snprintf(text, sizeof(text), ":%s",
		       selector_of(want) ? selector_of(want) : "");
	return jdoc_string_is(doc, selector, text, strlen(text));
}

static jdoc_node find_parameter(const struct jdoc *doc,
				const struct source_want *want)
{
	jdoc_node node = jdoc_first(doc, jdoc_find(doc, 0, "Parameters"));

	while (node != JDOC_NONE &&
	       !((jdoc_member_is(doc, node, "Name", want->name) ||
		  jdoc_member_is(doc, node, "ARN", want->name)) &&
		 has_selector(doc, node, want)))
		node = jdoc_next(doc, node);
	return node;
}

static bool is_invalid(const struct jdoc *doc, const struct source_want *want)
{
	jdoc_node node =
		jdoc_first(doc, jdoc_find(doc, 0, "InvalidParameters"));
	cleanup_buf struct buf text;

	buf_init(&text, SSM_NAME_MAX);
	if (append_text(want, &text) < 0)
		return false;
	while (node != JDOC_NONE &&
	       !jdoc_string_is(doc, node, buf_text(&text), text.length))
		node = jdoc_next(doc, node);
	return node != JDOC_NONE;
}

static bool is_number(const char *text)
{
	return text && !text[strspn(text, DIGITS)];
}

/* 0 and about.version in room, or -EIO. */
static int read_version(const struct jdoc *doc, jdoc_node parameter,
			const struct source_want *want,
			char room[VALUE_VERSION_MAX], struct value_about *ret)
{
	jdoc_node date = jdoc_find(doc, parameter, "LastModifiedDate");
	int64_t version;
	char number[VALUE_VERSION_MAX / 2];

	if (jdoc_integer(doc, jdoc_find(doc, parameter, "Version"), &version) <
	    0)
		return -EIO;
	(void)snprintf(number, sizeof(number), "%" PRId64, version);
	if (is_number(selector_of(want)) &&
	    strcmp(selector_of(want), number) != 0)
		return -EIO;
	if (jdoc_seconds_ns(doc, date, &ret->created_ns) < 0)
		ret->created_ns = 0;
	(void)snprintf(room, VALUE_VERSION_MAX, "%s@%" PRId64, number,
		       ret->created_ns / NS_PER_MS);
	ret->version = room;
	return 0;
}

static int read_bytes(const struct jdoc *doc, jdoc_node parameter,
		      struct secret **ret, struct err *err)
{
	cleanup_buf struct buf bytes;
	struct secret *secret;
	int r;

	buf_init(&bytes, SECRET_LENGTH_MAX);
	r = jdoc_string(doc, jdoc_find(doc, parameter, "Value"), &bytes);
	if (r == -EFBIG)
		return err_set(err, r, "the value is longer than %d bytes",
			       SECRET_LENGTH_MAX);
	if (r < 0 && r != -ENOMEM)
		return err_set(err, -EIO, "no usable Value in the reply");
	secret = r == 0 ? secret_new(bytes.bytes, bytes.length) : NULL;
	if (!secret)
		return err_set(err, -ENOMEM, "no memory for the value");
	*ret = secret;
	return 0;
}

static int read_value(const struct jdoc *doc, jdoc_node parameter,
		      const struct source_want *want, struct value **ret,
		      struct err *err)
{
	cleanup_buf struct buf arn;
	struct value_about about = { 0 };
	char version[VALUE_VERSION_MAX];
	struct secret *secret = NULL;
	struct value *value;
	int r;

	buf_init(&arn, VALUE_ARN_MAX);
	if (read_version(doc, parameter, want, version, &about) < 0)
		return err_set(err, -EIO, "no usable Version in the reply");
	if (arn_read(doc, parameter, &arn) < 0)
		return err_set(err, -ENOMEM, "no memory for the ARN");
	about.arn = arn.length > 0 ? buf_text(&arn) : NULL;
	r = read_bytes(doc, parameter, &secret, err);
	if (r < 0)
		return r;
	value = value_new(secret, &about);
	secret_unref(secret);
	if (!value)
		return err_set(err, -ENOMEM, "no memory for the value");
	*ret = value;
	return 0;
}

int ssm_reply_find(const struct jdoc *doc, const struct source_want *want,
		   struct value **ret, struct err *err)
{
	jdoc_node parameter = find_parameter(doc, want);
	int r;

	if (parameter != JDOC_NONE)
		r = read_value(doc, parameter, want, ret, err);
	else if (is_invalid(doc, want))
		r = err_set(err, -ENOENT, "no such parameter%s",
			    want->version ? " or version"
			    : want->stage ? " or label"
					  : "");
	else
		r = err_set(err, -EIO, "the reply says nothing of it");
	if (r < 0)
		(void)ssm_wrap(want, err);
	return r;
}

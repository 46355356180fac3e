/* SPDX-License-Identifier: Apache-2.0 */
/* One reply, searched for each name in turn: order means nothing in it, and
 * what is not in it may be on another page. */
#include "aws/batch_reply.h"
#include "aws/refusal.h"
#include "aws/reply.h"
#include "aws/secretsmanager.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/jdoc.h"

#include <errno.h>
#include <string.h>

#define STATUS_OK 200
#define ARN_START "arn:"
#define ARN_RESOURCE ":secret:"
#define ARN_END_LENGTH 7 /* '-' and six characters that AWS draws */

#define TYPE_MAX 96
#define MESSAGE_MAX (16U << 10)

static bool stands_before(const char *const *names, size_t count,
			  const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (names[i] && strcmp(names[i], name) == 0)
			return true;
	return false;
}

int batch_form(const char *const *names, size_t count, struct buf *out)
{
	const char *between = "";
	int r = buf_append_text(out, "{\"SecretIdList\":[");

	for (size_t i = 0; r == 0 && i < count; i++) {
		if (!names[i] || stands_before(names, i, names[i]))
			continue;
		r = buf_append_text(out, between);
		if (r == 0)
			r = secretsmanager_quote(names[i], out);
		between = ",";
	}
	return r == 0 ? buf_append_text(out, "]}") : r;
}

int batch_wrap(const char *name, struct err *err)
{
	return err_wrap(err, "BatchGetSecretValue '%.256s'", name);
}

bool batch_reply_is_refusal(const struct aws_reply *reply)
{
	return reply->status != STATUS_OK &&
	       refusal_kind(reply) == REFUSAL_DEFINITE;
}

/* What AWS says of a batch and not of its caller, it will say again. */
bool batch_reply_is_lasting(const struct aws_reply *reply)
{
	return refusal_is_of_operation(reply) ||
	       refusal_read(reply, NULL) == -ENOENT;
}

static jdoc_node find_value(const struct jdoc *doc, const char *name)
{
	jdoc_node values = jdoc_find(doc, 0, "SecretValues");
	jdoc_node node = jdoc_first(doc, values);

	while (node != JDOC_NONE && !jdoc_member_is(doc, node, "Name", name) &&
	       !jdoc_member_is(doc, node, "ARN", name))
		node = jdoc_next(doc, node);
	return node;
}

/* Whether a text in quotes is the ARN of that name. */
static bool is_arn_of(const char *raw, size_t length, const char *name)
{
	size_t name_length = strlen(name);
	size_t start_length = strlen("\"" ARN_START);
	size_t tail_length = strlen(ARN_RESOURCE) + name_length +
			     ARN_END_LENGTH + strlen("\"");
	const char *tail;

	if (length < start_length + tail_length ||
	    memcmp(raw, "\"" ARN_START, start_length) != 0)
		return false;
	tail = raw + length - tail_length;
	if (memcmp(tail, ARN_RESOURCE, strlen(ARN_RESOURCE)) != 0)
		return false;
	tail += strlen(ARN_RESOURCE);
	return memcmp(tail, name, name_length) == 0 && tail[name_length] == '-';
}

static bool is_about(const struct jdoc *doc, jdoc_node error, const char *name)
{
	jdoc_node id = jdoc_find(doc, error, "SecretId");
	const char *raw;
	size_t length;

	if (jdoc_type(doc, id) != JDOC_STRING)
		return false;
	if (jdoc_string_is(doc, id, name, strlen(name)))
		return true;
	raw = jdoc_raw(doc, id, &length);
	return is_arn_of(raw, length, name);
}

static jdoc_node find_error(const struct jdoc *doc, const char *name)
{
	jdoc_node errors = jdoc_find(doc, 0, "Errors");
	jdoc_node node = jdoc_first(doc, errors);

	while (node != JDOC_NONE && !is_about(doc, node, name))
		node = jdoc_next(doc, node);
	return node;
}

/* What cannot be read is as good as not there. 0 or -ENOMEM. */
static int read_text(const struct jdoc *doc, jdoc_node node, struct buf *out)
{
	return jdoc_string(doc, node, out) == -ENOMEM ? -ENOMEM : 0;
}

static int read_error(const struct aws_reply *reply, const struct jdoc *doc,
		      jdoc_node error, struct err *err)
{
	cleanup_buf struct buf type;
	cleanup_buf struct buf message;
	int r;

	buf_init(&type, TYPE_MAX);
	buf_init(&message, MESSAGE_MAX);
	r = read_text(doc, jdoc_find(doc, error, "ErrorCode"), &type);
	if (r == 0)
		r = read_text(doc, jdoc_find(doc, error, "Message"), &message);
	if (r < 0)
		return err_set(err, r, "no memory for a refusal");
	return refusal_of_part(reply, buf_text(&type), buf_text(&message), err);
}

int batch_reply_find(const struct aws_reply *reply, const struct jdoc *doc,
		     const char *name, struct value **ret, struct err *err)
{
	jdoc_node value = find_value(doc, name);
	jdoc_node error = find_error(doc, name);
	int r = -EAGAIN;

	if (value != JDOC_NONE)
		r = secretsmanager_value_read(doc, value, ret, err);
	else if (error != JDOC_NONE)
		r = read_error(reply, doc, error, err);
	if (r < 0 && r != -EAGAIN)
		(void)batch_wrap(name, err);
	return r;
}

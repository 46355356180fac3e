/* SPDX-License-Identifier: Apache-2.0 */
/* Every reply with keys ends here, so that there is one place where they are
 * found good, and none where they are quoted. */
#include "aws/keys_json.h"
#include "aws/keys.h"
#include "aws/timestamp.h"

#include <errno.h>
#include <string.h>

#define FIELD_MAX (32U << 10)
#define MS_PER_S 1000

void keys_fields_init(struct keys_fields *fields)
{
	*fields = (struct keys_fields){ 0 };
	buf_init(&fields->id, FIELD_MAX);
	buf_init(&fields->secret, FIELD_MAX);
	buf_init(&fields->token, FIELD_MAX);
}

void keys_fields_done(struct keys_fields *fields)
{
	buf_done(&fields->id);
	buf_done(&fields->secret);
	buf_done(&fields->token);
}

/* A key with a NUL inside would be cut where it becomes a text. */
int keys_fields_make(const struct keys_fields *fields, bool is_lasting,
		     struct keys **ret)
{
	const struct keys_text text = {
		.id = buf_text(&fields->id),
		.secret = buf_text(&fields->secret),
		.token = buf_text(&fields->token),
	};

	if (strlen(text.id) != fields->id.length ||
	    strlen(text.secret) != fields->secret.length ||
	    strlen(text.token) != fields->token.length)
		return -EINVAL;
	if (!is_lasting && (fields->token.length == 0 || !fields->expires_s))
		return -EINVAL;
	if (fields->expires_s < 0 || fields->expires_s > TIMESTAMP_MAX_S)
		return -EINVAL;
	return keys_new(&text, fields->expires_s, ret);
}

static int read_text(const struct jdoc *doc, jdoc_node object, const char *name,
		     struct buf *out)
{
	jdoc_node node = jdoc_find(doc, object, name);

	return jdoc_type(doc, node) == JDOC_NULL ? -ENOENT
						 : jdoc_string(doc, node, out);
}

static int read_end(const struct jdoc *doc, jdoc_node object,
		    const struct keys_members *members, int64_t *ret_s)
{
	jdoc_node node = jdoc_find(doc, object, members->expires);
	cleanup_buf struct buf text;
	int r;

	buf_init(&text, FIELD_MAX);
	if (jdoc_type(doc, node) == JDOC_NULL)
		return -ENOENT;
	if (jdoc_type(doc, node) == JDOC_NUMBER) {
		r = jdoc_integer(doc, node, ret_s);
		if (r == 0 && members->in_milliseconds)
			*ret_s /= MS_PER_S;
		return r;
	}
	r = jdoc_string(doc, node, &text);
	return r == 0 ? timestamp_parse(buf_text(&text), ret_s) : r;
}

/* What may be missing. Null is no member here. */
static int optional(const struct keys_members *members, int r)
{
	return members->is_lasting && r == -ENOENT ? 0 : r;
}

int keys_json_read(const struct jdoc *doc, jdoc_node object,
		   const struct keys_members *members, struct keys **ret)
{
	cleanup_keys_fields struct keys_fields fields;
	int r;

	keys_fields_init(&fields);
	r = read_text(doc, object, members->id, &fields.id);
	if (r == 0)
		r = read_text(doc, object, members->secret, &fields.secret);
	if (r == 0)
		r = optional(members, read_text(doc, object, members->token,
						&fields.token));
	if (r == 0)
		r = optional(members,
			     read_end(doc, object, members, &fields.expires_s));
	return r == 0 ? keys_fields_make(&fields, members->is_lasting, ret) : r;
}

int keys_json_parse(const char *text, size_t length, const char *within,
		    const struct keys_members *members, struct keys **ret)
{
	cleanup_jdoc struct jdoc *doc = NULL;
	int r = jdoc_parse(text, length, &doc, NULL);

	if (r < 0)
		return r == -ENOMEM ? r : -EINVAL;
	return keys_json_read(doc, within ? jdoc_find(doc, 0, within) : 0,
			      members, ret);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Extended attributes: of each file what status says of its secret, for who has
 * the file and not the rights to ask for a status. */
#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/macros.h"
#include "fs/follow.h"
#include "fs/layout.h"
#include "fs/tree.h"
#include "fs/tree_private.h"
#include "loop/loop.h"
#include "store/source.h"
#include "store/value.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define TIME_SIZE 32 /* "2015-08-30T12:36:00Z" */

/* A file, and what is known of its secret. */
struct subject {
	const struct tree *tree;
	const struct node *node;
	struct cache_want want;
	struct cache_about about;
};

static int64_t ttl_ms(const struct tree *tree)
{
	return tree->layout ? layout_settings(tree->layout)->ttl_ms
			    : tree->settings.prefix.ttl_ms;
}

/* 0, -ESTALE, or -ENODATA for what is no file of a secret. */
static int find_subject(const struct tree *tree, uint64_t id,
			struct subject *ret)
{
	const struct node *node = nodes_find(tree->nodes, id);

	if (!node)
		return -ESTALE;
	if (node->is_directory || !node->follow)
		return -ENODATA;
	*ret = (struct subject){
		.tree = tree,
		.node = node,
		.want = { .source = node->follow->source,
			  .name = node->follow->name,
			  .version = node->follow->version,
			  .stage = node->follow->stage,
			  .ttl_ms = ttl_ms(tree) },
	};
	cache_tell(tree->settings.cache, &ret->want, &ret->about);
	return 0;
}

/* A node of another worker may have no value yet, one that was revoked has
 * none any more. */
static int put_version(const struct subject *subject, struct buf *out)
{
	const struct node *node = subject->node;

	if (node->value)
		return buf_append_text(out, value_version(node->value));
	return node->version ? buf_append_text(out, node->version) : -ENODATA;
}

static int put_stage(const struct subject *subject, struct buf *out)
{
	if (subject->want.stage)
		return buf_append_text(out, subject->want.stage);
	return subject->want.version || subject->want.source->has_no_stages
		       ? -ENODATA
		       : buf_append_text(out, SOURCE_STAGE_CURRENT);
}

static const char *arn_of(const struct value *value)
{
	return value ? value_arn(value) : NULL;
}

/* Of the version itself, of the one that there is now, or what was asked for
 * by its ARN. */
static int put_arn(const struct subject *subject, struct buf *out)
{
	const char *arn = arn_of(subject->node->value);

	if (!arn)
		arn = arn_of(subject->about.value);
	if (arn)
		return buf_append_text(out, arn);
	if (strncmp(subject->want.name, "arn:", strlen("arn:")) != 0)
		return -ENODATA;
	return buf_append_text(out, subject->want.name);
}

static int put_time(const struct subject *subject, int64_t after_ms,
		    struct buf *out)
{
	const struct clock *clock = loop_clock(subject->tree->settings.loop);
	time_t at_s =
		clock_wall_s(clock) + (after_ms - subject->about.age_ms) / 1000;
	char text[TIME_SIZE];
	struct tm parts;

	if (subject->about.age_ms < 0)
		return -ENODATA;
	if (!gmtime_r(&at_s, &parts) ||
	    strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &parts) == 0)
		return -ENODATA;
	return buf_append_text(out, text);
}

static int put_fetched(const struct subject *subject, struct buf *out)
{
	return put_time(subject, 0, out);
}

static int put_expires(const struct subject *subject, struct buf *out)
{
	return put_time(subject, subject->want.ttl_ms, out);
}

/* A version that was replaced stays what it is for who has it open. */
static int put_state(const struct subject *subject, struct buf *out)
{
	return buf_append_text(out,
			       subject->node->is_current
				       ? cache_state_name(subject->about.state)
				       : "replaced");
}

static int put_error(const struct subject *subject, struct buf *out)
{
	return subject->about.failure
		       ? buf_append_text(out, subject->about.failure->text)
		       : -ENODATA;
}

static const struct {
	const char *name;
	int (*put)(const struct subject *subject, struct buf *out);
} attributes[] = {
	{ "user.secretsfs.version", put_version },
	{ "user.secretsfs.stage", put_stage },
	{ "user.secretsfs.arn", put_arn },
	{ "user.secretsfs.fetched", put_fetched },
	{ "user.secretsfs.expires", put_expires },
	{ "user.secretsfs.state", put_state },
	{ "user.secretsfs.error", put_error },
};

int tree_get_extended(const struct tree *tree, uint64_t id, const char *name,
		      struct buf *out)
{
	struct subject subject;
	int r = find_subject(tree, id, &subject);

	if (r < 0)
		return r;
	for (size_t i = 0; i < ARRAY_SIZE(attributes); i++)
		if (strcmp(attributes[i].name, name) == 0)
			return attributes[i].put(&subject, out);
	return -ENODATA;
}

int tree_list_extended(const struct tree *tree, uint64_t id, struct buf *out)
{
	struct subject subject;
	int r = find_subject(tree, id, &subject);

	if (r == -ENODATA)
		return 0;
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(attributes); i++) {
		size_t length = out->length;

		r = attributes[i].put(&subject, out);
		buf_truncate(out, length);
		if (r == 0)
			r = buf_append(out, attributes[i].name,
				       strlen(attributes[i].name) + 1);
		else if (r == -ENODATA)
			r = 0;
	}
	return r;
}

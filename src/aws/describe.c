/* SPDX-License-Identifier: Apache-2.0 */
/* What VersionIdsToStages says of one version. Everything else in the reply,
 * but the date of a deletion, is passed over. */
#include "aws/describe.h"
#include "aws/refusal.h"
#include "aws/reply.h"
#include "aws/secretsmanager.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/jdoc.h"
#include "store/source.h"

#include <errno.h>
#include <string.h>

#define STATUS_OK 200

int describe_form(const char *name, struct buf *out)
{
	int r = buf_append_text(out, "{\"SecretId\":");

	if (r == 0)
		r = secretsmanager_quote(name, out);
	return r == 0 ? buf_append_text(out, "}") : r;
}

int describe_wrap(const char *name, struct err *err)
{
	return err_wrap(err, "DescribeSecret '%.256s'", name);
}

/* NULL: any will do. */
static const char *stage_of(const struct source_want *want)
{
	if (want->stage)
		return want->stage;
	return want->version ? NULL : SOURCE_STAGE_CURRENT;
}

static bool has_stage(const struct jdoc *doc, jdoc_node stages,
		      const char *stage)
{
	for (jdoc_node node = jdoc_first(doc, stages); node != JDOC_NONE;
	     node = jdoc_next(doc, node))
		if (jdoc_string_is(doc, node, stage, strlen(stage)))
			return true;
	return false;
}

static bool is_current(const struct jdoc *doc, const struct source_want *want,
		       const char *version)
{
	const char *stage = stage_of(want);
	jdoc_node versions = jdoc_find(doc, 0, "VersionIdsToStages");
	jdoc_node stages = jdoc_find(doc, versions, version);

	if (want->version && strcmp(want->version, version) != 0)
		return false;
	return stage ? has_stage(doc, stages, stage) : stages != JDOC_NONE;
}

static bool is_deleted(const struct jdoc *doc)
{
	return jdoc_type(doc, jdoc_find(doc, 0, "DeletedDate")) != JDOC_NULL;
}

static int read_refusal(const struct aws_reply *reply, struct err *err)
{
	int r = refusal_read(reply, err);

	if (r == -ENOMEM || !refusal_is_of_operation(reply))
		return r;
	if (err)
		err->code = -ENOSYS;
	return -ENOSYS;
}

static int read_reply(const struct aws_reply *reply,
		      const struct source_want *want, const char *version,
		      bool *ret_is_current, struct err *err)
{
	cleanup_jdoc struct jdoc *doc = NULL;
	int r;

	if (reply->status != STATUS_OK)
		return read_refusal(reply, err);
	r = secretsmanager_reply_parse(reply, &doc, err);
	if (r < 0)
		return r;
	if (is_deleted(doc))
		return err_set(err, -ENOENT, "marked for deletion");
	*ret_is_current = is_current(doc, want, version);
	return 0;
}

int describe_reply_read(const struct aws_reply *reply,
			const struct source_want *want, const char *version,
			bool *ret_is_current, struct err *err)
{
	int r = read_reply(reply, want, version, ret_is_current, err);

	if (r < 0)
		(void)describe_wrap(want->name, err);
	return r;
}

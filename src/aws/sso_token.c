/* SPDX-License-Identifier: Apache-2.0 */
/* The cache is the AWS CLI's: this only looks. What a token is worth is told by
 * its end, and by the service. */
#include "aws/sso_token.h"
#include "aws/digest.h"
#include "aws/profile_chain.h"
#include "aws/profile_files.h"
#include "aws/small_file.h"
#include "aws/timestamp.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/jdoc.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#define FILE_MAX (256U << 10)
#define TEXT_MAX (64U << 10)
#define PATH_TEXT_SIZE 128

int sso_token_refuse(const struct profile_chain *chain, const char *why,
		     struct err *err)
{
	if (chain->sso_session)
		return err_set(err, -ENOKEY,
			       "%s: run aws sso login --sso-session %.128s",
			       why, chain->sso_session);
	return err_set(err, -ENOKEY, "%s: run aws sso login --profile %.128s",
		       why, chain->profile);
}

static int find_path(const struct aws_environment *environment,
		     const struct profile_chain *chain, char ret[PATH_MAX],
		     struct err *err)
{
	char hex[DIGEST_HEX_SIZE];
	char path[PATH_TEXT_SIZE];
	int r = digest_sha1(chain->sso_session ? chain->sso_session
					       : chain->sso_start_url,
			    hex);

	if (r < 0)
		return err_set(err, r, "no memory for a token");
	(void)snprintf(path, sizeof(path), "~/.aws/sso/cache/%s.json", hex);
	return profile_path_expand(environment, path, ret, err);
}

static int read_member(const struct jdoc *doc, const char *name,
		       struct buf *out)
{
	return jdoc_string(doc, jdoc_find(doc, 0, name), out);
}

/* Older CLIs have "UTC" for "Z". */
static int read_end(const struct jdoc *doc, int64_t *ret_s)
{
	static const char old[] = "UTC";
	cleanup_buf struct buf text;
	size_t length;

	buf_init(&text, TEXT_MAX);
	if (read_member(doc, "expiresAt", &text) < 0)
		return -EINVAL;
	length = text.length;
	if (length > strlen(old) &&
	    strcmp(buf_text(&text) + length - strlen(old), old) == 0) {
		buf_truncate(&text, length - strlen(old));
		if (buf_append_text(&text, "Z") < 0)
			return -ENOMEM;
	}
	return timestamp_parse(buf_text(&text), ret_s);
}

static int read_doc(const struct profile_chain *chain, const struct buf *text,
		    int64_t now_s, struct buf *out, struct err *err)
{
	cleanup_jdoc struct jdoc *doc = NULL;
	int64_t end_s = 0;
	int r = jdoc_parse(buf_text(text), text->length, &doc, NULL);

	if (r == 0)
		r = read_end(doc, &end_s);
	if (r == 0 && end_s <= now_s)
		return sso_token_refuse(chain, "the SSO token has expired",
					err);
	if (r == 0)
		r = read_member(doc, "accessToken", out);
	if (r == -ENOMEM)
		return err_set(err, r, "no memory for a token");
	if (r < 0 || out->length == 0)
		return sso_token_refuse(chain, "the SSO token cannot be read",
					err);
	return 0;
}

int sso_token_read(const struct aws_environment *environment,
		   const struct profile_chain *chain, int64_t now_s,
		   struct buf *out, struct err *err)
{
	cleanup_buf struct buf text;
	char path[PATH_MAX] = "";
	int r = find_path(environment, chain, path, err);

	buf_init(&text, FILE_MAX);
	if (r < 0)
		return r;
	if (path[0] == '\0')
		return err_set(err, -ENOKEY, "SSO token: HOME is not set");
	r = small_file_read("SSO token", path, FILE_MAX, &text, err);
	if (r == -ENOENT)
		return sso_token_refuse(chain, "there is no SSO token", err);
	if (r < 0 && r != -ENOMEM)
		err->code = r = -ENOKEY;
	if (r < 0)
		return r;
	return read_doc(chain, &text, now_s, out, err);
}

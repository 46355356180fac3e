/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AWS_SECRETSMANAGER_H
#define AWS_SECRETSMANAGER_H

#include "base/jdoc.h"

struct aws_reply;
struct buf;
struct err;
struct source_want;
struct value;

/* GetSecretValue ("AWS Secrets Manager API Reference"; AWS JSON 1.1). */

/* A value of 64 KiB can be six times as long in JSON ("\u00XX"), or 4/3 in
 * base64; the rest of a reply is small. */
#define SECRETSMANAGER_REPLY_MAX (1U << 20)
#define SECRETSMANAGER_NAME_MAX 2048 /* SecretId, a name or an ARN */
#define SECRETSMANAGER_VERSION_MIN 32
#define SECRETSMANAGER_VERSION_MAX 64 /* VersionId, mostly a UUID */
#define SECRETSMANAGER_STAGE_MAX 256
#define SECRETSMANAGER_GET_TARGET "secretsmanager.GetSecretValue"
#define SECRETSMANAGER_CONTENT_TYPE "application/x-amz-json-1.1"

/*
 * -ENOENT with err filled for what cannot be a secret's name, a version's id or
 * a stage, so that nothing need be sent: of a length that these never have, or
 * not printable ASCII, which all of them are.
 */
int secretsmanager_check(const struct source_want *want, struct err *err);

/* Appends a JSON string of what has been checked. 0, -EFBIG, -ENOMEM. */
int secretsmanager_quote(const char *text, struct buf *out);

/* Appends the request for what has been checked. 0, -EFBIG, -ENOMEM. */
int secretsmanager_form(const struct source_want *want, struct buf *out);

/* Puts what was asked for in front of an error: "GetSecretValue 'NAME' (version
 * VERSION, stage STAGE)", each as far as it was given. Returns the code. */
int secretsmanager_wrap(const struct source_want *want, struct err *err);

/*
 * Reads the reply. A refusal is as in refusal.h; -EFBIG for a value of more
 * than SECRET_LENGTH_MAX bytes; -EIO for a success that cannot be understood;
 * -ENOMEM. err begins as after secretsmanager_wrap() and never quotes a value.
 */
int secretsmanager_reply_read(const struct aws_reply *reply,
			      const struct source_want *want,
			      struct value **ret, struct err *err);

/* A success as JSON: 0, -EIO where it is none, -ENOMEM. The reply's body is
 * borrowed. */
int secretsmanager_reply_parse(const struct aws_reply *reply, struct jdoc **ret,
			       struct err *err);

/* The value that an object of a reply describes, with its ARN where that is
 * plausible, and with the codes of
 * secretsmanager_reply_read(); err says only what is wrong with it. */
int secretsmanager_value_read(const struct jdoc *doc, jdoc_node parent,
			      struct value **ret, struct err *err);

#endif

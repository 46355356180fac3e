/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AWS_SECRETSMANAGER_H
#define AWS_SECRETSMANAGER_H

struct aws_reply;
struct buf;
struct err;
struct value;

/* GetSecretValue ("AWS Secrets Manager API Reference"; AWS JSON 1.1). */

/* A value of 64 KiB can be six times as long in JSON ("\u00XX"), or 4/3 in
 * base64; the rest of a reply is small. */
#define SECRETSMANAGER_REPLY_MAX (1U << 20)
#define SECRETSMANAGER_NAME_MAX 2048 /* SecretId, a name or an ARN */
#define SECRETSMANAGER_GET_TARGET "secretsmanager.GetSecretValue"
#define SECRETSMANAGER_CONTENT_TYPE "application/x-amz-json-1.1"

/*
 * -ENOENT with err filled for what cannot be a secret's name, so that nothing
 * need be sent: empty, too long, or not printable ASCII, in which all names of
 * Secrets Manager are.
 */
int secretsmanager_check_name(const char *name, struct err *err);

/* Appends the request for the current version of a secret whose name has been
 * checked. 0, -EFBIG, -ENOMEM. */
int secretsmanager_form(const char *name, struct buf *out);

/*
 * Reads the reply. A refusal is as in refusal.h; -EFBIG for a value of more
 * than SECRET_LENGTH_MAX bytes; -EIO for a success that cannot be understood;
 * -ENOMEM. err begins with "GetSecretValue 'NAME'" and never quotes a value.
 */
int secretsmanager_reply_read(const struct aws_reply *reply, const char *name,
			      struct value **ret, struct err *err);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AWS_STS_H
#define AWS_STS_H

struct aws_reply;
struct buf;
struct err;
struct keys;

/*
 * AssumeRoleWithWebIdentity and AssumeRole (AWS Security Token Service API
 * Reference): a token that a file holds, in Kubernetes the service account's,
 * or keys that sign the request, become temporary keys of a role.
 */

#define STS_TOKEN_MAX 20000U /* WebIdentityToken: 4 to 20000 characters */
#define STS_REPLY_MAX (64U << 10)
#define STS_SESSION_NAME_SIZE 65 /* RoleSessionName: 2 to 64 characters */

/* All borrowed. */
struct sts_role {
	const char *arn;
	const char *token_file; /* NULL: AssumeRole */
	const char *session_name;
	const char *external_id; /* NULL: none */
	unsigned duration_s;	 /* 0: what STS gives */
};

/* The name of the operation that a role needs. */
const char *sts_action(const struct sts_role *role);

/*
 * Appends the token: the file without blanks at its end. The file is opened
 * anew each time, since what rotates it swaps links. Only a regular file of at
 * most STS_TOKEN_MAX bytes is read, and never waited for. -ENOKEY for every
 * fault of the file, with its path in err; -ENOMEM.
 */
int sts_token_read(const char *path, struct buf *out, struct err *err);

/*
 * The session's name, as CloudTrail shows it: `wanted`, or where that is NULL
 * "secretsfs-VERSION-NODE", with the host's name where `node` is NULL. `what`
 * is for errors: -EINVAL with err filled where `wanted` is none that STS takes.
 */
int sts_session_name(const char *what, const char *wanted, const char *node,
		     char ret[STS_SESSION_NAME_SIZE], struct err *err);

/* Appends the form that asks for keys, with the token read as above. -ENOKEY,
 * -EFBIG, -ENOMEM with err filled. */
int sts_form(const struct sts_role *role, struct buf *out, struct err *err);

/*
 * Reads a reply, which STS sends as XML or, asked for it, as JSON: the first
 * byte decides. A refusal is as in refusal.h; -EIO for a success that cannot be
 * understood; -ENOMEM. No error text holds a part of the keys.
 */
int sts_reply_read(const struct aws_reply *reply, struct keys **ret,
		   struct err *err);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AWS_SSM_H
#define AWS_SSM_H

#include <stddef.h>

struct aws_reply;
struct buf;
struct err;
struct jdoc;
struct source_want;
struct value;

/*
 * GetParameters ("AWS Systems Manager API Reference"; AWS JSON 1.1): up to ten
 * parameters in one reply, always decrypted, since otherwise a SecureString
 * comes as ciphertext. A StringList is its text, with its commas.
 */

#define SSM_TARGET "AmazonSSM.GetParameters"
#define SSM_NAMES_MAX 10
#define SSM_NAME_MAX 2048 /* of a name with its selector */
#define SSM_LABEL_MAX 100

/* Ten values of 8 KiB, six times as long by escapes, and what is beside them.
 */
#define SSM_REPLY_MAX (1U << 20)

/*
 * -ENOENT with err filled for what cannot be a parameter, so that it is not
 * sent: AWS would refuse it together with whatever is asked for beside it.
 * Version and label cannot be asked for together.
 */
int ssm_check(const struct source_want *want, struct err *err);

/* Appends the request for wants that have been checked; NULLs among them are
 * passed over. 0, -EFBIG, -ENOMEM. */
int ssm_form(const struct source_want *const *wants, size_t count,
	     struct buf *out);

/* Puts "GetParameters 'NAME'" in front of an error, with version or label.
 * Returns the code. */
int ssm_wrap(const struct source_want *want, struct err *err);

/* A success as JSON, the body borrowed: 0; -EIO where it is none, with err
 * filled; -ENOMEM. */
int ssm_reply_parse(const struct aws_reply *reply, struct jdoc **ret,
		    struct err *err);

/*
 * What a success says of one want, of which the request had no other of the
 * same name: 0 with its value; -ENOENT where AWS has no such parameter, version
 * or label; -EFBIG, -EIO, -ENOMEM. err begins as after ssm_wrap() and never
 * quotes a value.
 *
 * A value's version is "NUMBER@MILLISECONDS": who deletes a parameter and makes
 * it again begins again at 1.
 */
int ssm_reply_find(const struct jdoc *doc, const struct source_want *want,
		   struct value **ret, struct err *err);

#endif

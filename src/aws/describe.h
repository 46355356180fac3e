/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AWS_DESCRIBE_H
#define AWS_DESCRIBE_H

#include <stdbool.h>

struct aws_reply;
struct buf;
struct err;
struct source_want;

/* DescribeSecret: which version has which stage, without any value. */

#define DESCRIBE_TARGET "secretsmanager.DescribeSecret"

/* 2 KiB of description, 50 tags, 20 stages: escaped, far below this. */
#define DESCRIBE_REPLY_MAX (256U << 10)

/* Appends the request for a name that has been checked. 0, -EFBIG, -ENOMEM. */
int describe_form(const char *name, struct buf *out);

/* Puts "DescribeSecret 'NAME'" in front of an error. Returns the code. */
int describe_wrap(const char *name, struct err *err);

/*
 * Whether the want still leads to that version. A version without any stage is
 * not in the reply, whether it exists or not, so a want of one is never
 * current: only a fetch can tell.
 *
 * A refusal is as in refusal.h, but -ENOSYS where only DescribeSecret is
 * refused or not to be had; -ENOENT for a secret that is marked for deletion,
 * whose value AWS does not give either; -EIO for a success that is not JSON;
 * -ENOMEM. err begins as after describe_wrap().
 */
int describe_reply_read(const struct aws_reply *reply,
			const struct source_want *want, const char *version,
			bool *ret_is_current, struct err *err);

#endif

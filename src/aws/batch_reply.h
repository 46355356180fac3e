/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AWS_BATCH_REPLY_H
#define AWS_BATCH_REPLY_H

#include <stdbool.h>
#include <stddef.h>

struct aws_reply;
struct buf;
struct err;
struct jdoc;
struct value;

/* BatchGetSecretValue: many secrets' current values in one reply, with errors
 * for some of them. */

#define BATCH_TARGET "secretsmanager.BatchGetSecretValue"
#define BATCH_NAMES_MAX 20

/* 20 values of 64 KiB, each byte three times as long by escapes, and what is
 * beside them. What is longer is asked for one by one. */
#define BATCH_REPLY_MAX (4U << 20)

/* Appends the request for names that have been checked, each once; NULLs among
 * them are passed over. 0, -EFBIG, -ENOMEM. */
int batch_form(const char *const *names, size_t count, struct buf *out);

/* "BatchGetSecretValue 'NAME'" in front of an error. Returns the code. */
int batch_wrap(const char *name, struct err *err);

/* Whether the reply is a refusal that asking for the same secrets one by one
 * may not meet: a definite one. */
bool batch_reply_is_refusal(const struct aws_reply *reply);

/* Whether such a refusal is of batches as such, and so will last. */
bool batch_reply_is_lasting(const struct aws_reply *reply);

/*
 * What a success says of one name, which may be an ARN: 0 with its value, or an
 * error with the codes of secretsmanager_reply_read() and err as after
 * batch_wrap(). -EAGAIN, with err untouched: nothing that is final.
 *
 * A value is taken only from where its name or its ARN is exactly the one that
 * was asked for. doc is of that reply.
 */
int batch_reply_find(const struct aws_reply *reply, const struct jdoc *doc,
		     const char *name, struct value **ret, struct err *err);

#endif

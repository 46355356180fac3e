/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AWS_AWS_SOURCE_H
#define AWS_AWS_SOURCE_H

#include "aws/account.h"

struct err;
struct identities;
struct source;

/* Secrets Manager as a source of store/source.h. It cannot list yet. */

/*
 * Asks nobody yet. settings are for the call only; identities are borrowed
 * and outlive the source. -EINVAL, -EACCES (no credentials are
 * configured) or -ENOMEM with err filled.
 *
 * A fetch whose keys are refused as too old drops them and tries once more
 * with newer ones. Names may be ARNs of the source's region. A version and a
 * stage are asked for as they are given, both if both are.
 *
 * Fetches without either that begin in one turn of the loop are asked for by
 * BatchGetSecretValue, single ones where AWS refuses that, which is remembered
 * for an hour. A confirmation is a DescribeSecret; where that is refused, or
 * the endpoint has none, it ends with -ENOSYS, at once for an hour. A secret
 * that is marked for deletion is -ENOENT in both.
 */
int aws_source_new(struct identities *identities,
		   const struct aws_settings *settings, struct source **ret,
		   struct err *err);

#endif

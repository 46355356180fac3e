/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AWS_SSM_SOURCE_H
#define AWS_SSM_SOURCE_H

#include "aws/account.h"

struct err;
struct identities;
struct source;

/*
 * Parameters of Systems Manager as a source of store/source.h: as
 * aws_source_new() makes one of Secrets Manager, with the same codes.
 *
 * A version is a number and a stage a label; without either it is the latest.
 * It cannot list, and has no confirmation, since GetParameters is the cheapest
 * question that AWS answers about a parameter.
 */
int ssm_source_new(struct identities *identities,
		   const struct aws_settings *settings, struct source **ret,
		   struct err *err);

#endif

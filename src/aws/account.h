/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AWS_ACCOUNT_H
#define AWS_ACCOUNT_H

#include <stdbool.h>
#include <stdint.h>

#include "aws/api_call.h"
#include "aws/endpoint.h"
#include "aws/identities.h"
#include "store/source.h"

struct err;

/* Who asks a service, and where: what every source of AWS is made of. */

struct aws_settings {
	const char *region;	  /* --region; NULL: see region_choose() */
	const char *endpoint_url; /* --endpoint-url; NULL; not for STS */
	const char *secret; /* the one secret of the mount; NULL: several. An
			     * ARN may bring the region along */
	int64_t timeout_ms; /* for a fetch with all that it needs; > 0 */
	struct aws_role role;
	bool by_proxy; /* retry's way, told to keep sources apart */
};

struct account {
	struct source source; /* its identity is the one below */
	struct api api;	      /* points to what is below */
	struct endpoint endpoint;
	char *identity; /* service, place and who asks: for cache keys */
	int64_t timeout_ms;
};

/*
 * Asks nobody yet. All of account is zero but its source's operations.
 * settings are for the call only; identities are borrowed and outlive the
 * account, which must stay where it is. It is closed by the caller in any case.
 -EINVAL, -EACCES (no credentials are
 * configured) or -ENOMEM with err filled.
 */
int account_open(struct account *account, enum aws_service service,
		 struct identities *identities,
		 const struct aws_settings *settings, struct err *err);

/* Every call must have ended. Allowed for one that is all zero. */
void account_close(struct account *account);

/* Whether credentials are at hand, told without the network, for a warning at
 * mount time: 0, or -ENOKEY with err filled. source is any of AWS. */
int account_check(struct source *source, struct err *err);

/* Where such a source asks: constant for its life, and its own. */
const char *account_region(const struct source *source);

/* -ENOENT with err filled where that ARN's region, "" for a name's, is not the
 * account's. */
int account_check_region(const struct account *account, const char *region,
			 struct err *err);

/* The codes that store/source.h allows: what is none of them may pass by
 * itself and is -EIO. */
int account_reader_code(int code);

#endif

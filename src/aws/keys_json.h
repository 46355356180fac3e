/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AWS_KEYS_JSON_H
#define AWS_KEYS_JSON_H

#include "base/buf.h"
#include "base/jdoc.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct keys;

/* Keys as AWS's services write them: the same four members in every reply,
 * under names that differ. */

struct keys_members {
	const char *id;
	const char *secret;
	const char *token;
	const char *expires;
	bool in_milliseconds; /* where it is a number, which else is seconds */
	bool is_lasting;      /* token and end may be missing */
};

/* The members in whatever form they came. */
struct keys_fields {
	struct buf id;
	struct buf secret;
	struct buf token;
	int64_t expires_s; /* 0: none */
};

void keys_fields_init(struct keys_fields *fields);
void keys_fields_done(struct keys_fields *fields);
#define cleanup_keys_fields CLEANUP(keys_fields_done)

/* -EINVAL where something is missing, or is nothing that could be sent;
 * -ENOMEM. is_lasting: token and end may be missing. */
int keys_fields_make(const struct keys_fields *fields, bool is_lasting,
		     struct keys **ret);

/*
 * Out of an object of a document. An end may be a number or a text
 * (timestamp.h). 0; -EINVAL as above, -ENOENT where a member is missing,
 * -ENOMEM.
 */
int keys_json_read(const struct jdoc *doc, jdoc_node object,
		   const struct keys_members *members, struct keys **ret);

/* The same of a text: out of its member `within`, or where that is NULL of the
 * whole. -EINVAL also where it is no JSON. */
int keys_json_parse(const char *text, size_t length, const char *within,
		    const struct keys_members *members, struct keys **ret);

#endif

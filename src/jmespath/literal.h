/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JMESPATH_LITERAL_H
#define JMESPATH_LITERAL_H

#include "jmespath/text.h"

struct err;
struct expression;
struct jmespath;
struct token;

/* Tokens that stand for something else than their own bytes: what they mean is
 * kept in the jmespath's text, which has room for all of them. */

/* The name of an identifier, quoted or not. 0, -EINVAL, -ENOMEM. */
int literal_name(struct jmespath *jmespath, const struct token *token,
		 struct text *ret, struct err *err);

/* Sets a literal's value, of a 'raw string' or of `JSON`. 0, -EINVAL, -E2BIG,
 * -ENOMEM. */
int literal_set(struct jmespath *jmespath, const struct token *token,
		struct expression *literal, struct err *err);

#endif

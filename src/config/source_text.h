/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONFIG_SOURCE_TEXT_H
#define CONFIG_SOURCE_TEXT_H

#include <stdbool.h>

struct err;

/*
 * What SOURCE on the command line means.
 *
 *	NAME, secretsmanager:NAME	a secret by its name or ARN
 *	ssm:NAME			a parameter of SSM, likewise
 *	file:PATH			a file, or a directory of secrets
 *	/PATH, ./PATH, ../PATH		a class file
 */

/* The longest name of a secret (Secrets Manager, CreateSecret: Name). */
#define SOURCE_NAME_MAX 512

/* Of a parameter, its ARN included (Systems Manager, PutParameter: Name); room
 * for the longer of both, with a NUL. */
#define SOURCE_PARAMETER_MAX 1011
#define SOURCE_OWN_NAME_SIZE (SOURCE_PARAMETER_MAX + 1)

enum source_kind {
	SOURCE_SECRET,
	SOURCE_PARAMETER,
	SOURCE_FILE,
	SOURCE_CLASS,
};

struct source_text {
	enum source_kind kind;
	const char *text; /* name, ARN or path: a part of what was parsed */
	bool is_arn;
};

/* 0, or -EINVAL with err filled: the text says nothing, names what is not
 * supported yet, or cannot be the name of a secret or parameter. */
int source_text_parse(const char *text, struct source_text *ret,
		      struct err *err);

/* The name or ARN of a secret, without a word before it. 0; -EINVAL: it is
 * longer than SOURCE_NAME_MAX, has characters that no name has, or is an ARN,
 * but not that of a secret. */
int source_text_of_secret(const char *text, struct source_text *ret);

/* The same for a parameter of SSM, with SOURCE_PARAMETER_MAX. */
int source_text_of_parameter(const char *text, struct source_text *ret);

/* The secret's own name: an ARN's without what comes before it and without the
 * six characters that the service appends; a name as it is. A parameter's
 * likewise, without a '/' at its beginning. name must hold
 * SOURCE_OWN_NAME_SIZE bytes. */
void source_text_secret_name(const struct source_text *source, char *name);

#endif

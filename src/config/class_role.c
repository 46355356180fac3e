/* SPDX-License-Identifier: Apache-2.0 */
/* A role to assume: what STS would refuse is refused here, with its line
 * ("AssumeRole", Request Parameters). */
#include "base/parse.h"
#include "config/class_reader.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define ARN_MAX 2048
#define EXTERNAL_ID_MIN 2
#define EXTERNAL_ID_MAX 1224
#define DURATION_MIN 900
#define DURATION_MAX 43200

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

/* arn:PARTITION:iam::ACCOUNT:role/NAME */
static bool is_role(const char *arn)
{
	int used = 0;

	(void)sscanf(arn, "arn:%*[a-z-]:iam::%*12[0-9]:role/%n", &used);
	return used > 0 && arn[used] && strlen(arn) <= ARN_MAX &&
	       !arn[strspn(arn, LETTERS DIGITS ":/_+=,.@-")];
}

static bool is_external_id(const char *text)
{
	return strlen(text) >= EXTERNAL_ID_MIN &&
	       strlen(text) <= EXTERNAL_ID_MAX &&
	       !text[strspn(text, LETTERS DIGITS "_+=,.@:/-")];
}

static int read_external_id(struct class_reader *reader,
			    const struct class_given *given,
			    struct class *class)
{
	class->role_external_id = class_text_or_null(given);
	if (!class->role_external_id || is_external_id(given->text))
		return 0;
	return class_refuse(reader, given->line,
			    "assumeRoleExternalId takes %d to %d letters, "
			    "digits and _+=,.@:/-",
			    EXTERNAL_ID_MIN, EXTERNAL_ID_MAX);
}

static int read_duration(struct class_reader *reader,
			 const struct class_given *given, struct class *class)
{
	uint64_t seconds = 0;

	if (!class_is_given(given))
		return 0;
	if (parse_decimal(given->text, DURATION_MAX, &seconds) < 0 ||
	    seconds < DURATION_MIN)
		return class_refuse(reader, given->line,
				    "assumeRoleDurationSeconds takes a number "
				    "from %d to %d, not '%s'",
				    DURATION_MIN, DURATION_MAX, given->text);
	class->role_duration_s = (unsigned)seconds;
	return 0;
}

int class_read_role(struct class_reader *reader,
		    const struct class_role_given *given, struct class *class)
{
	const struct class_given *alone = class_is_given(&given->external_id)
						  ? &given->external_id
						  : &given->duration;
	int r;

	class->role_arn = class_text_or_null(&given->arn);
	if (!class->role_arn && class_is_given(alone))
		return class_refuse(
			reader, alone->line, "%s without assumeRoleArn",
			alone == &given->duration ? "assumeRoleDurationSeconds"
						  : "assumeRoleExternalId");
	if (class->role_arn && !is_role(class->role_arn))
		return class_refuse(reader, given->arn.line,
				    "assumeRoleArn takes the ARN of a role, "
				    "arn:aws:iam::ACCOUNT:role/NAME, not '%s'",
				    class->role_arn);
	r = read_external_id(reader, &given->external_id, class);
	return r == 0 ? read_duration(reader, &given->duration, class) : r;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers only: the files that have the names may be another machine's. */
#include "config/owner_text.h"
#include "base/parse.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

static int read_id(const char *text, uint32_t *ret)
{
	uint64_t number;
	/* The last one is no id but "leave it" in many system calls. */
	int r = parse_decimal(text, UINT32_MAX - 1, &number);

	if (r == 0)
		*ret = (uint32_t)number;
	return r;
}

int owner_text_parse(const char *text, struct owner_text *ret)
{
	struct owner_text owner = { 0 };
	const char *colon = strchr(text, ':');
	char uid_text[16] = "";
	size_t length = colon ? (size_t)(colon - text) : strlen(text);

	if (length >= sizeof(uid_text))
		return -EINVAL;
	memcpy(uid_text, text, length);
	if (read_id(uid_text, &owner.uid) < 0)
		return -EINVAL;
	if (colon && read_id(colon + 1, &owner.gid) < 0)
		return -EINVAL;
	owner.has_group = colon;
	*ret = owner;
	return 0;
}

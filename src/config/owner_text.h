/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONFIG_OWNER_TEXT_H
#define CONFIG_OWNER_TEXT_H

#include <stdbool.h>
#include <sys/types.h>

/* Whose a file is: "UID" or "UID:GID", as numbers. */
struct owner_text {
	uid_t uid;
	gid_t gid; /* 0 without has_group */
	bool has_group;
};

/* 0 or -EINVAL. */
int owner_text_parse(const char *text, struct owner_text *ret);

#endif

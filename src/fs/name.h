/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FS_NAME_H
#define FS_NAME_H

#include <stddef.h>

/*
 * File names for what has other names: keys of JSON secrets, and secrets.
 *
 * A result is never "", "." or "..", and holds no '/', no control byte and no
 * invalid UTF-8. Both calls return 0, -EINVAL where there is no file name, or
 * -ENAMETOOLONG where it would take more than NAME_LENGTH_MAX bytes; ret is
 * touched on success only.
 */

#define NAME_LENGTH_MAX 255 /* NAME_MAX of linux/limits.h */

/*
 * Injective: no two keys share a file name, so a file says exactly which key
 * it shows. '%', '/', control bytes (below 0x20, and 0x7f), bytes that are no
 * valid UTF-8, and a leading '.' become "%XX" with upper-case digits; all other
 * bytes stand for themselves. The empty key has no file name.
 */
int name_from_key(const char *key, size_t length,
		  char ret[NAME_LENGTH_MAX + 1]);

/*
 * The default path translation of the AWS provider for the Secrets Store CSI
 * driver: every '/' becomes '_', all else stays, so it is not injective and the
 * caller must look for collisions. No file name have: names with control bytes
 * or invalid UTF-8, and those that are ours ("..*", ".secretsfs*", ".").
 */
int name_from_secret(const char *secret, char ret[NAME_LENGTH_MAX + 1]);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_FILE_VALUE_H
#define STORE_FILE_VALUE_H

#include <stdbool.h>

struct value;

/*
 * Reads an open file as a value, whose version is made of the file's inode,
 * times and length; is_raw: it has no keys. 0, -ENOENT (it is no regular
 * file), -ESTALE (another one has its name, which is to be opened again),
 * -EFBIG, -EIO (it changed all the time), -ENOMEM, or why reading failed.
 */
int file_value_read(int fd, bool is_raw, struct value **ret);

#endif

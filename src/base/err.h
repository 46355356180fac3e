/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

/*
 * An error as a code and one sentence, in the caller's frame: nothing to free.
 *
 * Fallible functions return 0 or a negative errno. Where a person will need a
 * sentence, their last parameter is a struct err, which may be NULL and is
 * touched on failure only. No text ever holds a secret value.
 */

#define ERR_TEXT_MAX 512

struct err {
	int code; /* negative errno */
	char text[ERR_TEXT_MAX];
};

/* Fills err and returns code, so that failing is one line. Long texts are cut.
 */
int err_set(struct err *err, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Puts context in front: "outer: inner". Returns the code that err holds. */
int err_wrap(struct err *err, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif

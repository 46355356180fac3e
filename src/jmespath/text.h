/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JMESPATH_TEXT_H
#define JMESPATH_TEXT_H

#include <stddef.h>

/* Bytes that somebody else owns: of the expression, of the document, or of the
 * search's texts. */
struct text {
	const char *bytes;
	size_t length;
};

#endif

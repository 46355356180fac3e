/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AWS_XML_H
#define AWS_XML_H

#include <stddef.h>

struct buf;

/*
 * Texts out of the small XML documents that STS sends.
 *
 * Not a general reader: document types, CDATA and character numbers are
 * refused, the five entities of XML are decoded (XML 1.0, 4.6), attributes and
 * comments are passed over, and elements nest to XML_DEPTH_MAX.
 */

#define XML_DEPTH_MAX 16

/*
 * Appends the text of the first element that `path` names: element names from
 * an ancestor down, such as "Error/Code", whatever stands above.
 *
 * 0; -ENOENT: no such element; -EBADMSG: not a document as above, or the
 * element holds more than text; -EFBIG; -ENOMEM. On failure out is as before.
 */
int xml_find_text(const char *xml, size_t length, const char *path,
		  struct buf *out);

#endif

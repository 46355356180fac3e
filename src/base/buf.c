/* SPDX-License-Identifier: Apache-2.0 */
/* Growth stays in place or copies to a new piece and wipes the old one: no
 * realloc(3), which would leave plaintext behind. */
#include "base/buf.h"
#include "base/pool.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

#define BUF_FIRST_CAPACITY 256

void buf_init(struct buf *buf, size_t limit)
{
	*buf = (struct buf){ .limit = limit };
}

void buf_done(struct buf *buf)
{
	pool_free(buf->bytes, buf->capacity);
	*buf = (struct buf){ 0 };
}

void buf_clear(struct buf *buf)
{
	if (buf->bytes)
		explicit_bzero(buf->bytes, buf->length);
	buf->length = 0;
}

void buf_truncate(struct buf *buf, size_t length)
{
	if (buf->bytes)
		explicit_bzero(buf->bytes + length, buf->length - length);
	buf->length = length;
}

int buf_reserve(struct buf *buf, size_t more)
{
	size_t capacity = buf->capacity ? buf->capacity : BUF_FIRST_CAPACITY;
	unsigned char *bytes;

	if (more > buf->limit - buf->length)
		return -EFBIG;
	while (capacity <= buf->length + more)
		capacity *= 2;
	if (capacity > buf->limit)
		capacity = buf->limit + 1;
	if (capacity == buf->capacity)
		return 0;
	if (buf->bytes && pool_extend(buf->bytes, capacity)) {
		buf->capacity = capacity;
		return 0;
	}
	bytes = pool_alloc(capacity);
	if (!bytes)
		return -ENOMEM;
	if (buf->bytes)
		memcpy(bytes, buf->bytes, buf->length);
	pool_free(buf->bytes, buf->capacity);
	buf->bytes = bytes;
	buf->capacity = capacity;
	return 0;
}

int buf_append(struct buf *buf, const void *bytes, size_t length)
{
	int r = buf_reserve(buf, length);

	if (r < 0)
		return r;
	if (length)
		memcpy(buf->bytes + buf->length, bytes, length);
	buf->length += length;
	buf->bytes[buf->length] = '\0';
	return 0;
}

int buf_append_text(struct buf *buf, const char *text)
{
	return buf_append(buf, text, strlen(text));
}

int buf_append_texts(struct buf *buf, ...)
{
	size_t before = buf->length;
	const char *text;
	va_list texts;
	int r = 0;

	va_start(texts, buf);
	while (r == 0 && (text = va_arg(texts, const char *)))
		r = buf_append_text(buf, text);
	va_end(texts);
	if (r < 0)
		buf_truncate(buf, before);
	return r;
}

const char *buf_text(const struct buf *buf)
{
	return buf->bytes ? (const char *)buf->bytes : "";
}

/* SPDX-License-Identifier: Apache-2.0 */
/* A view is two steps: find bytes in the value, then decode them if that is
 * wanted. Plaintext is in pool memory between them. */
#include "store/view.h"
#include "base/base64.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/macros.h"
#include "base/secret.h"
#include "jmespath/jmespath.h"
#include "store/value.h"

#include <errno.h>
#include <string.h>

bool view_is_plain(const struct view *view)
{
	return view->key != VIEW_PATH && !view->decode_base64;
}

/* What a reader gets for an expression that could not be evaluated. */
static int reader_code(int code)
{
	if (code == -ENOMEM || code == -EFBIG)
		return code;
	return code == -E2BIG ? -EFBIG : -EBADMSG;
}

static int search(const struct view *view, const struct value *value,
		  struct buf *out, struct err *err)
{
	const struct jdoc *document = value_document(value);
	enum jmespath_kind kind;
	struct err why;
	int r;

	if (!document)
		return err_set(err, -EBADMSG,
			       "Invalid JSON used with jmesPath in secret");
	r = jmespath_search(view->path, document, out, &kind, &why);
	if (r < 0)
		return err_set(err, reader_code(r),
			       "Invalid JMES search for path:%.256s: %s",
			       view->path_text, why.text);
	if (kind == JMESPATH_NULL)
		return err_set(err, -ENOENT,
			       "JMES Path - %.256s does not point to a valid "
			       "object",
			       view->path_text);
	return 0;
}

static int find(const struct view *view, const struct value *value,
		struct buf *out, struct err *err)
{
	struct secret *whole = value_bytes(value);
	const unsigned char *bytes = secret_bytes(whole);
	int r;

	if (!bytes)
		return err_set(err, -ENOMEM, "no memory to open it");
	if (view->key == VIEW_PATH)
		return search(view, value, out, err);
	if (view->key == VIEW_WHOLE)
		r = buf_append(out, bytes, secret_length(whole));
	else
		r = value_key_read(value, view->key, out);
	return r == 0 ? 0 : err_set(err, r, "too long to be shown");
}

/* What base64(1) and mail programs wrap lines with. */
static void drop_blanks(struct buf *text)
{
	size_t kept = 0;

	for (size_t i = 0; i < text->length; i++)
		if (!strchr(" \t\r\n", text->bytes[i]) || !text->bytes[i])
			text->bytes[kept++] = text->bytes[i];
	buf_truncate(text, kept);
}

int view_read(const struct view *view, const struct value *value,
	      struct buf *out, struct err *err)
{
	cleanup_buf struct buf encoded;
	int r;

	if (!view->decode_base64)
		return find(view, value, out, err);
	buf_init(&encoded, SECRET_LENGTH_MAX);
	r = find(view, value, &encoded, err);
	if (r < 0)
		return r;
	drop_blanks(&encoded);
	r = base64_decode(buf_text(&encoded), encoded.length, out);
	if (r == -ENOMEM || r == -EFBIG)
		return err_set(err, r, "too long to be shown");
	return r == 0 ? 0 : err_set(err, -EBADMSG, "the value is not base64");
}

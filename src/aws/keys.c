/* SPDX-License-Identifier: Apache-2.0 */
/* The three texts share one buf, each with its NUL: a piece of locked memory
 * costs a page. */
#include "aws/keys.h"
#include "base/buf.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define KEYS_TEXT_MAX (64U << 10)

struct keys {
	unsigned references;
	int64_t expires_s;
	struct buf text;
	size_t secret_at;
	size_t token_at;
};

static bool is_header_text(const char *text)
{
	for (; *text != '\0'; text++)
		if (*text <= ' ' || *text > '~')
			return false;
	return true;
}

static int append_text(struct keys *keys, const char *text, size_t *ret_at)
{
	size_t at = keys->text.length;
	int r = buf_append(&keys->text, text, strlen(text) + 1);

	if (r < 0)
		return r == -EFBIG ? -EINVAL : r;
	*ret_at = at;
	return 0;
}

int keys_new(const struct keys_text *text, int64_t expires_s, struct keys **ret)
{
	cleanup_keys struct keys *keys = NULL;
	const char *token = text->token ? text->token : "";
	size_t id_at;
	int r;

	if (text->id[0] == '\0' || text->secret[0] == '\0' ||
	    !is_header_text(text->id) || !is_header_text(text->secret) ||
	    !is_header_text(token))
		return -EINVAL;
	keys = calloc(1, sizeof(*keys));
	if (!keys)
		return -ENOMEM;
	keys->references = 1;
	keys->expires_s = expires_s;
	buf_init(&keys->text, KEYS_TEXT_MAX);
	r = append_text(keys, text->id, &id_at);
	if (r == 0)
		r = append_text(keys, text->secret, &keys->secret_at);
	if (r == 0)
		r = append_text(keys, token, &keys->token_at);
	if (r < 0)
		return r;
	*ret = TAKE(keys);
	return 0;
}

struct keys *keys_ref(struct keys *keys)
{
	keys->references++;
	return keys;
}

void keys_unref(struct keys *keys)
{
	if (!keys)
		return;
	assert(keys->references > 0);
	if (--keys->references > 0)
		return;
	buf_done(&keys->text);
	free(keys);
}

const char *keys_id(const struct keys *keys)
{
	return buf_text(&keys->text);
}

const char *keys_secret(const struct keys *keys)
{
	return buf_text(&keys->text) + keys->secret_at;
}

const char *keys_token(const struct keys *keys)
{
	return buf_text(&keys->text) + keys->token_at;
}

int64_t keys_expires_s(const struct keys *keys)
{
	return keys->expires_s;
}

void keys_cleanup(struct keys **keys)
{
	keys_unref(*keys);
}

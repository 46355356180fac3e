/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An own signer, because the one in libcurl cannot sign for a corrected clock
 * and leaves copies of the key in freed memory. Three texts, each made from
 * the one before, and a chain of keys that never leaves one wiped frame.
 */
#include "aws/sigv4.h"
#include "aws/digest.h"
#include "aws/timestamp.h"
#include "base/buf.h"
#include "base/macros.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#define DATE_LENGTH 8 /* of "20150830T123600Z" */
#define TEXT_MAX (256U << 10)
#define BLANKS " \t"

#define ALGORITHM "AWS4-HMAC-SHA256"
#define SCOPE_END "aws4_request"

static void hash_wipe(struct digest *hash)
{
	explicit_bzero(hash, sizeof(*hash));
}

#define cleanup_hash CLEANUP(hash_wipe)

static int append_digest(struct buf *out, const void *bytes, size_t length)
{
	char hex[DIGEST_HEX_SIZE];
	int r = digest_sha256(bytes, length, hex);

	return r == 0 ? buf_append_text(out, hex) : r;
}

/* Fills `order` with the headers by name; equal names stay as they came. */
static int sort_headers(const struct sigv4_request *request,
			const struct sigv4_header *order[SIGV4_HEADERS_MAX])
{
	if (request->header_count > SIGV4_HEADERS_MAX)
		return -E2BIG;
	for (size_t i = 0; i < request->header_count; i++) {
		const struct sigv4_header *header = &request->headers[i];
		size_t place = i;

		for (; place > 0; place--) {
			if (strcasecmp(order[place - 1]->name, header->name) <=
			    0)
				break;
			order[place] = order[place - 1];
		}
		order[place] = header;
	}
	return 0;
}

static int append_lower(struct buf *out, const char *text)
{
	size_t start = out->length;
	int r = buf_append_text(out, text);

	for (size_t i = start; i < out->length; i++)
		out->bytes[i] = (unsigned char)tolower(out->bytes[i]);
	return r;
}

static int append_value(struct buf *out, const char *value)
{
	const char *separator = "";
	int r = 0;

	value += strspn(value, BLANKS);
	while (r == 0 && *value != '\0') {
		size_t length = strcspn(value, BLANKS);

		r = buf_append_text(out, separator);
		if (r == 0)
			r = buf_append(out, value, length);
		separator = " ";
		value += length;
		value += strspn(value, BLANKS);
	}
	return r;
}

static int append_name(struct buf *out, const char *name, bool is_first)
{
	int r = buf_append_text(out, is_first ? "" : "\n");

	if (r == 0)
		r = append_lower(out, name);
	return r == 0 ? buf_append_text(out, ":") : r;
}

static int append_headers(const struct sigv4_request *request, struct buf *out)
{
	const struct sigv4_header *order[SIGV4_HEADERS_MAX];
	const char *last = "";
	int r = sort_headers(request, order);

	for (size_t i = 0; r == 0 && i < request->header_count; i++) {
		if (i > 0 && strcasecmp(last, order[i]->name) == 0)
			r = buf_append_text(out, ",");
		else
			r = append_name(out, order[i]->name, i == 0);
		if (r == 0)
			r = append_value(out, order[i]->value);
		last = order[i]->name;
	}
	return r == 0 ? buf_append_text(out, "\n") : r;
}

static int append_names(const struct sigv4_request *request, struct buf *out)
{
	const struct sigv4_header *order[SIGV4_HEADERS_MAX];
	const char *last = "";
	int r = sort_headers(request, order);

	for (size_t i = 0; r == 0 && i < request->header_count; i++) {
		const char *name = order[i]->name;

		if (i > 0 && strcasecmp(last, name) == 0)
			continue;
		r = buf_append_text(out, i > 0 ? ";" : "");
		if (r == 0)
			r = append_lower(out, name);
		last = name;
	}
	return r;
}

int sigv4_canonical_request(const struct sigv4_request *request,
			    struct buf *out)
{
	int r = buf_append_texts(out, request->method, "\n", request->path,
				 "\n", request->query, "\n", NULL);

	if (r == 0)
		r = append_headers(request, out);
	if (r == 0)
		r = buf_append_text(out, "\n");
	if (r == 0)
		r = append_names(request, out);
	if (r == 0)
		r = buf_append_text(out, "\n");
	if (r == 0)
		r = append_digest(out, request->body, request->body_length);
	return r;
}

/* The day that a key and a signature are for. */
static int get_date(const struct sigv4_request *request,
		    char ret[DATE_LENGTH + 1])
{
	char time[TIMESTAMP_BASIC_SIZE];
	int r = timestamp_basic(request->time_s, time);

	if (r < 0)
		return r;
	memcpy(ret, time, DATE_LENGTH);
	ret[DATE_LENGTH] = '\0';
	return 0;
}

static int append_scope(const struct sigv4_request *request, struct buf *out)
{
	char date[DATE_LENGTH + 1];
	int r = get_date(request, date);

	if (r < 0)
		return r;
	return buf_append_texts(out, date, "/", request->region, "/",
				request->service, "/" SCOPE_END, NULL);
}

int sigv4_string_to_sign(const struct sigv4_request *request, struct buf *out)
{
	cleanup_buf struct buf canonical;
	char time[TIMESTAMP_BASIC_SIZE];
	int r;

	buf_init(&canonical, TEXT_MAX);
	r = sigv4_canonical_request(request, &canonical);
	if (r == 0)
		r = timestamp_basic(request->time_s, time);
	if (r == 0)
		r = buf_append_texts(out, ALGORITHM "\n", time, "\n", NULL);
	if (r == 0)
		r = append_scope(request, out);
	if (r == 0)
		r = buf_append_text(out, "\n");
	if (r == 0)
		r = append_digest(out, canonical.bytes, canonical.length);
	return r;
}

/* The key for one day, region and service. */
static int derive_key(const struct sigv4_request *request, struct digest *ret)
{
	char date[DATE_LENGTH + 1];
	const char *const steps[] = { request->region, request->service,
				      SCOPE_END };
	cleanup_buf struct buf first;
	cleanup_hash struct digest key = { 0 };
	int r = get_date(request, date);

	buf_init(&first, TEXT_MAX);
	if (r == 0)
		r = buf_append_texts(&first, "AWS4", request->secret_key, NULL);
	if (r == 0)
		r = digest_hmac(first.bytes, first.length, date, ret);
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(steps); i++) {
		key = *ret;
		r = digest_hmac(key.bytes, DIGEST_LENGTH, steps[i], ret);
	}
	return r;
}

static int append_signature(const struct sigv4_request *request,
			    struct buf *out)
{
	cleanup_buf struct buf text;
	cleanup_hash struct digest key = { 0 };
	struct digest signature = { 0 };
	char hex[DIGEST_HEX_SIZE];
	int r;

	buf_init(&text, TEXT_MAX);
	r = sigv4_string_to_sign(request, &text);
	if (r == 0)
		r = derive_key(request, &key);
	if (r == 0)
		r = digest_hmac(key.bytes, DIGEST_LENGTH, buf_text(&text),
				&signature);
	if (r < 0)
		return r;
	digest_hex(&signature, hex);
	return buf_append_text(out, hex);
}

int sigv4_authorization(const struct sigv4_request *request, struct buf *out)
{
	int r = buf_append_texts(out, ALGORITHM " Credential=", request->key_id,
				 "/", NULL);

	if (r == 0)
		r = append_scope(request, out);
	if (r == 0)
		r = buf_append_text(out, ", SignedHeaders=");
	if (r == 0)
		r = append_names(request, out);
	if (r == 0)
		r = buf_append_text(out, ", Signature=");
	if (r == 0)
		r = append_signature(request, out);
	return r;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Headers are gathered as names and values, which is what gets signed, and
 * written as lines at the end: pointers into the text are taken only when it
 * no longer moves.
 */
#include "aws/request.h"
#include "aws/endpoint.h"
#include "aws/keys.h"
#include "aws/timestamp.h"
#include "net/http.h"

#include <errno.h>
#include <string.h>

#define HEADERS_TEXT_MAX (128U << 10)
#define AUTHORIZATION_MAX 4096

struct headers {
	struct sigv4_header list[SIGV4_HEADERS_MAX];
	size_t count;
};

void request_init(struct request *request)
{
	*request = (struct request){ 0 };
	buf_init(&request->body, REQUEST_BODY_MAX);
	buf_init(&request->text, HEADERS_TEXT_MAX);
}

void request_done(struct request *request)
{
	buf_done(&request->body);
	buf_done(&request->text);
	request->header_count = 0;
}

static int add(struct headers *headers, const char *name, const char *value)
{
	if (headers->count == SIGV4_HEADERS_MAX)
		return -E2BIG;
	headers->list[headers->count++] = (struct sigv4_header){ name, value };
	return 0;
}

static int add_all(struct headers *headers, const struct endpoint *endpoint,
		   const struct sigv4_header *list, size_t count)
{
	int r = endpoint ? add(headers, "Host", endpoint->host) : 0;

	for (size_t i = 0; r == 0 && i < count; i++)
		r = add(headers, list[i].name, list[i].value);
	return r;
}

static int write_lines(struct request *request, const struct headers *headers)
{
	const char *line;

	buf_clear(&request->text);
	for (size_t i = 0; i < headers->count; i++) {
		int r = buf_append_texts(&request->text, headers->list[i].name,
					 ": ", headers->list[i].value, NULL);

		if (r == 0)
			r = buf_append(&request->text, "", 1);
		if (r < 0)
			return r;
	}
	line = buf_text(&request->text);
	for (size_t i = 0; i < headers->count; i++) {
		request->headers[i] = line;
		line += strlen(line) + 1;
	}
	request->header_count = headers->count;
	return 0;
}

int request_set_headers(struct request *request,
			const struct endpoint *endpoint,
			const struct sigv4_header *headers, size_t count)
{
	struct headers all = { 0 };
	int r = add_all(&all, endpoint, headers, count);

	return r == 0 ? write_lines(request, &all) : r;
}

/* Appends what the Authorization header says about these headers. */
static int authorize(const struct request *request,
		     const struct endpoint *endpoint,
		     const struct headers *headers, const struct keys *keys,
		     int64_t time_s, struct buf *out)
{
	const struct sigv4_request to_sign = {
		.method = "POST",
		.path = "/",
		.query = "",
		.headers = headers->list,
		.header_count = headers->count,
		.body = request->body.bytes,
		.body_length = request->body.length,
		.region = endpoint->region,
		.service = endpoint->service,
		.time_s = time_s,
		.key_id = keys_id(keys),
		.secret_key = keys_secret(keys),
	};

	return sigv4_authorization(&to_sign, out);
}

int request_sign(struct request *request, const struct endpoint *endpoint,
		 const struct sigv4_header *headers, size_t count,
		 const struct keys *keys, int64_t now_s)
{
	cleanup_buf struct buf authorization;
	char date[TIMESTAMP_BASIC_SIZE];
	struct headers all = { 0 };
	int r = timestamp_basic(now_s, date);

	buf_init(&authorization, AUTHORIZATION_MAX);
	if (r == 0)
		r = add_all(&all, endpoint, headers, count);
	if (r == 0)
		r = add(&all, "X-Amz-Date", date);
	if (r == 0 && keys_token(keys)[0] != '\0')
		r = add(&all, "X-Amz-Security-Token", keys_token(keys));
	if (r == 0)
		r = authorize(request, endpoint, &all, keys, now_s,
			      &authorization);
	if (r == 0)
		r = add(&all, "Authorization", buf_text(&authorization));
	return r == 0 ? write_lines(request, &all) : r;
}

void request_fill(const struct request *request,
		  const struct endpoint *endpoint, struct http_request *ret)
{
	*ret = (struct http_request){
		.url = endpoint->url,
		.headers = request->headers,
		.header_count = request->header_count,
		.body = &request->body,
	};
}

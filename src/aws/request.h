/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AWS_REQUEST_H
#define AWS_REQUEST_H

#include "aws/sigv4.h"
#include "base/buf.h"

#include <stdint.h>

struct endpoint;
struct http_request;
struct keys;

/*
 * What is sent for one call, in wiped memory, as long as the call lives:
 * net/http.h borrows all of it. The caller appends the body first.
 */

#define REQUEST_BODY_MAX (64U << 10)

struct request {
	struct buf body;
	struct buf text; /* the headers' lines, each with its NUL */
	const char *headers[SIGV4_HEADERS_MAX];
	size_t header_count;
};

void request_init(struct request *request);
void request_done(struct request *request);

/* Sets the headers: Host, where an endpoint is given, then these. 0, -E2BIG,
 * -EFBIG, -ENOMEM. */
int request_set_headers(struct request *request,
			const struct endpoint *endpoint,
			const struct sigv4_header *headers, size_t count);

/* As above, and signs for a time since 1970: the date, the session token and
 * the Authorization are added. Also -ERANGE for a time that is out of all
 * bounds. */
int request_sign(struct request *request, const struct endpoint *endpoint,
		 const struct sigv4_header *headers, size_t count,
		 const struct keys *keys, int64_t now_s);

/* The request for http_start(); borrows endpoint and request. */
void request_fill(const struct request *request,
		  const struct endpoint *endpoint, struct http_request *ret);

#endif

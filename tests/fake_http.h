/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_FAKE_HTTP_H
#define TESTS_FAKE_HTTP_H

#include "net/http.h"

/*
 * Stands in for net/http.c: keeps net/http.h's promises over the loop, answers
 * from a script, and remembers what was asked. A call that finds no reply in
 * the script waits for its timeout, which a set clock brings about.
 */

struct fake_reply {
	int status;
	const char *body;
	const char *error_type;	 /* header x-amzn-ErrorType */
	const char *request_id;	 /* header x-amzn-RequestId */
	const char *retry_after; /* header x-amz-retry-after */
	const char *date;	 /* header Date */
	int failure;		 /* not 0: no reply, but this error */
};

/* The next call that starts gets this; borrowed until then. */
void fake_http_add(struct http *http, const struct fake_reply *reply);

/* How many calls were started, and how many have not ended. */
size_t fake_http_count(const struct http *http);
size_t fake_http_live(const struct http *http);

/* A call that was started, by number from 0; strings are copies. */
struct fake_request {
	enum http_method method;
	bool is_metadata;
	char *url;
	char *headers; /* "Name: value\n" each */
	char *body;
	int64_t timeout_ms;
	size_t reply_max;
	bool fresh_connection;
};

const struct fake_request *fake_http_request(const struct http *http,
					     size_t number);

#endif

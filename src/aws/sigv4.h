/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AWS_SIGV4_H
#define AWS_SIGV4_H

#include <stddef.h>
#include <stdint.h>

struct buf;

/*
 * Signature Version 4 ("Create a signed AWS API request", AWS IAM User Guide),
 * carried in the Authorization header.
 *
 * Path and query are taken as they are: whoever sends anything but "/" makes
 * them canonical first. Header names are lower-cased and sorted here, values
 * trimmed, inner runs of blanks made one, and a name that is repeated has its
 * values joined in their order.
 */

#define SIGV4_HEADERS_MAX 16

struct sigv4_header {
	const char *name;
	const char *value;
};

/* Everything is borrowed for the call. Sign the headers that are sent, with
 * host and x-amz-date among them; x-amz-date is timestamp_basic(time_s). */
struct sigv4_request {
	const char *method;
	const char *path;
	const char *query; /* without the '?'; "" for none */
	const struct sigv4_header *headers;
	size_t header_count;
	const void *body;
	size_t body_length;

	const char *region;
	const char *service;
	int64_t time_s; /* since 1970 */

	const char *key_id;
	const char *secret_key;
};

/*
 * Each appends one text of the procedure to out: the canonical request, the
 * string to sign, and what the Authorization header says. The first holds the
 * session token where that is a header, so its buf is the place for it.
 *
 * 0, or an error, after which what out holds is of no use: -E2BIG for more than
 * SIGV4_HEADERS_MAX headers; -ERANGE for a time that cannot be written; -EFBIG
 * past out's limit; -ENOMEM, also where OpenSSL fails, which it does for
 * nothing else.
 */
int sigv4_canonical_request(const struct sigv4_request *request,
			    struct buf *out);
int sigv4_string_to_sign(const struct sigv4_request *request, struct buf *out);
int sigv4_authorization(const struct sigv4_request *request, struct buf *out);

#endif

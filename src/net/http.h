/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NET_HTTP_H
#define NET_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct err;
struct loop;

/*
 * HTTPS: one request in, one reply out, through the loop.
 *
 * Each call has an easy and a multi handle of its own, destroyed with it, so
 * that libcurl keeps no plaintext; connections live on in a share. HTTP/1.1,
 * TLS 1.2 or newer, no redirects, no compression, no cookies, no netrc. Plain
 * http is refused unless the host is a loopback address or, for requests that
 * say so, a metadata service's, and goes through no proxy.
 *
 * - A call ends exactly once: in its callback, or in http_cancel().
 * - A callback never runs before http_start() returns.
 */

struct http;
struct http_call;

struct http_settings {
	const char *ca_file; /* PEM, all that is trusted; NULL: the system's */
	bool proxy_from_env; /* else no proxy, whatever the environment says */
	const char *user_agent;
};

/* A file that cannot be read is told by http_start(), not here. NULL with err
 * filled. loop is borrowed, settings are copied. */
struct http *http_new(struct loop *loop, const struct http_settings *settings,
		      struct err *err);

/* Whether the CA file could be read now: 0, or -EACCES with err naming it. For
 * a warning ahead of the first call. */
int http_check(const struct http *http, struct err *err);

/* Every call must have ended. NULL is allowed. */
void http_free(struct http *http);

enum http_method {
	HTTP_POST,
	HTTP_GET,
	HTTP_PUT, /* without a body */
};

struct http_request {
	enum http_method method;
	const char *url;
	const char *const *headers; /* "Name: value"; may hold credentials */
	size_t header_count;
	const struct buf *body; /* sent by POST; empty for others */
	int64_t timeout_ms;	/* for the whole call; must be > 0 */
	size_t reply_max;	/* bytes of body; more is -EFBIG */
	bool fresh_connection;	/* neither reuse one nor leave one */
	bool is_metadata;	/* plain http as place_read_metadata() has it */
};

/* All borrowed until the callback returns; the body is wiped after it. */
struct http_reply {
	int status;
	const struct buf *body;
	struct http_call *call;
};

/*
 * reply is NULL exactly where err is not. Codes: -ETIMEDOUT, -EFBIG (reply too
 * large), -EACCES (the CA file cannot be read), -EINVAL (a URL or header that
 * must not be sent), -ENOMEM, -EIO for every other failure of name lookup,
 * connection, TLS or transfer; the text says which, and names the host.
 */
typedef void http_on_reply(void *owner, const struct http_reply *reply,
			   const struct err *err);

/* url, the text of each header, and body are borrowed until the call ends: they
 * may hold credentials, so no second copy is made here. NULL: no memory. */
struct http_call *http_start(struct http *http,
			     const struct http_request *request,
			     http_on_reply *on_reply, void *owner);

/* NULL is allowed. Never blocks, also not on a resolver that is silent. In the
 * call's own callback, where it has ended, it does nothing. */
void http_cancel(struct http_call *call);

/* A header of the reply, case-insensitive; NULL where it was not sent. Borrowed
 * until the callback returns. */
const char *http_reply_header(const struct http_reply *reply, const char *name);

#endif

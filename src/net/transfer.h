/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NET_TRANSFER_H
#define NET_TRANSFER_H

#include <stdint.h>

struct connections;
struct err;
struct http_request;
struct http_settings;
struct intake;
struct loop;

/*
 * One HTTP exchange by libcurl: what http.h promises of protocol, TLS, limits
 * and error texts. That a call ends once and in time is http.c's part.
 */

struct transfer;

/* All borrowed until transfer_free(). */
struct transfer_order {
	struct loop *loop;
	struct connections *connections;
	const struct http_settings *settings;
	const struct http_request *request;
	struct intake *intake; /* what the reply goes to */
};

/* status is 0 exactly where err is not NULL. The transfer may be freed. */
typedef void transfer_on_end(void *owner, int status, const struct err *err);

/* Of the order, the array of headers is read here and not kept. NULL: no
 * memory. */
struct transfer *transfer_new(const struct transfer_order *order,
			      transfer_on_end *on_end, void *owner);

/* Once. on_end will run once, from the loop, unless the transfer is freed
 * before. 0, or a code of http_on_reply with err filled: then it will not. */
int transfer_start(struct transfer *transfer, struct err *err);

/* Never blocks. NULL is allowed. */
void transfer_free(struct transfer *transfer);

/* For a transfer that was started: says what it still waits for. Returns
 * -ETIMEDOUT. */
int transfer_expire(const struct transfer *transfer, struct err *err);

/* As http_reply_header(), from on_end on; borrowed until transfer_free(). */
const char *transfer_header(const struct transfer *transfer, const char *name);

#endif

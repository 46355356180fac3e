/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libcurl's multi socket interface, driven by the loop: curl says which
 * sockets and which moment it waits for, the loop says when they have come.
 *
 * Each transfer owns an easy and a multi handle, so that its end is the end of
 * all that curl holds of it; what outlives it is in a share. curl calls us only
 * inside its functions: those callbacks take notes, and a transfer ends after
 * curl has returned.
 */
#include "net/transfer.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/macros.h"
#include "loop/loop.h"
#include "net/connections.h"
#include "net/http.h"
#include "net/intake.h"
#include "net/place.h"
#include "net/tls.h"
#include "net/watches.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define CONNECT_TIMEOUT_MS 3000

/* AWS closes idle connections after about a minute at the earliest. */
#define IDLE_MAX_S 50
#define LIFETIME_MAX_S 300 /* then a certificate is looked at again */
#define ADDRESS_MAX_S 60

/* curl's own figure is four for each handle of a multi, here always one: five
 * transfers at once would close each other's connections. */
#define CONNECTIONS_MAX 32L

/* Since 8.20. The number is ABI: what was built with older headers may run with
 * such a library. */
#if LIBCURL_VERSION_NUM < 0x081400
#define CURLMOPT_QUICK_EXIT ((CURLMoption)21)
#endif

struct transfer {
	struct transfer_order order;
	transfer_on_end *on_end;
	void *owner;
	struct place place;
	CURL *easy;
	CURLM *multi;
	struct watches watches;
	struct loop_timer *timer;
	struct err err; /* first told by a callback that stops curl */
	char curl_text[CURL_ERROR_SIZE];
	struct curl_slist headers[];
};

static int64_t connect_timeout_ms(const struct http_request *request)
{
	return request->timeout_ms < CONNECT_TIMEOUT_MS ? request->timeout_ms
							: CONNECT_TIMEOUT_MS;
}

/* Plain http stays on this machine. */
static bool may_use_proxy(const struct transfer *transfer)
{
	return transfer->order.settings->proxy_from_env &&
	       !transfer->place.is_plain;
}

/* Each thing that can be missing has a remedy of its own. */
int transfer_expire(const struct transfer *transfer, struct err *err)
{
	int64_t limit_ms = transfer->order.request->timeout_ms;
	const char *missing = "answer from";
	curl_off_t lookup_us = 0;
	long sent = 0;

	(void)curl_easy_getinfo(transfer->easy, CURLINFO_REQUEST_SIZE, &sent);
	(void)curl_easy_getinfo(transfer->easy, CURLINFO_NAMELOOKUP_TIME_T,
				&lookup_us);
	if (sent == 0) {
		limit_ms = connect_timeout_ms(transfer->order.request);
		missing = lookup_us ? "connection to" : "address for";
	}
	return err_set(err, -ETIMEDOUT, "no %s %s within %.1f s", missing,
		       transfer->place.text, (double)limit_ms / 1000);
}

/* What people read: before, place, after, reason. The reason is curl's own text
 * only where that says no more than is known here: others quote, for one, a
 * proxy's URL with its password. */
static const struct failure {
	CURLcode result;
	int code;
	const char *before;
	const char *after;
	bool quotes_curl;
} failures[] = {
	{ CURLE_COULDNT_RESOLVE_HOST, -EIO, "no address for ", "", false },
	{ CURLE_COULDNT_CONNECT, -EIO, "cannot connect to ", "", false },
	{ CURLE_SSL_CACERT_BADFILE, -EACCES, "cannot check who is ", "", true },
	{ CURLE_PEER_FAILED_VERIFICATION, -EIO, "certificate of ",
	  " is not trusted", true },
	{ CURLE_SSL_CONNECT_ERROR, -EIO, "TLS with ", " failed", true },
	{ CURLE_SEND_ERROR, -EIO, "connection to ", " broke", true },
	{ CURLE_RECV_ERROR, -EIO, "connection to ", " broke", true },
	{ CURLE_GOT_NOTHING, -EIO, "connection to ", " broke", false },
	{ CURLE_PARTIAL_FILE, -EIO, "reply of ", " was cut short", true },
	{ CURLE_OUT_OF_MEMORY, -ENOMEM, "no memory to call ", "", false },
	{ CURL_LAST, -EIO, "request to ", " failed", false },
};

static const char *get_reason(const struct transfer *transfer, CURLcode result,
			      const struct failure *failure)
{
	long code = 0;

	(void)curl_easy_getinfo(transfer->easy, CURLINFO_OS_ERRNO, &code);
	if (result == CURLE_COULDNT_CONNECT && code > 0 &&
	    strerrordesc_np((int)code))
		return strerrordesc_np((int)code);
	if (failure->quotes_curl && transfer->curl_text[0])
		return transfer->curl_text;
	return curl_easy_strerror(result);
}

static void describe(struct transfer *transfer, CURLcode result)
{
	const struct failure *failure = failures;

	while (failure->result != result && failure->result != CURL_LAST)
		failure++;
	if (result == CURLE_OPERATION_TIMEDOUT)
		transfer_expire(transfer, &transfer->err);
	else
		err_set(&transfer->err, failure->code, "%s%s%s%s: %s",
			failure->before, transfer->place.text,
			may_use_proxy(transfer) ? " or its proxy" : "",
			failure->after, get_reason(transfer, result, failure));
}

static void finish(struct transfer *transfer, CURLcode result)
{
	long status = 0;

	if (result != CURLE_OK && transfer->err.code == 0)
		describe(transfer, result);
	if (transfer->err.code < 0) {
		transfer->on_end(transfer->owner, 0, &transfer->err);
		return;
	}
	curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
	transfer->on_end(transfer->owner, (int)status, NULL);
}

/* The one way into curl while it works. The transfer may be gone afterwards. */
static void drive(struct transfer *transfer, curl_socket_t fd, int events)
{
	const CURLMsg *message;
	int count;

	if (curl_multi_socket_action(transfer->multi, fd, events, &count)) {
		finish(transfer, CURLE_OUT_OF_MEMORY);
		return;
	}
	message = curl_multi_info_read(transfer->multi, &count);
	if (message && message->msg == CURLMSG_DONE)
		finish(transfer, message->data.result);
}

static void on_ready(void *owner, int fd, unsigned events)
{
	drive(owner, fd,
	      ((events & LOOP_READ) ? CURL_CSELECT_IN : 0) |
		      ((events & LOOP_WRITE) ? CURL_CSELECT_OUT : 0) |
		      ((events & LOOP_ERROR) ? CURL_CSELECT_ERR : 0));
}

static void on_time(void *owner)
{
	struct transfer *transfer = owner;

	transfer->timer = NULL;
	drive(transfer, CURL_SOCKET_TIMEOUT, 0);
}

/* What a socket or timer callback of curl returns. */
static int waiting(struct transfer *transfer, int r)
{
	if (r == 0)
		return 0;
	err_set(&transfer->err, -ENOMEM, "cannot wait for %s: %s",
		transfer->place.text, strerrordesc_np(-r));
	return -1;
}

static int on_curl_socket(CURL *easy, curl_socket_t fd, int what, void *owner,
			  void *unused)
{
	struct transfer *transfer = owner;
	unsigned events = ((what & CURL_POLL_IN) ? LOOP_READ : 0U) |
			  ((what & CURL_POLL_OUT) ? LOOP_WRITE : 0U);

	(void)easy;
	(void)unused;
	if (what != CURL_POLL_REMOVE)
		return waiting(transfer,
			       watches_set(&transfer->watches, fd, events));
	watches_remove(&transfer->watches, fd);
	return 0;
}

static int on_curl_timer(CURLM *multi, long wait_ms, void *owner)
{
	struct transfer *transfer = owner;
	struct loop *loop = transfer->order.loop;

	(void)multi;
	loop_timer_cancel(TAKE(transfer->timer));
	if (wait_ms < 0)
		return 0;
	transfer->timer = loop_timer(loop, loop_now_ms(loop) + wait_ms, on_time,
				     transfer);
	return waiting(transfer, transfer->timer ? 0 : -ENOMEM);
}

/* What a write callback of curl returns. */
static size_t taken(struct transfer *transfer, size_t length, int r)
{
	if (r == 0)
		return length;
	err_wrap(&transfer->err, "reply of %s", transfer->place.text);
	return CURL_WRITEFUNC_ERROR;
}

/* NOLINTNEXTLINE(readability-non-const-parameter): the type is curl's */
static size_t on_header(char *bytes, size_t size, size_t count, void *owner)
{
	struct transfer *transfer = owner;
	size_t length = size * count;

	(void)bytes;
	return taken(
		transfer, length,
		intake_header(transfer->order.intake, length, &transfer->err));
}

static size_t on_body(char *bytes, size_t size, size_t count, void *owner)
{
	struct transfer *transfer = owner;
	size_t length = size * count;

	return taken(transfer, length,
		     intake_body(transfer->order.intake, bytes, length,
				 &transfer->err));
}

/* Before the first connection of a handle; curl has set its own options. */
static CURLcode on_tls(CURL *easy, void *context, void *unused)
{
	(void)easy;
	(void)unused;
	tls_set_options(context);
	return CURLE_OK;
}

static CURLM *new_multi(struct transfer *transfer)
{
	CURLM *multi = curl_multi_init();

	if (multi &&
	    (curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION,
			       on_curl_socket) ||
	     curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, transfer) ||
	     curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_curl_timer) ||
	     curl_multi_setopt(multi, CURLMOPT_TIMERDATA, transfer) ||
	     curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, CONNECTIONS_MAX))) {
		(void)curl_multi_cleanup(multi);
		return NULL;
	}
	/* Older libraries, which need it not, do not know it. */
	if (multi)
		(void)curl_multi_setopt(multi, CURLMOPT_QUICK_EXIT, 1L);
	return multi;
}

/* Options that curl has right by itself are here where secrecy rests on them.
 */
static bool set_numbers(const struct transfer *transfer)
{
	const struct http_request *request = transfer->order.request;
	const struct {
		CURLoption option;
		int64_t value;
	} numbers[] = {
		{ CURLOPT_NOSIGNAL, 1 },
		{ CURLOPT_NOPROGRESS, 1 },
		{ CURLOPT_VERBOSE, 0 },
		{ CURLOPT_QUICK_EXIT, 1 }, /* no wait for a silent resolver */
		{ CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1 },
		{ CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2 },
		{ CURLOPT_SSL_VERIFYPEER, 1 },
		{ CURLOPT_SSL_VERIFYHOST, 2 },
		{ CURLOPT_FOLLOWLOCATION, 0 },
		{ CURLOPT_NETRC, CURL_NETRC_IGNORED },
		/* Headers are for the server, none for a proxy. */
		{ CURLOPT_HEADEROPT, CURLHEADER_SEPARATE },
		{ CURLOPT_SUPPRESS_CONNECT_HEADERS, 1 },
		{ CURLOPT_TCP_KEEPALIVE, 1 },
		{ CURLOPT_MAXAGE_CONN, IDLE_MAX_S },
		{ CURLOPT_MAXLIFETIME_CONN, LIFETIME_MAX_S },
		{ CURLOPT_DNS_CACHE_TIMEOUT, ADDRESS_MAX_S },
		{ CURLOPT_TIMEOUT_MS, request->timeout_ms },
		{ CURLOPT_CONNECTTIMEOUT_MS, connect_timeout_ms(request) },
		{ CURLOPT_FRESH_CONNECT, request->fresh_connection },
		{ CURLOPT_FORBID_REUSE, request->fresh_connection },
		{ CURLOPT_POST, 1 },
		{ CURLOPT_POSTFIELDSIZE, (int64_t)request->body->length },
	};

	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		if (curl_easy_setopt(transfer->easy, numbers[i].option,
				     (long)numbers[i].value))
			return false;
	return true;
}

/* curl copies the texts, but neither body nor headers. */
static bool set_pointers(struct transfer *transfer)
{
	const struct http_request *request = transfer->order.request;
	const struct http_settings *settings = transfer->order.settings;
	const struct {
		CURLoption option;
		const void *value;
	} pointers[] = {
		{ CURLOPT_URL, request->url },
		{ CURLOPT_PROTOCOLS_STR,
		  transfer->place.is_plain ? "http" : "https" },
		{ CURLOPT_PROXY, may_use_proxy(transfer) ? NULL : "" },
		{ CURLOPT_USERAGENT, settings->user_agent },
		{ CURLOPT_HTTPHEADER,
		  request->header_count ? transfer->headers : NULL },
		{ CURLOPT_POSTFIELDS, request->method == HTTP_POST
					      ? buf_text(request->body)
					      : NULL },
		{ CURLOPT_CUSTOMREQUEST,
		  request->method == HTTP_PUT ? "PUT" : NULL },
		{ CURLOPT_SHARE,
		  connections_share(transfer->order.connections) },
		{ CURLOPT_ERRORBUFFER, transfer->curl_text },
		{ CURLOPT_HEADERDATA, transfer },
		{ CURLOPT_WRITEDATA, transfer },
	};
	CURL *easy = transfer->easy;

	for (size_t i = 0; i < ARRAY_SIZE(pointers); i++)
		if (curl_easy_setopt(easy, pointers[i].option,
				     pointers[i].value))
			return false;
	return !curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header) &&
	       !curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body) &&
	       !curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, on_tls);
}

/* After all that makes it a POST, since the last word counts. */
static bool set_method(CURL *easy, enum http_method method)
{
	if (method == HTTP_POST)
		return true;
	return !curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L) &&
	       (method == HTTP_GET ||
		!curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, "PUT"));
}

/* Where a name leads is seen here, for each address that is tried. */
static curl_socket_t on_open_socket(void *owner, curlsocktype purpose,
				    struct curl_sockaddr *address)
{
	struct transfer *transfer = owner;

	(void)purpose;
	if (!place_is_metadata(&address->addr)) {
		err_set(&transfer->err, -EINVAL,
			"plain http to %s: allowed to this machine and its "
			"metadata services only",
			transfer->place.text);
		return CURL_SOCKET_BAD;
	}
	return socket(address->family, address->socktype | SOCK_CLOEXEC,
		      address->protocol);
}

static bool set_addresses(struct transfer *transfer)
{
	CURL *easy = transfer->easy;

	return !transfer->place.is_metadata ||
	       (!curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION,
				  on_open_socket) &&
		!curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, transfer));
}

/* A CA file is all that is trusted then, not that and the system's. */
static bool set_trust(CURL *easy, const char *ca_file)
{
	return !ca_file || (!curl_easy_setopt(easy, CURLOPT_CAPATH, NULL) &&
			    !curl_easy_setopt(easy, CURLOPT_CAINFO, ca_file));
}

/* The strings are lent to curl, which does not write to them. */
static void link_headers(struct transfer *transfer)
{
	const struct http_request *request = transfer->order.request;

	for (size_t i = 0; i < request->header_count; i++) {
		transfer->headers[i].data =
			(char *)(uintptr_t)request->headers[i];
		if (i > 0)
			transfer->headers[i - 1].next = &transfer->headers[i];
	}
}

struct transfer *transfer_new(const struct transfer_order *order,
			      transfer_on_end *on_end, void *owner)
{
	struct transfer *transfer = calloc(
		1, sizeof(*transfer) + order->request->header_count *
					       sizeof(struct curl_slist));

	if (!transfer)
		return NULL;
	transfer->order = *order;
	transfer->on_end = on_end;
	transfer->owner = owner;
	watches_init(&transfer->watches, order->loop, on_ready, transfer);
	link_headers(transfer);
	return transfer;
}

int transfer_start(struct transfer *transfer, struct err *err)
{
	const struct http_request *request = transfer->order.request;
	int r = request->is_metadata
			? place_read_metadata(request->url, &transfer->place,
					      err)
			: place_read(request->url, &transfer->place, err);

	if (r < 0)
		return r;
	transfer->easy = curl_easy_init();
	transfer->multi = new_multi(transfer);
	if (!transfer->easy || !transfer->multi)
		return err_set(err, -ENOMEM, "no memory for a request");
	if (!set_numbers(transfer) || !set_pointers(transfer) ||
	    !set_method(transfer->easy, request->method) ||
	    !set_addresses(transfer) ||
	    !set_trust(transfer->easy, transfer->order.settings->ca_file))
		return err_set(err, -EIO, "libcurl refuses our options");
	if (curl_multi_add_handle(transfer->multi, transfer->easy))
		return err_set(err, -ENOMEM, "no memory to start a request");
	return 0;
}

void transfer_free(struct transfer *transfer)
{
	if (!transfer)
		return;
	/* While the descriptors are open; and curl, which may still close
	 * connections, must not ask for more. */
	watches_done(&transfer->watches);
	loop_timer_cancel(transfer->timer);
	if (transfer->multi) {
		(void)curl_multi_setopt(transfer->multi,
					CURLMOPT_SOCKETFUNCTION, NULL);
		(void)curl_multi_setopt(transfer->multi, CURLMOPT_TIMERFUNCTION,
					NULL);
		(void)curl_multi_remove_handle(transfer->multi, transfer->easy);
	}
	curl_easy_cleanup(transfer->easy);
	(void)curl_multi_cleanup(transfer->multi);
	free(transfer);
}

const char *transfer_header(const struct transfer *transfer, const char *name)
{
	struct curl_header *header;

	if (curl_easy_header(transfer->easy, name, 0, CURLH_HEADER, -1,
			     &header))
		return NULL;
	return header->value;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libmicrohttpd brings the protocol and an epoll descriptor of its own, which
 * our loop waits for as for any other: it has no thread, and its sockets are
 * not ours to watch. It knows idle times but no deadline, so that a client who
 * sends a byte now and then would stay; the deadline is ours, and ends a
 * connection from below.
 */
#include "ops/listener.h"
#include "base/err.h"
#include "base/log.h"
#include "loop/loop.h"

#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BACKLOG 16

struct listener {
	struct listener_settings settings; /* its address is gone */
	unsigned port;
	struct MHD_Daemon *daemon;
	struct loop_watch *watch;
	struct loop_timer *again;
};

/* A connection and its deadline. */
struct visit {
	int fd;
	struct loop_timer *deadline;
	struct loop *loop;
};

static const struct listener_reply wrong_method = {
	.status = MHD_HTTP_METHOD_NOT_ALLOWED,
	.type = "text/plain",
	.text = "GET and HEAD only\n",
	.length = sizeof("GET and HEAD only\n") - 1,
};

static bool add_headers(struct MHD_Response *response,
			const struct listener_reply *reply)
{
	return MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE,
				       reply->type) == MHD_YES &&
	       MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL,
				       "no-store") == MHD_YES &&
	       MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION,
				       "close") == MHD_YES &&
	       (reply != &wrong_method ||
		MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW,
					"GET, HEAD") == MHD_YES);
}

/* MHD_NO ends the connection. */
static enum MHD_Result send_reply(struct MHD_Connection *connection,
				  const struct listener_reply *reply)
{
	/* copied: the parameter is not const, and the text is not ours */
	struct MHD_Response *response = MHD_create_response_from_buffer(
		reply->length, (void *)(uintptr_t)reply->text,
		MHD_RESPMEM_MUST_COPY);
	enum MHD_Result result = MHD_NO;

	if (!response)
		return MHD_NO;
	if (add_headers(response, reply))
		result =
			MHD_queue_response(connection, reply->status, response);
	MHD_destroy_response(response);
	return result;
}

/* NOLINTBEGIN(readability-function-size,readability-non-const-parameter): the
 * type is the library's */
static enum MHD_Result on_request(void *owner,
				  struct MHD_Connection *connection,
				  const char *url, const char *method,
				  const char *version, const char *upload,
				  size_t *upload_length, void **request_state)
/* NOLINTEND(readability-function-size,readability-non-const-parameter) */
{
	const struct listener *listener = owner;
	struct listener_reply reply = { .status = 0 };

	(void)version;
	(void)upload;
	(void)upload_length;
	(void)request_state;
	if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 &&
	    strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
		return send_reply(connection, &wrong_method);
	listener->settings.answer(listener->settings.owner, url, &reply);
	return send_reply(connection, &reply);
}

static void on_deadline(void *owner)
{
	struct visit *visit = owner;

	visit->deadline = NULL;
	log_debug("a watcher takes too long", NULL);
	(void)shutdown(visit->fd, SHUT_RDWR);
}

static struct visit *visit_new(struct loop *loop,
			       struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(
		connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	struct visit *visit = calloc(1, sizeof(*visit));

	if (!visit || !info) {
		free(visit);
		return NULL;
	}
	visit->fd = info->connect_fd;
	visit->loop = loop;
	visit->deadline =
		loop_timer(loop, loop_now_ms(loop) + LISTENER_TIMEOUT_MS,
			   on_deadline, visit);
	if (!visit->deadline) {
		(void)shutdown(visit->fd, SHUT_RDWR);
		free(visit);
		return NULL;
	}
	return visit;
}

static void run(struct listener *listener);

static void on_again(void *owner)
{
	struct listener *listener = owner;

	listener->again = NULL;
	run(listener);
}

/* Where there were as many as there may be, it listens again in its next run
 * only, of which no descriptor tells. */
static void look_again(struct listener *listener)
{
	struct loop *loop = listener->settings.loop;

	if (!listener->again)
		listener->again = loop_soon(loop, on_again, listener);
}

static void on_connection(void *owner, struct MHD_Connection *connection,
			  void **context,
			  enum MHD_ConnectionNotificationCode what)
{
	struct listener *listener = owner;
	struct visit *visit = *context;

	if (what == MHD_CONNECTION_NOTIFY_STARTED) {
		*context = visit_new(listener->settings.loop, connection);
	} else if (visit) {
		*context = NULL;
		loop_timer_cancel(visit->deadline);
		free(visit);
		look_again(listener);
	}
}

static void on_ready(void *owner, unsigned events)
{
	(void)events;
	run(owner);
}

static void run(struct listener *listener)
{
	struct loop *loop = listener->settings.loop;
	MHD_UNSIGNED_LONG_LONG after_ms;

	(void)MHD_run(listener->daemon);
	/* It may know of more to do that no descriptor tells. */
	if (!listener->again &&
	    MHD_get_timeout(listener->daemon, &after_ms) == MHD_YES)
		listener->again =
			loop_timer(loop, loop_now_ms(loop) + (int64_t)after_ms,
				   on_again, listener);
}

/* Whether it is that of both families. */
static bool is_anyone(const struct sockaddr_storage *address)
{
	struct sockaddr_in6 six;

	memcpy(&six, address, sizeof(six));
	return address->ss_family == AF_INET6 &&
	       IN6_IS_ADDR_UNSPECIFIED(&six.sin6_addr);
}

static int new_socket(int family)
{
	return socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

static int listen_with(int fd, const struct sockaddr_storage *address,
		       socklen_t length)
{
	const int yes = 1;
	const int no = 0;
	const void *any = address;

	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) < 0 ||
	    (is_anyone(address) &&
	     setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof(no)) < 0) ||
	    bind(fd, any, length) < 0 || listen(fd, BACKLOG) < 0)
		return -errno;
	return 0;
}

static struct sockaddr_storage
anyone_of_four(const struct sockaddr_storage *six)
{
	struct sockaddr_in four = { .sin_family = AF_INET };
	struct sockaddr_in6 from;
	struct sockaddr_storage address = { 0 };

	memcpy(&from, six, sizeof(from));
	four.sin_port = from.sin6_port;
	memcpy(&address, &four, sizeof(four));
	return address;
}

static int open_socket(const struct sockaddr_storage *wanted, socklen_t length,
		       int *ret)
{
	struct sockaddr_storage address = *wanted;
	int fd = new_socket(address.ss_family);
	int r;

	if (fd < 0 && errno == EAFNOSUPPORT && is_anyone(&address)) {
		address = anyone_of_four(&address);
		length = sizeof(struct sockaddr_in);
		fd = new_socket(address.ss_family);
	}
	if (fd < 0)
		return -errno;
	r = listen_with(fd, &address, length);
	if (r < 0)
		(void)close(fd);
	else
		*ret = fd;
	return r;
}

/* Both families have it in the same place. */
static unsigned port_of(int fd)
{
	struct sockaddr_in6 address = { .sin6_port = 0 };
	socklen_t length = sizeof(address);
	void *any = &address;

	return getsockname(fd, any, &length) == 0 ? ntohs(address.sin6_port)
						  : 0;
}

/* No path of ours has any, and an escaped NUL would end one early. */
static size_t leave_escapes(void *owner, struct MHD_Connection *connection,
			    char *text)
{
	(void)owner;
	(void)connection;
	return strlen(text);
}

/* Takes fd over where it succeeds. */
static bool start(struct listener *listener, int fd)
{
	const union MHD_DaemonInfo *info;

	listener->daemon = MHD_start_daemon(
		MHD_USE_EPOLL, 0, NULL, NULL, on_request, listener,
		MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT,
		LISTENER_CONNECTIONS_MAX, MHD_OPTION_PER_IP_CONNECTION_LIMIT,
		LISTENER_PER_ADDRESS_MAX, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
		(size_t)LISTENER_REQUEST_MAX, MHD_OPTION_NOTIFY_CONNECTION,
		on_connection, listener, MHD_OPTION_UNESCAPE_CALLBACK,
		leave_escapes, NULL, MHD_OPTION_END);
	if (!listener->daemon)
		return false;
	info = MHD_get_daemon_info(listener->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	if (info)
		listener->watch =
			loop_watch(listener->settings.loop, info->epoll_fd,
				   LOOP_READ, on_ready, listener);
	return true;
}

int listener_new(const struct listener_settings *settings,
		 struct listener **ret, struct err *err)
{
	struct listener *listener = calloc(1, sizeof(*listener));
	int fd = -1;
	int r;

	if (!listener)
		return err_set(err, -ENOMEM, "no memory");
	listener->settings = *settings;
	listener->settings.address = NULL;
	r = open_socket(settings->address, settings->length, &fd);
	if (r < 0) {
		free(listener);
		return err_set(err, r, "%s", strerrordesc_np(-r));
	}
	listener->port = port_of(fd);
	if (!start(listener, fd))
		(void)close(fd);
	if (!listener->watch) {
		listener_free(listener);
		return err_set(err, -ENOMEM, "no memory");
	}
	*ret = listener;
	return 0;
}

unsigned listener_port(const struct listener *listener)
{
	return listener->port;
}

void listener_free(struct listener *listener)
{
	if (!listener)
		return;
	loop_unwatch(listener->watch);
	/* calls on_connection() for each that there is */
	if (listener->daemon)
		MHD_stop_daemon(listener->daemon);
	loop_timer_cancel(listener->again);
	free(listener);
}

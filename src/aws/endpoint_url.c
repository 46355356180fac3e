/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An override is taken apart strictly and written anew, so that the URL that
 * is asked, the Host header that is signed and the check for plain http are
 * about the same host.
 */
#include "aws/endpoint.h"
#include "base/err.h"
#include "base/parse.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define HOST_NAME_MAX_LENGTH 253 /* RFC 1035, 2.3.4, without the dots' ends */
#define LABEL_MAX 63
#define PORT_SIZE 6

struct url_parts {
	bool is_http;
	bool is_v6;
	char host[HOST_NAME_MAX_LENGTH + 1]; /* lower case, no brackets */
	char port[PORT_SIZE];		     /* "" for the scheme's own */
};

static bool is_label(const char *label, size_t length)
{
	if (length == 0 || length > LABEL_MAX || label[0] == '-' ||
	    label[length - 1] == '-')
		return false;
	for (size_t i = 0; i < length; i++)
		if (!isalnum((unsigned char)label[i]) && label[i] != '-')
			return false;
	return true;
}

static bool is_host_name(const char *host)
{
	for (;;) {
		size_t length = strcspn(host, ".");

		if (!is_label(host, length))
			return false;
		if (host[length] == '\0')
			return true;
		host += length + 1;
	}
}

static bool is_v6_address(const char *host)
{
	struct in6_addr address;

	return inet_pton(AF_INET6, host, &address) == 1;
}

/* 127.0.0.0/8 (RFC 1122, 3.2.1.3), ::1, and the name that means them (RFC
 * 6761, 6.3). */
static bool is_loopback(const struct url_parts *parts)
{
	struct in6_addr v6;
	struct in_addr v4;

	if (parts->is_v6)
		return inet_pton(AF_INET6, parts->host, &v6) == 1 &&
		       IN6_IS_ADDR_LOOPBACK(&v6);
	if (inet_pton(AF_INET, parts->host, &v4) == 1)
		return ntohl(v4.s_addr) >> 24 == 127;
	return strcmp(parts->host, "localhost") == 0;
}

static bool take_scheme(const char **at, struct url_parts *ret)
{
	ret->is_http = strncasecmp(*at, "http://", 7) == 0;
	if (!ret->is_http && strncasecmp(*at, "https://", 8) != 0)
		return false;
	*at += ret->is_http ? 7 : 8;
	return true;
}

static bool take_host(const char **at, struct url_parts *ret)
{
	size_t length;

	ret->is_v6 = **at == '[';
	if (ret->is_v6)
		(*at)++;
	length = strcspn(*at, ret->is_v6 ? "]" : ":/");
	if (length > HOST_NAME_MAX_LENGTH)
		return false;
	for (size_t i = 0; i < length; i++)
		ret->host[i] = (char)tolower((unsigned char)(*at)[i]);
	ret->host[length] = '\0';
	*at += length;
	if (!ret->is_v6)
		return is_host_name(ret->host);
	return *(*at)++ == ']' && is_v6_address(ret->host);
}

static bool take_port(const char **at, struct url_parts *ret)
{
	size_t length;
	uint64_t port;

	ret->port[0] = '\0';
	if (**at != ':')
		return true;
	(*at)++;
	length = strcspn(*at, "/");
	if (length >= PORT_SIZE)
		return false;
	memcpy(ret->port, *at, length);
	ret->port[length] = '\0';
	*at += length;
	if (parse_decimal(ret->port, UINT16_MAX, &port) < 0 || port == 0)
		return false;
	if (port == (ret->is_http ? 80U : 443U))
		ret->port[0] = '\0';
	else
		(void)snprintf(ret->port, PORT_SIZE, "%u", (unsigned)port);
	return true;
}

static void write_endpoint(const struct url_parts *parts, struct endpoint *ret)
{
	(void)snprintf(ret->host, sizeof(ret->host), "%s%s%s%s%s",
		       parts->is_v6 ? "[" : "", parts->host,
		       parts->is_v6 ? "]" : "", parts->port[0] ? ":" : "",
		       parts->port);
	(void)snprintf(ret->url, sizeof(ret->url), "%s://%s/",
		       parts->is_http ? "http" : "https", ret->host);
}

int endpoint_parse(const char *what, const char *text, struct endpoint *ret,
		   struct err *err)
{
	struct url_parts parts = { 0 };

	if (!take_scheme(&text, &parts))
		return err_set(err, -EINVAL, "%s must start with https://",
			       what);
	if (!take_host(&text, &parts))
		return err_set(
			err, -EINVAL,
			"%s: after https:// there must be a host name or "
			"an address",
			what);
	if (!take_port(&text, &parts))
		return err_set(err, -EINVAL,
			       "%s: the port must be a number from 1 to 65535",
			       what);
	if (strcmp(text, "") != 0 && strcmp(text, "/") != 0)
		return err_set(err, -EINVAL,
			       "%s: nothing may follow host and port", what);
	if (parts.is_http && !is_loopback(&parts))
		return err_set(err, -EINVAL,
			       "%s: http is for loopback addresses only, use "
			       "https",
			       what);
	write_endpoint(&parts, ret);
	return 0;
}

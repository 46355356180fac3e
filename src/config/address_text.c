/* SPDX-License-Identifier: Apache-2.0 */
/* The port is behind the last colon; what is before it is an address of one of
 * two families, and brackets say which. */
#include "config/address_text.h"
#include "base/parse.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdint.h>
#include <string.h>

#define LOOPBACK "127.0.0.1"

static int read_six(const char *text, uint16_t port, struct address_text *ret)
{
	struct sockaddr_in6 six = { .sin6_family = AF_INET6,
				    .sin6_port = htons(port) };

	if (inet_pton(AF_INET6, text, &six.sin6_addr) != 1)
		return -EINVAL;
	memcpy(&ret->address, &six, sizeof(six));
	ret->port = port;
	ret->length = sizeof(six);
	return 0;
}

static int read_four(const char *text, uint16_t port, struct address_text *ret)
{
	struct sockaddr_in four = { .sin_family = AF_INET,
				    .sin_port = htons(port) };

	if (inet_pton(AF_INET, *text ? text : LOOPBACK, &four.sin_addr) != 1)
		return -EINVAL;
	memcpy(&ret->address, &four, sizeof(four));
	ret->port = port;
	ret->length = sizeof(four);
	return 0;
}

int address_text_parse(const char *text, struct address_text *ret)
{
	const char *colon = strrchr(text, ':');
	size_t length = colon ? (size_t)(colon - text) : 0;
	char host[INET6_ADDRSTRLEN + 2] = "";
	uint64_t port;

	if (length >= sizeof(host) ||
	    parse_decimal(colon ? colon + 1 : text, UINT16_MAX, &port) < 0)
		return -EINVAL;
	memcpy(host, text, length);
	if (host[0] != '[')
		return read_four(host, (uint16_t)port, ret);
	if (host[length - 1] != ']')
		return -EINVAL;
	host[length - 1] = '\0';
	return read_six(host + 1, (uint16_t)port, ret);
}

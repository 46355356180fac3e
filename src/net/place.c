/* SPDX-License-Identifier: Apache-2.0 */
/* Reads only as much of a URL as must be known before a packet leaves: scheme,
 * host and port. */
#include "net/place.h"
#include "base/err.h"
#include "base/parse.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define HOST_CHARACTERS                                                        \
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-"
#define HOST_LENGTH_MAX 253 /* RFC 1035, 2.3.4, without the last dot */

/* Of "host" or "[address]"; 0 where it is neither. */
static size_t host_length(const char *text)
{
	size_t inner;

	if (text[0] != '[')
		return strspn(text, HOST_CHARACTERS);
	inner = strspn(text + 1, "0123456789ABCDEFabcdef:.");
	return text[1 + inner] == ']' ? inner + 2 : 0;
}

static bool is_loopback(const char *host)
{
	struct in_addr address;

	if (inet_pton(AF_INET, host, &address) == 1)
		return ntohl(address.s_addr) >> 24 == IN_LOOPBACKNET;
	return strcmp(host, "[::1]") == 0 || strcasecmp(host, "localhost") == 0;
}

/* text is ":port", "" or what follows in the URL. */
static int read_port(const char *text, uint64_t *ret)
{
	size_t length = strcspn(text, "/?#");
	char digits[sizeof("65535")] = "";

	if (length == 0)
		return 0;
	if (text[0] != ':' || length > sizeof(digits))
		return -EINVAL;
	memcpy(digits, text + 1, length - 1);
	return parse_decimal(digits, 65535, ret);
}

int place_read(const char *url, struct place *ret, struct err *err)
{
	bool is_plain = strncasecmp(url, "http://", 7) == 0;
	const char *authority = url + (is_plain ? 7 : 8);
	uint64_t port = is_plain ? 80 : 443;
	char host[HOST_LENGTH_MAX + 1];
	size_t length;

	if (!is_plain && strncasecmp(url, "https://", 8) != 0)
		return err_set(err, -EINVAL, "a URL that is not https");
	length = host_length(authority);
	if (length == 0 || length > HOST_LENGTH_MAX)
		return err_set(err, -EINVAL, "a URL without a usable host");
	memcpy(host, authority, length);
	host[length] = '\0';
	if (read_port(authority + length, &port) < 0)
		return err_set(err, -EINVAL, "a URL with an unusable port");
	if (is_plain && !is_loopback(host))
		return err_set(err, -EINVAL,
			       "plain http to %s: allowed to this machine only",
			       host);
	ret->is_plain = is_plain;
	(void)snprintf(ret->text, sizeof(ret->text), "%s:%u", host,
		       (unsigned)port);
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Reads only as much of a URL as must be known before a packet leaves: scheme,
 * host and port. */
#include "net/place.h"
#include "base/err.h"
#include "base/parse.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

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

static bool is_metadata_v4(const struct in_addr *address)
{
	static const uint32_t fixed[] = {
		0xa9feaa02, /* 169.254.170.2: ECS */
		0xa9feaa17, /* 169.254.170.23: EKS Pod Identity */
		0xa9fea9fe, /* 169.254.169.254: EC2 */
	};
	uint32_t number = ntohl(address->s_addr);

	for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++)
		if (number == fixed[i])
			return true;
	return number >> 24 == IN_LOOPBACKNET;
}

static bool is_metadata_v6(const struct in6_addr *address)
{
	static const char *const fixed[] = { "fd00:ec2::23", "fd00:ec2::254" };
	struct in6_addr one;

	for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++)
		if (inet_pton(AF_INET6, fixed[i], &one) == 1 &&
		    memcmp(&one, address, sizeof(one)) == 0)
			return true;
	return IN6_IS_ADDR_LOOPBACK(address);
}

bool place_is_metadata(const struct sockaddr *address)
{
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;

	if (address->sa_family == AF_INET) {
		memcpy(&v4, address, sizeof(v4));
		return is_metadata_v4(&v4.sin_addr);
	}
	if (address->sa_family != AF_INET6)
		return false;
	memcpy(&v6, address, sizeof(v6));
	return is_metadata_v6(&v6.sin6_addr);
}

/* Of a host that is an address; a name is not known to be none. */
static bool may_be_metadata(const char *host)
{
	char inner[INET6_ADDRSTRLEN] = "";
	struct in_addr v4;
	struct in6_addr v6;

	if (inet_pton(AF_INET, host, &v4) == 1)
		return is_metadata_v4(&v4);
	if (host[0] != '[')
		return true;
	if (strlen(host) - 2 >= sizeof(inner))
		return false;
	(void)snprintf(inner, sizeof(inner), "%.*s", (int)strlen(host) - 2,
		       host + 1);
	return inet_pton(AF_INET6, inner, &v6) == 1 && is_metadata_v6(&v6);
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

static int read_place(const char *url, bool (*may_be_plain)(const char *host),
		      struct place *ret, struct err *err)
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
	if (is_plain && !may_be_plain(host))
		return err_set(err, -EINVAL,
			       "plain http to %s: allowed to this machine only",
			       host);
	ret->is_plain = is_plain;
	ret->is_metadata = is_plain && !is_loopback(host);
	(void)snprintf(ret->text, sizeof(ret->text), "%s:%u", host,
		       (unsigned)port);
	return 0;
}

int place_read(const char *url, struct place *ret, struct err *err)
{
	return read_place(url, is_loopback, ret, err);
}

int place_read_metadata(const char *url, struct place *ret, struct err *err)
{
	return read_place(url, may_be_metadata, ret, err);
}

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NET_PLACE_H
#define NET_PLACE_H

#include <stdbool.h>

struct err;
struct sockaddr;

/* Where a URL leads to, and whether a secret may go there. */
struct place {
	bool is_plain;	  /* http, not https */
	bool is_metadata; /* to be seen from the address, place_is_metadata() */
	char text[272];	  /* "host:port", the port always named */
};

/*
 * Strict: https or http, a host of letters, digits, '.' and '-' (or an IPv6
 * address in brackets), a port; no user, no escapes. So no other reader of
 * URLs can come to another host. http is for loopback only: 127.0.0.0/8, [::1]
 * and localhost.
 *
 * 0, or -EINVAL: the text names no more of the URL than host and port.
 */
int place_read(const char *url, struct place *ret, struct err *err);

/*
 * The same for what hands out credentials of the machine: http also to the
 * fixed addresses of the container and instance metadata services, and to host
 * names, of which only an address can tell whether they are such: is_metadata
 * is set for these.
 */
int place_read_metadata(const char *url, struct place *ret, struct err *err);

/* Whether a plain request that asks for credentials may go to the address:
 * loopback, 169.254.170.2, 169.254.170.23, fd00:ec2::23, and of the instance
 * 169.254.169.254, fd00:ec2::254. */
bool place_is_metadata(const struct sockaddr *address);

#endif

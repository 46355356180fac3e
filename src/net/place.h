/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NET_PLACE_H
#define NET_PLACE_H

#include <stdbool.h>

struct err;

/* Where a URL leads to, and whether a secret may go there. */
struct place {
	bool is_plain;	/* http, not https */
	char text[272]; /* "host:port", the port always named */
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

#endif

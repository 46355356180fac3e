/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONFIG_ADDRESS_TEXT_H
#define CONFIG_ADDRESS_TEXT_H

#include <stdint.h>
#include <sys/socket.h>

/*
 * Where to listen, as a person writes it: "127.0.0.1:9464", "[::1]:9464",
 * "0.0.0.0:9464", or a port alone, "9464" or ":9464", which is that of the
 * loopback address. Numbers only: a name may become another address. Port 0 is
 * any that is free.
 */
struct address_text {
	struct sockaddr_storage address;
	socklen_t length;
	uint16_t port;
};

/* 0 or -EINVAL. */
int address_text_parse(const char *text, struct address_text *ret);

#endif

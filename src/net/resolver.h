/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NET_RESOLVER_H
#define NET_RESOLVER_H

/*
 * Before a sandbox is closed in which no code can be loaded: from now on names
 * are looked up in /etc/hosts and by DNS, whatever else nsswitch.conf(5) says,
 * since its other services are libraries; and what a thread of the resolver
 * needs to be ended is there.
 */
void resolver_settle(void);

/* The port of DNS over TCP, where an answer is long. */
#define RESOLVER_PORT 53

/* The n-th of the files that looking up reads, and reads again when they have
 * changed; NULL behind the last. */
const char *resolver_file(unsigned index);

#endif

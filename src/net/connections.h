/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NET_CONNECTIONS_H
#define NET_CONNECTIONS_H

struct err;

/* What transfers leave to later ones: connections, TLS sessions, addresses. */
struct connections;

/* NULL with err filled, also where this libcurl has no TLS or not OpenSSL's,
 * or would block the loop while it looks up a name. */
struct connections *connections_new(struct err *err);

/* Every transfer must be gone. NULL is allowed. */
void connections_free(struct connections *connections);

/* For CURLOPT_SHARE; borrowed. */
void *connections_share(const struct connections *connections);

#endif

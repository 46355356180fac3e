/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NET_TLS_H
#define NET_TLS_H

/*
 * context is an SSL_CTX of OpenSSL. Its connections wipe what they have
 * decrypted as soon as it is read, give their buffers back while they are
 * idle, and never leave decryption to the kernel.
 */
void tls_set_options(void *context);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* A record buffer belongs to the connection, which outlives the request: the
 * end of curl's handle does not wipe it. */
#include "net/tls.h"

#include <openssl/ssl.h>

void tls_set_options(void *context)
{
	(void)SSL_CTX_set_options(context, SSL_OP_CLEANSE_PLAINTEXT);
	(void)SSL_CTX_clear_options(context, SSL_OP_ENABLE_KTLS);
	(void)SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_read_ahead(context, 0);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libcurl's start and end, and a share in which connections, TLS sessions and
 * addresses outlive the handles: those are gone with their transfers, and what
 * they held of replies with them.
 */
#include "net/connections.h"
#include "base/err.h"
#include "net/wiping.h"

#include <assert.h>
#include <curl/curl.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct connections {
	CURLSH *share;
};

/* Others wipe nothing at our wish. Where a library has several backends, those
 * that are not used stand in parentheses. */
static bool has_openssl(const curl_version_info_data *library)
{
	return library->ssl_version &&
	       strncmp(library->ssl_version, "OpenSSL/", 8) == 0;
}

static int start_libcurl(struct err *err)
{
	static const int needed = CURL_VERSION_SSL | CURL_VERSION_ASYNCHDNS;
	const curl_version_info_data *library =
		curl_version_info(CURLVERSION_NOW);

	if (curl_global_init_mem(CURL_GLOBAL_ALL, wiping_malloc, wiping_free,
				 wiping_realloc, wiping_strdup, wiping_calloc))
		return err_set(err, -ENOMEM, "libcurl does not start");
	if ((library->features & needed) == needed && has_openssl(library))
		return 0;
	curl_global_cleanup();
	return err_set(err, -ENOTSUP,
		       "this libcurl lacks TLS by OpenSSL, or AsynchDNS");
}

/* Without locks: one thread uses it, curl's resolver threads do not. */
static CURLSH *new_share(void)
{
	const CURLSHoption option = CURLSHOPT_SHARE;
	CURLSH *share = curl_share_init();

	if (share &&
	    (curl_share_setopt(share, option, CURL_LOCK_DATA_CONNECT) ||
	     curl_share_setopt(share, option, CURL_LOCK_DATA_SSL_SESSION) ||
	     curl_share_setopt(share, option, CURL_LOCK_DATA_DNS))) {
		(void)curl_share_cleanup(share);
		return NULL;
	}
	return share;
}

struct connections *connections_new(struct err *err)
{
	struct connections *connections;

	if (start_libcurl(err) < 0)
		return NULL;
	connections = calloc(1, sizeof(*connections));
	if (connections)
		connections->share = new_share();
	if (!connections || !connections->share) {
		err_set(err, -ENOMEM, "no memory for connections");
		free(connections);
		curl_global_cleanup();
		return NULL;
	}
	return connections;
}

void connections_free(struct connections *connections)
{
	CURLSHcode code;

	if (!connections)
		return;
	code = curl_share_cleanup(connections->share);
	assert(code == CURLSHE_OK); /* else a transfer still uses it */
	(void)code;
	curl_global_cleanup();
	free(connections);
}

void *connections_share(const struct connections *connections)
{
	return connections->share;
}

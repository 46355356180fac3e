/* SPDX-License-Identifier: Apache-2.0 */
/* The listener of a build without libmicrohttpd: it says so. */
#include "base/err.h"
#include "ops/listener.h"

#include <errno.h>

int listener_new(const struct listener_settings *settings,
		 struct listener **ret, struct err *err)
{
	(void)settings;
	(void)ret;
	return err_set(err, -ENOSYS, "this build is without libmicrohttpd");
}

unsigned listener_port(const struct listener *listener)
{
	(void)listener;
	return 0;
}

void listener_free(struct listener *listener)
{
	(void)listener;
}

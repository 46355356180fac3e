/* SPDX-License-Identifier: Apache-2.0 */
/* glibc loads code when it is first needed: services of nsswitch.conf with the
 * first name that they are asked for, the unwinder with the first thread that
 * is cancelled. musl has all of that built in. */
#include "net/resolver.h"
#include "base/macros.h"

#include <dlfcn.h>
#include <stddef.h>
#ifdef __GLIBC__
#include <nss.h>
#endif

void resolver_settle(void)
{
#ifdef __GLIBC__
	(void)__nss_configure_lookup("hosts", "files dns");
	/* Kept: there is nobody to close it. */
	(void)dlopen("libgcc_s.so.1", RTLD_NOW | RTLD_NODELETE);
#endif
}

const char *resolver_file(unsigned index)
{
	static const char *const files[] = {
		"/etc/resolv.conf", "/etc/hosts",	  "/etc/host.conf",
		"/etc/gai.conf",    "/etc/nsswitch.conf",
	};

	return index < ARRAY_SIZE(files) ? files[index] : NULL;
}

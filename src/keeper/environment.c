/* SPDX-License-Identifier: Apache-2.0 */
/* The environment is an input from strangers: what is not named here is cut. */
#include "keeper/environment.h"
#include "base/macros.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HAVE_SANITIZERS 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define HAVE_SANITIZERS 1
#endif

/* A text that ends in '=' is a whole name, another one is how names begin. What
 * names a proxy is used only where an option or a class asks for that, and
 * classes are the worker's to read. */
static const char *const allowed[] = {
	"AWS_",		 "HOME=",	  "NODE_NAME=",	    "TZ=",
	"http_proxy=",	 "https_proxy=",  "no_proxy=",	    "HTTP_PROXY=",
	"HTTPS_PROXY=",	 "NO_PROXY=",
#ifdef HAVE_SANITIZERS
	"ASAN_OPTIONS=", "LSAN_OPTIONS=", "UBSAN_OPTIONS=",
#endif
};

static bool is_allowed(const char *variable)
{
	for (size_t i = 0; i < ARRAY_SIZE(allowed); i++)
		if (strncmp(variable, allowed[i], strlen(allowed[i])) == 0)
			return true;
	return false;
}

char **environment_for_worker(char *const *environment)
{
	size_t count = 0;
	char **kept;

	while (environment[count])
		count++;
	kept = calloc(count + 1, sizeof(*kept));
	if (!kept)
		return NULL;
	count = 0;
	for (; *environment; environment++)
		if (is_allowed(*environment))
			kept[count++] = *environment;
	return kept;
}

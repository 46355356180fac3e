/* SPDX-License-Identifier: Apache-2.0 */
/* The environment is an input from strangers: what is not named here is cut. */
#include "keeper/environment.h"
#include "base/macros.h"

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

enum need { NEED_NOTHING, NEED_PROXIES };

/* A text that ends in '=' is a whole name, another one is how names begin. */
static const struct {
	const char *start;
	enum need need;
} allowed[] = {
	{ "AWS_", NEED_NOTHING },	    { "HOME=", NEED_NOTHING },
	{ "NODE_NAME=", NEED_NOTHING },	    { "TZ=", NEED_NOTHING },
	{ "http_proxy=", NEED_PROXIES },    { "https_proxy=", NEED_PROXIES },
	{ "no_proxy=", NEED_PROXIES },	    { "HTTP_PROXY=", NEED_PROXIES },
	{ "HTTPS_PROXY=", NEED_PROXIES },   { "NO_PROXY=", NEED_PROXIES },
#ifdef HAVE_SANITIZERS
	{ "ASAN_OPTIONS=", NEED_NOTHING },  { "LSAN_OPTIONS=", NEED_NOTHING },
	{ "UBSAN_OPTIONS=", NEED_NOTHING },
#endif
};

static bool is_allowed(const char *variable, bool proxies)
{
	for (size_t i = 0; i < ARRAY_SIZE(allowed); i++)
		if (strncmp(variable, allowed[i].start,
			    strlen(allowed[i].start)) == 0)
			return allowed[i].need == NEED_NOTHING || proxies;
	return false;
}

char **environment_for_worker(char *const *environment, bool proxies)
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
		if (is_allowed(*environment, proxies))
			kept[count++] = *environment;
	return kept;
}

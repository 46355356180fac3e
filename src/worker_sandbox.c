/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Everything that is read again is below a directory that was there at the
 * start, and everything that is asked is at a port that was named then. A
 * reload that needs more fails, and says that it takes a new mount.
 */
#include "worker_sandbox.h"
#include "aws/reach.h"
#include "base/err.h"
#include "base/log.h"
#include "base/macros.h"
#include "config/address_text.h"
#include "config/options.h"
#include "config/source_text.h"
#include "guard/worker_calls.h"
#include "net/resolver.h"
#include "provider.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define HTTPS_PORT 443
#define PROXY_PORT 1080 /* where libcurl looks without one */

/* Collects, and remembers what went wrong first. */
struct collecting {
	struct reach *reach;
	int r;
};

static void note(struct collecting *collecting, int r)
{
	if (collecting->r == 0)
		collecting->r = r;
}

static void add_directory(struct collecting *collecting, const char *path)
{
	note(collecting, reach_directory(collecting->reach, path));
}

static void add_file(struct collecting *collecting, const char *path)
{
	note(collecting, reach_file(collecting->reach, path));
}

/* Whoever asks it has refused what is no URL. */
static void add_url(struct collecting *collecting, const char *url,
		    uint16_t port_otherwise)
{
	int r = reach_url(collecting->reach, url, port_otherwise);

	note(collecting, r == -E2BIG ? r : 0);
}

static void add_aws(void *owner, enum aws_reach kind, const char *text)
{
	if (kind == AWS_REACH_FILE)
		add_file(owner, text);
	else if (kind == AWS_REACH_DIRECTORY)
		add_directory(owner, text);
	else
		add_url(owner, text, 0);
}

/* The keeper hands them over only where they are to be used. */
static void add_proxies(struct collecting *collecting)
{
	static const char *const names[] = { "http_proxy", "https_proxy",
					     "HTTP_PROXY", "HTTPS_PROXY" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		const char *url = secure_getenv(names[i]);

		if (url && *url)
			add_url(collecting, url,
				strncmp(url, "https://", 8) == 0 ? HTTPS_PORT
								 : PROXY_PORT);
	}
}

/* Certificates of the system are links from below /etc to where they are. */
static void add_system(struct collecting *collecting)
{
	static const char *const directories[] = {
		"/etc",
		"/usr/lib/ssl",
		"/usr/share/ca-certificates",
		"/usr/local/share/ca-certificates",
		"/run/systemd/resolve",
		"/run/NetworkManager",
		"/run/resolvconf",
	};
	const char *file;

	for (size_t i = 0; i < ARRAY_SIZE(directories); i++)
		add_directory(collecting, directories[i]);
	for (unsigned i = 0; (file = resolver_file(i)); i++)
		add_file(collecting, file);
	note(collecting, reach_port(collecting->reach, HTTPS_PORT));
	note(collecting, reach_port(collecting->reach, RESOLVER_PORT));
}

static int add_network(struct collecting *collecting,
		       const struct options *options, struct provider *provider,
		       struct err *err)
{
	int r = provider_prepare_aws(provider, err);

	if (r < 0)
		return r;
	add_system(collecting);
	add_proxies(collecting);
	if (options->endpoint_url)
		add_url(collecting, options->endpoint_url, 0);
	provider_each_reach(provider, add_aws, collecting);
	return 0;
}

/* A class or a secret, or a directory of them. */
static void add_source(struct collecting *collecting, const char *path)
{
	struct stat about;

	if (stat(path, &about) == 0 && S_ISDIR(about.st_mode))
		add_directory(collecting, path);
	else
		add_file(collecting, path);
}

/* It listens already, unless the address was taken: then it tries again. */
static void add_metrics(struct reach *reach, const struct options *options)
{
	struct address_text address;

	if (options->metrics &&
	    address_text_parse(options->metrics, &address) == 0)
		reach->listen_port = address.port;
}

static int collect(struct collecting *collecting, const struct options *options,
		   struct provider *provider, struct err *err)
{
	struct source_text source;
	int r = source_text_parse(options->source, &source, err);

	if (r == 0 && source.kind != SOURCE_FILE && !options->offline)
		r = add_network(collecting, options, provider, err);
	if (r < 0)
		return r;
	if (source.kind == SOURCE_FILE || source.kind == SOURCE_CLASS)
		add_source(collecting, source.text);
	if (options->offline)
		add_directory(collecting, options->offline);
	add_metrics(collecting->reach, options);
	/* whether a reader is being killed; Landlock itself keeps away what
	 * there is of other processes' memory */
	add_directory(collecting, "/proc");
	return collecting->r == 0
		       ? 0
		       : err_set(err, collecting->r,
				 "too much to read and to ask for a sandbox: "
				 "%s",
				 strerrordesc_np(-collecting->r));
}

/* What is directly in the root directory: see guard/reach.h. */
static void warn_of_file(int fd)
{
	char path[sizeof("/proc/self/fd/") + 10];
	char file[PATH_MAX];
	struct stat about;
	ssize_t length;

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	length = readlink(path, file, sizeof(file));
	if (length < 0 || fstat(fd, &about) < 0 || !S_ISREG(about.st_mode))
		return;
	log_warn("a file in / cannot be read any more once it is replaced",
		 "file=%.*s hint=\"keep it in a directory of its own, or mount "
		 "again after each change\"",
		 (int)length, file);
}

static void warn_of_files(const struct reach *reach)
{
	for (size_t i = 0; i < reach->directory_count; i++)
		if (reach->directories[i].is_file)
			warn_of_file(reach->directories[i].fd);
}

static void tell(const struct sandbox *sandbox)
{
	char text[SANDBOX_TEXT_MAX];

	if (*sandbox_describe(sandbox, text, sizeof(text)))
		log_warn("the sandbox is not whole", "missing=\"%s\"", text);
	else
		log_debug("the sandbox is closed", NULL);
}

void worker_sandbox_prepare(void)
{
	resolver_settle();
	tzset(); /* the system log's time */
}

int worker_sandbox_close(struct worker_sandbox *sandbox,
			 const struct options *options,
			 struct provider *provider, struct err *err)
{
	struct collecting collecting = { .reach = &sandbox->reach };
	const struct call_policy calls = worker_calls();
	int r = collect(&collecting, options, provider, err);

	if (r == 0)
		r = sandbox_close(&sandbox->reach, &calls,
				  options->insecure_no_sandbox,
				  &sandbox->sandbox, err);
	if (r == 0 && !sandbox->sandbox.missing[SANDBOX_FILES])
		warn_of_files(&sandbox->reach);
	reach_close(&sandbox->reach);
	if (r == 0)
		tell(&sandbox->sandbox);
	return r;
}

void worker_sandbox_explain(const struct worker_sandbox *sandbox,
			    const char *path, struct err *err)
{
	if (sandbox->sandbox.missing[SANDBOX_FILES] ||
	    reach_holds(&sandbox->reach, path))
		return;
	(void)err_set(err, err->code,
		      "'%s' lies outside of what could be read when the mount "
		      "was made: mount again",
		      path);
}

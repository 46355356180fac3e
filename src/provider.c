/* SPDX-License-Identifier: Apache-2.0 */
/* The one place that knows every provider by name. */
#include "provider.h"
#include "aws/aws_source.h"
#include "aws/environment.h"
#include "base/err.h"
#include "base/log.h"
#include "base/macros.h"
#include "config/options.h"
#include "config/source_text.h"
#include "net/breaker.h"
#include "net/http.h"
#include "net/retry.h"
#include "store/file_source.h"
#include "store/source.h"

#include <config.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define JSON_SUFFIX ".json"

struct provider {
	struct provided shown;
	char *path;			/* a file's directory */
	char name[SOURCE_NAME_MAX + 1]; /* what is fetched */
	char file[SOURCE_NAME_MAX + 1]; /* what the whole value is called */
	char label[SOURCE_NAME_MAX + 16];

	/* of AWS */
	struct aws_environment environment;
	struct http *http;
	struct retry *retry; /* one, so that all sources share its limits */
	bool has_warning;
	struct err warning;
};

/* Splits PATH/NAME.json into a directory to open and a secret in it. */
static int name_file(struct provider *provider, struct err *err)
{
	char *slash = strrchr(provider->path, '/');
	const char *base = slash ? slash + 1 : provider->path;
	size_t length = strlen(base);

	if (length > strlen(JSON_SUFFIX) &&
	    strcmp(base + length - strlen(JSON_SUFFIX), JSON_SUFFIX) == 0)
		length -= strlen(JSON_SUFFIX);
	if (length == 0 || length > SOURCE_NAME_MAX)
		return err_set(err, -EINVAL, "'%s' is no name of a secret",
			       provider->path);
	memcpy(provider->name, base, length);
	if (slash)
		slash[slash == provider->path] = '\0';
	else
		(void)strncpy(provider->path, ".", 2);
	return 0;
}

static int provide_file(struct provider *provider, struct loop *loop,
			const char *path, struct err *err)
{
	struct stat about;
	int r = 0;

	provider->path = strdup(path);
	if (!provider->path)
		return err_set(err, -ENOMEM, "no memory");
	if (stat(path, &about) < 0)
		return err_set(err, -errno, "cannot read '%s': %s", path,
			       strerrordesc_np(errno));
	provider->shown.is_prefix = S_ISDIR(about.st_mode);
	if (!provider->shown.is_prefix)
		r = name_file(provider, err);
	if (r == 0)
		r = file_source_new(loop, provider->path,
				    &provider->shown.source, err);
	return r;
}

static void on_breaker(void *owner, const struct retry_endpoint *endpoint)
{
	const struct breaker *breaker = endpoint->breaker;

	(void)owner;
	if (breaker->state == BREAKER_CLOSED)
		log_info("the endpoint answers again", "url=%s", endpoint->url);
	else
		log_warn("the endpoint does not answer: asking it seldom",
			 "url=%s failures=%u error=%s", endpoint->url,
			 breaker->failures, breaker->last.text);
}

static int open_network(struct provider *provider, struct loop *loop,
			const struct options *options, struct err *err)
{
	static const struct retry_settings settings = {
		.on_breaker = on_breaker,
	};

	provider->http =
		http_new(loop,
			 &(struct http_settings){
				 .ca_file = provider->environment.ca_bundle,
				 .proxy_from_env = options->proxy_from_env,
				 .user_agent = PACKAGE_NAME "/" PACKAGE_VERSION,
			 },
			 err);
	if (!provider->http)
		return -ENOMEM;
	provider->retry = retry_new(loop, provider->http, &settings);
	return provider->retry ? 0 : err_set(err, -ENOMEM, "no memory");
}

static int provide_aws(struct provider *provider, struct loop *loop,
		       const struct options *options, struct err *err)
{
	int r = aws_environment_read(&provider->environment, err);

	if (r == 0)
		r = open_network(provider, loop, options, err);
	if (r < 0)
		return r;
	r = aws_source_new(loop, provider->retry,
			   &(struct aws_settings){
				   .region = options->region,
				   .endpoint_url = options->endpoint_url,
				   .secret = provider->name,
				   .timeout_ms = options->timeout_ms,
			   },
			   &provider->environment, &provider->shown.source,
			   err);
	/* what is missing but may still come, as a token file does */
	provider->has_warning =
		r == 0 && aws_source_check(provider->shown.source,
					   &provider->warning) < 0;
	return r;
}

static int provide_secret(struct provider *provider, struct loop *loop,
			  const struct source_text *source,
			  const struct options *options, struct err *err)
{
	source_text_secret_name(source, provider->file);
	provider->shown.file_name = provider->file;
	if (options->offline) {
		memcpy(provider->name, provider->file, sizeof(provider->name));
		return file_source_new(loop, options->offline,
				       &provider->shown.source, err);
	}
	(void)snprintf(provider->name, sizeof(provider->name), "%s",
		       source->text);
	return provide_aws(provider, loop, options, err);
}

static int provide(struct provider *provider, struct loop *loop,
		   const struct options *options, struct err *err)
{
	struct source_text source;
	int r = source_text_parse(options->source, &source, err);

	if (r < 0)
		return r;
	provider->shown.name = provider->name;
	provider->shown.label = provider->label;
	(void)snprintf(provider->label, sizeof(provider->label), "secretsfs:%s",
		       source.text);
	if (source.kind == SOURCE_FILE)
		return provide_file(provider, loop, source.text, err);
	return provide_secret(provider, loop, &source, options, err);
}

int provider_new(struct loop *loop, const struct options *options,
		 struct provider **ret, struct err *err)
{
	struct provider *provider = calloc(1, sizeof(*provider));
	int r;

	if (!provider)
		return err_set(err, -ENOMEM, "no memory");
	r = provide(provider, loop, options, err);
	if (r < 0)
		provider_free(provider);
	else
		*ret = provider;
	return r;
}

void provider_free(struct provider *provider)
{
	if (!provider)
		return;
	if (provider->shown.source)
		provider->shown.source->operations->free(
			provider->shown.source);
	retry_free(provider->retry);
	http_free(provider->http);
	aws_environment_done(&provider->environment);
	free(provider->path);
	free(provider);
}

const struct provided *provider_shown(const struct provider *provider)
{
	return &provider->shown;
}

const char *provider_warning(const struct provider *provider)
{
	return provider->has_warning ? provider->warning.text : NULL;
}

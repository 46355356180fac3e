/* SPDX-License-Identifier: Apache-2.0 */
/* Sources by what they ask: a class that is read again finds the source that
 * it had, and with it everything that is in the cache. */
#include "provider.h"
#include "aws/aws_source.h"
#include "aws/environment.h"
#include "base/err.h"
#include "base/log.h"
#include "config/options.h"
#include "net/breaker.h"
#include "net/http.h"
#include "net/retry.h"
#include "store/file_source.h"
#include "store/source.h"

#include <config.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* A class has one place; reloads may move it a few times, and a check may read
 * classes of every region. */
#define SOURCES_MAX 64

struct place {
	char *name; /* a region or a directory */
	bool is_directory;
	struct source *source;
};

struct provider {
	struct loop *loop;
	const struct options *options;
	struct place places[SOURCES_MAX];
	size_t place_count;

	/* of AWS; both are NULL until the first source of it, and all sources
	 * share them: limits are kept for each endpoint, not each mount */
	struct aws_environment environment;
	bool has_environment;
	struct http *http;
	struct retry *retry;
	bool is_ending; /* nobody listens any more */
	bool has_warning;
	struct err warning;
};

struct provider *provider_new(struct loop *loop, const struct options *options)
{
	struct provider *provider = calloc(1, sizeof(*provider));

	if (!provider)
		return NULL;
	provider->loop = loop;
	provider->options = options;
	return provider;
}

void provider_free(struct provider *provider)
{
	if (!provider)
		return;
	provider->is_ending = true;
	for (size_t i = 0; i < provider->place_count; i++) {
		struct place *place = &provider->places[i];

		if (place->source)
			place->source->operations->free(place->source);
		free(place->name);
	}
	retry_free(provider->retry);
	http_free(provider->http);
	aws_environment_done(&provider->environment);
	free(provider);
}

static struct source *find_source(const struct provider *provider,
				  const char *name, bool is_directory)
{
	for (size_t i = 0; i < provider->place_count; i++) {
		const struct place *place = &provider->places[i];

		if (place->is_directory == is_directory &&
		    strcmp(place->name, name) == 0)
			return place->source;
	}
	return NULL;
}

/* A place without its source yet; it counts once the source is there. NULL with
 * err filled. */
static struct place *next_place(struct provider *provider, const char *name,
				bool is_directory, struct err *err)
{
	struct place *place = &provider->places[provider->place_count];

	if (provider->place_count == SOURCES_MAX) {
		(void)err_set(err, -E2BIG,
			      "more than %d regions or directories in one "
			      "process; start again",
			      SOURCES_MAX);
		return NULL;
	}
	place->name = strdup(name);
	if (!place->name) {
		(void)err_set(err, -ENOMEM, "no memory");
		return NULL;
	}
	place->is_directory = is_directory;
	return place;
}

/* Keeps the place if r is 0, forgets it else. */
static int settle_place(struct provider *provider, struct place *place, int r,
			struct source **ret)
{
	if (r < 0) {
		free(place->name);
		place->name = NULL;
		return r;
	}
	provider->place_count++;
	*ret = place->source;
	return 0;
}

int provider_files(struct provider *provider, const char *directory,
		   struct source **ret, struct err *err)
{
	struct source *known = find_source(provider, directory, true);
	struct place *place;
	int r;

	if (known) {
		*ret = known;
		return 0;
	}
	place = next_place(provider, directory, true, err);
	if (!place)
		return err->code;
	r = file_source_new(provider->loop, directory, &place->source, err);
	return settle_place(provider, place, r, ret);
}

static void note_open(void *owner, const struct retry_endpoint *endpoint)
{
	bool *is_open = owner;

	*is_open |= endpoint->breaker->state != BREAKER_CLOSED;
}

/* Of several endpoints, as of Secrets Manager and STS, any may be needed for an
 * answer. */
static void tell_sources(struct provider *provider, bool has_closed)
{
	bool is_open = false;

	retry_each_endpoint(provider->retry, note_open, &is_open);
	for (size_t i = 0; i < provider->place_count; i++) {
		struct source *source = provider->places[i].source;

		if (provider->places[i].is_directory)
			continue;
		source->is_away = is_open;
		if (has_closed && source->on_return)
			source->on_return(source->on_change_owner, source);
	}
}

static void on_breaker(void *owner, const struct retry_endpoint *endpoint)
{
	const struct breaker *breaker = endpoint->breaker;
	struct provider *provider = owner;

	if (provider->is_ending)
		return;
	tell_sources(provider, breaker->state == BREAKER_CLOSED);
	if (breaker->state == BREAKER_CLOSED)
		log_info("the endpoint answers again", "url=%s", endpoint->url);
	else
		log_warn("the endpoint does not answer: asking it seldom",
			 "url=%s failures=%u error=%s", endpoint->url,
			 breaker->failures, breaker->last.text);
}

static int start_http(struct provider *provider, struct err *err)
{
	/* once: reading wipes the keys where they were found */
	int r = provider->has_environment
			? 0
			: aws_environment_read(&provider->environment, err);

	if (r < 0)
		return r;
	provider->has_environment = true;
	provider->http = http_new(
		provider->loop,
		&(struct http_settings){
			.ca_file = provider->environment.ca_bundle,
			.proxy_from_env = provider->options->proxy_from_env,
			.user_agent = PACKAGE_NAME "/" PACKAGE_VERSION,
		},
		err);
	return provider->http ? 0 : -ENOMEM;
}

static int start_retry(struct provider *provider, struct err *err)
{
	const struct retry_settings settings = { .on_breaker = on_breaker,
						 .owner = provider };
	int r = provider->http ? 0 : start_http(provider, err);

	if (r < 0 || provider->retry)
		return r;
	provider->retry = retry_new(provider->loop, provider->http, &settings);
	return provider->retry ? 0 : err_set(err, -ENOMEM, "no memory");
}

/* What is missing but may still come, as a token file does. */
static int check_aws(struct provider *provider, struct source *source)
{
	struct err *warning = &provider->warning;

	if (http_check(provider->http, warning) < 0)
		return err_wrap(warning, "AWS_CA_BUNDLE");
	return aws_source_check(source, warning);
}

static int make_aws(struct provider *provider, const char *region,
		    const char *secret, struct place *place, struct err *err)
{
	const struct options *options = provider->options;
	int r = start_retry(provider, err);

	if (r < 0)
		return r;
	r = aws_source_new(provider->loop, provider->retry,
			   &(struct aws_settings){
				   .region = region ? region : options->region,
				   .endpoint_url = options->endpoint_url,
				   .secret = secret,
				   .timeout_ms = options->timeout_ms,
			   },
			   &provider->environment, &place->source, err);
	if (r == 0)
		retry_each_endpoint(provider->retry, note_open,
				    &place->source->is_away);
	if (r == 0 && !provider->has_warning)
		provider->has_warning = check_aws(provider, place->source) < 0;
	return r;
}

int provider_aws(struct provider *provider, const char *region,
		 const char *secret, struct source **ret, struct err *err)
{
	struct source *known =
		find_source(provider, region ? region : "", false);
	struct place *place;
	int r;

	if (known) {
		*ret = known;
		return 0;
	}
	place = next_place(provider, region ? region : "", false, err);
	if (!place)
		return err->code;
	r = make_aws(provider, region, secret, place, err);
	return settle_place(provider, place, r, ret);
}

const char *provider_warning(const struct provider *provider)
{
	return provider->has_warning ? provider->warning.text : NULL;
}

void provider_each_endpoint(const struct provider *provider,
			    void (*on_endpoint)(void *owner,
						const struct retry_endpoint *),
			    void *owner)
{
	if (provider->retry)
		retry_each_endpoint(provider->retry, on_endpoint, owner);
}

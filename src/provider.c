/* SPDX-License-Identifier: Apache-2.0 */
/* Sources by what they ask: a class that is read again finds the source that
 * it had, and with it everything that is in the cache. */
#include "provider.h"
#include "aws/aws_source.h"
#include "aws/environment.h"
#include "aws/failover.h"
#include "aws/ssm_source.h"
#include "base/err.h"
#include "base/log.h"
#include "base/macros.h"
#include "base/map.h"
#include "config/options.h"
#include "net/breaker.h"
#include "net/http.h"
#include "net/retry.h"
#include "store/file_source.h"
#include "store/source.h"

#include <config.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

/* A class has few places; reloads may move it, and a check may read classes of
 * every region. */
#define PLACES_MAX 20000

/* What is asked, and the source that asks there. */
struct place {
	SLIST_ENTRY(place) next;
	struct source *source;
	char key[];
};

struct provider {
	struct loop *loop;
	const struct options *options;
	SLIST_HEAD(, place) places;
	struct map *by_key;

	/* of AWS; both are NULL until the first source of it, and all sources
	 * share them: limits are kept for each endpoint, not each mount */
	struct aws_environment environment;
	bool has_environment;
	struct http *http;
	struct retry *retry;
	bool has_warning;
	struct err warning;
};

struct provider *provider_new(struct loop *loop, const struct options *options)
{
	struct provider *provider = calloc(1, sizeof(*provider));

	if (!provider)
		return NULL;
	SLIST_INIT(&provider->places);
	provider->loop = loop;
	provider->options = options;
	provider->by_key = map_new();
	if (!provider->by_key) {
		free(provider);
		return NULL;
	}
	return provider;
}

void provider_free(struct provider *provider)
{
	if (!provider)
		return;
	while (!SLIST_EMPTY(&provider->places)) {
		struct place *place = SLIST_FIRST(&provider->places);

		SLIST_REMOVE_HEAD(&provider->places, next);
		place->source->operations->free(place->source);
		free(place);
	}
	map_free(provider->by_key);
	retry_free(provider->retry);
	http_free(provider->http);
	aws_environment_done(&provider->environment);
	free(provider);
}

/* Two texts, which both may hold anything. */
static struct place *new_place(const char *what, const char *where)
{
	size_t size = strlen(what) + 1 + strlen(where) + 1;
	struct place *place = calloc(1, sizeof(*place) + size);

	if (place)
		(void)snprintf(place->key, size, "%s %s", what, where);
	return place;
}

static void free_place(struct place **place)
{
	free(*place);
}

#define cleanup_place CLEANUP(free_place)

static const struct place *find_place(const struct provider *provider,
				      const struct place *like)
{
	return map_find(provider->by_key, like->key, strlen(like->key));
}

/* Whether there is room for one more. */
static int check_room(const struct provider *provider, struct err *err)
{
	if (map_count(provider->by_key) < PLACES_MAX)
		return 0;
	return err_set(err, -E2BIG,
		       "more than %d places to ask in one process; start again",
		       PLACES_MAX);
}

/* Takes the place over, which has its source; frees that where it cannot. */
static int keep_place(struct provider *provider, struct place **place,
		      struct err *err)
{
	struct place *kept = *place;

	if (map_put(provider->by_key, kept->key, strlen(kept->key), kept) < 0) {
		kept->source->operations->free(kept->source);
		return err_set(err, -ENOMEM, "no memory");
	}
	SLIST_INSERT_HEAD(&provider->places, kept, next);
	*place = NULL;
	return 0;
}

int provider_files(struct provider *provider, const char *directory,
		   struct source **ret, struct err *err)
{
	cleanup_place struct place *place = new_place("files", directory);
	const struct place *known;
	int r;

	if (!place)
		return err_set(err, -ENOMEM, "no memory");
	known = find_place(provider, place);
	if (known) {
		*ret = known->source;
		return 0;
	}
	r = check_room(provider, err);
	if (r == 0)
		r = file_source_new(provider->loop, directory, &place->source,
				    err);
	if (r < 0)
		return r;
	*ret = place->source;
	return keep_place(provider, &place, err);
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
	static const struct retry_settings settings = {
		.on_breaker = on_breaker,
	};
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
	return account_check(source, warning);
}

static int make_aws(struct provider *provider, const struct provider_want *want,
		    struct source **ret, struct err *err)
{
	const struct options *options = provider->options;
	const struct aws_settings settings = {
		.region = want->region ? want->region : options->region,
		.endpoint_url = options->endpoint_url,
		.secret = want->name,
		.timeout_ms = options->timeout_ms,
	};
	int r = start_retry(provider, err);

	if (r < 0)
		return r;
	r = (want->is_parameter ? ssm_source_new : aws_source_new)(
		provider->loop, provider->retry, &settings,
		&provider->environment, ret, err);
	if (r == 0 && !provider->has_warning)
		provider->has_warning = check_aws(provider, *ret) < 0;
	return r;
}

static int find_region(struct provider *provider,
		       const struct provider_want *want, struct source **ret,
		       struct err *err)
{
	cleanup_place struct place *place =
		new_place(want->is_parameter ? "parameters" : "secrets",
			  want->region ? want->region : "");
	const struct place *known;
	int r;

	if (!place)
		return err_set(err, -ENOMEM, "no memory");
	known = find_place(provider, place);
	if (known) {
		*ret = known->source;
		return 0;
	}
	r = check_room(provider, err);
	if (r == 0)
		r = make_aws(provider, want, &place->source, err);
	if (r < 0)
		return r;
	*ret = place->source;
	return keep_place(provider, &place, err);
}

/* The sources of all regions, the first of which is there. */
static int find_regions(struct provider *provider,
			const struct provider_want *want,
			struct failover_settings *settings,
			struct failover_place places[FAILOVER_PLACES_MAX],
			struct err *err)
{
	for (size_t i = 0; i < want->failover_count; i++) {
		const char *region = want->failover_regions[i];
		const struct provider_want there = {
			.is_parameter = want->is_parameter,
			.region = region,
		};
		int r;

		if (strcmp(region, places[0].region) == 0)
			return err_set(err, -EINVAL,
				       "%s: failover region cannot be the same "
				       "as the primary region",
				       region);
		r = find_region(provider, &there,
				&places[settings->count].source, err);
		if (r < 0)
			return r;
		places[settings->count++].region = region;
	}
	return 0;
}

/* One for these regions and names, known by its identity. */
static int find_failover(struct provider *provider,
			 const struct failover_settings *settings,
			 struct source **ret, struct err *err)
{
	cleanup_place struct place *place = NULL;
	const struct place *known;
	struct source *source = NULL;
	int r = check_room(provider, err);

	if (r == 0)
		r = failover_new(provider->loop, settings, &source, err);
	if (r < 0)
		return r;
	place = new_place("failover", source->identity);
	known = place ? find_place(provider, place) : NULL;
	if (!place || known) {
		source->operations->free(source);
		if (!known)
			return err_set(err, -ENOMEM, "no memory");
		*ret = known->source;
		return 0;
	}
	place->source = source;
	*ret = source;
	return keep_place(provider, &place, err);
}

int provider_aws(struct provider *provider, const struct provider_want *want,
		 struct source **ret, const char **ret_region, struct err *err)
{
	struct failover_place places[FAILOVER_PLACES_MAX] = { 0 };
	struct failover_settings settings = {
		.places = places,
		.count = 1,
		.timeout_ms = provider->options->timeout_ms,
		.name = want->failover_name,
		.stage = want->failover_stage,
	};
	int r = find_region(provider, want, &places[0].source, err);

	if (r < 0)
		return r;
	places[0].region = account_region(places[0].source);
	r = find_regions(provider, want, &settings, places, err);
	if (r == 0 && settings.count > 1)
		r = find_failover(provider, &settings, &places[0].source, err);
	if (r < 0)
		return r;
	*ret = places[0].source;
	*ret_region = places[0].region;
	return 0;
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

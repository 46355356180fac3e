/* SPDX-License-Identifier: Apache-2.0 */
/* Sources by what they ask: a class that is read again finds the source that
 * it had, and with it everything that is in the cache. */
#include "provider.h"
#include "aws/aws_source.h"
#include "aws/commands.h"
#include "aws/environment.h"
#include "aws/failover.h"
#include "aws/identities.h"
#include "aws/profile_settings.h"
#include "aws/ssm_source.h"
#include "base/err.h"
#include "base/log.h"
#include "base/macros.h"
#include "config/options.h"
#include "net/breaker.h"
#include "net/http.h"
#include "net/retry.h"
#include "places.h"
#include "store/file_source.h"
#include "store/source.h"

#include <config.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HOST_SIZE 256
#define USER_AGENT_SIZE 512
/* of a product's name (RFC 9110, 5.6.2) that a node can have */
#define NODE_CHARACTERS                                                        \
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-_"

/* One way out: what is NULL is not needed yet. */
struct net {
	struct provider *provider;
	struct http *http;
	struct retry *retry;
	struct identities *identities;
};

struct provider {
	struct loop *loop;
	const struct options *options;
	struct places places;

	/* of AWS, for the first source of it; all sources share what they have
	 * in common: limits are kept for each endpoint, not each mount */
	struct aws_environment environment;
	bool has_environment;
	struct commands *commands; /* NULL: none are run */
	struct net nets[2];	   /* the second one with proxies */
	int settings_code;	   /* of the profile's settings */
	struct err settings_err;
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
	/* now, as its header wants it: nothing secret is here yet */
	if (options->allow_credential_process && !options->offline &&
	    commands_new(loop, COMMANDS_TIMEOUT_MS, &provider->commands, NULL) <
		    0) {
		free(provider);
		return NULL;
	}
	if (places_init(&provider->places) < 0) {
		commands_free(provider->commands);
		free(provider);
		return NULL;
	}
	return provider;
}

void provider_free(struct provider *provider)
{
	if (!provider)
		return;
	provider->is_ending = true;
	places_done(&provider->places);
	for (size_t i = 0; i < ARRAY_SIZE(provider->nets); i++) {
		identities_free(provider->nets[i].identities);
		retry_free(provider->nets[i].retry);
		http_free(provider->nets[i].http);
	}
	aws_environment_done(&provider->environment);
	commands_free(provider->commands);
	free(provider);
}

int provider_files(struct provider *provider, const char *directory,
		   struct source **ret, struct err *err)
{
	cleanup_place struct place *place = place_new("files", directory);
	int r;

	if (!place)
		return err_set(err, -ENOMEM, "no memory");
	r = places_look_up(&provider->places, place, ret, err);
	if (r != 0)
		return r < 0 ? r : 0;
	r = file_source_new(provider->loop, directory, &place->source, err);
	if (r < 0)
		return r;
	return places_keep(&provider->places, &place, ret, err);
}

static void note_open(void *owner, const struct retry_endpoint *endpoint)
{
	bool *is_open = owner;

	*is_open |= endpoint->breaker->state != BREAKER_CLOSED;
}

/* Of several endpoints, as of Secrets Manager and STS, any may be needed for an
 * answer; where there are several places, one that is silent is none's fault.
 */
static void tell_sources(const struct net *net, bool has_closed)
{
	bool is_open = false;
	struct place *place;

	retry_each_endpoint(net->retry, note_open, &is_open);
	SLIST_FOREACH(place, &net->provider->places.list, next)
	{
		struct source *source = place->source;

		if (place->net != net)
			continue;
		source->is_away = is_open && !place->is_failover;
		if (has_closed && source->on_return)
			source->on_return(source->on_change_owner, source);
	}
}

static void on_breaker(void *owner, const struct retry_endpoint *endpoint)
{
	const struct breaker *breaker = endpoint->breaker;
	const struct net *net = owner;

	if (net->provider->is_ending)
		return;
	tell_sources(net, breaker->state == BREAKER_CLOSED);
	if (breaker->state == BREAKER_CLOSED)
		log_info("the endpoint answers again", "url=%s", endpoint->url);
	else
		log_warn("the endpoint does not answer: asking it seldom",
			 "url=%s failures=%u error=%s", endpoint->url,
			 breaker->failures, breaker->last.text);
}

/* Once: reading wipes the keys where they were found. */
static int read_environment(struct provider *provider, struct err *err)
{
	struct aws_environment *environment = &provider->environment;
	const char *profile = provider->options->profile;
	int r = provider->has_environment
			? 0
			: aws_environment_read(environment, err);

	if (r < 0 || provider->has_environment)
		return r;
	provider->has_environment = true;
	environment->commands = provider->commands;
	if (profile) {
		environment->profile = profile;
		environment->is_profile_chosen = true;
	}
	provider->settings_code =
		profile_settings_add(environment, &provider->settings_err);
	return 0;
}

/* "secretsfs/VERSION node/NAME": CloudTrail keeps it. */
static void write_user_agent(const struct provider *provider, char *text,
			     size_t size)
{
	const char *node = provider->environment.node;
	char host[HOST_SIZE] = "";

	if (!node) {
		(void)gethostname(host, sizeof(host) - 1);
		node = host;
	}
	(void)snprintf(text, size, "%s/%s", PACKAGE_NAME, PACKAGE_VERSION);
	if (node[0] != '\0' && node[strspn(node, NODE_CHARACTERS)] == '\0')
		(void)snprintf(text + strlen(text), size - strlen(text),
			       " node/%.253s", node);
}

static int start_http(struct provider *provider, bool proxy_from_env,
		      struct net *net, struct err *err)
{
	char user_agent[USER_AGENT_SIZE];
	int r = read_environment(provider, err);

	if (r < 0)
		return r;
	if (provider->settings_code < 0) {
		*err = provider->settings_err;
		return provider->settings_code;
	}
	write_user_agent(provider, user_agent, sizeof(user_agent));
	net->http = http_new(provider->loop,
			     &(struct http_settings){
				     .ca_file = provider->environment.ca_bundle,
				     .proxy_from_env = proxy_from_env,
				     .user_agent = user_agent,
			     },
			     err);
	return net->http ? 0 : -ENOMEM;
}

static int start_net(struct provider *provider, bool proxy_from_env,
		     struct net **ret, struct err *err)
{
	struct net *net = &provider->nets[proxy_from_env];
	const struct retry_settings settings = { .on_breaker = on_breaker,
						 .owner = net,
						 .by_proxy = proxy_from_env };
	int r = net->http ? 0 : start_http(provider, proxy_from_env, net, err);

	if (r < 0)
		return r;
	net->provider = provider;
	if (!net->retry)
		net->retry = retry_new(provider->loop, net->http, &settings);
	if (net->retry && !net->identities)
		net->identities = identities_new(provider->loop, net->retry,
						 &provider->environment);
	if (!net->identities) {
		(void)err_set(err, -ENOMEM, "no memory");
		return -ENOMEM;
	}
	*ret = net;
	return 0;
}

int provider_get_context(struct provider *provider,
			 struct provider_context *ret, struct err *err)
{
	struct net *net;
	int r = start_net(provider, provider->options->proxy_from_env, &net,
			  err);

	if (r == 0)
		r = region_choose(provider->options->region,
				  &provider->environment, NULL, ret->region,
				  err);
	if (r < 0)
		return r;
	ret->skew = (struct skew){ 0 };
	ret->keys = (struct key_context){
		.loop = provider->loop,
		.retry = net->retry,
		.environment = &provider->environment,
		.region = ret->region,
		.skew = &ret->skew,
	};
	return 0;
}

int provider_prepare_aws(struct provider *provider, struct err *err)
{
	struct net *net;
	int r = read_environment(provider, err);

	if (r < 0 || provider->settings_code < 0)
		return r;
	return start_net(provider, provider->options->proxy_from_env, &net,
			 err);
}

void provider_each_reach(const struct provider *provider,
			 void (*on_each)(void *owner, enum aws_reach kind,
					 const char *text),
			 void *owner)
{
	aws_reach_each(&provider->environment, on_each, owner);
}

/* What is missing but may still come, as a token file does. */
static int check_aws(struct provider *provider, const struct net *net,
		     struct source *source)
{
	struct err *warning = &provider->warning;

	if (http_check(net->http, warning) < 0)
		return err_wrap(warning, "AWS_CA_BUNDLE");
	return account_check(source, warning);
}

/* The command line's wish is for all. */
static bool uses_proxy(const struct provider *provider,
		       const struct provider_want *want)
{
	return want->proxy_from_env || provider->options->proxy_from_env;
}

static int make_aws(struct provider *provider, const struct provider_want *want,
		    struct place *place, struct err *err)
{
	const struct options *options = provider->options;
	const struct aws_settings settings = {
		.region = want->region ? want->region : options->region,
		.endpoint_url = options->endpoint_url,
		.secret = want->name,
		.timeout_ms = options->timeout_ms,
		.role = {
			.arn = want->role_arn,
			.external_id = want->role_external_id,
			.duration_s = want->role_duration_s,
		},
		.by_proxy = uses_proxy(provider, want),
	};
	struct net *net;
	int r = start_net(provider, uses_proxy(provider, want), &net, err);

	if (r < 0)
		return r;
	r = (want->is_parameter ? ssm_source_new : aws_source_new)(
		net->identities, &settings, &place->source, err);
	if (r < 0)
		return r;
	place->net = net;
	retry_each_endpoint(net->retry, note_open, &place->source->is_away);
	if (!provider->has_warning)
		provider->has_warning =
			check_aws(provider, net, place->source) < 0;
	return 0;
}

/* Ways to a region that are not each other's. */
static const char *name_way(const struct provider *provider,
			    const struct provider_want *want)
{
	if (uses_proxy(provider, want))
		return want->is_parameter ? "parameters by proxy"
					  : "secrets by proxy";
	return want->is_parameter ? "parameters" : "secrets";
}

/* As whom, where and on which way. NULL: no memory. */
static struct place *place_of(const struct provider *provider,
			      const struct provider_want *want)
{
	struct place *place = NULL;
	char region[REGION_SIZE] = "";
	char *who = NULL;

	/* what only an ARN says; one that cannot be read is refused later */
	if (!want->region && want->name)
		(void)(want->is_parameter
			       ? region_of_parameter
			       : region_of_secret)(want->name, region, NULL);
	if (asprintf(&who, "%s for %s %s %u%s%s", name_way(provider, want),
		     want->role_arn ? want->role_arn : "",
		     want->role_external_id ? want->role_external_id : "",
		     want->role_duration_s, region[0] ? " ARN " : "",
		     region) < 0)
		return NULL;
	place = place_new(who, want->region ? want->region : "");
	free(who);
	return place;
}

static int find_region(struct provider *provider,
		       const struct provider_want *want, struct source **ret,
		       struct err *err)
{
	cleanup_place struct place *place = place_of(provider, want);
	int r;

	if (!place)
		return err_set(err, -ENOMEM, "no memory");
	r = places_look_up(&provider->places, place, ret, err);
	if (r != 0)
		return r < 0 ? r : 0;
	r = make_aws(provider, want, place, err);
	if (r < 0)
		return r;
	return places_keep(&provider->places, &place, ret, err);
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
			.role_arn = want->role_arn,
			.role_external_id = want->role_external_id,
			.role_duration_s = want->role_duration_s,
			.proxy_from_env = want->proxy_from_env,
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
static int find_failover(struct provider *provider, const struct net *net,
			 const struct failover_settings *settings,
			 struct source **ret, struct err *err)
{
	cleanup_place struct place *place = NULL;
	struct source *source = NULL;
	int r = places_check_room(&provider->places, err);

	if (r < 0)
		return r;
	r = failover_new(provider->loop, settings, &source, err);
	if (r < 0)
		return r;
	place = place_new("failover", source->identity);
	if (!place) {
		source->operations->free(source);
		return err_set(err, -ENOMEM, "no memory");
	}
	place->source = source;
	place->net = net;
	place->is_failover = true;
	return places_keep(&provider->places, &place, ret, err);
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
		r = find_failover(provider,
				  &provider->nets[uses_proxy(provider, want)],
				  &settings, &places[0].source, err);
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
	for (size_t i = 0; i < ARRAY_SIZE(provider->nets); i++)
		if (provider->nets[i].retry)
			retry_each_endpoint(provider->nets[i].retry,
					    on_endpoint, owner);
}

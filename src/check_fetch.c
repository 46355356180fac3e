/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A worker without a mount: the same sources, the same layout and the same
 * cache, asked once for every object. A value is let go as soon as its lengths
 * are noted.
 */
#include "check_fetch.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/macros.h"
#include "base/map.h"
#include "check_fetch_note.h"
#include "config/class.h"
#include "config/options.h"
#include "fs/layout.h"
#include "keeper/privileges.h"
#include "loop/loop.h"
#include "provider.h"
#include "shown.h"
#include "store/cache.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A class may have thousands of objects; a service minds so many at once. */
#define IN_FLIGHT_MAX 16

struct check_fetch {
	struct clock clock;
	const struct options *options;
	struct loop *loop;
	struct provider *provider;
};

/* One class being read. */
struct run {
	struct cache *cache;
	const struct layout *layout;
	struct fetched_class *fetched;
	struct asked *asked; /* one for each object */
	size_t next;
	size_t in_flight;
	bool is_out_of_memory;
};

struct asked {
	struct run *run;
	size_t index;
};

int check_fetch_new(const struct options *options, struct check_fetch **ret,
		    struct err *err)
{
	struct check_fetch *fetch = calloc(1, sizeof(*fetch));
	struct err less;
	int r;

	if (!fetch)
		return err_set(err, -ENOMEM, "no memory");
	/* no core file; what can be locked is as much as is allowed */
	(void)privileges_set_limits(&less);
	fetch->options = options;
	fetch->loop = loop_new(&fetch->clock);
	if (fetch->loop)
		fetch->provider = provider_new(fetch->loop, options);
	if (!fetch->provider) {
		r = err_set(err, -errno, "cannot start: %s",
			    strerrordesc_np(errno));
		check_fetch_free(fetch);
		return r;
	}
	*ret = fetch;
	return 0;
}

void check_fetch_free(struct check_fetch *fetch)
{
	if (!fetch)
		return;
	provider_free(fetch->provider);
	if (fetch->loop)
		loop_free(fetch->loop);
	free(fetch);
}

const char *check_fetch_warning(const struct check_fetch *fetch)
{
	return provider_warning(fetch->provider);
}

static void ask_more(struct run *run);

static void on_result(void *owner, const struct cache_result *result)
{
	const struct asked *asked = owner;
	struct run *run = asked->run;
	const struct layout_object *object =
		&layout_settings(run->layout)->objects[asked->index];
	struct fetched_object *fetched = &run->fetched->objects[asked->index];

	run->in_flight--;
	if ((result->err
		     ? fetched_object_fail(fetched, object, result->err)
		     : fetched_object_fill(fetched, object, result->value)) < 0)
		run->is_out_of_memory = true;
	ask_more(run);
}

static void ask_more(struct run *run)
{
	const struct layout_settings *settings = layout_settings(run->layout);

	while (run->in_flight < IN_FLIGHT_MAX && !run->is_out_of_memory &&
	       run->next < settings->object_count) {
		const struct layout_object *object =
			&settings->objects[run->next];
		struct asked *asked = &run->asked[run->next];
		const struct cache_want want = {
			.source = object->source,
			.name = object->name,
			.version = object->version,
			.stage = object->stage,
			.ttl_ms = settings->ttl_ms,
			.max_stale_ms = settings->max_stale_ms,
			.verify_ms = settings->verify_ms,
			.timeout_ms = settings->timeout_ms,
		};

		*asked = (struct asked){ .run = run, .index = run->next++ };
		if (cache_get(run->cache, &want, on_result, asked))
			run->in_flight++;
		else
			run->is_out_of_memory = true;
	}
}

static int ask_all(struct loop *loop, struct run *run)
{
	int r = 0;

	ask_more(run);
	while (r == 0 && run->in_flight > 0 && !run->is_out_of_memory)
		r = loop_turn(loop, -1);
	return run->is_out_of_memory ? -ENOMEM : r;
}

/* The first to have a name keeps it, as in the mount. */
static int hide_keys(const struct layout *layout, struct fetched_class *fetched,
		     struct map *seen)
{
	for (size_t i = 0; i < fetched->object_count; i++) {
		int r = fetched_object_hide(
			&fetched->objects[i],
			&layout_settings(layout)->objects[i], layout, seen);

		if (r < 0)
			return r;
	}
	return 0;
}

static void free_map(struct map *const *map)
{
	map_free(*map);
}

static int read_layout(struct check_fetch *fetch, const struct layout *layout,
		       struct fetched_class *fetched)
{
	static const struct cache_limits limits = {
		.max_entries = CLASS_OBJECTS_MAX,
	};
	CLEANUP(free_map) struct map *seen = map_new();
	size_t count = layout_settings(layout)->object_count;
	struct run run = {
		.cache = cache_new(fetch->loop, &limits),
		.layout = layout,
		.fetched = fetched,
		.asked = calloc(count + 1, sizeof(*run.asked)),
	};
	int r = -ENOMEM;

	fetched->objects = calloc(count + 1, sizeof(*fetched->objects));
	if (seen && run.cache && run.asked && fetched->objects) {
		fetched->object_count = count;
		r = ask_all(fetch->loop, &run);
	}
	cache_free(run.cache);
	free(run.asked);
	return r == 0 ? hide_keys(layout, fetched, seen) : r;
}

int check_fetch_class(struct check_fetch *fetch, const char *path,
		      const struct class *class, struct fetched_class *ret)
{
	struct shown shown;
	struct err err;
	int r;

	*ret = (struct fetched_class){ 0 };
	if (shown_read_class(fetch->provider, fetch->options, path, class,
			     &shown, &err) < 0) {
		ret->problem = strdup(err.text);
		return ret->problem ? 0 : -ENOMEM;
	}
	r = read_layout(fetch, shown.layout, ret);
	shown_done(&shown);
	if (r < 0)
		fetched_class_done(ret);
	return r;
}

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROL_H
#define CONTROL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cache;
struct clients;
struct loop;
struct message_client;
struct mounts;
struct options;
struct provider;
struct sandbox;
struct session;
struct shown;
struct tree;

/* What the worker answers to `secretsfs status` and `secretsfs refresh`: where
 * it is looked for. Part of the worker's wiring. */

#define CONTROL_OBJECTS_MAX 1000 /* shown of one mount; more are counted */

/* All borrowed. */
struct control {
	struct loop *loop;
	struct clients *clients;
	struct cache *cache;
	const struct provider *provider;
	const struct options *options;
	const struct shown *shown;
	const struct sandbox *sandbox;
	size_t adopted_count; /* secrets of the last worker */
	const struct mounts *mounts;
	int64_t started_ms;
};

struct control_mount {
	uint32_t index;
	const struct tree *tree;
	struct session *session;
	bool has_notifier;
};

/* Answers a client, over its socket, which is taken over. */
void control_answer(const struct control *control,
		    const struct control_mount *mount,
		    const struct message_client *client, int socket);

/* The same for all mounts of a directory of classes at once. */
void control_answer_all(const struct control *control,
			const struct message_client *client, int socket);

#endif

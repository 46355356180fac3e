/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A mount that is dead or hangs answers nobody, so what it is comes from the
 * mount table, where each mount names the one that it stands on.
 */
#include "keeper/layers.h"
#include "base/err.h"
#include "base/macros.h"
#include "keeper/descriptor.h"
#include "keeper/mountinfo.h"
#include "keeper/runtime.h"
#include "keeper/vacant.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

/* From the mount of that id down, until one is not ours or is what the place's
 * own directory stands on. */
static int walk(uint64_t id, uint64_t above_id, struct layers *layers)
{
	struct mountinfo entry;

	while (id != above_id) {
		int r = mountinfo_get(MOUNTINFO_SELF, id, &entry);

		if (r < 0)
			return r;
		if (strcmp(entry.fstype, LAYERS_FSTYPE) != 0)
			break;
		if (layers->count == LAYERS_MAX)
			return -EBUSY;
		layers->ids[layers->count++] = id;
		id = entry.parent_id;
	}
	layers->below_id = id;
	return 0;
}

int layers_read(const struct place *place, int target_fd, struct layers *ret,
		struct err *err)
{
	struct layers layers = { .count = 0 };
	uint64_t above_id;
	uint64_t id;
	int r = descriptor_mount_id(place->parent_fd, &above_id);

	if (r == 0)
		r = descriptor_mount_id(target_fd, &id);
	if (r == 0)
		r = walk(id, above_id, &layers);
	if (r == -EBUSY || layers.count == LAYERS_MAX)
		return err_set(err, -EBUSY,
			       "mount point %s: %d mounts whose keepers died "
			       "stand there already; secretsfs unmount takes "
			       "them off",
			       place->name, LAYERS_MAX);
	if (r < 0)
		return err_set(err, r, "mount point %s: %s", place->name,
			       strerrordesc_np(-r));
	*ret = layers;
	return 0;
}

int layers_below(const struct place *place, const struct mountinfo *mount,
		 struct layers *ret)
{
	struct layers layers = { .count = 0 };
	uint64_t above_id;
	int r = descriptor_mount_id(place->parent_fd, &above_id);

	if (r == 0)
		r = walk(mount->parent_id, above_id, &layers);
	if (r == 0)
		*ret = layers;
	return r;
}

int layers_check(const struct layers *layers, const char *path, struct err *err)
{
	for (unsigned i = 0; i < layers->count; i++) {
		cleanup_fd int keeper = runtime_connect(layers->ids[i]);

		if (keeper != -ENOENT && keeper != -ECONNREFUSED)
			return err_set(err, -EBUSY,
				       "%s: a secretsfs is mounted there "
				       "already",
				       path);
	}
	return 0;
}

int layers_unmount(const struct layers *layers, const struct place *place)
{
	for (unsigned i = 0; i < layers->count; i++) {
		int r = place_unmount(place, layers->ids[i]);

		if (r < 0)
			return r;
		runtime_remove(layers->ids[i], -1);
	}
	return 0;
}

int layers_give_back(const struct place *place, uint64_t below_id,
		     bool *is_above_made)
{
	cleanup_fd int fd = place_enter(place);
	struct vacant_made made = { 0 };
	uint64_t id;
	int r;

	if (fd < 0)
		return fd;
	r = descriptor_mount_id(fd, &id);
	if (r < 0)
		return r;
	if (id != below_id)
		return -EBUSY;
	r = vacant_unmark(fd, &made);
	/* What somebody has put into it keeps it. */
	if (made.place)
		(void)place_remove(place);
	*is_above_made |= made.above;
	return r;
}

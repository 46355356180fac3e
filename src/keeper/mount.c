/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The system calls are made directly, since C libraries before 2.36 lack them
 * and linux/mount.h cannot be included beside sys/mount.h.
 */
#include "keeper/mount.h"
#include "base/err.h"
#include "base/log.h"
#include "base/macros.h"
#include "keeper/descriptor.h"
#include "keeper/fusermount.h"
#include "keeper/memory.h"
#include "keeper/mountinfo.h"
#include "keeper/superblock.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define FUSE_DEVICE "/dev/fuse"
#define INIT_TIMEOUT_MS 5000
#define NODES_SIZE (32 << 20)
#define JOURNAL_SIZE (2 << 20) /* some 4,000 requests that wait */

void mount_init(struct mount *mount)
{
	memset(mount, 0, sizeof(*mount));
	mount->target_fd = mount->fuse_fd = -1;
	mount->nodes_fd = mount->journal_fd = -1;
	mount->tree_fd = mount->place.parent_fd = -1;
}

/* One that fusermount3 opens is only looked at. */
static int open_device(struct mount *mount, int target, const char *path,
		       struct err *err)
{
	if (fusermount_is_needed())
		return fusermount_check(mount->layers.count > 0 ? -1 : target,
					path, err);
	mount->fuse_fd = open(FUSE_DEVICE, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (mount->fuse_fd < 0)
		return err_set(err, -errno, "%s: %s (is FUSE in the kernel?)",
			       FUSE_DEVICE, strerrordesc_np(errno));
	return 0;
}

/* Nobody may serve it, so nothing is asked of it. */
static int find_device(int root, struct mount *mount, struct err *err)
{
	struct statx status;

	if (statx(root, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, 0, &status) < 0)
		return err_set(err, -errno, "the mount's device: %s",
			       strerrordesc_np(errno));
	mount->device = status.stx_dev_minor;
	return 0;
}

static int find_at(struct mount *mount, int *ret_root)
{
	struct mountinfo found = { .id = 0 };
	uint64_t above_id = 0;
	uint64_t id = 0;
	int r;

	*ret_root = place_enter(&mount->place);
	if (*ret_root < 0)
		return *ret_root;
	r = descriptor_mount_id(*ret_root, &id);
	if (r == 0)
		r = descriptor_mount_id(mount->place.parent_fd, &above_id);
	if (r == 0)
		r = mountinfo_get(MOUNTINFO_SELF, id, &found);
	if (r < 0)
		return r;
	if (id == above_id || strcmp(found.fstype, LAYERS_FSTYPE) != 0)
		return -ENOENT;
	mount->id = id;
	return layers_below(&mount->place, &found, &mount->layers);
}

int mount_find_at(struct mount *ret, struct place *place, const char *path,
		  struct err *err)
{
	cleanup_fd int root = -1;
	int r;

	mount_init(ret);
	ret->place = *place;
	place->parent_fd = -1;
	r = find_at(ret, &root);
	if (r == -ENOENT)
		return err_set(err, r, "%s: no mount stands there", path);
	if (r < 0)
		return err_set(err, r, "%s: %s", path, strerrordesc_np(-r));
	ret->is_found = true;
	return find_device(root, ret, err);
}

int mount_find(struct mount *ret, const char *path, struct err *err)
{
	struct place place;
	int r;

	mount_init(ret);
	r = place_open(path, &place, err);
	return r < 0 ? r : mount_find_at(ret, &place, path, err);
}

void mount_own(struct mount *mount)
{
	if (!mount->is_found)
		return;
	mount->is_found = false;
	mount->is_placed = mount->is_attached = true;
	mount->is_to_give_back = true;
}

void mount_disown(struct mount *mount)
{
	mount->is_placed = mount->is_attached = false;
	mount->is_to_give_back = false;
	mount->made = (struct vacant_made){ 0 };
}

int mount_open_at(struct mount *ret, struct place *place, const char *path,
		  struct err *err)
{
	cleanup_fd int target = -1;
	int r;

	mount_init(ret);
	ret->place = *place;
	place->parent_fd = -1;
	target = place_enter(&ret->place);
	if (target < 0)
		return err_set(err, target, "mount point %s: %s", path,
			       strerrordesc_np(-target));
	r = layers_read(&ret->place, target, &ret->layers, err);
	if (r < 0)
		return r;
	r = open_device(ret, target, path, err);
	if (r < 0)
		return r;
	ret->nodes_fd = memory_open("nodes", NODES_SIZE, err);
	if (ret->nodes_fd < 0)
		return ret->nodes_fd;
	ret->journal_fd = memory_open("requests", JOURNAL_SIZE, err);
	if (ret->journal_fd < 0)
		return ret->journal_fd;
	ret->target_fd = descriptor_take(&target);
	return 0;
}

int mount_open(struct mount *ret, const char *path, struct err *err)
{
	struct place place;
	int r;

	mount_init(ret);
	r = place_open(path, &place, err);
	return r < 0 ? r : mount_open_at(ret, &place, path, err);
}

static int answer_init(struct mount *mount, struct err *err)
{
	return fuse_init_answer(mount->fuse_fd, INIT_TIMEOUT_MS, &mount->init,
				err);
}

static int create_apart(struct mount *mount, const char *source,
			const struct mount_wish *wish, struct err *err)
{
	const struct superblock_plan plan = { .fuse_fd = mount->fuse_fd,
					      .source = source,
					      .allow_other = wish->allow_other,
					      .context = wish->context };
	cleanup_fd int context = superblock_create(&plan, err);
	int r = context < 0 ? context : answer_init(mount, err);

	if (r < 0)
		return r;
	mount->tree_fd = superblock_mount(context, err);
	if (mount->tree_fd < 0)
		return mount->tree_fd;
	r = descriptor_mount_id(mount->tree_fd, &mount->id);
	if (r < 0)
		return err_set(err, r, "no mount id: is /proc mounted?");
	return find_device(mount->tree_fd, mount, err);
}

/* Below a dead mount the directory is out of reach, and marked already. Whether
 * it was marked now. */
static bool mark(struct mount *mount)
{
	int r;

	if (mount->layers.count > 0)
		return false;
	r = vacant_mark(mount->target_fd, mount->made);
	mount->mark_error = r < 0 ? r : 0;
	return r == 0;
}

/* After mark(), where there is no mount after all. */
static void unmark(const struct mount *mount, bool is_marked_now)
{
	struct vacant_made made;

	if (is_marked_now)
		(void)vacant_unmark(mount->target_fd, &made);
}

static void set_placed(struct mount *mount)
{
	mount->is_placed = true;
	mount->is_to_give_back = true;
	/* A descriptor of the mount would make umount(8) say "busy". */
	descriptor_done(&mount->tree_fd);
	descriptor_done(&mount->target_fd);
}

/* fusermount3 looks into what it mounts upon, so it stands on no dead mount. */
static int clear_place(struct mount *mount, struct err *err)
{
	int r;

	if (mount->layers.count == 0)
		return 0;
	r = layers_unmount(&mount->layers, &mount->place);
	if (r < 0)
		return err_set(err, r, "the dead mount on %s: %s",
			       mount->place.name, strerrordesc_np(-r));
	mount->replaced = mount->layers.count;
	mount->layers.count = 0;
	descriptor_done(&mount->target_fd);
	mount->target_fd = place_enter(&mount->place);
	if (mount->target_fd < 0)
		return err_set(err, mount->target_fd, "mount point %s: %s",
			       mount->place.name,
			       strerrordesc_np(-mount->target_fd));
	return fusermount_check(mount->target_fd, mount->place.name, err);
}

static int find_placed(struct mount *mount, struct err *err)
{
	cleanup_fd int root = place_enter(&mount->place);
	int r = root < 0 ? root : descriptor_mount_id(root, &mount->id);

	return r < 0 ? err_set(err, r, "no mount id: %s", strerrordesc_np(-r))
		     : find_device(root, mount, err);
}

static int create_in_place(struct mount *mount, const char *source,
			   const struct mount_wish *wish, struct err *err)
{
	int r = clear_place(mount, err);
	bool is_marked_now;

	if (r < 0)
		return r;
	is_marked_now = mark(mount);
	mount->fuse_fd =
		fusermount_mount(&mount->place, source, wish->allow_other, err);
	if (mount->fuse_fd < 0) {
		unmark(mount, is_marked_now);
		return mount->fuse_fd;
	}
	set_placed(mount);
	r = find_placed(mount, err);
	return r < 0 ? r : answer_init(mount, err);
}

int mount_create(struct mount *mount, const char *source,
		 const struct mount_wish *wish, struct err *err)
{
	return fusermount_is_needed()
		       ? create_in_place(mount, source, wish, err)
		       : create_apart(mount, source, wish, err);
}

static int place_it(struct mount *mount, struct err *err)
{
	bool is_marked_now = mark(mount);

	if (syscall(SYS_move_mount, mount->tree_fd, "", mount->target_fd, "",
		    MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0) {
		int code = errno;

		unmark(mount, is_marked_now);
		return err_set(err, -code, "move_mount to %s: %s",
			       mount->place.name, strerrordesc_np(code));
	}
	set_placed(mount);
	return 0;
}

int mount_attach(struct mount *mount, struct err *err)
{
	int r = mount->is_placed ? 0 : place_it(mount, err);

	if (r == 0)
		mount->is_attached = true;
	return r;
}

/* Private, or what is mounted in its peers would come into the clone too. */
static int clone_mount(const struct mount *mount)
{
	struct mount_attr change = {
		.attr_clr = MOUNT_ATTR_RDONLY,
		.propagation = MS_PRIVATE,
	};
	cleanup_fd int place = place_enter_mount(&mount->place, mount->id);
	cleanup_fd int clone = -1;

	if (place < 0)
		return place;
	clone = (int)syscall(SYS_open_tree, place, "",
			     OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC |
				     AT_EMPTY_PATH);
	if (clone < 0 || syscall(SYS_mount_setattr, clone, "", AT_EMPTY_PATH,
				 &change, sizeof(change)) < 0)
		return -errno;
	return descriptor_take(&clone);
}

int mount_open_way(const struct mount *mount, const char **ret_name)
{
	int fd;

	*ret_name = "";
	if (!fusermount_is_needed())
		return clone_mount(mount);
	*ret_name = mount->place.name;
	fd = fcntl(mount->place.parent_fd, F_DUPFD_CLOEXEC, 0);
	return fd < 0 ? -errno : fd;
}

int mount_detach(struct mount *mount)
{
	int r;

	if (!mount->is_placed)
		return 0;
	r = place_unmount(&mount->place, mount->id);
	if (r == 0)
		mount->is_placed = mount->is_attached = false;
	return r;
}

int mount_part(struct mount *mount, struct err *err)
{
	cleanup_fd int nodes = -1;
	cleanup_fd int journal = -1;

	nodes = memory_copy("nodes", mount->nodes_fd, err);
	if (nodes < 0)
		return nodes;
	journal = memory_copy("requests", mount->journal_fd, err);
	if (journal < 0)
		return journal;
	descriptor_done(&mount->nodes_fd);
	descriptor_done(&mount->journal_fd);
	mount->nodes_fd = descriptor_take(&nodes);
	mount->journal_fd = descriptor_take(&journal);
	return 0;
}

void mount_report(const struct mount *mount)
{
	if (mount->replaced > 0)
		log_warn("took mounts off whose keepers died: who holds them "
			 "elsewhere does not get this one",
			 "mount_point=%s count=%u", mount->place.name,
			 mount->replaced);
	if (mount->layers.count > 0)
		log_warn("mounted upon mounts whose keepers died",
			 "mount_point=%s count=%u most=%d", mount->place.name,
			 mount->layers.count, LAYERS_MAX);
	if (mount->mark_error < 0)
		log_warn("the mount point cannot be marked: without the mount "
			 "it looks as if there were no secrets",
			 "mount_point=%s error=%s", mount->place.name,
			 strerrordesc_np(-mount->mark_error));
}

void mount_give_back(struct mount *mount)
{
	int r;

	if (mount->is_placed)
		return;
	if (!mount->is_to_give_back) {
		if (mount->made.place)
			(void)place_remove(&mount->place);
		return;
	}
	mount->is_to_give_back = mount->made.place = false;
	r = layers_unmount(&mount->layers, &mount->place);
	if (r == 0)
		r = layers_give_back(&mount->place, mount->layers.below_id,
				     &mount->made.above);
	/* Someone may have mounted there, or removed the directory. */
	if (r < 0 && r != -EBUSY && r != -ENOENT)
		log_warn("the mount point cannot be given back as it was",
			 "mount_point=%s error=%s", mount->place.name,
			 strerrordesc_np(-r));
}

void mount_done(struct mount *mount)
{
	mount->is_to_give_back = mount->made.place = false;
	descriptor_done(&mount->tree_fd);
	descriptor_done(&mount->target_fd);
	descriptor_done(&mount->fuse_fd);
	descriptor_done(&mount->nodes_fd);
	descriptor_done(&mount->journal_fd);
	place_done(&mount->place);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The worker may be anything, so its names are judged here, and looked up as
 * folder_place.h does it. A place among the session's mounts is used again when
 * the worker has let go of what it had there: until then it might still speak
 * of that.
 */
#include "keeper/folder.h"
#include "base/err.h"
#include "base/log.h"
#include "base/macros.h"
#include "keeper/descriptor.h"
#include "keeper/folder_place.h"
#include "keeper/handover.h"
#include "keeper/message.h"
#include "keeper/notifiers.h"
#include "keeper/restart.h"
#include "keeper/runtime.h"
#include "keeper/vacant.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_plain(const char *name, size_t length)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789-._";

	return length > 0 && length <= FOLDER_PART_MAX && *name != '.' &&
	       strspn(name, allowed) >= length;
}

bool folder_is_name(const char *name)
{
	const char *slash = strchr(name, '/');
	const char *last = slash ? slash + 1 : name;

	return (!slash || is_plain(name, (size_t)(slash - name))) &&
	       is_plain(last, strlen(last));
}

int folder_open(struct session *session, const char *path, struct err *err)
{
	struct folder *folder = &session->folder;
	int fd = place_open_directory(path, err);

	if (fd < 0)
		return err_wrap(err, "mount point");
	folder->directory_fd = fd;
	return 0;
}

int folder_listen(struct session *session, struct err *err)
{
	struct folder *folder = &session->folder;

	folder->listening = runtime_listen_directory(folder->directory_fd, err);
	return folder->listening < 0 ? folder->listening : 0;
}

bool folder_is_open(const struct session *session)
{
	return session->folder.directory_fd >= 0;
}

/* One in which others are stays by itself. */
static void leave_space(const struct session *session,
			const struct session_mount *mount)
{
	if (mount->mount.made.above)
		folder_place_leave(&session->folder, mount->name);
}

void folder_close(struct session *session)
{
	struct folder *folder = &session->folder;

	if (!folder_is_open(session))
		return;
	for (size_t i = 0; i < session->mount_count; i++)
		leave_space(session, &session->mounts[i]);
	if (folder->listening >= 0)
		runtime_remove_directory(folder->directory_fd,
					 folder->listening);
	descriptor_done(&folder->listening);
	descriptor_done(&folder->directory_fd);
}

/* Undoes what was done for a mount that nobody has seen. */
static void undo(struct session *session, struct session_mount *mount)
{
	(void)mount_detach(&mount->mount);
	mount_give_back(&mount->mount);
	mount_done(&mount->mount);
	leave_space(session, mount);
	mount->name[0] = '\0';
}

/* Ours stand on the directory itself: were something else mounted there, a look
 * at it would ask its server. */
static int check_uncovered(const struct mount *mount)
{
	uint64_t id = 0;
	int r = descriptor_mount_id(mount->place.parent_fd, &id);

	if (r < 0)
		return r;
	return id == mount->layers.below_id ? 0 : -EBUSY;
}

/* Below a mount of ours it was looked at by whoever has made that. */
static int check_vacant(const struct session_mount *mount, struct err *err)
{
	int r = check_uncovered(&mount->mount);

	if (r == -EBUSY)
		return err_set(err, r, "something is mounted upon %s already",
			       mount->name);
	if (r == 0 && mount->mount.layers.count == 0)
		r = vacant_check(mount->mount.target_fd);
	return r < 0 ? err_set(err, r, "nothing is mounted upon %s: %s",
			       mount->name, strerrordesc_np(-r))
		     : 0;
}

/* That a space was made holds for all that are in it: whichever leaves last
 * takes it along. */
static void share_space(struct session *session, struct session_mount *mount)
{
	size_t length = folder_place_space_length(mount->name);

	for (size_t i = 0; length > 0 && i < session->mount_count; i++) {
		struct session_mount *other = &session->mounts[i];

		if (other->mount.fuse_fd < 0 ||
		    folder_place_space_length(other->name) != length ||
		    memcmp(other->name, mount->name, length) != 0)
			continue;
		mount->mount.made.above |= other->mount.made.above;
		other->mount.made.above |= mount->mount.made.above;
	}
}

static int open_place(struct session *session, struct session_mount *mount,
		      struct err *err)
{
	CLEANUP(place_done) struct place place = { .parent_fd = -1 };
	struct vacant_made made = { 0 };
	int r = folder_place_make(&session->folder, mount->name, &place, &made,
				  err);

	if (r == 0)
		r = mount_open_at(&mount->mount, &place, mount->name, err);
	mount->mount.made = made;
	share_space(session, mount);
	if (r == 0)
		r = layers_check(&mount->mount.layers, mount->name, err);
	return r < 0 ? r : check_vacant(mount, err);
}

static int make(struct session *session, struct session_mount *mount,
		const char *label, struct err *err)
{
	int r;

	mount_init(&mount->mount);
	r = open_place(session, mount, err);
	if (r == 0)
		r = mount_create(&mount->mount, label, &session->wish, err);
	if (r == 0) {
		mount->listening = runtime_listen(mount->mount.id, err);
		r = mount->listening < 0 ? mount->listening : 0;
	}
	if (r < 0)
		undo(session, mount);
	return r;
}

static struct session_mount *find(struct session *session, const char *name)
{
	for (size_t i = 0; i < session->mount_count; i++)
		if (session_has(&session->mounts[i]) &&
		    strcmp(session->mounts[i].name, name) == 0)
			return &session->mounts[i];
	return NULL;
}

/* One of both would be mounted upon the other's space. */
static bool is_space_of(const char *space, const char *name)
{
	return folder_place_space_length(name) == strlen(space) &&
	       memcmp(space, name, strlen(space)) == 0;
}

static int check_name(const struct session *session, const char *name,
		      struct err *err)
{
	if (!folder_is_name(name))
		return err_set(err, -EINVAL, "it makes no name of a mount");
	for (size_t i = 0; i < session->mount_count; i++) {
		const struct session_mount *mount = &session->mounts[i];

		if (session_has(mount) && (is_space_of(name, mount->name) ||
					   is_space_of(mount->name, name)))
			return err_set(err, -ENOTDIR,
				       "%s is a class and a namespace",
				       strchr(name, '/') ? mount->name : name);
	}
	return 0;
}

/* A place for one more, or NULL. */
static struct session_mount *find_room(struct session *session)
{
	struct session_mount *mount = NULL;

	for (size_t i = 0; i < session->mount_count && !mount; i++)
		if (!session_has(&session->mounts[i]) &&
		    !session->mounts[i].is_leaving)
			mount = &session->mounts[i];
	if (!mount && session->mount_count < SESSION_MOUNTS_MAX)
		mount = &session->mounts[session->mount_count++];
	if (!mount)
		return NULL;
	memset(mount, 0, sizeof(*mount));
	mount_init(&mount->mount);
	notifier_child_init(&mount->notifier);
	mount->listening = -1;
	return mount;
}

static uint32_t index_of(const struct session *session,
			 const struct session_mount *mount)
{
	return (uint32_t)(mount - session->mounts);
}

static int refuse_more(struct err *err)
{
	return err_set(err, -EMFILE, "%d mounts are there, and no more can be",
		       SESSION_MOUNTS_MAX);
}

static struct session_mount *add(struct session *session,
				 const struct message *message, struct err *err)
{
	const char *name = message->body;
	size_t length = strlen(name);
	const char *label =
		length < message->length ? name + length + 1 : "secretsfs";
	struct session_mount *mount = find(session, name);

	if (mount || check_name(session, name, err) < 0)
		return mount;
	mount = find_room(session);
	if (!mount) {
		(void)refuse_more(err);
		return NULL;
	}
	(void)snprintf(mount->name, sizeof(mount->name), "%s", name);
	if (make(session, mount, label, err) == 0)
		return mount;
	if (index_of(session, mount) + 1 == session->mount_count)
		session->mount_count--;
	return NULL;
}

int folder_add(struct session *session, const struct message *message,
	       struct err *err)
{
	struct session_mount *mount;

	if (!folder_is_open(session))
		return err_set(err, -EPROTO, "the worker asks for a mount");
	mount = add(session, message, err);
	if (!mount)
		return err->code;
	mount->is_wanted = true;
	return 0;
}

int folder_inherit(struct session *session, const char *name, struct err *err)
{
	CLEANUP(place_done) struct place place = { .parent_fd = -1 };
	struct session_mount *mount;
	int r = check_name(session, name, err);

	if (r == 0)
		r = folder_place_find(&session->folder, name, &place, err);
	if (r < 0)
		return r;
	mount = find_room(session);
	if (!mount)
		return refuse_more(err);
	(void)snprintf(mount->name, sizeof(mount->name), "%s", name);
	return mount_find_at(&mount->mount, &place, name, err);
}

/* One that does not listen is on its way out. */
static void tell(int worker, enum message_type type, uint32_t index,
		 const char *body, size_t length)
{
	struct message message;

	message_fill(&message, type, index, body, length);
	(void)message_send(worker, &message, -1);
}

void folder_refuse(int worker, const char *name, const char *why)
{
	char body[MESSAGE_BODY_MAX];
	int length = snprintf(body, sizeof(body), "%.*s%c%.512s",
			      FOLDER_NAME_MAX, name, '\0', why);

	tell(worker, MESSAGE_REFUSED, MESSAGE_NO_MOUNT, body, (size_t)length);
}

void folder_begin(struct session *session)
{
	session->folder.is_ready = false;
	for (size_t i = 0; i < session->mount_count; i++) {
		session->mounts[i].is_wanted = false;
		session->mounts[i].is_leaving = false;
		session->mounts[i].is_handed_over = false;
	}
}

/* Who has come by its socket did not mean what has the place next. */
static void turn_away(struct session *session, uint32_t index)
{
	for (size_t i = 0; i < SESSION_CLIENTS_MAX; i++)
		if (session->clients[i].mount == index)
			descriptor_done(&session->clients[i].fd);
}

void folder_drop(struct session *session, struct session_mount *mount)
{
	turn_away(session, index_of(session, mount));
	log_info("took a mount off", "name=%s mount_id=%llu", mount->name,
		 (unsigned long long)mount->mount.id);
	session_drop_mount(session, mount, true);
	share_space(session, mount);
	leave_space(session, mount);
	mount->name[0] = '\0';
	restart_on_left(session);
}

/* A worker that has it lets it go. */
static void take_away(struct session *session, struct session_mount *mount)
{
	folder_drop(session, mount);
	mount->is_leaving = mount->is_handed_over;
	if (mount->is_handed_over)
		tell(session->worker.socket, MESSAGE_REMOVE,
		     index_of(session, mount), NULL, 0);
}

void folder_settle(struct session *session)
{
	if (!folder_is_open(session))
		return;
	for (size_t i = 0; i < session->mount_count; i++)
		if (session_has(&session->mounts[i]) &&
		    !session->mounts[i].is_wanted)
			take_away(session, &session->mounts[i]);
	session->folder.is_ready = true;
}

void folder_on_served(struct session *session, struct session_mount *mount)
{
	struct err err;

	if (!folder_is_open(session) || mount->mount.is_attached)
		return;
	if (mount_attach(&mount->mount, &err) < 0) {
		log_err("a mount finds no place", "name=%s error=%s",
			mount->name, err.text);
		take_away(session, mount);
		return;
	}
	mount_report(&mount->mount);
	log_info("put a mount on its place", "name=%s mount_id=%llu",
		 mount->name, (unsigned long long)mount->mount.id);
}

static void on_add(struct session *session, const struct message *message)
{
	struct session_mount *mount;
	struct err err;

	if (folder_add(session, message, &err) < 0) {
		folder_refuse(session->worker.socket, message->body, err.text);
		return;
	}
	/* All are handed over when a worker is ready. */
	if (!session->folder.is_ready || session->phase == PHASE_LEAVING)
		return;
	mount = find(session, message->body);
	if (mount && !mount->is_handed_over &&
	    handover_mount(session, index_of(session, mount),
			   handover_deadline_ms()) == -EAGAIN)
		restart_on_deaf(session);
}

static bool on_serving(struct session *session, const struct message *message)
{
	struct session_mount *mount = session_mount_of(session, message);

	/* It did not know yet. */
	if (mount && mount->is_leaving)
		return true;
	if ((session->phase != PHASE_SERVING &&
	     session->phase != PHASE_LEAVING) ||
	    !mount || !session_has(mount) || mount->is_served)
		return false;
	mount->is_served = true;
	folder_on_served(session, mount);
	notifiers_start(session);
	return true;
}

static bool on_remove(struct session *session, const struct message *message)
{
	struct session_mount *mount = session_mount_of(session, message);

	/* It may have been taken off by someone meanwhile. */
	if (mount && session_has(mount))
		take_away(session, mount);
	return mount != NULL;
}

static bool on_gone(struct session *session, const struct message *message)
{
	struct session_mount *mount = session_mount_of(session, message);

	if (!mount || (!mount->is_leaving && !session_has(mount)))
		return false;
	if (session_has(mount))
		folder_drop(session, mount);
	mount->is_leaving = false;
	return true;
}

bool folder_on_message(struct session *session, const struct message *message)
{
	if (!folder_is_open(session))
		return false;
	if (message->type == MESSAGE_ADD) {
		on_add(session, message);
		return true;
	}
	if (message->type == MESSAGE_SERVING)
		return on_serving(session, message);
	if (message->type == MESSAGE_REMOVE)
		return on_remove(session, message);
	return message->type == MESSAGE_GONE && on_gone(session, message);
}

int folder_unmount(struct session *session, size_t index)
{
	struct session_mount *mount = &session->mounts[index];
	cleanup_fd int fd =
		place_enter_mount(&mount->mount.place, mount->mount.id);

	if (fd == -EBUSY)
		return -EBUSY;
	descriptor_done(&fd);
	take_away(session, mount);
	return 0;
}

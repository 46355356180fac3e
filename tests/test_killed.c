/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A worker that is killed before any one of its instructions leaves a memory in
 * which the next worker counts right. The worker is a child of which each
 * instruction is a step of its own; after each that has changed something, a
 * copy of the memory gets a next worker, twice: on a kernel that waits for what
 * was read, and on one that sends it again. The first of these is killed in the
 * same way while it takes over.
 */
#include "tests/test.h"

#include "tests/tree_fixture.h"

#include "fs/journal.h"
#include "fs/ledger.h"
#include "fs/tree_private.h"

#include <linux/fuse.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define NODES_SIZE (1 << 14)
#define JOURNAL_SIZE (4096 + JOURNAL_READ_MAX + 16384 + 4 * 512)
#define CAME_AGAIN (UINT64_C(1) << 63)
#define UNIQUE 8
#define LOOKUPS 3 /* of each node, at first */
#define NODE_A 2
#define NODE_B 3

/* What two workers share, and the kernel. */
struct world {
	unsigned char *nodes;
	unsigned char *journal;
	int nodes_fd;
	int journal_fd;
	int kernel;
	int fd; /* the worker's */
};

struct worker {
	struct scene *scene;
	struct journal *journal;
	struct journal_left left;
	const struct world *world;
	bool is_awaited; /* what the kernel says of the request */
};

struct act {
	const char *name;
	uint32_t opcode;
	void (*handle)(struct worker *worker);
	bool is_late;  /* answered when other things were done */
	uint64_t a, b; /* lookups after it */
};

static void *map_memory(size_t size, int *ret_fd)
{
	void *memory;

	*ret_fd = memfd_create("world", 0);
	assert_int_equal(ftruncate(*ret_fd, (off_t)size), 0);
	memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, *ret_fd,
		      0);
	assert_ptr_not_equal(memory, MAP_FAILED);
	return memory;
}

static void world_init(struct world *world)
{
	int pair[2];

	world->nodes = map_memory(NODES_SIZE, &world->nodes_fd);
	world->journal = map_memory(JOURNAL_SIZE, &world->journal_fd);
	assert_int_equal(
		socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, pair),
		0);
	world->kernel = pair[0];
	world->fd = pair[1];
}

static void world_done(struct world *world)
{
	munmap(world->nodes, NODES_SIZE);
	munmap(world->journal, JOURNAL_SIZE);
	close(world->nodes_fd);
	close(world->journal_fd);
	close(world->kernel);
	close(world->fd);
}

static void copy_memory(const struct world *from, struct world *to)
{
	memcpy(to->nodes, from->nodes, NODES_SIZE);
	memcpy(to->journal, from->journal, JOURNAL_SIZE);
}

static bool is_awaited(void *owner, uint64_t unique)
{
	const struct worker *worker = owner;

	return worker->is_awaited && unique == UNIQUE;
}

static void worker_open(struct worker *worker, const struct world *world,
			bool awaits)
{
	bool is_lost;

	*worker = (struct worker){ .world = world, .is_awaited = awaits };
	worker->scene = scene_new();
	scene_show_prefix(worker->scene, "");
	assert_int_equal(tree_keep_nodes(worker->scene->tree,
					 dup(world->nodes_fd), &is_lost),
			 0);
	assert_int_equal(journal_open(dup(world->journal_fd), &worker->journal),
			 0);
}

static void worker_settle(struct worker *worker)
{
	journal_settle(worker->journal, is_awaited, worker, &worker->left);
	tree_keep_counts(worker->scene->tree, journal_ledger(worker->journal));
}

static void worker_init(struct worker *worker, const struct world *world,
			bool awaits)
{
	worker_open(worker, world, awaits);
	worker_settle(worker);
}

static void worker_done(struct worker *worker)
{
	void *scene = worker->scene;

	scene_free(&scene);
	journal_close(worker->journal);
}

static struct node *find(const struct worker *worker, uint64_t id)
{
	return nodes_find(worker->scene->tree->nodes, id);
}

static uint64_t lookups_of(const struct worker *worker, uint64_t id)
{
	const struct node *node = find(worker, id);

	return node ? node->lookups : 0;
}

/* The two directories that the acts are about. */
static void prepare(const struct world *world)
{
	struct worker worker;
	struct nodes *nodes;

	worker_init(&worker, world, false);
	nodes = worker.scene->tree->nodes;
	for (uint64_t i = 0; i < 2; i++) {
		const char *name = i ? "b" : "a";
		struct node *node =
			nodes_directory(nodes, nodes_find(nodes, NODE_ROOT),
					name, i ? "b/" : "a/");

		assert_int_equal(node->id, NODE_A + i);
		for (int n = 0; n < LOOKUPS; n++)
			nodes_looked_up(node);
	}
	worker_done(&worker);
}

static void ask(const struct world *world, uint32_t opcode, uint64_t unique)
{
	const struct fuse_in_header header = { .len = sizeof(header),
					       .opcode = opcode,
					       .unique = unique };

	assert_int_equal(send(world->kernel, &header, sizeof(header), 0),
			 sizeof(header));
}

static uint64_t unique_of(const struct worker *worker)
{
	return worker->is_awaited ? UNIQUE : UNIQUE | CAME_AGAIN;
}

static void answer(const struct worker *worker, uint64_t unique)
{
	struct fuse_out_header header = { .len = sizeof(header),
					  .unique = unique };
	struct iovec part = { .iov_base = &header, .iov_len = sizeof(header) };

	(void)journal_write(worker->journal, worker->world->fd, &part, 1);
}

static void do_look_up(struct worker *worker)
{
	tree_give(worker->scene->tree, find(worker, NODE_A));
	answer(worker, unique_of(worker));
}

static void do_list(struct worker *worker)
{
	tree_give(worker->scene->tree, find(worker, NODE_A));
	tree_give(worker->scene->tree, find(worker, NODE_B));
	answer(worker, unique_of(worker));
}

static void forget(struct worker *worker)
{
	tree_forget(worker->scene->tree, NODE_A, 2);
}

static void forget_many(struct worker *worker)
{
	tree_forget(worker->scene->tree, NODE_A, 1);
	tree_forget(worker->scene->tree, NODE_B, LOOKUPS);
	tree_forget(worker->scene->tree, NODE_A, 1);
}

static const struct act acts[] = {
	{ "a look-up", FUSE_LOOKUP, do_look_up, false, LOOKUPS + 1, LOOKUPS },
	{ "a later answer", FUSE_LOOKUP, do_look_up, true, LOOKUPS + 1,
	  LOOKUPS },
	{ "a listing", FUSE_READDIRPLUS, do_list, false, LOOKUPS + 1,
	  LOOKUPS + 1 },
	{ "a FORGET", FUSE_FORGET, forget, false, LOOKUPS - 2, LOOKUPS },
	{ "a FORGET of many", FUSE_BATCH_FORGET, forget_many, false,
	  LOOKUPS - 2, 0 },
};

static size_t handle_left(struct worker *worker, const struct act *act)
{
	struct journal_request request;
	size_t handled = 0;

	while (journal_next_left(worker->journal, &request)) {
		act->handle(worker);
		journal_handled(worker->journal);
		handled++;
	}
	return handled;
}

/* What a child does between two SIGSTOPs: a worker its work, */
static void work(struct worker *worker, const struct act *act)
{
	struct journal_request request;

	worker_settle(worker);
	if (journal_read(worker->journal, worker->world->fd, &request) < 0)
		_exit(1);
	if (act->is_late)
		journal_handled(worker->journal);
	act->handle(worker);
	if (!act->is_late)
		journal_handled(worker->journal);
}

/* or the next one what was left to it. */
static void take_over(struct worker *worker, const struct act *act)
{
	worker_settle(worker);
	(void)handle_left(worker, act);
}

static int waiting_bytes(int fd)
{
	int length = 0;

	assert_int_equal(ioctl(fd, FIONREAD, &length), 0);
	return length;
}

static void check_counts(const struct act *act, const struct worker *worker,
			 bool has_happened, size_t step)
{
	uint64_t a = has_happened ? act->a : LOOKUPS;
	uint64_t b = has_happened ? act->b : LOOKUPS;

	if (lookups_of(worker, NODE_A) != a || lookups_of(worker, NODE_B) != b)
		fail_msg("%s, change %zu: %u and %u lookups instead of %u and "
			 "%u",
			 act->name, step, (unsigned)lookups_of(worker, NODE_A),
			 (unsigned)lookups_of(worker, NODE_B), (unsigned)a,
			 (unsigned)b);
}

/* What the next worker makes of a copy of the memory. */
static void check(const struct act *act, const struct world *world,
		  bool is_replayed, size_t step)
{
	bool was_read = waiting_bytes(world->fd) == 0;
	bool was_answered = waiting_bytes(world->kernel) > 0;
	bool is_open = was_read && !was_answered;
	struct journal_request request;
	struct worker next;
	struct world copy;

	world_init(&copy);
	copy_memory(world, &copy);
	worker_init(&next, &copy, is_replayed && is_open);
	assert_true(handle_left(&next, act) <= 1);
	if (!is_replayed && is_open && act->opcode != FUSE_FORGET &&
	    act->opcode != FUSE_BATCH_FORGET) {
		ask(&copy, act->opcode, UNIQUE | CAME_AGAIN);
		tree_request_came_again(next.scene->tree, UNIQUE | CAME_AGAIN);
		assert_int_equal(journal_read(next.journal, copy.fd, &request),
				 0);
		act->handle(&next);
		journal_handled(next.journal);
	}
	check_counts(act, &next, was_read, step);
	worker_done(&next);
	world_done(&copy);
}

static bool has_changed(const struct world *world, struct world *seen)
{
	if (memcmp(world->nodes, seen->nodes, NODES_SIZE) == 0 &&
	    memcmp(world->journal, seen->journal, JOURNAL_SIZE) == 0)
		return false;
	copy_memory(world, seen);
	return true;
}

typedef void run_in_child(struct worker *worker, const struct act *act);

static pid_t start(const struct world *world, const struct act *act,
		   run_in_child *run, bool awaits)
{
	pid_t child = fork();

	if (child == 0) {
		struct worker worker;

		worker_open(&worker, world, awaits);
		if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0)
			_exit(77);
		(void)raise(SIGSTOP);
		run(&worker, act);
		(void)raise(SIGSTOP);
		_exit(0);
	}
	return child;
}

/* One instruction. False: it is about to stop, or has ended. */
static bool step_on(pid_t child)
{
	int status;

	return ptrace(PTRACE_SINGLESTEP, child, NULL, NULL) == 0 &&
	       waitpid(child, &status, 0) == child && WIFSTOPPED(status) &&
	       WSTOPSIG(status) == SIGTRAP;
}

typedef void check_change(const struct act *act, const struct world *world,
			  size_t change);

/* How many changes there were; on_change is called at first, too, and at the
 * end. */
static size_t run_in_steps(const struct world *world, const struct act *act,
			   pid_t child, check_change *on_change)
{
	size_t changes = 0;
	struct world seen;
	int status;

	world_init(&seen);
	assert_int_equal(waitpid(child, &status, 0), child);
	if (!WIFSTOPPED(status))
		skip_because("nobody may be traced here");
	do {
		if (has_changed(world, &seen))
			on_change(act, world, changes++);
	} while (step_on(child));
	on_change(act, world, changes);
	(void)kill(child, SIGKILL);
	(void)waitpid(child, &status, 0);
	world_done(&seen);
	return changes;
}

static void check_replayed(const struct act *act, const struct world *world,
			   size_t change)
{
	check(act, world, true, change);
}

/* The next worker is killed as well, and another one follows. */
static void check_twice(const struct act *act, const struct world *world,
			size_t change)
{
	bool was_read = waiting_bytes(world->fd) == 0;
	bool was_answered = waiting_bytes(world->kernel) > 0;
	struct world copy;

	check(act, world, true, change);
	check(act, world, false, change);
	if (!was_read)
		return;
	world_init(&copy);
	copy_memory(world, &copy);
	if (was_answered)
		assert_int_equal(send(copy.fd, "answer", 6, 0), 6);
	(void)run_in_steps(&copy, act,
			   start(&copy, act, take_over, !was_answered),
			   check_replayed);
	world_done(&copy);
}

static void each_instruction_may_be_the_last(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(acts) / sizeof(*acts); i++) {
		const struct act *act = &acts[i];
		struct world world;
		size_t changes;

		world_init(&world);
		prepare(&world);
		ask(&world, act->opcode, UNIQUE);
		changes = run_in_steps(&world, act,
				       start(&world, act, work, true),
				       check_twice);
		assert_true(changes > 5);
		print_message("%s: killed after %zu changes\n", act->name,
			      changes);
		world_done(&world);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_instruction_may_be_the_last),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include "keeper/notify_order.h"
#include "tests/played_notifier.h"

#include <sys/socket.h>
#include <unistd.h>

void turn(struct played *played)
{
	for (int i = 0; i < 4; i++)
		assert_int_equal(loop_turn(played->scene->loop, 0), 0);
}

void played_start(struct played *played)
{
	int ends[2];

	assert_int_equal(
		socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
	played->fd = ends[1];
	tree_set_notifier(played->scene->tree, ends[0], NOTIFIER_PID);
}

bool next_order(struct played *played, struct notify_order *ret)
{
	ssize_t length = recv(played->fd, ret, sizeof(*ret), MSG_DONTWAIT);

	if (length < 0)
		return false;
	assert_int_equal(notify_order_check(ret, (size_t)length), 0);
	return true;
}

struct notify_order take_order(struct played *played, uint32_t kind,
			       const char *name)
{
	struct notify_order order;

	assert_true(next_order(played, &order));
	assert_int_equal(order.kind, kind);
	assert_string_equal(order.name, name);
	return order;
}

void assert_no_order(struct played *played)
{
	struct notify_order order;

	assert_false(next_order(played, &order));
}

void answer(struct played *played, const struct notify_order *order, int result)
{
	struct notify_answer answer = { .magic = NOTIFY_MAGIC,
					.result = result,
					.id = order->id };

	assert_int_equal(send(played->fd, &answer, sizeof(answer), 0),
			 sizeof(answer));
	turn(played);
}

struct request look_up_as(struct played *played, pid_t pid, const char *name)
{
	struct request request;

	fake_request_init(&request);
	request.pid = pid;
	tree_lookup(played->scene->tree, &request, NODE_ROOT, name);
	assert_int_equal(request.answers, 1);
	return request;
}

int rename_as(struct played *played, pid_t pid, const char *from,
	      const char *to)
{
	struct request request;

	fake_request_init(&request);
	request.pid = pid;
	tree_rename(played->scene->tree, &request,
		    &(struct tree_rename){ .parent = NODE_ROOT,
					   .name = from,
					   .new_parent = NODE_ROOT,
					   .new_name = to });
	assert_int_equal(request.answers, 1);
	return request.code;
}

int unlink_as(struct played *played, pid_t pid, const char *name)
{
	struct request request;

	fake_request_init(&request);
	request.pid = pid;
	tree_unlink(played->scene->tree, &request, NODE_ROOT, name);
	assert_int_equal(request.answers, 1);
	return request.code;
}

void assert_absent(const struct request *request)
{
	assert_int_equal(request->entry.node, 0);
	assert_int_equal(request->absent_ms, 0);
}

uint64_t obey_rename(struct played *played, const struct notify_order *order)
{
	uint64_t node =
		look_up_as(played, NOTIFIER_PID, order->source_name).entry.node;

	assert_int_not_equal(node, 0);
	assert_int_equal(rename_as(played, NOTIFIER_PID, order->source_name,
				   order->name),
			 0);
	answer(played, order, 0);
	return node;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The notifier may rename and unlink as root, and takes orders from a worker
 * that someone may have taken over: what is judged here bounds those orders to
 * plain names below one mount.
 */
#include "keeper/notify_order.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

/* A component of that length; it need not be terminated. */
static bool is_plain(const char *name, size_t length)
{
	if (length == 0 || length > NOTIFY_NAME_MAX ||
	    memchr(name, '/', length))
		return false;
	if (name[0] != '.')
		return true;
	return length != 1 && !(length == 2 && name[1] == '.');
}

static bool is_name(const char *name, size_t size)
{
	size_t length = strnlen(name, size);

	return length < size && is_plain(name, length);
}

static bool is_directory(const char *path, size_t size)
{
	size_t left = strnlen(path, size);

	if (left == size)
		return false;
	if (left == 0)
		return true;
	for (;;) {
		size_t length = strcspn(path, "/");

		if (!is_plain(path, length))
			return false;
		if (length == left)
			return true;
		path += length + 1;
		left -= length + 1;
	}
}

static bool is_source(const struct notify_order *order)
{
	if (order->kind != NOTIFY_REPLACE)
		return order->source_name[0] == '\0';
	return is_name(order->source_name, sizeof(order->source_name)) &&
	       strcmp(order->source_name, order->name) != 0;
}

static bool is_kind(const struct notify_order *order)
{
	uint32_t known = order->kind == NOTIFY_DROP ? NOTIFY_UNLINK : 0;

	return order->kind >= NOTIFY_REPLACE && order->kind <= NOTIFY_DROP &&
	       (order->flags & ~known) == 0 && order->unused == 0;
}

int notify_order_check(const struct notify_order *order, size_t length)
{
	if (length != sizeof(*order) || order->magic != NOTIFY_MAGIC)
		return -EPROTO;
	if (!is_kind(order) ||
	    !is_directory(order->directory, sizeof(order->directory)) ||
	    !is_name(order->name, sizeof(order->name)) || !is_source(order))
		return -EINVAL;
	return 0;
}

static int copy(char *to, size_t size, const char *from)
{
	size_t needed = from ? strlen(from) + 1 : 0;

	if (needed > size)
		return -ENAMETOOLONG;
	if (needed > 0)
		memcpy(to, from, needed);
	return 0;
}

int notify_order_fill(struct notify_order *ret, const struct notify_wish *wish)
{
	struct notify_order order = {
		.magic = NOTIFY_MAGIC,
		.kind = wish->kind,
		.id = wish->id,
		.flags = wish->flags,
	};
	int r = copy(order.directory, sizeof(order.directory), wish->directory);

	if (r == 0)
		r = copy(order.name, sizeof(order.name), wish->name);
	if (r == 0)
		r = copy(order.source_name, sizeof(order.source_name),
			 wish->source_name);
	if (r == 0)
		r = notify_order_check(&order, sizeof(order));
	if (r == 0)
		*ret = order;
	return r;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A message leaves and arrives whole, because SOCK_SEQPACKET keeps records.
 * What arrives is judged before it is used: the peer may be a worker that
 * someone took over.
 */
#include "keeper/message.h"
#include "base/macros.h"
#include "keeper/descriptor.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#define HEAD_LENGTH offsetof(struct message, body)

static_assert(sizeof(struct message_client) <= MESSAGE_BODY_MAX,
	      "fits into a message");

/* Room for one descriptor, aligned as the kernel wants its header. */
union control {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(sizeof(int))];
};

void message_fill(struct message *message, enum message_type type,
		  uint32_t mount, const void *body, size_t length)
{
	if (length > MESSAGE_BODY_MAX)
		length = MESSAGE_BODY_MAX;
	memset(message, 0, sizeof(*message));
	message->magic = MESSAGE_MAGIC;
	message->type = type;
	message->mount = mount;
	message->length = (uint32_t)length;
	if (length > 0)
		memcpy(message->body, body, length);
}

static void attach_fd(struct msghdr *header, union control *control, int fd)
{
	struct cmsghdr *part;

	header->msg_control = control->bytes;
	header->msg_controllen = sizeof(control->bytes);
	part = CMSG_FIRSTHDR(header);
	part->cmsg_level = SOL_SOCKET;
	part->cmsg_type = SCM_RIGHTS;
	part->cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(part), &fd, sizeof(fd));
}

int message_send(int socket, const struct message *message, int fd)
{
	struct message copy = *message;
	struct iovec piece = { &copy, HEAD_LENGTH + copy.length };
	struct msghdr header = { .msg_iov = &piece, .msg_iovlen = 1 };
	union control control = { 0 };
	ssize_t sent;

	if (copy.length > MESSAGE_BODY_MAX)
		return -EINVAL;
	if (fd >= 0)
		attach_fd(&header, &control, fd);
	do
		sent = sendmsg(socket, &header, MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	return sent < 0 ? -errno : 0;
}

/*
 * Takes the first descriptor and closes all others: the control buffer has
 * room for two where one needs padding, and the kernel fills it. Returns how
 * many there were.
 */
static size_t take_fds(struct msghdr *header, int *ret_fd)
{
	size_t count = 0;

	for (struct cmsghdr *part = CMSG_FIRSTHDR(header); part;
	     part = CMSG_NXTHDR(header, part)) {
		size_t length = part->cmsg_len - CMSG_LEN(0);

		if (part->cmsg_level != SOL_SOCKET ||
		    part->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t at = 0; at + sizeof(int) <= length;
		     at += sizeof(int)) {
			cleanup_fd int fd = -1;

			memcpy(&fd, CMSG_DATA(part) + at, sizeof(fd));
			if (count++ == 0)
				*ret_fd = descriptor_take(&fd);
		}
	}
	return count;
}

static bool is_well_formed(const struct message *message, size_t received,
			   int flags)
{
	return !(flags & (MSG_TRUNC | MSG_CTRUNC)) && received >= HEAD_LENGTH &&
	       message->magic == MESSAGE_MAGIC &&
	       message->length <= MESSAGE_BODY_MAX &&
	       message->length == received - HEAD_LENGTH;
}

int message_receive(int socket, struct message *ret, int *ret_fd)
{
	struct message message = { 0 };
	struct iovec piece = { &message, sizeof(message) - 1 };
	union control control;
	struct msghdr header = {
		.msg_iov = &piece,
		.msg_iovlen = 1,
		.msg_control = ret_fd ? control.bytes : NULL,
		.msg_controllen = ret_fd ? sizeof(control.bytes) : 0,
	};
	cleanup_fd int fd = -1;
	ssize_t received;
	size_t count;

	/* A peer that died with our messages unread leaves ECONNRESET, once and
	 * before what it still had to say. */
	do
		received = recvmsg(socket, &header, MSG_CMSG_CLOEXEC);
	while (received < 0 && (errno == EINTR || errno == ECONNRESET));
	if (received < 0)
		return -errno;
	count = take_fds(&header, &fd);
	if (received == 0)
		return -EPIPE;
	if (count > 1 ||
	    !is_well_formed(&message, (size_t)received, header.msg_flags))
		return -EPROTO;
	*ret = message;
	if (ret_fd)
		*ret_fd = descriptor_take(&fd);
	return 0;
}

bool message_client_read(const struct message *message,
			 struct message_client *ret)
{
	struct message_client client;

	if (message->length != sizeof(client))
		return false;
	memcpy(&client, message->body, sizeof(client));
	if (client.name[MESSAGE_NAME_MAX] != '\0')
		return false;
	*ret = client;
	return true;
}

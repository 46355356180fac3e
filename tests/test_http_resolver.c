/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A name server that takes questions and never answers, which is what blocked
 * whole programs through libcurl. It needs a resolv.conf and a port 53 of its
 * own, so namespaces; without cmocka, for whose skip is no TAP skip.
 */
#include "tests/test.h"

#include "tests/http_fixture.h"

#include "loop/loop.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <unistd.h>

#define SECRETS_URL "https://secretsmanager.eu-west-1.amazonaws.com/"
#define SECRETS_PLACE "secretsmanager.eu-west-1.amazonaws.com:443"

static const struct http_request unresolved = {
	.url = SECRETS_URL,
	.timeout_ms = 300,
};

static bool raise_loopback(void)
{
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool done = fd >= 0 && ioctl(fd, SIOCSIFFLAGS, &request) == 0;

	(void)close(fd);
	return done;
}

static bool replace_resolv_conf(void)
{
	static const char text[] = "nameserver 127.0.0.1\n"
				   "options timeout:5 attempts:2\n";
	const ssize_t length = sizeof(text) - 1;
	char path[] = "/tmp/secretsfs-test-XXXXXX";
	int fd = mkostemp(path, O_CLOEXEC);
	bool done;

	if (fd < 0)
		return false;
	done = write(fd, text, (size_t)length) == length &&
	       mount(path, "/etc/resolv.conf", NULL, MS_BIND, NULL) == 0;
	(void)close(fd);
	(void)unlink(path);
	return done;
}

static int open_name_server(void)
{
	const struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons(53),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (bind(fd, (const struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	(void)close(fd);
	return -1;
}

/* NULL, or what is missing here. */
static const char *enter_silence(int *ret_name_server)
{
	int as_user = geteuid() == 0 ? 0 : CLONE_NEWUSER;

	if (unshare(as_user | CLONE_NEWNS | CLONE_NEWNET) < 0 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return "no namespaces for us";
	if (!raise_loopback() || !replace_resolv_conf())
		return "no loopback or resolv.conf of our own";
	*ret_name_server = open_name_server();
	return *ret_name_server < 0 ? "no port 53" : NULL;
}

/* So that the resolver's thread is known to wait. */
static bool turn_until_asked(struct client *client, int name_server)
{
	struct pollfd question = { .fd = name_server, .events = POLLIN };

	for (unsigned i = 0; i < 300; i++) {
		(void)loop_turn(client->loop, 10);
		if (poll(&question, 1, 0) == 1)
			return true;
	}
	return false;
}

static int say(unsigned number, bool is_good, const char *name)
{
	(void)printf("%sok %u - %s\n", is_good ? "" : "not ", number, name);
	return is_good ? 0 : 1;
}

static int skip_all(const char *reason)
{
	(void)printf("ok 1 - cancel # SKIP %s\nok 2 - deadline # SKIP %s\n",
		     reason, reason);
	return 0;
}

static int run(int name_server)
{
	struct answer cancelled;
	struct answer expired;
	struct client client;
	int64_t start_ms;
	int failed;

	client_open(&client, &(struct http_settings){ 0 });
	start(&client, &(struct http_request){ .url = SECRETS_URL },
	      &cancelled);
	if (!turn_until_asked(&client, name_server))
		return skip_all("names are not looked up by DNS here");
	start_ms = loop_now_ms(client.loop);
	http_cancel(cancelled.call);
	failed = say(1,
		     loop_now_ms(client.loop) - start_ms < 1000 &&
			     cancelled.count == 0,
		     "cancel does not wait for a silent resolver");

	start_ms = loop_now_ms(client.loop);
	call(&client, &unresolved, &expired);
	(void)printf("# %s\n", expired.err.text);
	failed += say(2,
		      loop_now_ms(client.loop) - start_ms < 2000 &&
			      expired.err.code == -ETIMEDOUT &&
			      strcmp(expired.err.text,
				     "no address for " SECRETS_PLACE
				     " within 0.3 s") == 0,
		      "the deadline does not wait for a silent resolver");
	client_close(&client);
	return failed;
}

int main(void)
{
	const char *missing;
	int name_server;

	(void)printf("1..2\n");
	missing = enter_silence(&name_server);
	return missing ? skip_all(missing) : run(name_server);
}

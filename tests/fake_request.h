/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_FAKE_REQUEST_H
#define TESTS_FAKE_REQUEST_H

#include <stdbool.h>

#include "fs/request.h"

/* Requests that note how they were answered, linked instead of fs/session.c. */

#define FAKE_NAMES_MAX 16

struct request {
	unsigned answers; /* must end as 1 */
	int code;	  /* of a failure */
	struct request_entry entry;
	int64_t absent_ms; /* -1: not answered so */
	struct stat attributes;
	int64_t attributes_ms;
	uint64_t handle;
	char bytes[256];
	size_t length;

	/* entries of a directory */
	char names[FAKE_NAMES_MAX][32];
	uint64_t nodes[FAKE_NAMES_MAX];
	mode_t modes[FAKE_NAMES_MAX];
	size_t name_count;
	size_t name_room; /* how many fit; 0: all */

	/* set by the test */
	pid_t pid;
	bool kernel_refuses; /* the reply is not taken */

	request_on_interrupt *on_interrupt;
	void *owner;
};

void fake_request_init(struct request *request);
void fake_request_interrupt(struct request *request);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KEEPER_DEATHS_H
#define KEEPER_DEATHS_H

#include <stdbool.h>
#include <stdint.h>

/*
 * How soon a worker that died is followed by another: at once, then after
 * 100 ms, 200 ms and so on up to 5 s; at once again after one that served for
 * a minute. Ten deaths within a minute are the last.
 */

#define DEATHS_LIMIT 10
#define DEATHS_LIMIT_MAX 16

struct deaths {
	uint32_t limit;	 /* at most DEATHS_LIMIT_MAX; 0: none */
	bool is_at_once; /* no pauses, as tests want it */

	uint32_t total; /* so far, to be read */

	/* this module's own */
	uint32_t in_a_row;
	int64_t at_ms[DEATHS_LIMIT_MAX];
};

/* One more, of a worker that served for that long. How long to wait before the
 * next one is started; -1: there have been too many. */
int64_t deaths_note(struct deaths *deaths, int64_t now_ms, int64_t served_ms);

#endif

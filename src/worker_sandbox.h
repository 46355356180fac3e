/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WORKER_SANDBOX_H
#define WORKER_SANDBOX_H

#include "guard/reach.h"
#include "guard/sandbox.h"

struct err;
struct options;
struct provider;

/* The worker's sandbox: what the configuration, as it was read at the start,
 * may still need of files and ports. Part of the worker's wiring. */

struct worker_sandbox {
	struct sandbox sandbox;
	struct reach reach;
};

/* Loads what cannot be loaded in it. First of all, before there are secrets. */
void worker_sandbox_prepare(void);

/*
 * Closes it, for good. What is missing of it is logged; err says what must not
 * be, as sandbox_close() does. 0 or negative errno.
 */
int worker_sandbox_close(struct worker_sandbox *sandbox,
			 const struct options *options,
			 struct provider *provider, struct err *err);

/* After reading the configuration again has failed: has err say so if that is
 * because path, or what it leads to, lies outside of what was granted. */
void worker_sandbox_explain(const struct worker_sandbox *sandbox,
			    const char *path, struct err *err);

#endif

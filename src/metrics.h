/* SPDX-License-Identifier: Apache-2.0 */
#ifndef METRICS_H
#define METRICS_H

struct control;
struct err;

/*
 * What whoever watches the worker is told over HTTP: /metrics, /healthz and
 * /readyz. Part of the worker's wiring.
 *
 * Asking costs AWS nothing: all is answered from what is at hand. The metrics
 * are written once a second at most, however often they are asked for.
 */

#define METRICS_AGE_MS 1000

/* An address that cannot be had is tried again that often. */
#define METRICS_RETRY_MS 5000

struct metrics;

/*
 * Listens where control's options say; without that *ret stays NULL. What
 * control points to is borrowed. 0, or negative errno with err filled. Where
 * *ret is set nevertheless, the address cannot be had now, and is tried again.
 */
int metrics_new(const struct control *control, struct metrics **ret,
		struct err *err);

/* NULL is allowed. */
void metrics_free(struct metrics *metrics);

#endif

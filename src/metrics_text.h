/* SPDX-License-Identifier: Apache-2.0 */
#ifndef METRICS_TEXT_H
#define METRICS_TEXT_H

#include <stdbool.h>
#include <stdio.h>

struct control;

/* What /metrics says: every metric of ops/metric.h once. Part of the worker's
 * wiring, and of metrics.h. */

void metrics_text_write(const struct control *control, bool is_ready,
			FILE *out);

#endif

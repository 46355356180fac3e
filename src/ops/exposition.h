/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OPS_EXPOSITION_H
#define OPS_EXPOSITION_H

#include <stdint.h>
#include <stdio.h>

#include "ops/metric.h"

struct histogram;

/*
 * Prometheus's text format 0.0.4. A metric begins once, and its samples follow
 * until the next one begins. What stream errors there are stay in out.
 */

#define EXPOSITION_TYPE "text/plain; version=0.0.4; charset=utf-8"

struct exposition {
	FILE *out; /* borrowed */
	const struct metric_about *metric;
};

/* Of an array, which ends with one that has no name. One whose text is NULL is
 * left out. Texts may be any bytes: what is no UTF-8 becomes U+FFFD. */
struct exposition_label {
	const char *name;
	const char *text;
};

void exposition_begin(struct exposition *exposition, enum metric metric);

/* labels: NULL is none. */
void exposition_put(struct exposition *exposition,
		    const struct exposition_label *labels, uint64_t number);

/* In seconds. */
void exposition_put_ms(struct exposition *exposition,
		       const struct exposition_label *labels, int64_t ms);

/* With one label, which may be NULL. */
void exposition_put_histogram(struct exposition *exposition,
			      const struct exposition_label *label,
			      const struct histogram *histogram);

#endif

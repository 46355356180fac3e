/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AWS_PARTITION_H
#define AWS_PARTITION_H

/* The parts that AWS consists of, which know nothing of each other. */

enum partition_id {
	PARTITION_AWS,
	PARTITION_AWS_CN,
	PARTITION_AWS_US_GOV,
	PARTITION_AWS_EUSC,
	PARTITION_AWS_ISO,
	PARTITION_AWS_ISO_B,
	PARTITION_AWS_ISO_E,
	PARTITION_AWS_ISO_F,
};

struct partition {
	enum partition_id id;
	const char *suffix; /* of host names: "amazonaws.com" */
	const char *dualstack_suffix;
};

/* Any other region than those that are known is of partition aws. */
const struct partition *partition_of(const char *region);

#endif

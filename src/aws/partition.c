/* SPDX-License-Identifier: Apache-2.0 */
/* botocore's partitions.json, by how the names of regions begin. */
#include "aws/partition.h"
#include "base/macros.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

static const struct partition partitions[] = {
	[PARTITION_AWS] = { PARTITION_AWS, "amazonaws.com", "api.aws" },
	[PARTITION_AWS_CN] = { PARTITION_AWS_CN, "amazonaws.com.cn",
			       "api.amazonwebservices.com.cn" },
	[PARTITION_AWS_US_GOV] = { PARTITION_AWS_US_GOV, "amazonaws.com",
				   "api.aws" },
	[PARTITION_AWS_EUSC] = { PARTITION_AWS_EUSC, "amazonaws.eu",
				 "api.amazonwebservices.eu" },
	[PARTITION_AWS_ISO] = { PARTITION_AWS_ISO, "c2s.ic.gov",
				"api.aws.ic.gov" },
	[PARTITION_AWS_ISO_B] = { PARTITION_AWS_ISO_B, "sc2s.sgov.gov",
				  "api.aws.scloud" },
	[PARTITION_AWS_ISO_E] = { PARTITION_AWS_ISO_E, "cloud.adc-e.uk",
				  "api.cloud-aws.adc-e.uk" },
	[PARTITION_AWS_ISO_F] = { PARTITION_AWS_ISO_F, "csp.hci.ic.gov",
				  "api.aws.hci.ic.gov" },
};

static const struct {
	const char *start;
	enum partition_id id;
} regions[] = {
	{ "cn-", PARTITION_AWS_CN },
	{ "us-gov-", PARTITION_AWS_US_GOV },
	{ "eusc-", PARTITION_AWS_EUSC },
	{ "us-iso-", PARTITION_AWS_ISO },
	{ "us-isob-", PARTITION_AWS_ISO_B },
	{ "eu-isoe-", PARTITION_AWS_ISO_E },
	{ "us-isof-", PARTITION_AWS_ISO_F },
	{ "aws-cn-", PARTITION_AWS_CN },
	{ "aws-us-gov-", PARTITION_AWS_US_GOV },
	{ "aws-iso-b-", PARTITION_AWS_ISO_B },
	{ "aws-iso-e-", PARTITION_AWS_ISO_E },
	{ "aws-iso-f-", PARTITION_AWS_ISO_F },
	{ "aws-iso-", PARTITION_AWS_ISO }, /* after those of its letters */
};

const struct partition *partition_of(const char *region)
{
	for (size_t i = 0; i < ARRAY_SIZE(regions); i++)
		if (strncasecmp(region, regions[i].start,
				strlen(regions[i].start)) == 0)
			return &partitions[regions[i].id];
	return &partitions[PARTITION_AWS];
}
